"""Runs on a timetable: webhooks that come at a steady pace while the backend fails.

The same queue, containers and handler as in ``modelled_run.py``, without kills and failing calls,
and with the delays that settings have by default.
"""

from __future__ import annotations

import json
from types import ModuleType
from typing import NamedTuple

import pytest

from lambdas import delivery
from tests.function_modules import POLICY
from tests.lambdas.modelled_run import Run, Webhook, World, loaded, replace

# Source: settings/keys.py, the defaults.
_DELAYS = {"RETRY_BASE_SECONDS": "2", "RETRY_MAX_SECONDS": "300", "RETRY_AFTER_MAX_SECONDS": "900"}


class Timetable(NamedTuple):
    """What happens; times in minutes.

    Attributes:
        hanging: webhooks, each of a group of its own, that fail as long as they are tried.
        behind: good webhooks behind each of them.
        status: what failures are answered; None where they time out.
        pace: good webhooks a minute, among ``groups`` groups.
        slots: invocations at once.
        down: until when everything fails.
        until: when the run ends.
    """

    hanging: int = 400
    behind: int = 0
    status: int | None = None
    pace: int = 60
    groups: int = 300
    slots: int = 10
    down: float = 0
    until: float = 40


class Failure(Run):
    """A run on a timetable.

    Attributes:
        lags: of delivered webhooks: when each was received, and seconds until its delivery.
        attempts, hung: how many attempts there were, and the seconds that took which failed.
    """

    def __init__(self, seed: int, timetable: Timetable, subscribe: ModuleType) -> None:
        calm = World(
            groups=timetable.groups, concurrency=timetable.slots,
            killed=0, failing=0, late=0, undeleted=0, bad=0,
        )  # fmt: skip
        super().__init__(seed, calm, subscribe)
        self.timetable, self.began = timetable, self.now()
        self.lags: list[tuple[float, float]] = []
        self.attempts, self.hung = 0, 0.0
        self._next_at = self.began

    def play(self) -> list[str]:
        for number in range(self.timetable.hanging):
            self._queue(number, f"hanging-{number}")
        number = self.timetable.hanging
        for group in range(self.timetable.hanging):
            for _ in range(self.timetable.behind):
                self._queue(number, f"hanging-{group}")
                number += 1
        end = self.began + 60 * self.timetable.until
        while self.now() < end and not self.problems:
            if self.now() >= self._next_at:
                self._send(number)
                number += 1
                self._next_at += 60 / self.timetable.pace
            self._step()
        return self.problems

    @property
    def waiting(self) -> list[float]:
        """How long the good webhooks wait that are not delivered, in seconds."""
        return [
            self.now() - webhook.sent_at
            for webhook in self.webhooks.values()
            if not webhook.taken and not self._hangs(webhook)
        ]

    def after(self, minutes: float) -> list[float]:
        """The lags of good webhooks that were received later than that, in order of size."""
        return sorted(lag for at, lag in self.lags if at >= self.began + 60 * minutes)

    @property
    def drained_after(self) -> float:
        """Seconds from the outage's end until all that it delayed was delivered."""
        end = self.began + 60 * self.timetable.down
        return max(at + lag for at, lag in self.lags if at < end) - end

    def _arrivals(self) -> list[float]:
        return [self._next_at]

    def _hangs(self, webhook: Webhook) -> bool:
        return webhook.number < self.timetable.hanging

    def _answer(self, webhook: Webhook) -> int | None:
        down = self.now() < self.began + 60 * self.timetable.down
        return self.timetable.status if down or self._hangs(webhook) else 200

    def _answered(self, known: Webhook, started_at: int, seconds: float) -> delivery.Outcome:
        outcome = super()._answered(known, started_at, seconds)
        self.attempts += 1
        if outcome.delivered:
            self.lags.append((known.sent_at, self.now() - known.sent_at))
        else:
            self.hung += seconds
        return outcome


def play(
    monkeypatch: pytest.MonkeyPatch, seed: int, timetable: Timetable, *, fair: bool
) -> Failure:
    """A run that is over; without fairness, webhooks are attempted whenever they come."""
    subscribe = loaded(monkeypatch)
    policy = json.loads(POLICY) | ({} if fair else {"breaker": False, "retry_share": 1})
    monkeypatch.setenv("FAILURE_POLICY", json.dumps(policy))
    for name, value in _DELAYS.items():
        monkeypatch.setenv(name, value)
    with monkeypatch.context() as patch:
        run = Failure(seed, timetable, subscribe)
        replace(patch, run, subscribe)
        run.play()
    return run
