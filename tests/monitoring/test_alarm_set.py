"""Signals become alarms: numbers follow the settings, and what can't work is told."""

from __future__ import annotations

from typing import Any

import pytest

import alarms as definitions
from monitoring.alarm_set import Alarm, AlarmSet, alarm_set
from monitoring.model.signals import RUNBOOK, FailureMode, Kind, Severity, headings
from monitoring.resources import resources
from settings.errors import SettingsError
from settings.loader import environments, load
from settings.schema import Settings

TRAFFIC = {"traffic": {"fromHourUtc": 6, "untilHourUtc": 22}}
EXISTING: dict[str, Any] = {
    "backend_url": None,
    "existing": {
        "queues": [{"name": "orders.fifo", "role": "orders", "retentionDays": 2}],
        "functions": [{"name": "worker", "role": "worker", "timeoutSeconds": 30}],
        "apis": [
            {"name": "abc123", "role": "front", "kind": "http"},
            {"name": "shop", "role": "back", "kind": "rest"},
        ],
        "tables": [{"name": "stock", "role": "stock"}],
    },
}


def _settings(**overrides: Any) -> Settings:
    return load("stg", overrides=overrides)


def _set(**overrides: Any) -> AlarmSet:
    return alarm_set(_settings(**overrides))


def _alarm(name: str, **overrides: Any) -> Alarm:
    alarm = _set(**overrides).alarm(name)
    assert alarm
    return alarm


