"""Lists are read to their end, however long, and while others change them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from monitoring.datadog.definition import Kind
from monitoring.documents.datadog import example
from tests.datadog_publishing import client, counts, one_of_each, planned, published
from webhook_buffer.laptop.fake_datadog import FakeDatadog

_MANY = 2500


def _crowd(datadog: FakeDatadog, count: int) -> None:
    """Others' objects, half of them younger than ours."""
    monitor = {"name": "theirs", "type": "query alert", "query": "q", "message": "", "tags": [],
               "options": {}}  # fmt: skip
    schedule = {"start": "2050-01-01T00:00:00+00:00", "end": None}
    downtime: dict[str, Any] = {"scope": "*", "message": "", "schedule": schedule, "canceled": None,
                "monitor_identifier": {"monitor_tags": ["x"]}, "notify_end_states": []}  # fmt: skip
    for number in range(count):
        id_ = number + 1 if number % 2 else 200_000_000 + number
        datadog.put("monitor", str(id_), {**monitor, "id": id_})
        datadog.put("slo", f"{number:032x}", {"id": f"{number:032x}", "name": "theirs", "tags": []})
        datadog.put("dashboard", f"d{number}", {"id": f"d{number}", "title": "t", "widgets": []})
        stored = {"id": f"{number:08x}", "type": "downtime", "attributes": downtime}
        datadog.put("downtime", f"{number:08x}", stored)


@pytest.mark.slow
def test_many_foreign_objects() -> None:
    """Among 2,500 of each kind nothing of ours is missed, and nothing is made twice."""
    settings = example()
    wanted = one_of_each(settings)
    with FakeDatadog() as datadog:
        _crowd(datadog, _MANY // 2)
        published(datadog, settings, wanted)
        _crowd(datadog, _MANY)
        assert counts(planned(datadog, settings, wanted)) == {"unchanged": 4}
        published(datadog, settings, wanted)
        held = {kind: len(datadog.objects(kind)) for kind in ("monitor", "slo", "dashboard")}
        assert held == {"monitor": _MANY + 2, "slo": _MANY + 1, "dashboard": _MANY + 1}
        listed = {kind: len(client(datadog).every(kind)) for kind in Kind}
        assert listed == {**held, "downtime": _MANY}


def _capped(datadog: FakeDatadog, most: int) -> Callable[..., Any]:
    """The fake's answers, none with more than so many of a list."""
    whole = datadog.answer

    def answer(method: str, target: str, *rest: Any) -> Any:
        for name in ("count", "limit", "page_size", "page%5Blimit%5D"):
            target = target.replace(f"{name}=", f"{name}={most}&asked=")
        return whole(method, target, *rest)

    return answer


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("most", [30, 100])
def test_a_server_that_gives_less_than_asked(
    monkeypatch: pytest.MonkeyPatch, kind: Kind, most: int
) -> None:
    """A list is whole, although each page holds fewer than were asked for."""
    with FakeDatadog() as datadog:
        _crowd(datadog, 205)
        monkeypatch.setattr(datadog, "answer", _capped(datadog, most))
        assert len({board.id for board in client(datadog).every(kind)}) == 205


def test_what_is_deleted_meanwhile_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """If others delete dashboards between two pages, none of those that stay is missed."""
    with FakeDatadog() as datadog:
        _crowd(datadog, 600)
        gone = ["d0", "d1", "d2"]
        whole = datadog.answer

        def answer(method: str, target: str, *rest: Any) -> Any:
            response = whole(method, target, *rest)
            while "start=0" in target and gone:
                whole("DELETE", f"/api/v1/dashboard/{gone.pop()}", *rest)
            return response

        monkeypatch.setattr(datadog, "answer", answer)
        listed = {board.id for board in client(datadog).every(Kind.DASHBOARD)}
        assert listed >= set(datadog.objects("dashboard"))
