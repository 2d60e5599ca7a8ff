"""What a browser shows of the fake: this is the laptop, so without keys."""

from __future__ import annotations

import html
import json
import re

from webhook_buffer.laptop.fake_datadog.faults import Reply
from webhook_buffer.laptop.fake_datadog.store import KINDS, Body, Store

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Fake Datadog</title>
<style>body {{ font: 16px/1.5 system-ui; max-width: 50rem; margin: 3rem auto }}</style>
<h1>Fake Datadog</h1>
<p>A program on this laptop that answers as Datadog's API does. Nothing here is at Datadog.
What is published with the environment <code>local</code> ends up here.</p>
{sections}
</html>
"""
_HTML = {"Content-Type": "text/html; charset=utf-8"}
_JSON = {"Content-Type": "application/json"}
_TITLES = {
    "monitor": "Monitors",
    "slo": "SLOs",
    "dashboard": "Dashboards",
    "downtime": "Downtimes",
    "event": "Events",
}


def reply(store: Store, path: str) -> Reply:
    """What a path outside of the API shows: all objects by kind, or one as it is kept."""
    if path == "/":
        sections = "\n".join(_section(kind, store[kind]) for kind in KINDS)
        return Reply(200, _PAGE.format(sections=sections).encode(), _HTML)
    asked = re.fullmatch(rf"/objects/({'|'.join(KINDS)})/([\w-]+)", path)
    if asked and (stored := store[asked[1]].get(asked[2])):
        return Reply(200, json.dumps(stored, indent=2).encode(), _JSON)
    return Reply(
        404, b"<!doctype html><p>There is no such page. <a href='/'>All objects</a>", _HTML
    )


def _section(kind: str, objects: dict[str, Body]) -> str:
    there = {key: body for key, body in objects.items() if not _canceled(body)}
    items = "\n".join(
        f'<li><a href="/objects/{kind}/{key}">{html.escape(_name(body))}</a></li>'
        for key, body in objects.items()
    )
    return f"<h2>{_TITLES[kind]} ({len(there)})</h2>\n<ul>{items}</ul>"


def _canceled(body: Body) -> bool:
    return bool(body.get("attributes", {}).get("canceled"))


def _name(body: Body) -> str:
    message = str(body.get("attributes", {}).get("message") or "").split("\n")[0]
    name = body.get("name") or body.get("title") or message or body["id"]
    return f"{name} (canceled)" if _canceled(body) else str(name)
