"""notification: what a person reads, with all they need to act."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas import alarm_events, notification
from lambdas.alarm_events import Reading
from lambdas.alarm_guide import AlarmGuides
from lambdas.blocking import Webhook
from lambdas.notification import Notification
from tests.lambdas.fixtures import alarms
from tests.lambdas.fixtures.alarms import AGE, ALARM_GUIDES, DOWN, FAILING, SLOW, envelope, message

_ALARM_GUIDES = AlarmGuides.parse(json.dumps(ALARM_GUIDES))


def _ms(iso: str) -> int:
    return round(datetime.fromisoformat(iso).timestamp() * 1000)


_AT = _ms("2026-11-24T03:12:00Z")
_NOW = _ms("2026-11-24T03:13:00Z")


def _built(
    said: dict[str, Any], *, severity: str = "page", parts: tuple[Reading, ...] = (),
    since: int | None = _AT, now: int = _NOW, **more: Any,
) -> Notification:  # fmt: skip
    transition = alarm_events.read(envelope(said, severity), message_id="m-1", now=now)
    return notification.build(transition, _ALARM_GUIDES, parts=parts, since=since, now=now, **more)


@pytest.mark.parametrize(
    ("region", "domain"),
    [
        ("eu-west-1", "eu-west-1.console.aws.amazon.com"),
        ("cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
    ],
)
def test_links_lead_to_the_partitions_console(region: str, domain: str) -> None:
    """Each partition of AWS has a console of its own."""
    arn = f"arn:aws:cloudwatch:{region}:111111111111:alarm:{DOWN}"
    links = dict(_built(message(AlarmArn=arn)).links)
    del links["runbook"]
    assert links.keys() == {"logs", "dashboard", "alarm"}
    assert all(
        link.startswith(f"https://{domain}/cloudwatch/home?region={region}#")
        for link in links.values()
    )


def test_a_laptop_has_commands_in_place_of_a_console() -> None:
    """Where there is no console, the command that reads the log stands in the notification."""
    transition = alarm_events.read(envelope(message(), "page"), message_id="m-1", now=_NOW)
    guides = AlarmGuides.parse(json.dumps({**ALARM_GUIDES, "laptop": True}))
    built = notification.build(transition, guides, since=_AT, now=_NOW)
    assert built.links.keys() == {"runbook"}
    assert dict(built.facts)["Logs"] == (
        "`webhook-buffer logs --env prd -f subscribe --level WARNING --minutes 16`; "
        "add `--group GROUP` to see one group only"
    )


def test_alarm() -> None:
    """An ALARM says what, where, since when, how bad, what users notice and what to do first."""
    built = _built(message())
    assert built.headline == "PAGE buffer prd: The backend does not accept webhooks"
    assert built.summary == (
        "The backend does not accept webhooks in prd since 03:12 UTC: "
        "62 % of the attempts failed, threshold 50 %."
    )
    assert built.facts == (("Impact", "Webhooks wait in the queue; none is lost."),)
    assert built.steps == tuple(ALARM_GUIDES["alarms"][DOWN]["steps"])
    assert built.signal == "backend-down"
    assert built.lasted_seconds is None


@pytest.mark.parametrize(
    ("comparison", "threshold"),
    [
        ("GreaterThanThreshold", "50 %"), ("GreaterThanOrEqualToThreshold", "50 %"),
        ("LessThanThreshold", "below 50 %"), ("LessThanOrEqualToThreshold", "at most 50 %"),
    ],
)  # fmt: skip
def test_threshold_says_its_side(comparison: str, threshold: str) -> None:
    """A threshold that is crossed downwards says so."""
    trigger = {"ComparisonOperator": comparison, "Threshold": 50}
    assert _built(message(Trigger=trigger)).threshold == threshold


@pytest.mark.parametrize(
    ("since", "lasted"),
    [
        (_ms("2026-11-24T02:30:00Z"), "It lasted 42 min."),
        (_ms("2026-11-24T03:11:40Z"), "It lasted 20 s."),
        (_ms("2026-11-24T03:30:00Z"), "It lasted 0 s."),
        (None, "Its duration is unknown."),
    ],
)
def test_recovery(since: int | None, lasted: str) -> None:
    """An OK says what is over and how long it lasted, and asks for nothing."""
    reason = "Threshold Crossed: 1 datapoint [0.0 (24/11/26 03:11:00)] was not greater than 50.0."
    built = _built(message(state="OK", NewStateReason=reason), since=since)
    assert built.summary == f"Recovered: The backend does not accept webhooks in prd. {lasted}"
    assert built.headline == "RECOVERED buffer prd: The backend does not accept webhooks"
    assert (built.steps, built.facts) == (
        (),
        (("Now", "0 % of the attempts failed, threshold 50 %"),),
    )


def test_again() -> None:
    """An alarm that is on again says how often it was, and since when."""
    built = _built(message(), since=_ms("2026-11-24T02:50:00Z"), times=3)
    assert built.summary.endswith("threshold 50 %. This is the 3rd time since 02:50 UTC.")


def test_over_already() -> None:
    """An ALARM that arrives after its recovery says that it has recovered."""
    built = _built(message(), recovered_at=_ms("2026-11-24T03:20:00Z"))
    assert built.summary.endswith("threshold 50 %. It recovered at 03:20 UTC.")


def test_times_of_other_days_have_a_date() -> None:
    """An hour without a date is one of today."""
    built = _built(message(), now=_ms("2026-11-25T00:00:00Z"))
    assert "since 2026-11-24 03:12 UTC:" in built.summary


def test_webhooks_that_block_are_named() -> None:
    """Group, message and since when; beyond three it says that there are more."""
    webhooks = tuple(Webhook(f"acme/{at}", f"m-{at}", _AT) for at in range(4))
    said = [
        f"message `m-{number}` of group `acme/{number}`, since 03:12 UTC" for number in range(3)
    ]
    facts = dict(_built(message(), webhooks=webhooks).facts)
    assert facts["Webhooks"] == "; ".join([*said, "and more"])
    facts = dict(_built(message(), webhooks=webhooks[:3]).facts)
    assert facts["Webhooks"] == "; ".join(said)
    unknown = (Webhook("sha256:0f", "m", None),)
    facts = dict(_built(message(), webhooks=unknown).facts)
    assert facts["Webhooks"] == "message `m` of group `sha256:0f`"


def _part(name: str, reason: str = "", threshold: float | None = None) -> Reading:
    return Reading(alarm=name, reason=reason, threshold=threshold)


_WAITING = "1 datapoint [320.0 (24/11/26 03:11:00)] was greater than the threshold (300.0)."


def test_composite_leads_with_the_most_specific_part() -> None:
    """The first part on in the guides's order gives title, value, steps and links."""
    parts = (_part(SLOW), _part("of another", "x"), _part(AGE, _WAITING, 300.0))
    built = _built({**alarms.COMPOSITE, "AlarmName": FAILING}, parts=parts)
    assert built.title == "Webhooks wait too long"
    assert built.measured == "5 min 20 s, threshold 5 min"
    assert built.steps == ("Look at the queue.",)
    assert built.links["runbook"].endswith("#queue-age")
    assert built.facts == (
        ("Incident", "Webhooks do not reach the backend"),
        ("Impact", "Webhooks wait in the queue and arrive late."),
        ("Also firing", "The backend is slow"),
    )
    assert built.signal == "deliveries-failing"
    assert f"alarm/{FAILING}" in built.links["alarm"]


