"""Verdicts on a session's data: as deployed, with suppressors, composites and missing data."""

from __future__ import annotations

from alarmproof.template import parse

from lambdas.amounts import value_in
from monitoring.cloudwatch.alarms import template
from settings.loader import load
from tests.webhook_buffer.live.test_observations import START
from webhook_buffer.composition import alarm_set
from webhook_buffer.live.engine import prelude_of
from webhook_buffer.live.judge import Judge, Verdict
from webhook_buffer.live.session import Session
from webhook_buffer.live.sources import roles_of
from webhook_buffer.live.values import Key, Limits

SETTINGS = load("local")
_GROUPS = ("AWS/SQS", "ApproximateNumberOfGroupsWithInflightMessages", "queue")
BEGIN = START - START % 60 + 60


def _judge() -> Judge:
    return Judge(parse(template(alarm_set(SETTINGS)), "t").alarms, SETTINGS.alarm_name(""))


def _session() -> Session:
    session = Session.begun(
        "local", real=BEGIN, pace=60.0, limits=Limits(), roles=roles_of(SETTINGS)
    )
    for event in prelude_of(SETTINGS, session.start):
        session.apply(event)
    return session


def _add(session: Session, key: Key, minute: int, *values: float) -> None:
    for value in values:
        session.cells.add(key, session.start + 60 * minute, value)


def _verdict(session: Session, minutes: int, signal: str) -> Verdict:
    verdicts = _judge().judge(session, session.start + 60 * minutes)
    return next(verdict for verdict in verdicts if verdict.alarm == SETTINGS.alarm_name(signal))


def _outage(session: Session, begin: int, end: int) -> None:
    for minute in range(begin, end):
        _add(session, ("WebhookBuffer", "BackendOutcome", ""), minute, 7.0, 7.0)
        _add(session, _GROUPS, minute, 4.0)


def test_a_session_begins_in_good_health() -> None:
    """Alarms on what is missing (heartbeats, probes, audits) have a past in which it was there."""
    verdicts = _judge().judge(_session(), BEGIN + 300)
    assert {verdict.alarm: verdict.state for verdict in verdicts if verdict.state != "OK"} == {}


def test_missing_heartbeats_are_found() -> None:
    """After three periods without one; the prelude ends with the session's beginning."""
    assert _verdict(_session(), 10, "heartbeat-missing").state == "OK"
    assert _verdict(_session(), 16, "heartbeat-missing").state == "ALARM"


def test_an_outage_is_one_incident() -> None:
    """The part, its value against the threshold, and the incident that notifies."""
    session = _session()
    _outage(session, 2, 8)
    assert _verdict(session, 3, "backend-down").state == "OK"
    down = _verdict(session, 4, "backend-down")
    assert (down.state, down.value, down.threshold) == ("ALARM", 100.0, 50.0)
    assert down.since == session.start + 240
    # What notify reads of the reason.
    assert value_in(down.reason, "Percent") == "100 %"
    failing = _verdict(session, 4, "deliveries-failing")
    assert (failing.state, failing.notified, failing.suppressed) == ("ALARM", "ALARM", None)


def test_a_suppressed_incident_notifies_nobody_and_says_why() -> None:
    """While deliveries fail, "late" says nothing new; nor right after, when both end together."""
    session = _session()
    _outage(session, 2, 12)
    for minute in range(5, 12):
        _add(session, ("AWS/SQS", "ApproximateAgeOfOldestMessage", "queue"), minute, 400.0)
    degraded = _verdict(session, 8, "deliveries-degraded")
    assert (degraded.state, degraded.notified) == ("ALARM", None)
    assert degraded.suppressed == "deliveries-failing is on"


def test_why_an_incident_is_suppressed_is_said_in_words() -> None:
    """By ids and times that people read: before its suppressor may come on, and after its end."""
    age = ("AWS/SQS", "ApproximateAgeOfOldestMessage", "queue")
    waiting, afterwards = _session(), _session()
    _add(waiting, age, 2, 400.0)
    first = _verdict(waiting, 3, "deliveries-degraded")
    assert (first.state, first.suppressed) == (
        "ALARM", "for its first 2 min, in case deliveries-failing comes on"
    )  # fmt: skip
    _outage(afterwards, 2, 6)
    _add(afterwards, age, 5, 400.0)
    for minute in range(6, 12):
        _add(afterwards, ("WebhookBuffer", "BackendOutcome", ""), minute, 2.0)
        _add(afterwards, _GROUPS, minute, 0.0)
    over = _verdict(afterwards, 12, "deliveries-degraded")
    assert (over.state, over.suppressed) == (
        "ALARM", "deliveries-failing ended less than 2 h 30 min ago"
    )  # fmt: skip
