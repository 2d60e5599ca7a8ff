"""What the console finds in the record, and which of its indexes it asks."""

from __future__ import annotations

from typing import Any

import pytest

from settings.loader import load
from webhook_buffer.console.record import Records
from webhook_buffer.operations import records
from webhook_buffer.operations.records import Record

_NOW = 1_700_000_000.0
_MS = round(1000 * _NOW)


def _record(name: str, *, group: str = "g", count: int = 1, status: int | None = 200) -> Record:
    delivered = _MS if status == 200 else None
    return Record(
        id=name, group_id=group, source="", received_at=_MS - 1, attempts=count,
        state="delivered" if delivered else "waiting", delivered_at=delivered, status=status,
        delivery="d-1",
    )  # fmt: skip


class _Target:
    """An environment of which nothing but its settings is used."""

    def __init__(self) -> None:
        self.settings = load("prd")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The searches; each finds three webhooks, and one is known by its id."""
    searches: list[dict[str, Any]] = []

    def search(_target: Any, **by: Any) -> list[Record]:
        searches.append(by)
        return [
            _record("m-1"), _record("m-2", count=4, status=503),
            _record("m-3", group="h", count=2),
        ]  # fmt: skip

    def outline(_target: Any, name: str) -> Any:
        attempt = {"number": 2, "at": _MS, "duration_ms": 5.0, "error": "Timeout"}
        known = {"m-2": (_record("m-2", count=2, status=None), {"recent": [attempt]}),
                 "m-1": (_record("m-1"), {})}  # fmt: skip
        return known.get(name)

    monkeypatch.setattr(records, "search", search)
    monkeypatch.setattr(records, "outline", outline)
    return searches


def _found(query: str, minutes: int | None = None) -> list[str]:
    target: Any = _Target()
    shown = Records(target).search(query, minutes=minutes, now=_NOW)
    return [webhook["id"] for webhook in shown["webhooks"]]


def test_each_index_is_asked_for_what_it_finds(asked: list[dict[str, Any]]) -> None:
    """A group and a delivery id at any time, else the last hour; status and attempts choose."""
    assert _found("group:g") == ["m-1", "m-2"]
    assert _found("delivery:d-1 group:h") == ["m-3"]
    assert _found("72d3 attempts:>1 status:>=500") == ["m-2"]
    assert _found("status:200", 15) == ["m-1", "m-3"]
    assert _found("") == ["m-1", "m-2", "m-3"]
    names = [(search["group"], search["delivery"], _MS - search["since"]) for search in asked]
    assert names == [
        ("g", None, _MS),
        (None, "d-1", _MS),
        (None, "72d3", _MS),
        (None, None, 15 * 60_000),
        (None, None, 60 * 60_000),
    ]
    assert all(search["until"] == _MS and search["most"] == 200 for search in asked)


def test_a_search_says_how_far_back_it_looked(asked: list[dict[str, Any]]) -> None:
    """A week at most, and as many minutes as it names."""
    target: Any = _Target()
    week = 7 * 24 * 60
    shown = Records(target).search("group:g", minutes=2 * week, now=_NOW)
    assert shown["minutes"] == week
    assert _MS - asked[0]["since"] == 60_000 * week


def test_a_message_id_finds_its_webhook(asked: list[dict[str, Any]]) -> None:
    """Without a search, and with its attempts, but without its request."""
    assert _found("m-2") == _found("id:m-2") == ["m-2"]
    assert not asked
    target: Any = _Target()
    second = Records(target).webhook("m-2")
    assert second is not None
    assert second["attempted"] == [
        {"at": _NOW, "number": 2, "status": None, "error": "Timeout", "took_ms": 5.0}
    ]
    assert "request" not in second
    first = Records(target).webhook("m-1")
    assert first is not None
    assert [attempt["status"] for attempt in first["attempted"]] == [200]
    assert Records(target).webhook("unknown") is None


def test_a_file_has_no_record() -> None:
    """It says so, and finds nothing."""
    assert Records(None).search("x", minutes=None, now=_NOW)["reason"]
    assert Records(None).webhook("m-1") is None