def test_titles_that_are_the_same_are_said_once() -> None:
    """Of a burn rate's two windows, and of two rates, each of two windows."""
    titles = {"rate-long": "Late", "rate-short": "Late", "slow-long": "Slow", "slow-short": "Slow"}
    guides = {
        **{name: {**ALARM_GUIDES["alarms"][AGE], "title": title} for name, title in titles.items()},
        FAILING: {**ALARM_GUIDES["alarms"][FAILING], "parts": list(titles)},
    }
    said = envelope({**alarms.COMPOSITE, "AlarmName": FAILING})
    built = notification.build(
        alarm_events.read(said, message_id="m", now=1),
        AlarmGuides.parse(json.dumps({**ALARM_GUIDES, "alarms": guides})),
        parts=[_part(name) for name in titles], since=1, now=1,
    )  # fmt: skip
    assert (built.title, built.also) == ("Late", ("Slow",))


@pytest.mark.parametrize("said", [alarms.COMPOSITE, alarms.EMULATOR_COMPOSITE])
@pytest.mark.parametrize("state", ["ALARM", "OK"])
def test_composite_has_no_threshold_of_its_own(said: dict[str, Any], state: str) -> None:
    """Whatever a composite's message says beside its state, it has neither value nor threshold."""
    built = _built({**said, "AlarmName": FAILING, "NewStateValue": state})
    assert (built.value, built.threshold, built.measured) == (None, None, None)


