"""What becomes of webhooks while the backend fails for some, or for everybody, on a timetable.

``bench_fairness`` plays more of the first two.
"""

from __future__ import annotations

import pytest

from tests.lambdas.modelled_failure import Timetable, play

# A quarter of what the bench plays.
_STARVING = Timetable(hanging=100, pace=15, groups=75, slots=3, until=25)
_DOWN = Timetable(hanging=0, pace=15, groups=75, slots=3, down=15, until=22)
_SETTLED = 10


@pytest.mark.parametrize("fair", [True, False])
def test_starvation(monkeypatch: pytest.MonkeyPatch, fair: bool) -> None:
    """After ten minutes beside webhooks that hang, good ones take less than two; unlimited, more.

    Those that still wait at the end count with how long they have waited.
    """
    run = play(monkeypatch, 1, _STARVING, fair=fair)
    assert not run.problems
    lags = sorted([*run.after(_SETTLED), *run.waiting])
    assert len(lags) >= _STARVING.pace * (_STARVING.until - _SETTLED)
    assert (lags[int(len(lags) * 0.99)] < 120) == fair


def test_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses save three quarters of the time that an outage takes, and its end shows in 5 min."""
    run, unlimited = (play(monkeypatch, 1, _DOWN, fair=fair) for fair in (True, False))
    assert not run.problems
    assert run.hung < unlimited.hung / 4
    assert run.drained_after < 300
    assert max(run.waiting, default=0) < 10


def test_an_hour_of_404_parks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend that refuses everything for an hour gets everything afterwards, in order."""
    hour = Timetable(hanging=0, pace=4, groups=20, slots=2, down=60, status=404, until=70)
    run = play(monkeypatch, 1, hour, fair=True)
    assert not run.problems
    assert run.events["webhook.failed"] > 100
    assert not run.events["webhook.parked"]
    assert max(run.waiting, default=0) < 10


def test_a_forged_webhook_stops_its_group_for_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the backend refuses while it takes others goes aside, and three behind it follow."""
    forged = Timetable(hanging=1, behind=3, pace=4, groups=20, slots=2, status=401, until=25)
    run = play(monkeypatch, 1, forged, fair=True)
    assert not run.problems
    assert run.events["webhook.parked"] == 1
    genuine = [hook for hook in run.webhooks.values() if hook.group == "hanging-0"][1:]
    assert [webhook.taken for webhook in genuine] == [1, 1, 1]
