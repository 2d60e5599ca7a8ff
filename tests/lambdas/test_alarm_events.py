"""transitions: what CloudWatch's messages say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas import alarm_events
from tests.lambdas.fixtures import alarms
from tests.lambdas.fixtures.alarms import envelope

_NOW = 1_800_000_000_000


def _read(body: str) -> alarm_events.Transition:
    return alarm_events.read(body, message_id="m-1", now=_NOW)


def _ms(iso: str) -> int:
    return round(datetime.fromisoformat(iso).timestamp() * 1000)


@pytest.mark.parametrize(
    ("said", "at", "region", "threshold", "children"),
    [
        (alarms.METRIC, "2025-02-02T12:06:35.472+00:00", "ap-northeast-1", 1.0, []),
        (alarms.MATHS, "2020-12-04T03:57:01.659+00:00", None, 0.0, []),
        (
            alarms.COMPOSITE, "2021-11-10T02:45:55.640+00:00", "us-east-1", None,
            ["if-sim-app_427809481713_us-east-1-metric_emitting_node_failure"],
        ),
        (alarms.EMULATOR, "2026-11-23T23:29:49.000+00:00", None, 1.0, []),
    ],
    ids=["metric", "math", "composite", "emulator"],
)  # fmt: skip
def test_recorded_messages_are_read(
    said: dict[str, Any], at: str, region: str | None, threshold: float | None, children: list[str]
) -> None:
    """Every kind of message, of AWS and of the emulator, gives name, time, place and reason."""
    transition = _read(envelope(said))
    assert (transition.alarm, transition.state) == (said["AlarmName"], "ALARM")
    assert transition.severity == "page"
    assert transition.changed_at == _ms(at)
    assert transition.region == region
    assert transition.reading.reason == said["NewStateReason"]
    assert transition.reading.threshold == threshold
    assert [child.alarm for child in transition.children] == children
    assert transition.readable


@pytest.mark.parametrize(
    ("topic", "severity"),
    [("a:buffer-prd-page", "page"), ("a:b-ticket", "ticket"), ("a:x-y-info", "info"),
     ("a:page", None), ("a:buffer-pages", None), ("", None)],
)  # fmt: skip
def test_severity_is_the_topics(topic: str, severity: str | None) -> None:
    """What follows the last hyphen of the topic's name is the severity, if it is one."""
    assert _read(envelope(alarms.METRIC, TopicArn=topic)).severity == severity


@pytest.mark.parametrize(
    ("body", "shown", "at"),
    [
        ("no json", "no json", _NOW),
        ("[1]", "[1]", _NOW),
        (envelope("AWS says hello", Subject=None), "AWS says hello", _ms("2026-11-24T03:12:01Z")),
        (envelope({"AlarmName": "x"}, Subject="S"), 'S\n{"AlarmName": "x"}',
         _ms("2026-11-24T03:12:01Z")),
        (envelope("bell \x07 and \ud800", Subject="", Timestamp="x"), "bell \ufffd and \ufffd",
         _NOW),
    ],
)  # fmt: skip
def test_what_is_no_alarm_is_an_alarm(body: str, shown: str, at: int) -> None:
    """A message that can't be understood becomes an ALARM of its own, which shows it."""
    transition = _read(body)
    assert (transition.state, transition.readable) == ("ALARM", False)
    assert (transition.alarm, transition.changed_at) == ("message m-1", at)
    assert transition.reading.reason == shown


@pytest.mark.parametrize("time", ["", "soon", "0001-01-01T00:00:00+1400", "9999-12-31T23:59:59Z"])
def test_time_that_is_none(time: str) -> None:
    """Without a time of its own, a change happened when SNS took it."""
    said = {**alarms.METRIC, "StateChangeTime": time}
    assert _read(envelope(said)).changed_at == _ms("2026-11-24T03:12:01Z")


_TEXTS = st.sampled_from(["", "x", "\ud800", "Arn", "State", "Threshold"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=5,
)


@given(changes=st.dictionaries(st.sampled_from([*alarms.COMPOSITE, "Trigger"]), _JSON))
def test_any_message_is_read(changes: dict[str, Any]) -> None:
    """Whatever stands where CloudWatch puts something else, there is something to show."""
    transition = _read(envelope({**alarms.COMPOSITE, **changes}))
    assert transition.alarm
    assert transition.state
