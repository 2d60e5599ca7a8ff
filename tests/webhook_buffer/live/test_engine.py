"""Live alarms that go on with a session: nobody is notified again of what is over."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest
from alarmproof.template import parse

from monitoring.cloudwatch.alarms import template
from settings.loader import load
from tests.fake_aws import FakeAws, Refusal, install
from webhook_buffer.composition import alarm_set
from webhook_buffer.live.control import CONTROL, SESSION, VERDICTS, Control
from webhook_buffer.live.engine import Engine, prelude_of
from webhook_buffer.live.judge import Judge
from webhook_buffer.live.pace import MINUTE
from webhook_buffer.live.session import Change, Session, read_event
from webhook_buffer.live.sources import roles_of
from webhook_buffer.live.values import Limits
from webhook_buffer.operations.environment import Environment

SETTINGS = load("local")
ALARMS = list(parse(template(alarm_set(SETTINGS)), "local").alarms)
INCIDENT = SETTINGS.alarm_name("deliveries-failing")
# Minutes since which the session has been there, and of the outage in it.
_AGO, _OUTAGE = 9, range(1, 4)


@dataclass
class Alarms:
    """CloudWatch's alarms, as far as states and their actions go."""

    states: dict[str, str] = field(default_factory=lambda: {alarm.name: "OK" for alarm in ALARMS})
    enabled: set[str] = field(default_factory=lambda: {alarm.name for alarm in ALARMS})
    notified: list[str] = field(default_factory=list)
    aws: FakeAws = field(init=False)

    def describe(self, _: dict[str, Any]) -> dict[str, Any]:
        listed = [{"AlarmName": name, "StateValue": state} for name, state in self.states.items()]
        return {"MetricAlarms": listed}

    def set(self, given: dict[str, Any]) -> dict[str, Any]:
        name, state = given["AlarmName"], given["StateValue"]
        if name in self.enabled and self.states[name] != state:
            self.notified.append(f"{name} {state}")
        self.states[name] = state
        return {}

    def enable(self, given: dict[str, Any]) -> dict[str, Any]:
        self.enabled |= set(given["AlarmNames"])
        return {}

    def disable(self, given: dict[str, Any]) -> dict[str, Any]:
        self.enabled -= set(given["AlarmNames"])
        return {}


@pytest.fixture
def alarms(monkeypatch: pytest.MonkeyPatch) -> Alarms:
    """Deployed, and what live alarms ask besides: logs and queues in which nothing is new."""
    cloudwatch = Alarms()
    variables = {"BLOCKED_ATTEMPTS": "5", "BLOCKED_SECONDS": "600"}
    counts = dict.fromkeys(
        ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"), "0"
    )
    cloudwatch.aws = install(
        monkeypatch, "000000000000", cloudwatch_DescribeAlarms=cloudwatch.describe,
        cloudwatch_SetAlarmState=cloudwatch.set, cloudwatch_EnableAlarmActions=cloudwatch.enable,
        cloudwatch_DisableAlarmActions=cloudwatch.disable, logs_FilterLogEvents={"events": []},
        lambda_GetFunctionConfiguration={"Environment": {"Variables": variables}},
        sqs_GetQueueUrl={"QueueUrl": "http://127.0.0.1:9/q"},
        sqs_GetQueueAttributes={"Attributes": counts},
    )  # fmt: skip
    return cloudwatch


class _Once(threading.Event):
    """Ends the loop after its first turn."""

    def wait(self, timeout: float | None = None) -> bool:
        self.set()
        return super().wait(timeout)


def _restart(folder: Path) -> Session:
    """Live alarms begin and take one turn; their session."""
    target = Environment(
        settings=SETTINGS, folder=folder, outputs_file=folder / "o.json",
        endpoint_url="http://127.0.0.1:9",
    )  # fmt: skip
    engine = Engine(target, folder, ALARMS)
    engine.run(_Once())
    return engine.session


def _session(until: Callable[[Session], float]) -> Session:
    """A session of some minutes that begins in good health, with an outage."""
    begun = time.time() // MINUTE * MINUTE - _AGO * MINUTE
    session = Session.begun(
        "local", real=begun, pace=60.0, limits=Limits(), roles=roles_of(SETTINGS)
    )
    for event in prelude_of(SETTINGS, session.start):
        session.apply(event)
    for minute in range(_AGO):
        at = session.start + MINUTE * minute
        failing = minute in _OUTAGE
        session.cells.add(("WebhookBuffer", "BackendOutcome", ""), at, 7.0 if failing else 2.0)
        groups = ("AWS/SQS", "ApproximateNumberOfGroupsWithInflightMessages", "queue")
        session.cells.add(groups, at, 4.0 if failing else 0.0)
    session.apply(read_event((), (), until(session)))
    return session


