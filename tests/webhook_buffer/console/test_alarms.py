"""An alarm in words: why, what was measured, what happened, what to do."""

from __future__ import annotations

from tests.webhook_buffer.console.sessions import OUTAGE
from tests.webhook_buffer.live.test_observations import START
from webhook_buffer.console.state import State


def _shown(state: State, key: str) -> dict[str, object]:
    assert state.session
    document = state.verdicts()
    assert document
    shown = state.alarms.alarm(key, state.session, document)
    assert shown is not None
    return shown


def test_a_file_is_judged_here(state: State) -> None:
    """Without an engine, the same alarms on the same data."""
    document = state.verdicts()
    assert document
    listed = state.alarms.listed(document)
    every = [*state.alarm_set.alarms, *state.alarm_set.composites]
    assert len(listed) == len(every)
    assert {row["id"]: row["state"] for row in listed}["backend-down"] == "OK"


def test_its_chart_is_what_is_compared(state: State) -> None:
    """Minute by minute, with the threshold: all attempts of the outage failed."""
    chart = _shown(state, "backend-down")["chart"]
    assert isinstance(chart, dict)
    values = dict(zip(chart["times"], chart["values"], strict=True))
    assert [values[START + 60 * minute] for minute in OUTAGE] == [100.0] * len(OUTAGE)
    assert values[START + 60 * (OUTAGE.start - 1)] == 0.0
    alarm = state.alarm_set.alarm("backend-down")
    assert alarm is not None
    assert (chart["threshold"], chart["unit"]) == (alarm.threshold, "percent")


def test_what_was_made_up_is_distinguished(state: State) -> None:
    """An alarm on what is missing looks back before the session, and its chart says from when on
    it is one."""
    chart = _shown(state, "heartbeat-missing")["chart"]
    assert isinstance(chart, dict)
    assert state.session
    assert chart["begun"] == state.session.start
    assert chart["times"][0] < chart["begun"]


def test_its_timeline_is_the_sessions(state: State) -> None:
    """With what was notified."""
    changes = _shown(state, "backend-down")["changes"]
    assert isinstance(changes, list)
    [change] = changes
    assert (change["state"], change["notified"], change["at"]) == ("ALARM", True, START + 720)


def test_it_says_why_and_when(state: State) -> None:
    """The rule's numbers are the alarm's; an incident names its parts."""
    shown = _shown(state, "backend-down")
    alarm = state.alarm_set.alarm("backend-down")
    assert alarm is not None
    assert f"{alarm.signal.datapoints} of {alarm.periods} periods" in str(shown["rule"])
    assert str(shown["why"]).startswith(
        "Newest value: 0 % of the attempts failed; threshold: 50 %. It "
    )
    incident = _shown(state, "deliveries-failing")
    assert str(incident["why"]).startswith("heartbeat-missing in ALARM.")
    assert "backend-down" in str(incident["covers"])


def test_every_alarm_has_its_runbook(state: State) -> None:
    """The section is rendered beside it."""
    document = state.verdicts()
    assert document
    for row in state.alarms.listed(document):
        runbook = _shown(state, row["id"])["runbook"]
        assert isinstance(runbook, dict)
        assert runbook["content"], row["id"]