def test_composite_without_parts_shows_its_own_text() -> None:
    """When no part is known to be on, the composite's own text is shown, and no value."""
    built = _built({**alarms.COMPOSITE, "AlarmName": FAILING})
    assert built.title == "Webhooks do not reach the backend"
    assert (built.value, built.threshold, built.incident, built.also) == (None, None, None, ())
    assert built.steps == ("Look at the dashboard.",)
    assert ("CloudWatch says", alarms.COMPOSITE["NewStateReason"]) in built.facts


@pytest.mark.parametrize(
    ("said", "title", "measured", "says"),
    [
        (alarms.METRIC, "Alarm ErrorAlarm", "1, threshold 1", "Alarm when ERROR appears in logs"),
        (alarms.MATHS, "Alarm Test LocalTime", "0, threshold 0",
         "Alarm Notification in my local timezone"),
        (alarms.COMPOSITE, f"Alarm {alarms.COMPOSITE['AlarmName']}", None,
         alarms.COMPOSITE["NewStateReason"]),
        (alarms.EMULATOR, "Alarm al", None, "why ALARM"),
    ],
)  # fmt: skip
def test_alarms_without_guide(
    said: dict[str, Any], title: str, measured: str | None, says: str
) -> None:
    """An alarm without a guide is described in CloudWatch's own words."""
    built = _built(said, severity="ticket")
    assert (built.title, built.measured, built.signal) == (title, measured, None)
    assert says in [text for _, text in built.facts]
    assert built.links.keys() == {"alarm", "dashboard"}
    assert built.severity == "ticket"


def test_damaged_message_is_shown() -> None:
    """A message that is not an alarm's is shown with its text, as the most severe."""
    transition = alarm_events.read("<html>", message_id="m-1", now=_NOW)
    built = notification.build(transition, _ALARM_GUIDES, since=_NOW, now=_NOW)
    assert built.headline == "PAGE buffer prd: A message that is not from an alarm"
    assert built.facts == (("CloudWatch says", "<html>"),)
    assert built.links.keys() == {"dashboard"}


@pytest.mark.parametrize(
    ("topic", "alarm", "severity"),
    [("a-ticket", DOWN, "ticket"), ("a", SLOW, "ticket"), ("a", "unknown", "page")],
)
def test_severity(topic: str, alarm: str, severity: str) -> None:
    """The topic's severity comes before the guides's; with neither it is the worst."""
    body = envelope(message(alarm), TopicArn=topic)
    transition = alarm_events.read(body, message_id="m-1", now=_NOW)
    assert notification.severity(transition, _ALARM_GUIDES) == severity


