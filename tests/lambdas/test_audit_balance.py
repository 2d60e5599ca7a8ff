"""The audit's arithmetic: it finds a loss, and never makes one up."""

from __future__ import annotations

import importlib
import random
import sys
from bisect import bisect
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_WINDOW = 360
_HOUR = 3600.0
_END = 60.0 * _WINDOW


@pytest.fixture(scope="module")
def audit() -> Iterator[ModuleType]:
    """The module, loaded as for one environment."""
    variables = {
        "QUEUE_NAME": "hooks.fifo",
        "SERVICE": "webhook-buffer",
        "ENVIRONMENT": "test",
        "PARKING_TABLE": "parking",
        "PARKING_KEEP_SECONDS": "1000000",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        sys.modules.pop("lambdas.audit", None)
        yield importlib.import_module("lambdas.audit")


@dataclass(frozen=True)
class Webhook:
    """One webhook's way. Times in seconds from the window's beginning, or after each other.

    Attributes:
        stays: until subscribe is done with it, or it is lost.
        sending: ``unheard``: SQS's reply was lost twice; ``again``: once; ``twice``: by its
            sender, as two requests.
        fate: ``redelivered``: delivered, not deleted, and delivered once more; ``lost``: gone
            from the queue (expired, purged, deleted by a bug); ``unsent``: never in the queue.
    """

    at: float
    stays: float = 0.5
    accepted_after: float = 0.1
    deleted_after: float = 0.1
    sending: str = "once"
    fate: str = "delivered"


@dataclass
class Story:
    """A queue's history: counts by metric and minute, and who was in it when."""

    every: int = 5  # minutes between heartbeats; 0 for none
    phase: float = 20.0  # seconds
    beat_stays: float = 0.5
    stops: list[tuple[float, float]] = field(default_factory=list)  # subscribe does not run
    counts: Counter[tuple[str, int]] = field(default_factory=Counter)
    inside: list[tuple[float, float]] = field(default_factory=list)
    lost: int = 0

    def _count(self, metric: str, at: float) -> None:
        self.counts[metric, int(at // 60)] += 1

    def _done(self, at: float) -> float:
        """When subscribe is done with what it would be done with then."""
        for begin, end in sorted(self.stops):
            at = end + 0.5 if begin <= at < end else at
        return at

    def add(self, webhook: Webhook) -> None:
        unsent = webhook.fate == "unsent"
        if webhook.sending != "unheard":
            self._count("accepted", webhook.at + webhook.accepted_after)
        if webhook.sending in ("again", "twice"):
            self._count("duplicates", webhook.at + 1)
        if webhook.sending == "twice":
            self._count("accepted", webhook.at + 1 + webhook.accepted_after)
        self.lost += unsent or webhook.fate == "lost"
        if unsent:
            return
        self._count("sent", webhook.at)
        done = webhook.at + webhook.stays
        if webhook.fate == "lost":
            self.inside.append((webhook.at, done))
            return
        if webhook.fate == "redelivered":
            self._count("delivered", self._done(webhook.at + webhook.stays / 2))
        done = self._done(done)
        self._count("consumed" if webhook.fate == "consumed" else "delivered", done)
        self.inside.append((webhook.at, done + webhook.deleted_after))

    def minutes(self, module: ModuleType, seed: int, *, exact: bool = False) -> list[Any]:
        """The window's minutes.

        A depth is read at any moment of its minute; unless ``exact`` what is read is up to a
        minute old, of three in a row one may be misjudged by one, and some are missing.
        """
        counts, inside = self.counts.copy(), list(self.inside)
        beats = range(-180, _WINDOW + 60, self.every) if self.every else ()
        for minute in beats:
            at = 60.0 * minute + self.phase
            done = self._done(at + self.beat_stays)
            counts["sent", int(at // 60)] += 1
            counts["heartbeats", int(done // 60)] += 1
            inside.append((at, done + 0.1))
        chance = random.Random(seed)
        begins, ends = (
            (sorted(times) for times in zip(*inside, strict=True)) if inside else ([], [])
        )
        found = []
        for minute in range(_WINDOW):
            moment = 60 * minute + chance.uniform(0, 60) - (0 if exact else chance.uniform(0, 60))
            depth: int | None = bisect(begins, moment) - bisect(ends, moment)
            if depth and not exact and minute % 3 == seed % 3:
                depth += chance.choice((-1, 0, 1))
            if not exact and chance.random() < 0.02:
                depth = None
            names = ("accepted", "delivered", "consumed", "heartbeats", "sent", "duplicates")
            found.append(
                module.Minute(**{name: counts[name, minute] for name in names}, depth=depth)
            )
        return found


_SHORT = st.floats(0, 5)
_ANYWHERE = st.floats(-2 * _HOUR, _END + _HOUR)
_WEBHOOKS = st.builds(
    Webhook,
    at=_ANYWHERE,
    stays=st.floats(0.01, 5) | st.floats(1, 8 * _HOUR),
    accepted_after=_SHORT,
    deleted_after=_SHORT,
    sending=st.sampled_from(["once", "once", "unheard", "again", "twice"]),
    fate=st.sampled_from(["delivered", "delivered", "consumed", "redelivered", "lost", "unsent"]),
)
_STREAMS = st.builds(
    lambda begin, lasts, every, stays, after: [
        Webhook(begin + number * every, stays, after, after)
        for number in range(min(400, int(lasts / every)))
    ],
    _ANYWHERE,
    st.floats(0, 8 * _HOUR),
    st.floats(2, 200),
    st.floats(0.01, 5) | st.floats(1, 4 * _HOUR),
    _SHORT,
)
_STOPS = st.lists(
    st.tuples(_ANYWHERE, st.floats(1, 2 * _HOUR)).map(lambda one: (one[0], sum(one))), max_size=3
)
_PROPERTY = settings(
    derandomize=True,
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.too_slow],
)


@_PROPERTY
@given(
    st.lists(_WEBHOOKS, max_size=25),
    st.lists(_STREAMS, max_size=3),
    st.booleans(),
    st.integers(0, 10),
    st.floats(0, 60),
    st.floats(0.01, 5),
    _STOPS,
    st.integers(0, 10**6),
)
def test_never_tells_of_more_than_was_lost(
    audit: ModuleType,
    webhooks: list[Webhook],
    streams: list[list[Webhook]],
    lossy: bool,
    every: int,
    phase: float,
    beat_stays: float,
    stops: list[tuple[float, float]],
    seed: int,
) -> None:
    """Traffic, outages, duplicates and imprecise metrics of any kind make no loss up."""
    story = Story(every, phase, beat_stays, stops)
    for webhook in [*webhooks, *(one for stream in streams for one in stream)]:
        if lossy or webhook.fate not in ("lost", "unsent"):
            story.add(webhook)
    found = audit.balance(story.minutes(audit, seed))
    assert found is not None
    assert found.unaccounted <= story.lost


_FATES = st.sampled_from(["delivered", "consumed", "lost", "unsent", "waits"])


@_PROPERTY
@given(
    st.lists(st.tuples(st.floats(65 * 60, 200 * 60), _SHORT, st.floats(0.01, _HOUR), _FATES)),
    st.lists(_FATES, max_size=49),
    st.just(0) | st.integers(5, 15),
    st.floats(0, 60),
    _SHORT,
    st.booleans(),
    st.integers(0, 10**6),
)
def test_finds_what_was_lost_between_quiet_minutes(
    audit: ModuleType,
    webhooks: list[tuple[float, float, float, str]],
    backlog: list[str],
    every: int,
    phase: float,
    beat_stays: float,
    stopped: bool,
    seed: int,
) -> None:
    """Lost in the queue or before it, of a backlog or not: exactly that many are told of."""
    if backlog:  # what it hides: see the docstring of balance
        webhooks = [one for one in webhooks if one[3] != "unsent"]
    story = Story(every, phase, beat_stays, [(210 * 60, 280 * 60)] if stopped else [])
    for at, after, stays, fate in webhooks:
        stays = 10 * _HOUR if fate == "waits" else stays
        story.add(Webhook(at, stays, after, after, fate=fate))
    for number, fate in enumerate(backlog):
        fate = "lost" if fate == "unsent" else fate
        stays = 20 * _HOUR if fate == "waits" else 3 * _HOUR + 100 * number
        story.add(Webhook(-2 * _HOUR, stays, fate=fate))
    found = audit.balance(story.minutes(audit, seed, exact=True))
    assert found is not None
    assert (found.unaccounted, found.uncertain) == (story.lost, 0)


def _story(*webhooks: Webhook, stops: list[tuple[float, float]] | None = None) -> Story:
    story = Story(stops=stops or [])
    for webhook in webhooks:
        story.add(webhook)
    return story


def test_the_stretch_is_as_long_as_it_can_be(audit: ModuleType) -> None:
    """Of equally quiet minutes the outermost are taken, and what they enclose is summed."""
    story = _story(Webhook(3000), Webhook(4000, sending="twice"), Webhook(5000, 30 * _HOUR))
    found = audit.balance(story.minutes(audit, 1, exact=True))
    assert found is not None
    assert (found.accepted, found.delivered, found.queued, found.unaccounted) == (3, 2, 1, 0)
    # Heartbeats come in minutes 0, 5, …, 355.
    assert (found.since, found.until) == (2, 358)


def test_heartbeats_every_minute_hide_no_loss(audit: ModuleType) -> None:
    """One webhook lost on a buffer that is never without a heartbeat is found."""
    story = Story(every=1)
    story.add(Webhook(9000.0, fate="lost"))
    found = audit.balance(story.minutes(audit, 1, exact=True))
    assert (found.uncertain, found.unaccounted) == (0, 1)


def test_heartbeats_that_waited_are_no_webhooks(audit: ModuleType) -> None:
    """Those in the queue at the start, delivered with everything after an outage, are no loss."""
    outage = (-2 * _HOUR, 2 * _HOUR)
    story = _story(*(Webhook(-600.0 * number) for number in range(1, 8)), stops=[outage])
    minutes = story.minutes(audit, 1, exact=True)
    found = audit.balance(minutes)
    assert found is not None
    assert minutes[found.since].depth == 7 + 25  # heartbeats of two hours
    assert (found.delivered, found.queued, found.unaccounted) == (7, -7, 0)


def test_traffic_at_the_ends_is_uncertain(audit: ModuleType) -> None:
    """In a steady stream a few missing webhooks are not told of, and many are."""
    stream = [Webhook(20.0 * number) for number in range(-60, 1200)]
    few = [Webhook(9000.0 + number, fate="lost") for number in range(5)]
    many = [Webhook(9000.0 + number, fate="lost") for number in range(100)]
    found_few = audit.balance(_story(*stream, *few).minutes(audit, 1, exact=True))
    found_many = audit.balance(_story(*stream, *many).minutes(audit, 1, exact=True))
    # Three a minute, accepted and delivered, in three minutes at either end.
    assert (found_few.uncertain, found_few.unaccounted) == (36, 0)
    assert (found_many.uncertain, found_many.unaccounted) == (36, 64)
    assert found_few.accepted == 3 * (found_few.until - found_few.since) + 5


def test_a_large_backlog_is_approximate(audit: ModuleType) -> None:
    """One in fifty queued webhooks may be misjudged, and is not told of."""
    minutes = [audit.Minute(depth=1000 if minute < 100 else 975) for minute in range(_WINDOW)]
    found = audit.balance(minutes)
    assert (found.uncertain, found.unaccounted) == (20, 5)


@pytest.mark.parametrize("noise", [{0: 8.0, 357: 6.0}, {1: 8.0, 358: 6.0}, {2: 8.0, 359: 6.0}])
def test_a_misjudged_depth_is_no_loss(audit: ModuleType, noise: dict[int, float]) -> None:
    """One depth of three too high at the start, or too low at the end, is not believed."""
    depths = dict.fromkeys(range(_WINDOW), 7.0) | noise
    found = audit.balance([audit.Minute(depth=depths[at]) for at in range(_WINDOW)])
    assert (found.since, found.until) == (1, 358)
    assert (found.queued, found.unaccounted) == (0, 0)


def test_a_depth_that_is_missing_is_not_guessed(audit: ModuleType) -> None:
    """Where a minute's own depth is missing, its neighbour's may be too old to count."""
    minutes = [audit.Minute(depth=0.0) for _ in range(_WINDOW)]
    minutes[0] = audit.Minute(depth=1.0)  # delivered just before the quietest minutes
    minutes[1] = minutes[2] = audit.Minute()
    assert audit.balance(minutes).unaccounted == 0


def test_heartbeats_across_an_end_are_no_loss(audit: ModuleType) -> None:
    """One that was sent before the end and arrives after it makes up for none that waited."""
    minutes = [
        audit.Minute(
            depth=5.0 if at < 100 else 0.0,
            sent=float(at >= 290),
            heartbeats=float(at >= 291) + 5.0 * (at == 100),
        )
        for at in range(_WINDOW)
    ]
    found = audit.balance(minutes)
    assert (found.accepted, found.delivered, found.unaccounted) == (0, 0, 0)


def test_silence_of_the_queue_is_no_empty_queue(audit: ModuleType) -> None:
    """A queue that stopped to report has no known depth, so nothing is said of it."""
    minutes = [
        audit.Minute(accepted=float(minute == 90), depth=3.0 if minute < 200 else None)
        for minute in range(_WINDOW)
    ]
    assert audit.balance(minutes) is None
