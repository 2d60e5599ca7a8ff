"""Sentry's events in the inbox: as its SDK posts them, and as a person reads them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sentry_sdk
import urllib3
from playwright.sync_api import expect

from settings.loader import load
from tests.chromium import launched
from tests.waiting import eventually
from tests.webhook_buffer.console.sessions import HOSTILE, Served, saved
from webhook_buffer.composition import alarm_set
from webhook_buffer.console import notifications
from webhook_buffer.console.feeds import FileFeed, Place
from webhook_buffer.console.state import State
from webhook_buffer.laptop import sentry_events
from webhook_buffer.laptop.inbox_server import Inbox
from webhook_buffer.laptop.programs.listener import listening
from webhook_buffer.laptop.programs.process import HOST, free_port

_EVENT = {"event_id": "a" * 32, "message": "x"}


@contextmanager
def _inbox(folder: Path) -> Iterator[str]:
    port = free_port()
    server = listening(type("Handler", (Inbox,), {"folder": folder}), port)
    try:
        yield f"{HOST}:{port}"
    finally:
        server.shutdown()
        server.server_close()


def _broken() -> None:
    raise KeyError("group_id")


def _reported(address: str) -> None:
    """An exception and a message, by the SDK and with the options that functions use."""
    client = sentry_sdk.Client(
        dsn=f"http://key@{address}/1", environment="local", release="abc123",
        server_name="webhook-buffer-local-subscribe", default_integrations=False,
        include_local_variables=False,
    )  # fmt: skip
    with sentry_sdk.new_scope() as scope:
        scope.set_client(client)
        scope.set_tag("group_id", HOSTILE)
        try:
            _broken()
        except KeyError as error:
            scope.capture_exception(error)
        scope.capture_message("A webhook failed: BackendTimeout", level="error")
    client.close(timeout=10)


def _listed(folder: Path) -> list[str]:
    listed = notifications.listed(folder, load("local"))
    return [
        request["content"].get("message") or request["content"]["exception"]["values"][-1]["type"]
        for request in listed
        if request["kind"] == "sentry"
    ]


@pytest.mark.slow
def test_an_event_is_read_as_in_sentry(tmp_path: Path) -> None:
    """Type, stack, tags and release of an exception; a message by its words; HTML as text."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    with _inbox(folder) as address:
        _reported(address)
        eventually(lambda: len(_listed(folder)) == 2)
    file = saved(tmp_path)
    state = State(FileFeed(Place(session=file, inbox=folder)), alarm_set(load("local")))
    state.update()
    served = Served(state, free_port())
    with served.running() as url, launched() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{url}#/inbox?kind=sentry")
        rows = page.locator(".rows li")
        expect(rows).to_have_count(2)
        rows.filter(has_text="KeyError").get_by_role("link").click()
        detail = page.locator(".detail")
        expect(detail.get_by_role("heading", name="KeyError")).to_be_visible()
        for words in ("ERROR", "abc123", "webhook-buffer-local-subscribe", HOSTILE, "_broken",
                      'raise KeyError("group_id")'):  # fmt: skip
            expect(detail).to_contain_text(words)
        assert page.locator("main img").count() == 0
        rows.filter(has_text="BackendTimeout").get_by_role("link").click()
        expect(detail).to_contain_text("A webhook failed: BackendTimeout")


def _envelope(*items: object) -> bytes:
    return b"\n".join(
        [b"{}", *(item if isinstance(item, bytes) else json.dumps(item).encode() for item in items)]
    )


def _compressed(body: bytes) -> bytes:
    """The same bytes at any time, because they name a test and all workers must agree on it."""
    return gzip.compress(body, mtime=0)


@pytest.mark.parametrize(
    ("body", "encoding", "many"),
    [
        (_envelope({"type": "event"}, _EVENT), "", 1),
        (_compressed(_envelope({"type": "event"}, _EVENT)), "gzip", 1),
        (_envelope({"type": "session"}, {}, {"type": "event"}, _EVENT), "", 1),
        (_envelope({"type": "attachment", "length": 3}, b"a\nb", {"type": "event"}, _EVENT), "", 1),
        (_envelope({"type": "event", "length": -1}, _EVENT), "", 1),
        (_envelope({"type": "event", "length": 10**30}, _EVENT), "", 1),
        (_envelope({"type": "event"}, [1]), "", 0),
        (_envelope([]), "", 0),
        (b"", "", 0),
        (b"\xff\n\xff", "", 0),
        (b"nothing", "gzip", 0),
        (_envelope({"type": "event"}, _EVENT), "br", 0),
        (_compressed(_envelope({"type": "event"}, b'"' + b"x" * 2**21 + b'"')), "gzip", 0),
        (_envelope({"type": "event"}, {"message": "x" * 2**21}), "", 0),
        (_envelope({"type": "event"}, b"[" * 100_000), "", 0),
    ],
)
def test_an_envelope_is_read_or_nothing(body: bytes, encoding: str, many: int) -> None:
    """Whatever stands in it, compressed or not; never an error, and never much memory."""
    assert len(sentry_events.events(body, encoding)) == many


def test_other_paths_take_no_event(tmp_path: Path) -> None:
    """Only where the SDK posts them; an unreadable one is taken and forgotten."""
    with _inbox(tmp_path) as address:
        for path, status in (("/api/1/envelope/", 200), ("/api/x/envelope/", 400)):
            reply = urllib3.request("POST", f"http://{address}{path}", body=b"\xff", retries=False)
            assert reply.status == status
    assert _listed(tmp_path) == []
