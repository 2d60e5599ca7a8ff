"""The console's routes: JSON for whoever has the token, and for nobody else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from settings.errors import InputError
from tests.webhook_buffer.console.sessions import RETRYING, TOKEN, Served, console
from webhook_buffer.live.session import Session

_HTTP = urllib3.PoolManager(retries=False)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with console(tmp_path_factory.mktemp("console")).running() as url:
        yield url


def _get(url: str, **headers: str) -> tuple[int, Any]:
    reply = _HTTP.request("GET", url, headers=headers, timeout=10)
    return reply.status, json.loads(reply.data)


@pytest.mark.parametrize(
    "route",
    [
        "session", "boards", "boards/overview", "boards/cloudwatch", "alarms",
        "alarms/backend-down", "runbook/backend-down", "inbox", "webhooks",
        f"webhooks/{RETRYING}", "groups", "examples", "drills", "record?q=group:x",
        "logs?q=%40level%3AWARNING",
    ],
)  # fmt: skip
def test_everything_shown_is_json(served: str, route: str) -> None:
    """Each route answers with a document."""
    status, document = _get(f"{served}api/{route}")
    assert status == 200
    assert isinstance(document, dict)


@pytest.mark.parametrize(
    ("route", "status"),
    [
        ("boards/unknown", 404), ("alarms/unknown", 404), ("webhooks/unknown", 404),
        ("runbook/unknown", 404), ("boards/overview?from=x", 400),
        ("boards/overview?to=99999999999999", 400), (f"webhooks?q={'x' * 400}", 400),
        ("unknown", 404), (f"record?q={'x' * 400}", 400), (f"webhooks/{'x' * 400}", 400),
        ("record?minutes=soon", 400),
        ("logs?q=(", 400), (f"logs?q={'x' * 5000}", 400), ("logs?from=x", 400),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(served: str, route: str, status: int) -> None:
    """As JSON, with a sentence, and no traceback."""
    answered, document = _get(f"{served}api/{route}")
    assert answered == status
    assert document["error"]


@pytest.mark.parametrize(
    ("token", "headers", "status"),
    [
        ("another-token", {}, 404),
        ("", {}, 404),
        (TOKEN, {"Host": "evil.test"}, 403),
        (TOKEN, {"Origin": "http://evil.test"}, 403),
        (TOKEN, {"Referer": "http://127.0.0.1:1/x"}, 403),
        (TOKEN, {"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_nobody_else_reads(served: str, token: str, headers: dict[str, str], status: int) -> None:
    """Neither without the token, nor a page of another origin that has it."""
    base = served.rpartition(f"/{TOKEN}/")[0]
    for path in ("", "api/session", "main.js"):
        answered, document = _get(f"{base}/{token}/{path}", **headers)
        assert answered == status
        assert TOKEN not in json.dumps(document)


def test_a_page_may_load_nothing_from_elsewhere(served: str) -> None:
    """The policy stands on every answer, errors too."""
    for path in ("", "style.css", "uplot/uPlot.esm.js", "api/session", "api/unknown"):
        headers = _HTTP.request("GET", f"{served}{path}", timeout=10).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'self'"), path
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_no_path_leads_out_of_the_page(served: str) -> None:
    """Files beside the page's are not served."""
    for path in ("../server.py", "%2e%2e/server.py", "uplot/../../package.json"):
        base = urllib3.util.parse_url(served)
        pool = urllib3.HTTPConnectionPool(str(base.host), base.port, retries=False)
        assert pool.request("GET", f"{base.path}{path}", timeout=10).status == 404


def test_a_file_is_only_read(served: str) -> None:
    """A session that was opened takes nothing that changes anything."""
    for method, path in (
        ("POST", "api/webhooks"),
        ("POST", "api/pace"),
        ("DELETE", "api/session"),
        ("PUT", ""),
    ):
        reply = _HTTP.request(
            method, f"{served}{path}", body=b"{}", timeout=10,
            headers={"Content-Type": "application/json", "Connection": "close"},
        )  # fmt: skip
        assert reply.status == 405


def test_a_session_is_exported_and_opened(served: str, tmp_path: Path) -> None:
    """The exported file is the same session."""
    file = tmp_path / "exported.jsonl"
    file.write_bytes(_HTTP.request("GET", f"{served}api/session/export", timeout=10).data)
    copy = Session.open(file)
    assert RETRYING in copy.webhooks
    assert [change.state for change in copy.timeline] == ["ALARM"]


def test_a_broken_file_is_one_error(tmp_path: Path) -> None:
    """Named, with what is wrong."""
    file = tmp_path / "broken.jsonl"
    file.write_text("{}\n")
    with pytest.raises(InputError, match=r"broken\.jsonl"):
        Session.open(file)


def _events(url: str, last: str = "") -> Iterator[dict[str, str]]:
    headers = {"Last-Event-ID": last} if last else {}
    reply = _HTTP.request(
        "GET", f"{url}api/events", headers=headers, preload_content=False, timeout=10
    )
    event: dict[str, str] = {}
    text = b""
    try:
        while True:
            byte = reply.read(1)
            if not byte:
                return
            text += byte
            if not text.endswith(b"\n"):
                continue
            name, _, value = text.decode().strip().partition(": ")
            text = b""
            if name:
                event[name] = value
            elif "id" in event:
                yield event
                event = {}
    finally:
        reply.close()


def test_events_say_what_changed_and_resume(tmp_path: Path) -> None:
    """A listener that comes back gets what it missed; after a restart, everything."""
    own_console: Served = console(tmp_path)
    with own_console.running() as url:
        events = _events(url)
        begun = next(events)["id"]
        with own_console.file.open("a") as stream:
            stream.write('{"kind": "mark", "real": 1.0, "text": "x"}\n')
        session = own_console.state.session
        assert session
        change = {"at": session.start, "real": 1.0, "alarm": "x", "state": "OK", "reason": "",
                  "notified": False}  # fmt: skip
        with own_console.file.open("a") as stream:
            stream.write(json.dumps({"kind": "change", "change": change}) + "\n")
        while "timeline" not in next(events)["data"]:
            pass
        events.close()  # type: ignore[attr-defined]
        assert "timeline" in next(_events(url, begun))["data"]
        assert "everything" in next(_events(url, "1-1"))["data"]
