"""``logs`` shows what an incident needs, and nothing that a stranger could make of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook_buffer.cli.logs import Selection, as_document, as_text
from webhook_buffer.operations.logs import Line

# As subscribe writes it: its fields, and its metrics in embedded metric format.
_FAILED = {
    "at": 1795655587123,
    "level": "WARNING",
    "event": "webhook.failed",
    "service": "webhook-buffer",
    "env": "local",
    "function": "webhook-buffer-local-subscribe",
    "request_id": "r",
    "group_id": "acme/repo",
    "message_id": "m-1",
    "http": {"status_code": 503},
    "attempt": 2,
    "Backend5xx": 1,
    "HeadAge": 4.2,
    "_aws": {
        "Timestamp": 1795655560323,
        "CloudWatchMetrics": [
            {
                "Namespace": "WebhookBuffer",
                "Dimensions": [["service", "env"]],
                "Metrics": [
                    {"Name": "Backend5xx", "Unit": "Count"},
                    {"Name": "HeadAge", "Unit": "Seconds"},
                ],
            }
        ],
    },
}
_LINE = Line(1795655587123, "subscribe", "{}", _FAILED)
_TIMED_OUT = Line(0, "publish", "Task timed out after 6.00 seconds", {})


def _accepted(**fields: object) -> Line:
    return Line(0, "publish", "{}", {"level": "INFO", "event": "webhook.accepted", **fields})


def test_metrics_are_left_out() -> None:
    """Fields stay in their order; the embedded metrics and their directives go."""
    assert as_text(_LINE).split() == [
        "01:13:07.123", "subscribe", "WARNING", "webhook.failed", "group_id=acme/repo",
        "message_id=m-1", "http.status_code=503", "attempt=2",
    ]  # fmt: skip


def test_a_plain_line_is_whole() -> None:
    """Text that is not a line of ours is shown as it is; its further lines are marked as such."""
    assert as_text(_TIMED_OUT) == "00:00:00.000 publish      Task timed out after 6.00 seconds"
    trace = as_text(Line(0, "publish", "Traceback:\n  File x\x1b[2J", {}))
    assert trace.endswith("Traceback:\n             |   File x\\x1b[2J")


@pytest.mark.parametrize(
    "path",
    [
        "/a\x1b]0;PWNED\x07\x1b[2J",
        "/a\n21:35:00.000 subscribe INFO webhook.delivered group_id=forged",
        "/a group_id=forged",
        '/a" group_id=forged "',
        "/a\u202egnp",
        "/a\x9b2J",
        "/a\u2028b",
        "/a\ud800",
        "",
    ],
)
def test_a_path_forges_nothing(path: str) -> None:
    """Whatever a path holds, it stays one printable word of one line, and can be read back."""
    shown = as_text(_accepted(path=path, group_id="real"))
    assert shown.isprintable()
    assert shown.count("group_id=") - path.count("group_id=") == 1
    start, _, rest = shown.partition(" path=")
    assert start.endswith("webhook.accepted")
    assert rest.startswith('"')
    assert rest.endswith('" group_id=real')


@given(st.text(), st.text())
def test_no_line_is_ever_more_than_a_line(name: str, value: str) -> None:
    """Any field shows as printable text in one line."""
    assert as_text(_accepted(**{f"x{name}": value, "group_id": value})).isprintable()


def test_documents_are_for_programs() -> None:
    """JSON, one line each: fields without metrics, or text; escapes leave nothing to a terminal."""
    document = json.loads(as_document(_LINE))
    assert document["at"] == "2026-11-26T01:13:07.123+00:00"
    assert (document["function"], document["http"]) == ("subscribe", {"status_code": 503})
    assert not {"_aws", "Backend5xx", "HeadAge"} & document.keys()
    assert json.loads(as_document(_TIMED_OUT))["text"] == _TIMED_OUT.text
    hostile = as_document(_accepted(path="/\x1b[2J\n\u202e"))
    assert hostile.isascii()
    assert hostile.isprintable()


def test_levels_groups_and_messages_select() -> None:
    """A level is the least; ids match whole; the runtime's lines have no level and no ids."""
    accepted = _accepted(group_id="other", message_id="m-2")
    lines = [accepted, _LINE, _TIMED_OUT]

    def selected(**how: str) -> list[Line]:
        return [line for line in lines if line in Selection(**how)]

    assert selected() == lines
    assert selected(level="WARNING") == [_LINE, _TIMED_OUT]
    assert selected(level="ERROR") == [_TIMED_OUT]
    assert selected(group="acme/repo") == [_LINE]
    assert selected(group="acme") == []
    assert selected(message="m-2") == [accepted]
    assert selected(message="m-2", level="ERROR") == []