def _incident(session: Session, end: int) -> str:
    verdicts = Judge(ALARMS, SETTINGS.alarm_name("")).judge(session, end)
    return next(verdict.state for verdict in verdicts if verdict.alarm == INCIDENT)


def test_nobody_is_notified_again_of_what_is_over(alarms: Alarms, tmp_path: Path) -> None:
    """An outage paged and ended minutes ago; a restart of live alarms judges no minute again."""
    session = _session(lambda _: time.time())
    ends = [session.start + MINUTE * minute for minute in range(1, _AGO + 1)]
    assert "ALARM" in {_incident(session, end) for end in ends}
    assert _incident(session, ends[-1]) == "OK"
    session.save(tmp_path / SESSION)
    _restart(tmp_path)
    assert alarms.notified == []
    assert json.loads((tmp_path / VERDICTS).read_text())["ahead"] == 0.0  # no time was faster


def test_minutes_that_nobody_judged_are_judged(alarms: Alarms, tmp_path: Path) -> None:
    """Live alarms were dead while the outage began and ended: both are notified, in order."""
    session = _session(lambda session: session.start + MINUTE * _OUTAGE[0])
    session.save(tmp_path / SESSION)
    _restart(tmp_path)
    said = [said for said in alarms.notified if said.startswith(INCIDENT)]
    assert said == [f"{INCIDENT} ALARM", f"{INCIDENT} OK"]


def test_an_incident_that_was_suppressed_does_not_end_for_anybody(
    alarms: Alarms, tmp_path: Path
) -> None:
    """It was on without a notification when live alarms were killed, and is over at their next."""
    session = _session(lambda _: time.time())
    suppressed = SETTINGS.alarm_name("deliveries-degraded")
    event = Change(
        at=session.start + MINUTE, real=time.time(), alarm=suppressed, state="ALARM",
        reason="because", notified=False,
    )  # fmt: skip
    session.apply({"kind": "change", "change": asdict(event)})
    session.save(tmp_path / SESSION)
    alarms.states[suppressed] = "ALARM"
    _restart(tmp_path)
    assert (alarms.states[suppressed], alarms.notified) == ("OK", [])


def test_what_can_not_be_read_is_said_beside_the_verdicts(alarms: Alarms, tmp_path: Path) -> None:
    """The emulator was reset: its logs are gone; and once they are there, all is well again."""
    for answer, problem in ((Refusal("ResourceNotFoundException"), True), ({"events": []}, False)):
        alarms.aws.answers["logs.FilterLogEvents"] = answer
        _restart(tmp_path)
        said = json.loads((tmp_path / VERDICTS).read_text())["problem"]
        assert ("'local' is not deployed" in said) if problem else (said is None)


def test_the_end_of_a_drill_is_marked(alarms: Alarms, tmp_path: Path) -> None:
    """Once nobody wants its mark any more, also after a restart of live alarms; and only once."""
    assert alarms.notified == []
    _session(lambda _: time.time()).save(tmp_path / SESSION)
    Control(until=time.time() + 60, mark=(time.time(), "drill d: repaired")).write(tmp_path)
    assert [mark.text for mark in _restart(tmp_path).marks] == ["drill d: repaired"]
    (tmp_path / CONTROL).unlink()
    for _ in range(2):
        assert [mark.text for mark in _restart(tmp_path).marks] == [
            "drill d: repaired", "drill d: over"
        ]  # fmt: skip


def test_a_restart_counts_no_invocation_again(
    alarms: Alarms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The runtime's lines of the last second are not read twice: without those of ours, an
    invocation would count as one that failed. Also after the file was rewritten.
    """
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    request = "15aac514"
    ours = {"event": "webhook.queued", "level": "INFO", "request_id": request}
    texts = (
        f"START RequestId: {request} Version: $LATEST", json.dumps(ours),
        f"REPORT RequestId: {request}\tDuration: 9 ms\tBilled Duration: 9 ms",
    )  # fmt: skip
    at = round(1000 * now) - 500
    events = [{"timestamp": at, "message": text} for text in texts]

    def read(given: dict[str, Any]) -> dict[str, Any]:
        of_publish = given["logGroupName"].endswith("-publish")
        return {"events": events if of_publish and at >= given["startTime"] else []}

    alarms.aws.answers["logs.FilterLogEvents"] = read
    for _ in range(3):
        session = _restart(tmp_path)
        minute = int(at / 1000) // MINUTE * MINUTE
        key = ("AWS/Lambda", "Invocations", "publish")
        assert session.cells.statistics(key, "Sum", start=minute, count=1).tolist() == [1.0]
        session.save(tmp_path / SESSION)
