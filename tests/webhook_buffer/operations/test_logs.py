"""Log lines as they are read: which of them are ours, and which a follower has seen."""

from __future__ import annotations

import pytest

from webhook_buffer.operations import logs
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.logs import Line, fields_of


def test_only_lines_of_our_functions_have_fields() -> None:
    """JSON of others, also deeply nested, is text."""
    ours = '{"level":"INFO","event":"webhook.accepted","group_id":"a"}'
    assert fields_of(ours)["group_id"] == "a"
    for text in ("Task timed out", "{", "[]", '{"event": "x"}', '{"event": 1, "level": "INFO"}'):
        assert fields_of(text) == {}
    assert fields_of("[" * 100_000) == {}


def test_a_follower_sees_each_line_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines read again are not shown again, late ones are, and old ones are not read again."""
    lines = [Line(at, "publish", text, {}) for at, text in ((1, "a"), (200_000, "b"))]
    late = Line(150_000, "subscribe", "late", {})
    reads: list[int] = []

    def read(*_: object, since: int, runtime: bool) -> list[Line]:
        del runtime
        reads.append(since)
        found = lines if len(reads) == 1 else sorted([*lines, late], key=lambda line: line.at)
        return [line for line in found if line.at >= since]

    monkeypatch.setattr(logs, "read", read)
    monkeypatch.setattr(logs, "_POLL_SECONDS", 0.0)
    target = Environment.__new__(Environment)
    following = logs.follow(target, ["publish"], since=0)
    assert [next(following).text for _ in range(3)] == ["a", "b", "late"]
    assert reads == [0, 140_000]
