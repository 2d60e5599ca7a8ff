"""notification: what a person is told, in words that hold what they need to act."""

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
from lambdas.notification import Notification, amount, duration, ordinal, value_in
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
    ("reason", "unit", "value"),
    [
        ("Threshold Crossed: 1 datapoint [8.0 (05/07/24 15:19:00)] was greater than or equal to "
         "the threshold (5.0).", "Count", "8"),
        ("Threshold Crossed: 1 out of the last 20 datapoints [613.0 (16/03/24 12:15:00)] was "
         "greater than or equal to the threshold (1.0) and 19 missing datapoints were treated as "
         "[NonBreaching] (minimum 1 datapoint for OK -> ALARM transition).", "Count", "613"),
        ("Threshold Crossed: 5 out of the last 5 datapoints were less than the threshold (65.0). "
         "The most recent datapoints which crossed the threshold: [0.0 (29/04/20 23:32:00), 4.0 "
         "(29/04/20 23:31:00)] (minimum 5 datapoints for OK -> ALARM transition).", "Count", "0"),
        ("Threshold Crossed: 3 datapoints [2.0 (19/08/26 05:50:00), 3.0 (20/07/26 05:47:00), 1.0 "
         "(31/12/25 23:00:00)] were greater than the threshold (0.0).", "Count", "2"),
        ("Threshold Crossed: 2 datapoints [1.0 (31/12/25 23:59:00), 9.5 (01/01/26 00:00:00)] were "
         "greater than the threshold (0.0).", "Percent", "9.5 %"),
        ("Threshold Crossed: 1 datapoint [12.5 (10/03/24 08:00:00)] was not greater than the "
         "threshold (80.0).", "Percent", "12.5 %"),
        ("Threshold Crossed: 1 datapoint [320.0 (10/03/24 08:00:00)] was greater than the "
         "threshold (300.0).", "Seconds", "5 min 20 s"),
        ("Threshold Crossed: 1 datapoint [1.5E-5 (10/03/24 08:00:00)] was greater than the "
         "threshold (0.0).", "Count", "1.5e-05"),
        ("Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints "
         "were treated as [Breaching].", "Count", "no data"),
        ("Threshold Crossed: 1 datapoint [2.0 (19/08/26 09:36:00)] was not less than or equal to "
         "the threshold (0.0) and 7 missing datapoints were treated as [Breaching].", "Count",
         "2, no data in 7 periods"),
        ("Threshold Crossed: 1 datapoint was received for 3 periods and 1 missing datapoint was "
         "treated as [Breaching].", "Count", "no data in 1 period"),
        ("Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints "
         "were treated as [NonBreaching].", "Count", "no data"),
        ("forced test reason", "Count", None),
        ("why ALARM", "Percent", None),
        ("", "Count", None),
    ],
)  # fmt: skip
def test_value_in_recorded_reasons(reason: str, unit: str, value: str | None) -> None:
    """Of every form of CloudWatch's sentence the most recent value is read, if it has one."""
    assert value_in(reason, unit) == value


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (62.0, "Percent", "62 %"), (33.3333, "Percent", "33.3 %"), (1.44, "Percent", "1.44 %"),
        (99.96, "Percent", "100 %"), (0.0, "Count", "0"), (1234567.0, "Count", "1,234,567"),
        (0.0, "Seconds", "0 s"), (0.25, "Seconds", "250 ms"), (0.9999, "Seconds", "1,000 ms"),
        (12.5, "Seconds", "12.5 s"), (300.0, "Seconds", "5 min"), (320.4, "Seconds", "5 min 20 s"),
        (3599.6, "Seconds", "1 h"), (7500.0, "Seconds", "2 h 5 min"),
        (7203.0, "Seconds", "2 h"), (90_061.0, "Seconds", "1 d 1 h"),
        (-90.0, "Seconds", "-1 min 30 s"),
        (850.0, "Milliseconds", "850 ms"), (24_000.0, "Milliseconds", "24 s"),
        (float("inf"), "Seconds", "inf"),
    ],
)  # fmt: skip
def test_amounts(value: float, unit: str, text: str) -> None:
    """A number is told with its unit, as a person says it."""
    assert amount(value, unit) == text


