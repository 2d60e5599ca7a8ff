"""Two people, or two jobs, publish at the same moment."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from monitoring.datadog.sync.publish import Failure, apply
from monitoring.documents.datadog import example
from tests.datadog_publishing import (
    carried_out,
    client,
    counts,
    one_of_each,
    planned,
    published,
)
from webhook_buffer.laptop.fake_datadog import FakeDatadog

_SETTINGS = example()
_ONCE = {"monitor": 2, "slo": 1, "dashboard": 1}


@pytest.fixture
def datadog() -> Iterator[FakeDatadog]:
    with FakeDatadog() as fake:
        yield fake


def _held(datadog: FakeDatadog) -> dict[str, int]:
    return {kind: len(datadog.objects(kind)) for kind in _ONCE}


def _raced(datadog: FakeDatadog) -> list[Failure]:
    """Two applies of plans that were made before either was carried out, one after the other."""
    wanted = one_of_each(_SETTINGS)
    first, second = (planned(datadog, _SETTINGS, wanted) for _ in range(2))
    assert carried_out(datadog, _SETTINGS, first) == []
    return carried_out(datadog, _SETTINGS, second)


def test_the_second_is_reported(datadog: FakeDatadog) -> None:
    """The second apply fails with a clear word for each object that is there twice."""
    failures = _raced(datadog)
    assert {failure.step.key for failure in failures} == {"delivered", "burn", "overview"}
    assert all(
        "somebody else published at the same moment" in failure.reason for failure in failures
    )


def test_the_next_apply_removes_duplicates(datadog: FakeDatadog) -> None:
    """What a race has made is named by the plan and removed by the next apply, which is enough."""
    _raced(datadog)
    wanted = one_of_each(_SETTINGS)
    plan = planned(datadog, _SETTINGS, wanted)
    assert {step.key for step in plan.steps if step.duplicate} == {"delivered", "burn", "overview"}
    assert plan.copies == []
    published(datadog, _SETTINGS, wanted)
    assert _held(datadog) == _ONCE
    assert counts(planned(datadog, _SETTINGS, wanted)) == {"unchanged": 4}


def test_destroy_removes_duplicates(datadog: FakeDatadog) -> None:
    """Deleting an environment deletes what a race has made, too."""
    _raced(datadog)
    plan = planned(datadog, _SETTINGS, [])
    assert apply(client(datadog), _SETTINGS, plan, prune=True, progress=lambda _: None) == []
    assert not any(_held(datadog).values())


def test_a_duplicate_that_was_edited_stays(datadog: FakeDatadog) -> None:
    """A copy that somebody made his own is left alone, and named."""
    _raced(datadog)
    younger = list(datadog.objects("dashboard"))
    for id_ in younger:
        datadog.edit("dashboard", id_, lambda body: body.update(title="Mine"))
    plan = planned(datadog, _SETTINGS, one_of_each(_SETTINGS))
    assert [key for _, key, _ in plan.copies] == ["overview"]
    assert "overview" not in {step.key for step in plan.steps if step.duplicate}


@pytest.mark.parametrize("_time", range(3))
def test_at_once(datadog: FakeDatadog, _time: int) -> None:
    """Whatever two applies at once leave, the next one mends."""
    wanted = one_of_each(_SETTINGS)
    plans = [planned(datadog, _SETTINGS, wanted) for _ in range(2)]
    together = Barrier(2)

    def apply_one(number: int) -> list[Failure]:
        together.wait(10)
        return carried_out(datadog, _SETTINGS, plans[number])

    with ThreadPoolExecutor(2) as pool:
        failures = [failure for some in pool.map(apply_one, range(2)) for failure in some]
    if _held(datadog) != _ONCE:
        assert failures
    published(datadog, _SETTINGS, wanted)
    assert _held(datadog) == _ONCE
    assert counts(planned(datadog, _SETTINGS, wanted)) == {"unchanged": 4}
