"""Outages, lost replies, rate limits and kills: an apply makes nothing twice and is completed by
the next.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from itertools import count
from typing import Any

import pytest

from monitoring.datadog.definition import Kind
from monitoring.datadog.sync.plan import Action, plan
from monitoring.datadog.sync.publish import apply
from monitoring.documents.datadog import example
from settings.errors import DatadogError
from settings.loader import load
from settings.paths import ROOT
from tests.datadog_publishing import client, counts, monitor, one_of_each, planned, published
from webhook_buffer.laptop.fake_datadog import FakeDatadog, Fault, Limit

_SETTINGS = example()
_PLAIN: dict[str, Any] = {"datadog": {"functions": []}}
_THEIRS = load("dev", overrides=_PLAIN)


def _boundaries() -> int:
    """How many requests that write an apply of the few objects makes."""
    with FakeDatadog() as datadog:
        published(datadog, _SETTINGS, one_of_each(_SETTINGS))
        return sum(request.method != "GET" for request in datadog.requests)


class _Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("lost", [True, False], ids=["carried out", "not carried out"])
def test_an_apply_that_is_killed_is_completed_by_the_next(lost: bool) -> None:
    """Killed at any request, and run again: no object twice, none missing, and an empty plan."""
    for boundary in range(_boundaries()):
        with FakeDatadog() as datadog:
            api = client(datadog)
            next_plan = plan(api, _SETTINGS, one_of_each(_SETTINGS))
            once, count = api._once, iter(range(1000))

            def killed(method: str, *rest: Any, once: Any = once, count: Any = count,
                       boundary: int = boundary) -> Any:  # fmt: skip
                at = next(count) if method != "GET" else -1
                if at >= boundary and not (lost and at == boundary):
                    raise _Killed
                answer = once(method, *rest)
                if at == boundary:
                    raise _Killed
                return answer

            setattr(api, "_once", killed)  # noqa: B010
            with pytest.raises(_Killed):
                apply(api, _SETTINGS, next_plan, prune=False, progress=lambda _: None)
            published(datadog, _SETTINGS, one_of_each(_SETTINGS))
            assert [len(datadog.objects(kind)) for kind in ("monitor", "slo", "dashboard")] == [
                2, 1, 1,
            ]  # fmt: skip
            assert counts(planned(datadog, _SETTINGS, one_of_each(_SETTINGS))) == {"unchanged": 4}


_APPLY = """
import sys
from types import SimpleNamespace
from monitoring.documents.datadog import example
from tests.datadog_publishing import one_of_each, published
published(SimpleNamespace(url=sys.argv[1]), example(), one_of_each(example()))
"""


class _Killing(FakeDatadog):
    """Ends the process that publishes, with SIGKILL, at its k-th request that writes."""

    def __init__(self, *, at: int, carried_out: bool) -> None:
        super().__init__()
        self._at, self._lost = at, not carried_out
        self._writes = count()
        self.process: subprocess.Popen[bytes] | None = None

    def answer(self, method: str, *rest: Any) -> Any:
        if method != "GET" and self.process and next(self._writes) == self._at:
            if not self._lost:
                super().answer(method, *rest)
            self.process.kill()
            self.process.wait()
            return None
        return super().answer(method, *rest)


@pytest.mark.slow
@pytest.mark.parametrize(("at", "carried_out"), [(0, False), (3, True), (4, False), (5, True)])
def test_a_killed_process_leaves_nothing_twice(at: int, carried_out: bool) -> None:
    """SIGKILL at a request, carried out or not, and again: all there, once; others untouched."""
    with _Killing(at=at, carried_out=carried_out) as datadog:
        theirs = published(datadog, _THEIRS, [monitor(_THEIRS, "theirs")])
        assert theirs.count(Action.CREATE) == 1
        [(foreign, before)] = datadog.objects("monitor").items()
        command = [sys.executable, "-c", _APPLY, datadog.url]
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as process:
            datadog.process = process
            assert process.wait(60) == -signal.SIGKILL, process.stderr
        datadog.process = None
        published(datadog, _SETTINGS, one_of_each(_SETTINGS))
        held = [len(datadog.objects(kind)) for kind in ("monitor", "slo", "dashboard")]
        assert held == [3, 1, 1]
        assert datadog.objects("monitor")[foreign] == before
        assert counts(planned(datadog, _SETTINGS, one_of_each(_SETTINGS))) == {"unchanged": 4}


@pytest.mark.parametrize("kind", ["lose_reply", "drop_request"])
@pytest.mark.parametrize("path", ["/api/v1/monitor$", "/api/v1/slo$", "/api/v1/dashboard$"])
def test_a_lost_reply_makes_nothing_twice(datadog: FakeDatadog, kind: Any, path: str) -> None:
    """Whether a create was carried out or not before its connection broke, there is one object."""
    datadog.faults.append(Fault(method="POST", path=path, kind=kind))
    published(datadog, _SETTINGS, one_of_each(_SETTINGS))
    assert [len(datadog.objects(each)) for each in ("monitor", "slo", "dashboard")] == [2, 1, 1]
    assert datadog.faults == []


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_outage_that_passes_is_outlasted(datadog: FakeDatadog, status: int) -> None:
    """Answers of 5xx to reads and to writes are repeated, and no object is made twice."""
    datadog.faults += [
        Fault(method="GET", path="/monitor$", kind="status", status=status, times=2),
        Fault(method="POST", path="/monitor$", kind="status", status=status, times=2),
    ]
    published(datadog, _SETTINGS, one_of_each(_SETTINGS))
    assert len(datadog.objects("monitor")) == 2


def test_an_outage_that_stays_is_one_sentence(datadog: FakeDatadog) -> None:
    """When Datadog does not answer, the error says where and what, without the keys."""
    datadog.faults.append(Fault(path="/monitor", kind="status", status=503, times=99))
    with pytest.raises(DatadogError, match="GET /api/v1/monitor: 503") as caught:
        planned(datadog, _SETTINGS, one_of_each(_SETTINGS))
    assert "fake-api-key" not in str(caught.value)


@pytest.mark.parametrize("path", ["/monitor$", "/slo$", "/dashboard$", "/downtime$"])
def test_an_unreadable_list_is_not_an_empty_organization(datadog: FakeDatadog, path: str) -> None:
    """An answer of 200 that is not a list ends the plan; read as empty, all would be made twice."""
    published(datadog, _SETTINGS, one_of_each(_SETTINGS))
    datadog.faults.append(Fault(method="GET", path=path, kind="status", status=200))
    with pytest.raises(DatadogError, match=r"listing \w+s: Datadog's answer"):
        planned(datadog, _SETTINGS, one_of_each(_SETTINGS))


def test_a_limit_that_others_use_up_is_waited_for() -> None:
    """However many requests are refused with 429, every object is made, and once."""
    wanted = [monitor(_SETTINGS, f"m{number}") for number in range(12)]
    with FakeDatadog(limits={"monitors_write": Limit(requests=8, seconds=1)}) as datadog:
        published(datadog, _SETTINGS, wanted)
        assert len(datadog.objects("monitor")) == 12


def test_an_interrupt_ends_what_waits(datadog: FakeDatadog) -> None:
    """Ctrl+C in the middle of an apply sends nothing more, and the next apply completes it."""
    api = client(datadog)
    next_plan = plan(api, _SETTINGS, one_of_each(_SETTINGS))

    def interrupt(_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(api, _SETTINGS, next_plan, prune=False, progress=interrupt)
    sent = len(datadog.requests)
    with pytest.raises(DatadogError, match="the command was ended"):
        api.every(Kind.MONITOR)
    assert len(datadog.requests) == sent
    published(datadog, _SETTINGS, one_of_each(_SETTINGS))
    assert counts(planned(datadog, _SETTINGS, one_of_each(_SETTINGS))) == {"unchanged": 4}