@given(seconds=st.floats(0, 1e9))
def test_durations_are_close(seconds: float) -> None:
    """A duration in words is at most one of its smaller unit's share away from the truth."""
    sizes = {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86_400}
    words = duration(seconds).replace(",", "").split()
    told = sum(float(n) * sizes[u] for n, u in zip(words[::2], words[1::2], strict=True))
    assert abs(told - seconds) <= max(0.001, 0.05 * seconds)


@pytest.mark.parametrize(
    ("value", "counted", "text"),
    [
        ("2.0", "failed attempts", "2 failed attempts"),
        ("1.0", "failed attempts", "1 failed attempt"),
        ("0.0", "heartbeats", "0 heartbeats"),
        ("1.0", "messages in flight", "1 message in flight"),
        ("1.0", "errors or warnings", "1 error or warning"),
        ("1.0", "throttled or failed requests", "1 throttled or failed request"),
        ("1500.0", "waiting messages", "1,500 waiting messages"),
        ("3.0", "", "3"),
    ],
)
def test_a_count_says_what_it_counts(value: str, counted: str, text: str) -> None:
    """A bare number means nothing to whoever is woken by it."""
    reason = f"1 datapoint [{value} (24/11/26 03:11:00)] was greater than the threshold (1.0)."
    assert value_in(reason, "Count", counted) == text
    assert value_in(reason, "Percent", counted).endswith(" %")  # type: ignore[union-attr]


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
    told = notification.build(transition, guides, since=_AT, now=_NOW)
    assert told.links.keys() == {"runbook"}
    assert dict(told.facts)["Logs"] == (
        "`webhook-buffer logs --env prd -f subscribe --level WARNING --minutes 16`, "
        "then with `--group GROUP` all about one group"
    )


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (13, "13th"), (22, "22nd")],
)
def test_ordinals(number: int, text: str) -> None:
    """Numbers are counted as in English."""
    assert ordinal(number) == text


def test_alarm() -> None:
    """An ALARM says what, where, since when, how bad, what users notice and what to do first."""
    told = _built(message())
    assert told.headline == "PAGE buffer prd: The backend does not accept webhooks"
    assert told.summary == (
        "The backend does not accept webhooks in prd since 03:12 UTC: 62 %, threshold 50 %."
    )
    assert told.facts == (("Impact", "Webhooks wait in the queue; none is lost."),)
    assert told.steps == tuple(ALARM_GUIDES["alarms"][DOWN]["steps"])
    assert told.signal == "backend-down"
    assert told.lasted_seconds is None


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
    told = _built(message(state="OK", NewStateReason=reason), since=since)
    assert told.summary == f"Recovered: The backend does not accept webhooks in prd. {lasted}"
    assert told.headline == "RECOVERED buffer prd: The backend does not accept webhooks"
    assert (told.steps, told.facts) == ((), (("Now", "0 %, threshold 50 %"),))


def test_again() -> None:
    """An alarm that is on again says how often it was, and since when."""
    told = _built(message(), since=_ms("2026-11-24T02:50:00Z"), times=3)
    assert told.summary.endswith("threshold 50 %. This is the 3rd time since 02:50 UTC.")


def test_over_already() -> None:
    """An ALARM that arrives after its recovery says that it has recovered."""
    told = _built(message(), recovered_at=_ms("2026-11-24T03:20:00Z"))
    assert told.summary.endswith("threshold 50 %. It recovered at 03:20 UTC.")


def test_times_of_other_days_have_a_date() -> None:
    """An hour without a date is one of today."""
    told = _built(message(), now=_ms("2026-11-25T00:00:00Z"))
    assert "since 2026-11-24 03:12 UTC:" in told.summary


def test_webhooks_that_block_are_named() -> None:
    """Group, message and since when; beyond three it says that there are more."""
    webhooks = tuple(Webhook(f"acme/{at}", f"m-{at}", _AT) for at in range(4))
    said = [
        f"message `m-{number}` of group `acme/{number}`, since 03:12 UTC" for number in range(3)
    ]
    told = dict(_built(message(), webhooks=webhooks).facts)
    assert told["Webhooks"] == "; ".join([*said, "and more"])
    told = dict(_built(message(), webhooks=webhooks[:3]).facts)
    assert told["Webhooks"] == "; ".join(said)
    unknown = (Webhook("sha256:0f", "m", None),)
    told = dict(_built(message(), webhooks=unknown).facts)
    assert told["Webhooks"] == "message `m` of group `sha256:0f`"


def _part(name: str, reason: str = "", threshold: float | None = None) -> Reading:
    return Reading(alarm=name, reason=reason, threshold=threshold)


