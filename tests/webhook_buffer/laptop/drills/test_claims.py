"""What a drill claims, in words that say which time they mean and what to do."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from settings.loader import load
from webhook_buffer.composition import alarm_set
from webhook_buffer.laptop.drills import report
from webhook_buffer.laptop.drills.catalog import DRILLS
from webhook_buffer.laptop.drills.claims import judge
from webhook_buffer.laptop.drills.model import expected
from webhook_buffer.laptop.drills.seen import Seen
from webhook_buffer.laptop.drills.snapshot import BACKEND, differences
from webhook_buffer.laptop.drills.traffic import Ledger
from webhook_buffer.laptop.drills.verdict import Deliveries, Result
from webhook_buffer.laptop.inbox import Received

_CAUSE = 1e9


class _Seen(Seen):
    """A drill whose only page came some seconds after the cause."""

    page: float = 0.0

    def session(self) -> Any:
        clock = SimpleNamespace(session=lambda at: (at - _CAUSE) * 60 / 3)
        return SimpleNamespace(timeline=[], clock=clock)

    def received(self) -> list[Received]:
        content = {"title": self.wanted[0].titles[0]}
        return [Received("https", content, _CAUSE + self.page)]

    def deliveries(self, _: Any) -> Deliveries:
        return Deliveries(0, [], [])


def _claims(pace: float, page: float) -> dict[str, tuple[bool, str]]:
    alarms, drill = alarm_set(load("local")), DRILLS["backend-unreachable"]
    place: Any = SimpleNamespace(
        alarms=alarms, target=SimpleNamespace(settings=alarms.settings),
        live=SimpleNamespace(session_file=None),
    )  # fmt: skip
    seen = _Seen(place, drill, expected(drill, alarms, pace)[0], _CAUSE)
    seen.cause, seen.page = _CAUSE, page
    result = Result(drill=drill.name, title="t", pace=pace, begun=_CAUSE, users_notice=True)
    traffic: Any = SimpleNamespace(ledger=Ledger())
    judge(result, seen, traffic)
    return {claim.what: (claim.holds, claim.seen) for claim in result.claims}


@pytest.mark.parametrize(
    ("pace", "page", "what", "holds"),
    [
        (3.0, 13.9, "within 14 s: 3 min (1 minute = 3 s), and 5 s that no pace shortens", True),
        (3.0, 14.1, "within 14 s: 3 min (1 minute = 3 s), and 5 s that no pace shortens", False),
        (60.0, 184.0, "within 185 s: 3 min (real time), and 5 s that no pace shortens", True),
    ],
)
def test_a_page_has_a_limit_in_real_seconds(
    pace: float, page: float, what: str, holds: bool
) -> None:
    """Minutes of a session and real seconds are not added up by the reader."""
    assert _claims(pace, page)[f"a page arrives {what}"] == (holds, f"after {page:.1f} s")


def test_silence_is_said_as_it_was_seen() -> None:
    """What stays silent was never on."""
    assert _claims(3.0, 5.0)["api-5xx stays silent"] == (True, "it was never on")


def test_what_is_left_is_said_with_its_remedy() -> None:
    """Of the backend also how it was; of functions no value, which may be a secret."""
    before = {BACKEND: "answers 503", "publish's variables": {"KEY": "secret"}, "same": 1}
    after = {BACKEND: "answers 200", "publish's variables": {}, "same": 1}
    assert differences(before, after) == [
        'the faux backend now "answers 200", before "answers 503"; set it: webhook-buffer backend',
        "publish's variables differ from before; to deploy afresh: webhook-buffer down, then up",
    ]
    assert differences(before, before) == []


@pytest.mark.parametrize(("count", "words"), [(1, "1 of 1 drill passed"), (2, "2 of 2 drills")])
def test_a_page_counts_in_words(count: int, words: str) -> None:
    """One drill is not several."""
    results = [Result(drill="d", title="t", pace=3.0, begun=0.0)] * count
    assert words in report.as_html(results)
