"""The breaker, and the share of a container's time for webhooks that failed before."""

from __future__ import annotations

import json
import random
import time
from types import SimpleNamespace
from typing import Any

import pytest

from lambdas import fairness, source_deliveries
from lambdas.attempts import NONE
from lambdas.delivery import Outcome
from lambdas.failure_policy import Policy
from tests.function_modules import POLICY

_FAILED_BEFORE = NONE._replace(attempts=3)


class Setting:
    """A container on a clock of its own, and when a source was last delivered anywhere."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_700_000_000.0
        self.delivered = 0.0
        self.asked = 0
        self.config: Any = SimpleNamespace(
            policy=Policy.of(json.loads(POLICY)),
            retry_base=2.0,
            retry_max=300.0,
            retry_after_max=900.0,
        )
        monkeypatch.setattr(time, "time", lambda: self.now)
        monkeypatch.setattr(random, "uniform", lambda low, _: low)
        monkeypatch.setattr(source_deliveries, "latest", self._latest)
        self.container = fairness.Container()

    def _latest(self, _config: Any, _source: str) -> int:
        self.asked += 1
        return round(1000 * self.delivered)

    def policy(self, **changed: Any) -> None:
        self.config.policy = self.config.policy._replace(**changed)

    def attempt(
        self, group: str = "g", *, seconds: float = 0.0, before: Any = NONE, source: str = "",
        **outcome: Any,
    ) -> None:  # fmt: skip
        started, self.now = self.now, self.now + seconds
        made = Outcome(round(1000 * started), 1000 * seconds, **(outcome or {"status": 503}))
        self.container.attempted(self.config, source, group, before, made)

    def pause(
        self, *, before: Any = NONE, source: str = "", age: float = 0.0
    ) -> fairness.Pause | None:
        at = round(1000 * (self.now - age))
        return self.container.pause(self.config, source, before, receives=4, received_at=at)

    def outage(self) -> None:
        for number in range(5):
            self.attempt(f"g{number % 3}")


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Setting:
    return Setting(monkeypatch)


def test_five_failures_of_three_groups_pause_attempts(here: Setting) -> None:
    """The fifth failure opens the breaker: the first probe comes after half a minute."""
    for group in ("a", "b", "c", "a"):
        here.attempt(group)
        assert here.pause() is None
    here.attempt("b", error="ConnectTimeout")
    assert here.pause() == fairness.Pause("BackendDown", 30)
    here.now += 30
    assert here.pause() is None


def test_few_groups_say_nothing_about_the_backend(here: Setting) -> None:
    """However often two groups fail, others are attempted."""
    for number in range(20):
        here.attempt(f"g{number % 2}")
    assert here.pause() is None


@pytest.mark.parametrize("outcome", [{"status": 404}, {"status": 429}, {"error": "Unsendable"}])
def test_other_failures_do_not_pause(here: Setting, outcome: dict[str, Any]) -> None:
    """Answers below 500, and webhooks that can't be sent, are not an outage."""
    for number in range(20):
        here.attempt(f"g{number}", **outcome)
    assert here.pause() is None


def test_a_delivery_starts_the_count_again(here: Setting) -> None:
    """Failures around a 2xx are not in a row."""
    for group in ("a", "b", "c", "d"):
        here.attempt(group)
    here.attempt(status=200)
    here.attempt("e")
    assert here.pause() is None


def test_pauses_grow_with_the_outage(here: Setting) -> None:
    """A failed probe is followed by a quarter of the outage so far, at most five minutes."""
    here.outage()
    for passed, pause in ((200, 50), (600, 200), (3600, 300)):
        here.now += passed
        assert here.pause() is None
        here.attempt("probe")
        paused = here.pause()
        assert paused
        assert paused.reason == "BackendDown"
        assert paused.seconds == pytest.approx(pause, rel=0.05)


def test_pauses_end_within_the_longest_delay(here: Setting) -> None:
    """Where attempts are never more than 4 s apart, neither are probes."""
    here.config.retry_max = 4.0
    here.outage()
    assert here.pause() == fairness.Pause("BackendDown", 4)


@pytest.mark.parametrize("status", [200, 404])
def test_an_answered_probe_ends_the_pause(here: Setting, status: int) -> None:
    """A backend that takes or refuses a webhook is there again."""
    here.outage()
    here.now += 30
    here.attempt("probe", status=status)
    assert here.pause() is None


def test_a_delivery_elsewhere_ends_the_pause(here: Setting) -> None:
    """What another container delivered is known within half a minute, without a probe."""
    here.outage()
    here.now += 20
    here.delivered = here.now
    assert here.pause()
    here.now += 9.9
    assert here.pause()
    here.now += 0.2
    assert here.pause() is None


def test_while_others_deliver_nothing_pauses(here: Setting) -> None:
    """Failures of one container alone don't open its breaker; the store is asked twice a minute."""
    here.delivered = here.now
    for number in range(100):
        here.attempt(f"g{number}", seconds=0.5)
    assert here.pause() is None
    assert here.asked == 1


def test_sources_fail_apart(here: Setting) -> None:
    """An outage of one source's backend leaves the others alone."""
    here.outage()
    assert here.pause(source="shop") is None


def test_the_oldest_are_attempted_all_the_same(here: Setting) -> None:
    """What is old enough to be parked is not put back, for it would expire in the queue."""
    here.outage()
    longest = here.config.policy.longest
    assert here.pause(age=longest - 1)
    assert here.pause(age=longest) is None


def test_the_breaker_can_be_left_out(here: Setting) -> None:
    """With ``breaker: false`` an outage pauses nothing."""
    here.policy(breaker=False)
    here.outage()
    assert here.pause() is None


def test_half_of_the_time_is_for_what_fails_again(here: Setting) -> None:
    """In an hour of webhooks that hang, half of it is kept for others."""
    here.policy(breaker=False)
    begin, hung = here.now, 0.0
    while here.now < begin + 3600:
        if here.pause(before=_FAILED_BEFORE) is None:
            here.attempt(seconds=7, before=_FAILED_BEFORE, error="ReadTimeout")
            hung += 7
        assert here.pause() is None
        here.now += 0.05
    assert 0.48 < hung / (here.now - begin) < 0.52


def test_deliveries_cost_no_share(here: Setting) -> None:
    """What failed before and is delivered now is not held up, so that a backlog drains."""
    for _ in range(20):
        here.attempt(seconds=7, before=_FAILED_BEFORE, status=200)
    assert here.pause(before=_FAILED_BEFORE) is None


def test_a_spent_share_backs_off(here: Setting) -> None:
    """A webhook without its turn waits at least until there is time for it."""
    here.policy(breaker=False, retry_share=0.1)
    for _ in range(3):
        here.attempt(seconds=7, before=_FAILED_BEFORE, error="ReadTimeout")
    pause = here.pause(before=_FAILED_BEFORE)
    assert pause
    assert pause.reason == "RetryShare"
    here.now += pause.seconds
    assert here.pause(before=_FAILED_BEFORE) is None