def _problem(**overrides: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        _set(**overrides)
    return str(caught.value)


@pytest.mark.parametrize("environment", environments())
def test_every_role_resolves(environment: str) -> None:
    """In every shipped environment each alarm has names, dimensions and numbers, no blanks."""
    found = alarm_set(load(environment))
    assert found.alarms
    for alarm in found.alarms:
        assert len(alarm.measures) == len(alarm.signal.queries)
        assert "{" not in (alarm.expression or "")
        for query, measure in alarm.measures.items():
            assert "{" not in measure.statistic
            of_log = alarm.signal.queries[query].metric.kind is Kind.LOG
            assert bool(measure.dimensions) is not of_log


def test_every_failure_mode_is_covered() -> None:
    """Whatever can fail, some signal notices it; the opt-in ones included."""
    covered = {mode for alarm in _set(**TRAFFIC).alarms for mode in alarm.signal.covers}
    assert covered == set(FailureMode)


def test_only_the_stop_of_traffic_needs_opting_in() -> None:
    """Without any choice only failure mode 10 goes unnoticed, and the reason says how."""
    found = _set()
    covered = {mode for alarm in found.alarms for mode in alarm.signal.covers}
    assert set(FailureMode) - covered == {10}
    assert found.left_out == {
        "no-traffic": "it is opt-in: set 'traffic' (docs/settings.md)",
    }


def test_ids_are_distinct_and_names_are_derived() -> None:
    """No two alarms share a name, and each begins with the environment's prefix."""
    found = _set(**TRAFFIC)
    names = [alarm.name for alarm in found.alarms]
    names += [composite.name for composite in found.composites]
    assert len(set(names)) == len(names)
    assert all(name.startswith("webhook-buffer-stg-") for name in names)


def test_parts_of_composites_are_signals() -> None:
    """A composite names only signals, explanations and suppressors that are there."""
    signals = {signal.id for signal in definitions.SIGNALS}
    composites = {composite.id for composite in definitions.COMPOSITES}
    for composite in definitions.COMPOSITES:
        assert set(composite.parts) <= signals
        assert {name for names in composite.unless.values() for name in names} <= signals
        assert {composite.suppressed_by or composite.id} <= composites


@pytest.mark.parametrize("kind", [Kind.QUEUE, Kind.FUNCTION, Kind.HTTP_API, Kind.TABLE])
def test_existing_resources_have_runbook_headings(kind: Kind) -> None:
    """What holds for anybody's resource leads into the runbook as well."""
    found = definitions.existing("theirs", kind)
    assert found
    assert {signal.runbook for signal in found} <= headings(RUNBOOK)
    assert all(signal.id.startswith("theirs-") for signal in found)


@pytest.mark.parametrize(
    ("name", "overrides", "threshold"),
    [
        ("subscribe-duration", {}, 7000),
        ("subscribe-duration", {"subscribeTimeoutSeconds": 60}, 57_000),
        ("publish-duration", {"publishTimeoutSeconds": 20}, 16_000),
        ("api-latency", {"publishTimeoutSeconds": 20}, 10_000),
        ("backend-slow", {"subscribeTimeoutSeconds": 60}, 45_600),
        ("subscribe-concurrency", {"maxConcurrency": 40}, 40),
        ("publish-concurrency", {"lambdaConcurrencyQuota": 100}, 80),
        ("message-nearing-retention", {"retentionDays": 4}, 172_800),
        ("slo-accepted-fast-long", {"acceptedObjective": 99.0}, 14.4),
        ("slo-delivered-slow-long", {"deliveredObjective": 99.9}, 0.3),
        ("backlog-depth", {}, 96_000),
    ],
)
def test_thresholds_follow_the_settings(
    name: str, overrides: dict[str, Any], threshold: float
) -> None:
    """A threshold that is a share of something moves with it."""
    assert _alarm(name, **overrides).threshold == pytest.approx(threshold)


def test_windows_follow_the_settings() -> None:
    """Periods and their number come from facts where they depend on them."""
    assert _alarm("heartbeat-missing", heartbeatMinutes=10).period == 600
    # 900 s of Retry-After and one attempt of 10 s, begun minutes: 16, and one more.
    assert _alarm("queue-age-ticket").periods == 17
    assert _alarm("queue-age-ticket", retryMaxSeconds=3600).periods == 62
    # Two attempts of one webhook lie within it.
    assert _alarm("blocked-group").periods == 34


def test_statistics_and_expressions_follow_the_settings() -> None:
    """Facts stand in statistics and expressions, too."""
    target = _alarm("slo-delivered-fast-short", deliveryTargetSeconds=30)
    assert next(iter(target.measures.values())).statistic == "PR(:30000)"
    hours = _alarm("no-traffic", **TRAFFIC).expression
    assert hours is not None
    assert "HOUR(clock) >= 6" in hours
    assert "HOUR(clock) < 22" in hours


def test_measures_name_the_resources() -> None:
    """Metrics are read where AWS publishes them: by queue, function, API and table."""
    found = _set()

    def dimensions(name: str) -> list[dict[str, str]]:
        alarm = found.alarm(name)
        assert alarm
        return [dict(measure.dimensions) for measure in alarm.measures.values()]

    assert dimensions("queue-age-page") == [{"QueueName": "webhook-buffer-stg.fifo"}]
    assert dimensions("publish-errors") == [{"FunctionName": "webhook-buffer-stg-publish"}]
    assert dimensions("record-failed") == [{"service": "webhook-buffer", "env": "stg"}]
    assert {"TableName": "webhook-buffer-stg-records", "Operation": "UpdateItem"} in dimensions(
        "table-faults"
    )
    log = found.alarm("publish-log-errors")
    assert log
    [measure] = log.measures.values()
    assert measure.name == "webhook-buffer-stg-publish-log-errors"
    assert measure.dimensions == {}
    assert log.log_group == "/aws/lambda/webhook-buffer-stg-publish"


def test_the_api_s_id_is_told_from_outside() -> None:
    """The API's id is whatever the deployment says, also when that is a token."""
    settings = _settings()
    found = alarm_set(settings, resources(settings, api_id="${Token[API.1]}")).alarm("api-latency")
    assert found
    assert next(iter(found.measures.values())).dimensions == {"ApiId": "${Token[API.1]}"}


@pytest.mark.parametrize(
    ("name", "threshold", "expected"),
    [
        ("queue-age-page", 2_000_000, "2000000 seconds is more than queue.retention (1209600)"),
        ("subscribe-duration", 20_000, "20000 milliseconds is more than subscribe.timeout (10000)"),
        ("subscribe-concurrency", 11, "11 count is more than subscribe.concurrency (10)"),
        ("backend-slow", 8000, "8000 milliseconds is more than subscribe.backend_time (7000)"),
    ],
)
def test_a_threshold_that_can_t_be_crossed_is_told(
    name: str, threshold: float, expected: str
) -> None:
    """A number beyond the limit of what is measured is an error with key and remedy."""
    problem = _problem(alarms={name: {"threshold": threshold}})
    assert problem == (
        f"cdk.json: environment 'stg': key 'alarms.{name}.threshold': {expected}, "
        "so the alarm could never fire; lower it"
    )


def test_a_limit_itself_is_no_fault() -> None:
    """A threshold may be as high as what it can reach."""
    found = _alarm("subscribe-duration", alarms={"subscribe-duration": {"threshold": 10_000}})
    assert found.threshold == 10_000


def test_all_impossible_thresholds_at_once() -> None:
    """One run tells every number that can't work."""
    changes = {"api-5xx": {"threshold": 0}, "queue-age-page": {"threshold": 1e9}}
    first, second = _problem(alarms=changes).splitlines()
    assert "key 'alarms.queue-age-page.threshold': 1000000000 seconds is more than" in first
    assert "key 'alarms.api-5xx.threshold': 0 must be more than 0" in second


def test_an_unknown_signal_is_told() -> None:
    """A misspelt id in the settings names itself and where to look the right one up."""
    assert _problem(alarms={"queue-age": {"threshold": 1}}) == (
        "cdk.json: environment 'stg': key 'alarms.queue-age': no signal is called so (did you "
        "mean queue-age-page?); all of them: webhook-buffer alarms list --env stg, and those of "
        "Datadog: docs/datadog-objects.md"
    )


def test_a_changed_threshold_takes_the_share_s_place() -> None:
    """An environment's own number stands for itself, whatever the fact is."""
    found = _alarm("publish-duration", alarms={"publish-duration": {"threshold": 3000}})
    assert found.threshold == 3000
    assert found.signal.threshold.reason == "Set in cdk.json."


def test_a_changed_severity_leaves_its_composite() -> None:
    """A signal with a severity of its own is told itself, and no longer by the incident."""
    before, after = _set(), _set(alarms={"backend-down": {"severity": "ticket"}})

    def told(found: AlarmSet) -> tuple[tuple[str, ...], bool]:
        alarm = found.alarm("backend-down")
        assert alarm
        parts = {p.signal.id for one in found.composites for group in one.parts for p in group}
        return alarm.topics, "backend-down" in parts

    assert told(before) == (("info",), True)
    assert told(after) == (("ticket",), False)


def test_half_of_a_pair_leaves_with_the_other() -> None:
    """Signals that count only together leave a composite together."""
    found = _set(alarms={"slo-accepted-fast-short": {"enabled": False}})
    parts = {p.signal.id for one in found.composites for group in one.parts for p in group}
    assert "slo-accepted-fast-long" not in parts
    assert found.left_out["slo-accepted-fast-short"] == (
        "settings say so (alarms.slo-accepted-fast-short.enabled)"
    )


def test_an_explanation_explains_its_part_alone() -> None:
    """What stops a part from counting is found for that part, and for no other."""
    [failing] = [one for one in _set().composites if one.composite.id == "deliveries-failing"]
    explained = {
        " and ".join(alarm.signal.id for alarm in part): [
            alarm.signal.id for alarm in failing.explained(part)
        ]
        for part in failing.parts
    }
    assert explained.pop("heartbeat-missing") == [
        "api-5xx", "heartbeat-refused", "slo-accepted-fast-long",
    ]  # fmt: skip
    assert explained.pop("queue-age-page") == ["blocked-group"]
    assert explained
    assert not any(explained.values())


def test_a_composite_without_parts_is_left_out() -> None:
    """An incident whose signals are all switched off is none."""
    parts = next(one.parts for one in definitions.COMPOSITES if one.id == "senders-refused")
    found = _set(alarms={name: {"enabled": False} for name in parts})
    assert "senders-refused" not in {one.composite.id for one in found.composites}
    assert "senders-refused" in {one.composite.id for one in _set().composites}


def test_without_heartbeat_nothing_waits_for_one() -> None:
    """Where no heartbeat is sent, its absence is no alarm, nor part of an incident."""
    found = _set(heartbeat="off")
    parts = {p.signal.id for one in found.composites for group in one.parts for p in group}
    assert "heartbeat-missing" not in parts
    assert found.left_out["heartbeat-missing"] == "heartbeat is 'off'"
    for name in ("heartbeat-refused", "alert-path-broken", "audit-missing"):
        assert found.left_out[name] == "heartbeat is 'off'"


def test_each_alarm_tells_somebody() -> None:
    """Every alarm has a topic: its severity's, or none but the info topic inside an incident."""
    mail = {"kind": "email", "addresses": ["a@example.com"]}
    found = _set(**TRAFFIC, notifications=[mail])
    inside = {p.signal.id for one in found.composites for group in one.parts for p in group}
    for alarm in found.alarms:
        expected = Severity.INFO if alarm.signal.id in inside else alarm.severity
        assert alarm.topics[0] == expected.value
    second = {alarm.signal.id for alarm in found.alarms if "alert-path" in alarm.topics}
    assert second == {"alert-path-broken", "notifications-undelivered", "helpers-log-errors"}
    assert not any("alert-path" in alarm.topics for alarm in _set().alarms)


def test_existing_resources_get_what_holds_for_any() -> None:
    """Of resources that were there already, AWS's own metrics are watched, by role."""
    found = _set(**EXISTING)
    ids = {alarm.signal.id for alarm in found.alarms}
    assert {
        "orders-age-page",
        "orders-nearing-retention",
        "worker-duration",
        "front-5xx",
        "back-latency",
        "stock-throttles",
        "notifications-undelivered",
    } <= ids
    assert found.composites == ()
    nearing = found.alarm("orders-nearing-retention")
    assert nearing
    assert nearing.threshold == 86_400
    assert nearing.topics == ("page",)
    rest = found.alarm("back-5xx")
    assert rest
    assert [measure.name for measure in rest.measures.values()] == ["5XXError", "Count"]
    assert rest.measures["e5"].dimensions == {"ApiName": "shop"}


def test_existing_resources_lack_what_the_functions_tell() -> None:
    """What only the buffer's own functions can tell is left out, with the reason."""
    left_out = _set(**EXISTING).left_out
    assert left_out["backend-down"] == "it needs what the buffer's own functions tell"
    assert left_out["blocked-group"] == "it needs what the buffer's own functions tell"
    assert left_out["alert-path-broken"] == "its probe comes with the buffer's heartbeat"


def test_existing_resources_thresholds_can_be_changed() -> None:
    """The ids of existing resources' signals are keys of ``alarms`` too."""
    found = _alarm("worker-duration", **EXISTING, alarms={"worker-duration": {"threshold": 9000}})
    assert found.threshold == 9000
    assert "more than worker.timeout (30000)" in _problem(
        **EXISTING, alarms={"worker-duration": {"threshold": 31_000}}
    )


def test_half_a_pair_speaks_for_itself() -> None:
    """A signal whose other half is left out is told by itself, and not by nobody."""
    found = _set(alarms={"slo-delivered-fast-short": {"enabled": False}})
    long = found.alarm("slo-delivered-fast-long")
    assert long
    assert long.topics == ("page",)


def test_numbers_have_no_exponent() -> None:
    """A long target is written out in the statistic."""
    target = _alarm("slo-delivered-fast-short", deliveryTargetSeconds=86_400)
    assert next(iter(target.measures.values())).statistic == "PR(:86400000)"


def test_no_share_beyond_all() -> None:
    """A percentage above 100 is refused."""
    assert "150 % is more than 100 %" in _problem(alarms={"api-5xx": {"threshold": 150}})