_WAITING = "1 datapoint [320.0 (24/11/26 03:11:00)] was greater than the threshold (300.0)."


def test_composite_leads_with_the_part_that_tells_most() -> None:
    """The first part on in the guides's order gives title, value, steps and links."""
    parts = (_part(SLOW), _part("of another", "x"), _part(AGE, _WAITING, 300.0))
    told = _built({**alarms.COMPOSITE, "AlarmName": FAILING}, parts=parts)
    assert told.title == "Webhooks wait too long"
    assert told.measured == "5 min 20 s, threshold 5 min"
    assert told.steps == ("Look at the queue.",)
    assert told.links["runbook"].endswith("#queue-age")
    assert told.facts == (
        ("Incident", "Webhooks do not reach the backend"),
        ("Impact", "Webhooks wait in the queue and arrive late."),
        ("Also firing", "The backend is slow"),
    )
    assert told.signal == "deliveries-failing"
    assert f"alarm/{FAILING}" in told.links["alarm"]


@pytest.mark.parametrize("said", [alarms.COMPOSITE, alarms.EMULATOR_COMPOSITE])
@pytest.mark.parametrize("state", ["ALARM", "OK"])
def test_composite_has_no_threshold_of_its_own(said: dict[str, Any], state: str) -> None:
    """Whatever a composite's message says beside its state, it has neither value nor threshold."""
    told = _built({**said, "AlarmName": FAILING, "NewStateValue": state})
    assert (told.value, told.threshold, told.measured) == (None, None, None)


def test_composite_without_parts_tells_its_own() -> None:
    """When no part is known to be on, the composite's own text is told, and no value."""
    told = _built({**alarms.COMPOSITE, "AlarmName": FAILING})
    assert told.title == "Webhooks do not reach the backend"
    assert (told.value, told.threshold, told.incident, told.also) == (None, None, None, ())
    assert told.steps == ("Look at the dashboard.",)
    assert ("CloudWatch says", alarms.COMPOSITE["NewStateReason"]) in told.facts


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
def test_alarms_without_briefing(
    said: dict[str, Any], title: str, measured: str | None, says: str
) -> None:
    """An alarm that nobody briefed us of is told in CloudWatch's own words."""
    told = _built(said, severity="ticket")
    assert (told.title, told.measured, told.signal) == (title, measured, None)
    assert says in [text for _, text in told.facts]
    assert told.links.keys() == {"alarm", "dashboard"}
    assert told.severity == "ticket"


def test_damaged_message_is_shown() -> None:
    """A message that is not an alarm's is shown with its text, as the most severe."""
    transition = alarm_events.read("<html>", message_id="m-1", now=_NOW)
    told = notification.build(transition, _ALARM_GUIDES, since=_NOW, now=_NOW)
    assert told.headline == "PAGE buffer prd: A message that is not from an alarm"
    assert told.facts == (("CloudWatch says", "<html>"),)
    assert told.links.keys() == {"dashboard"}


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
    """The log's window begins 15 minutes before the trouble and ends now, or at recovery."""
    link = unquote(_built(message(state=state), **more).links["logs"].replace("*", "%"))
    assert f"start~'2026-11-24T{start}:" in link
    assert f"(end~'2026-11-24T{end}:" in link


@pytest.mark.parametrize(
    "damage",
    [
        {"unit": "Bytes"}, {"severity": "critical"}, {"steps": None}, {"title": ...},
    ],
)  # fmt: skip
def test_damaged_briefing_is_refused(damage: dict[str, Any]) -> None:
    """A guides that lacks something is refused when it is loaded, not when it is needed."""
    alarm = {**ALARM_GUIDES["alarms"][DOWN], **damage}
    alarm = {name: value for name, value in alarm.items() if value is not ...}
    with pytest.raises((ValueError, TypeError, KeyError)):
        AlarmGuides.parse(json.dumps({**ALARM_GUIDES, "alarms": {DOWN: alarm}}))


def test_briefing_may_say_more() -> None:
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
def test_something_is_always_told(said: dict[str, Any], alarm: str, state: str) -> None:
    """However damaged a message is, a notification comes of it that any channel can carry."""
    told = _built({**message(alarm, state), **said})
    texts = [told.headline, told.summary, *(text for fact in told.facts for text in fact)]
    assert all(text.encode() for text in (*texts, *told.links.values()))