def test_links() -> None:
    """Links lead to the runbook's heading, the alarm, the dashboard and the log of the time."""
    links = _built(message("buffer/ü", AlarmArn=alarms.METRIC["AlarmArn"])).links
    console = "https://ap-northeast-1.console.aws.amazon.com/cloudwatch/home?region=ap-northeast-1"
    assert links == {
        "alarm": f"{console}#alarmsV2:alarm/buffer%2F%C3%BC",
        "dashboard": f"{console}#dashboards:name=buffer-prd",
    }
    links = _built(message()).links
    console = "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1"
    assert links["runbook"] == "https://git.example/docs/runbook.md#backend-down"
    assert links["logs"] == (
        f"{console}#logsV2:logs-insights$3FqueryDetail$3D~(end~'2026-11-24T03*3a13*3a00.000Z"
        "~start~'2026-11-24T02*3a57*3a00.000Z~timeType~'ABSOLUTE~tz~'UTC~editorString~'"
        "fields*20*40timestamp*2c*20status*20*7c*20filter*20event*20*3d*20*27webhook.failed*27"
        "~source~(~'*2faws*2flambda*2fbuffer-prd-subscribe))"
    )


@pytest.mark.parametrize(
    ("state", "more", "start", "end"),
    [
        ("ALARM", {}, "02:57", "03:13"),
        ("ALARM", {"since": _ms("2026-11-24T01:00:00Z")}, "02:57", "03:13"),
        ("ALARM", {"recovered_at": _ms("2026-11-24T03:12:30Z")}, "02:57", "03:12"),
        ("OK", {"since": _ms("2026-11-24T02:30:00Z")}, "02:15", "03:12"),
        ("OK", {"since": None}, "02:57", "03:12"),
    ],
)
def test_window_of_the_log(state: str, more: dict[str, Any], start: str, end: str) -> None:
    """The log's window begins 15 minutes before the alarm and ends now, or at recovery."""
    link = unquote(_built(message(state=state), **more).links["logs"].replace("*", "%"))
    assert f"start~'2026-11-24T{start}:" in link
    assert f"(end~'2026-11-24T{end}:" in link


@pytest.mark.parametrize(
    "damage",
    [
        {"unit": "Bytes"}, {"severity": "critical"}, {"steps": None}, {"title": ...},
    ],
)  # fmt: skip
def test_damaged_guide_is_refused(damage: dict[str, Any]) -> None:
    """A guides that lacks something is refused when it is loaded, not when it is needed."""
    alarm = {**ALARM_GUIDES["alarms"][DOWN], **damage}
    alarm = {name: value for name, value in alarm.items() if value is not ...}
    with pytest.raises((ValueError, TypeError, KeyError)):
        AlarmGuides.parse(json.dumps({**ALARM_GUIDES, "alarms": {DOWN: alarm}}))


def test_guide_may_say_more() -> None:
    """A member that this version doesn't know changes nothing."""
    more = {"alarms": {DOWN: {**ALARM_GUIDES["alarms"][DOWN], "new": 1}}, "newer": 2}
    assert AlarmGuides.parse(json.dumps({**ALARM_GUIDES, **more})).alarms[DOWN].id == "backend-down"


_VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 1e308, -1, "", "\ud800<&>", [{}], {"Threshold": True}, ["x"]]
)


@given(
    said=st.dictionaries(st.sampled_from([*alarms.METRIC, "TriggeringChildren"]), _VALUES),
    alarm=st.sampled_from([DOWN, FAILING, "x"]),
    state=st.sampled_from(["ALARM", "OK"]),
)
def test_something_is_always_shown(said: dict[str, Any], alarm: str, state: str) -> None:
    """However damaged a message is, a notification comes of it that any channel can carry."""
    built = _built({**message(alarm, state), **said})
    texts = [built.headline, built.summary, *(text for fact in built.facts for text in fact)]
    assert all(text.encode() for text in (*texts, *built.links.values()))
