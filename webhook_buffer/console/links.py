"""The links of a widget: log lines lead to those of the session, everything else to where it is.

Source: Datadog API reference, "Dashboards": ``custom_links``; Datadog documentation, "Context
Links", for the variables in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

_VARIABLE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_MOST, _LABEL_CHARACTERS, _TARGET_CHARACTERS = 10, 40, 4000
# Views of the console that stand in for Datadog's explorers.
_VIEWS = {"/logs": "logs", "/apm/traces": "traces"}


def links(
    definition: Mapping[str, Any], variables: Mapping[str, str], start: int, end: int, site: str
) -> Iterator[dict[str, str]]:
    """Label and address of each link of a widget.

    Args:
        variables: the values of the dashboard's template variables.
        start, end: the time shown.
        site: the address of Datadog's pages.
    """
    given = definition.get("custom_links")
    for link in given[:_MOST] if isinstance(given, list) else ():
        if not isinstance(link, dict) or link.get("is_hidden"):
            continue
        label = str(link.get("label") or link.get("override_label") or "")[:_LABEL_CHARACTERS]
        address = _address(str(link.get("link") or ""), variables, start, end, site)
        if label and address:
            yield {"label": label, "href": address}


def _address(
    target: str, variables: Mapping[str, str], start: int, end: int, site: str
) -> str | None:
    if len(target) > _TARGET_CHARACTERS:
        return None
    known = {"timestamp_start": str(1000 * start), "timestamp_end": str(1000 * end)}
    for name, value in variables.items():
        known[f"${name}"] = "" if value == "*" else f"{name}:{value}"
        known[f"${name}.value"] = "" if value == "*" else value
    filled = _VARIABLE.sub(lambda match: known.get(match[1], ""), target)
    if filled.startswith(("https://", "http://")):
        return filled
    if not filled.startswith("/") or filled.startswith("//"):
        return None
    parts = urlsplit(filled)
    view = _VIEWS.get(parts.path)
    if view is None:
        return site + filled
    [search, *_] = parse_qs(parts.query).get("query", [""])
    search = " ".join(search.split())
    return f"#/{view}?{urlencode({'q': search, 'from': start, 'to': end})}"
