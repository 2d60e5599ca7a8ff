"""Signals become alarms: numbers follow the settings, and what can't work is an error."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from monitoring.alarm_set import AlarmSet, alarm_set
from monitoring.model import metrics
from monitoring.model.catalog import Catalog
from monitoring.model.signals import Query, Severity, Threshold
from monitoring.resources import resources
from settings.errors import DefinitionError, SettingsError
from settings.loader import load
from tests.monitoring.fixtures import (
    CATALOG,
    EXISTING,
    RUNBOOK,
    TRAFFIC,
    alarm,
    alarms,
    alarms_of,
    composite,
    with_signal,
)


def _problem(**overrides: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        alarms(**overrides)
    return str(caught.value)


def _wrong(catalog: Catalog) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        alarms_of(load("stg"), catalog)
    return str(caught.value).splitlines()


def _parts(rendered: AlarmSet) -> set[str]:
    return {
        p.signal.id for composite in rendered.composites for group in composite.parts for p in group
    }


def test_every_signal_is_an_alarm_or_left_out() -> None:
    """What is not deployed is left out with the reason, and nothing is forgotten."""
    rendered = alarms()
    assert rendered.left_out == {"silence": "it is opt-in: set 'traffic' (docs/settings.md)"}
    ids = [alarm.signal.id for alarm in rendered.alarms]
    assert ids == [signal.id for signal in CATALOG.signals if signal.id != "silence"]
    assert alarms(**TRAFFIC).left_out == {}
    assert all(alarm.name == f"webhook-buffer-stg-{alarm.signal.id}" for alarm in rendered.alarms)


@pytest.mark.parametrize(
    ("name", "overrides", "threshold"),
    [
        ("wait", {}, 840),
        ("slow", {}, 6000),
        ("slow", {"publishTimeoutSeconds": 20}, 12_000),
        ("expiry", {"retentionDays": 4}, 86_400),
        ("late-long", {"deliveredObjective": 99.0}, 10),
        ("late-short", {"deliveredObjective": 99.9}, 1),
    ],
)
def test_thresholds_follow_the_settings(
    name: str, overrides: dict[str, Any], threshold: float
) -> None:
    """A threshold that is a share of something moves with it, in its own unit."""
    assert alarm(name, **overrides).threshold == pytest.approx(threshold)


def test_windows_follow_the_settings() -> None:
    """Periods and their number come from facts where they depend on them."""
    assert alarm("beats", heartbeatMinutes=10).period == 600
    # 900 s of Retry-After and one attempt of 10 s, begun minutes: 16, and one more.
    assert alarm("retries").periods == 17
    assert alarm("retries", retryMaxSeconds=3600).periods == 62


def test_statistics_and_expressions_follow_the_settings() -> None:
    """Facts stand in statistics and expressions, too, without an exponent."""
    for seconds, statistic in ((30, "PR(:30000)"), (86_400, "PR(:86400000)")):
        late = alarm("late-short", deliveryTargetSeconds=seconds)
        assert late.measures["in_time"].statistic == statistic
    hours = alarm("silence", **TRAFFIC).expression
    assert hours is not None
    assert "HOUR(clock) >= 6" in hours
    assert "HOUR(clock) < 22" in hours


def test_measures_name_the_resources() -> None:
    """Metrics are read where AWS publishes them: by queue, function, service and log."""

    def dimensions(name: str) -> list[dict[str, str]]:
        return [dict(measure.dimensions) for measure in alarm(name).measures.values()]

    assert dimensions("wait") == [{"QueueName": "webhook-buffer-stg.fifo"}]
    assert dimensions("crashes") == [{"FunctionName": "webhook-buffer-stg-publish"}]
    assert dimensions("unwritten") == [{"service": "webhook-buffer", "env": "stg"}]
    log = alarm("log")
    [measure] = log.measures.values()
    assert measure.name == "webhook-buffer-stg-publish-log-errors"
    assert measure.dimensions == {}
    assert log.log_group == "/aws/lambda/webhook-buffer-stg-publish"


def test_a_metric_adds_dimensions_of_its_own() -> None:
    """They stand beside those of its resource."""
    query = Query(metrics.TABLE_UPDATE_ERRORS, "Sum", "table")
    rendered = alarms_of(load("stg"), with_signal("unwritten", queries={"it": query}))
    changed = rendered.alarm("unwritten")
    assert changed
    assert changed.measures["it"].dimensions == {
        "TableName": "webhook-buffer-stg-records",
        "Operation": "UpdateItem",
    }


def test_the_api_s_id_comes_from_outside() -> None:
    """The API's id is whatever the deployment says, also when that is a token."""
    settings = load("stg")
    api = resources(settings, api_id="${Token[API.1]}")
    refusals = alarm_set(settings, CATALOG, api, runbook=RUNBOOK).alarm("refusals")
    assert refusals
    assert refusals.measures["e5"].dimensions == {"ApiId": "${Token[API.1]}"}


@pytest.mark.parametrize(
    ("name", "threshold", "expected"),
    [
        ("wait", 2_000_000, "2000000 seconds is more than queue.retention (1209600)"),
        ("slow", 20_000, "20000 milliseconds is more than publish.timeout (10000)"),
    ],
)
def test_a_threshold_that_can_t_be_crossed_is_an_error(
    name: str, threshold: float, expected: str
) -> None:
    """A number beyond the limit of what is measured is an error with key and remedy."""
    problem = _problem(alarms={name: {"threshold": threshold}})
    assert problem == (
        f"cdk.json: environment 'stg': key 'alarms.{name}.threshold': {expected}, "
        "so the alarm could never fire; lower it"
    )


def test_a_limit_itself_is_fine() -> None:
    """A threshold may be as high as what it can reach."""
    assert alarm("slow", alarms={"slow": {"threshold": 10_000}}).threshold == 10_000


def test_all_impossible_thresholds_at_once() -> None:
    """One run names every number that can't work."""
    changes = {"refusals": {"threshold": 101}, "wait": {"threshold": 1e9}, "log": {"threshold": 0}}
    first, second, third = _problem(alarms=changes).splitlines()
    assert "key 'alarms.wait.threshold': 1000000000 seconds is more than" in first
    assert "key 'alarms.refusals.threshold': 101 % is more than 100 %" in second
    assert "key 'alarms.log.threshold': 0 must be more than 0" in third


def test_an_unknown_signal_is_an_error() -> None:
    """A misspelt id in the settings names itself and where to look the right one up."""
    assert _problem(alarms={"crash": {"threshold": 1}}) == (
        "cdk.json: environment 'stg': key 'alarms.crash': no signal has this id (did you "
        "mean crashes?); all of them: webhook-buffer alarms list --env stg, and those of "
        "Datadog: docs/datadog-objects.md"
    )


def test_a_changed_threshold_takes_the_share_s_place() -> None:
    """An environment's own number stands for itself, whatever the fact is."""
    slow = alarm("slow", alarms={"slow": {"threshold": 3000}})
    assert slow.threshold == 3000
    assert slow.signal.threshold.reason == "Set in cdk.json."


def test_a_changed_severity_leaves_its_composite() -> None:
    """A signal with a severity of its own notifies itself, and no longer by the incident."""
    before, after = alarms(), alarms(alarms={"crashes": {"severity": "ticket"}})

    def notified(rendered: AlarmSet) -> tuple[tuple[str, ...], bool]:
        changed = rendered.alarm("crashes")
        assert changed
        return changed.topics, "crashes" in _parts(rendered)

    assert notified(before) == (("info",), True)
    assert notified(after) == (("ticket",), False)


def test_half_of_a_pair_leaves_with_the_other() -> None:
    """Signals that count only together leave a composite together; the one left notifies."""
    rendered = alarms(alarms={"late-short": {"enabled": False}})
    assert "late-long" not in _parts(rendered)
    assert rendered.left_out["late-short"] == "settings say so (alarms.late-short.enabled)"
    long = rendered.alarm("late-long")
    assert long
    assert long.topics == ("page",)


def test_an_explanation_explains_its_part_alone() -> None:
    """What stops a part from counting applies to that part, and to no other."""
    down = composite("down")
    explained = {
        part[0].signal.id: [alarm.signal.id for alarm in down.explained(part)]
        for part in down.parts
    }
    assert explained == {
        "wait": ["unwritten"], "crashes": [], "beats": ["refusals"], "late-long": [],
    }  # fmt: skip


def test_an_incident_is_found_by_its_parts() -> None:
    """A part leads to its incident; what stands alone has none."""
    rendered = alarms()
    incident = rendered.incident("late-short")
    assert incident
    assert incident.composite.id == "down"
    assert rendered.incident("refusals") is None


def test_a_composite_without_parts_is_left_out() -> None:
    """An incident whose signals are all switched off does not exist."""
    rendered = alarms(alarms={name: {"enabled": False} for name in ("slow", "retries")})
    assert [composite.composite.id for composite in rendered.composites] == ["down"]


def test_without_heartbeat_nothing_waits_for_one() -> None:
    """Where no heartbeat is sent, its absence is neither an alarm nor part of an incident."""
    rendered = alarms(heartbeat="off")
    assert "beats" not in _parts(rendered)
    assert rendered.left_out["beats"] == "heartbeat is 'off'"


def test_each_alarm_notifies_somebody() -> None:
    """Every alarm has a topic: its severity's, or only the info topic inside an incident."""
    mail = {"kind": "email", "addresses": ["a@example.com"]}
    rendered = alarms(**TRAFFIC, notifications=[mail])
    inside = _parts(rendered)
    for metric_alarm in rendered.alarms:
        expected = Severity.INFO if metric_alarm.signal.id in inside else metric_alarm.severity
        assert metric_alarm.topics[0] == expected.value
    # What says that the alert path is broken takes a second way, where there is one.
    assert [alarm.signal.id for alarm in rendered.alarms if "mail-email" in alarm.topics] == [
        "undelivered"
    ]
    assert not any("mail-email" in alarm.topics for alarm in alarms().alarms)


def test_existing_resources_get_what_holds_for_any() -> None:
    """Resources that were there already have signals by role, and no incident."""
    rendered = alarms(**EXISTING)
    ids = [alarm.signal.id for alarm in rendered.alarms]
    assert ids == ["orders-wrong", "worker-wrong", "back-wrong", "undelivered"]
    assert rendered.composites == ()
    orders, back = rendered.alarm("orders-wrong"), rendered.alarm("back-wrong")
    assert orders
    assert back
    assert orders.threshold == 86_400
    assert orders.topics == ("ticket",)
    assert orders.signal.title == "orders.fifo is wrong"
    assert back.measures["it"].dimensions == {"ApiName": "shop"}


def test_existing_resources_lack_what_the_functions_report() -> None:
    """What only the buffer's own functions can report is left out, with the reason."""
    left_out = alarms(**EXISTING).left_out
    assert left_out["unwritten"] == "it needs metrics that only the buffer's own functions emit"
    assert left_out["beats"] == "it needs metrics that only the buffer's own functions emit"
    assert "wait" not in left_out


def test_existing_resources_thresholds_can_be_changed() -> None:
    """The ids of existing resources' signals are keys of ``alarms`` too."""
    changed = {"worker-wrong": {"threshold": 9000}}
    assert alarm("worker-wrong", **EXISTING, alarms=changed).threshold == 9000
    problem = _problem(**EXISTING, alarms={"worker-wrong": {"threshold": 31_000}})
    assert "more than worker.timeout (30000)" in problem


def test_environments_count_the_lines_of_one_log_apart() -> None:
    """A function that several environments monitor has metrics of each, or lines counted twice."""
    query = Query(metrics.LOG_ERRORS, "Sum", "worker")
    services = ("orders", "billing")
    names = [
        resources(load("stg", overrides={**EXISTING, "service": service})).measure(query).name
        for service in services
    ]
    assert names == [f"{service}-stg-worker-log-errors" for service in services]


def _with(*names: str, **changes: Any) -> Catalog:
    changed = (
        replace(signal, **changes) if signal.id in names else signal for signal in CATALOG.signals
    )
    return replace(CATALOG, signals=tuple(changed))


def test_wrong_definitions_are_one_error() -> None:
    """Every problem of every definition is a line, with the name of what it is about."""
    assert _wrong(_with("wait", "log", title="", datapoints=9)) == [
        "signal 'wait': title is empty; write a sentence",
        "signal 'wait': datapoints (9) must be between 1 and periods (3)",
        "signal 'log': title is empty; write a sentence",
        "signal 'log': datapoints (9) must be between 1 and periods (1)",
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"queries": {"it": Query(metrics.QUEUE_AGE, "Maximum", "quue")}},
            "query 'it': no resource has the role 'quue'; use one of api, audit, buffer,",
        ),
        (
            {"threshold": Threshold(1, "Seconds", "Half.", of="queue.age")},
            "unknown fact 'queue.age'; monitoring/resources.py lists them",
        ),
        (
            {"threshold": Threshold(1, "Seconds", "Half.", of="subscribe.concurrency")},
            "the threshold is in Seconds, but the fact 'subscribe.concurrency' is in Count",
        ),
        ({"expression": "it * {queue.age}"}, "unknown fact 'queue.age'"),
        ({"periods": "queue.age"}, "unknown fact 'queue.age'"),
        ({"impact": "{treshold} late."}, "a text names {treshold}, which does not exist; write"),
        ({"periods": "queue.retention"}, "1209600 periods of 60 s are more than CloudWatch's"),
    ],
)
def test_what_an_environment_lacks_is_an_error(changes: Any, expected: str) -> None:
    """An unknown role, an unknown fact or a window too long names the signal, not a traceback."""
    [problem] = _wrong(with_signal("wait", **changes))
    assert problem.startswith(f"signal 'wait': {expected}")


def _ids(rendered: Iterable[Any]) -> set[str]:
    return {entry.signal.id for entry in rendered}


def test_what_datadog_evaluates_alone_is_not_cloudwatch_s() -> None:
    """With evaluatedBy datadog a signal has no alarm, and the reason is kept."""
    arn = "arn:aws:secretsmanager:us-east-1:222222222222:secret:datadog-AbCdEf"
    rendered = alarms(datadog={"apiKeySecretArn": arn}, alarms={"wait": {"evaluatedBy": "datadog"}})
    assert "wait" not in _ids(rendered.alarms)
    assert _ids(rendered.in_datadog) == {"wait"}
    assert rendered.left_out["wait"] == "Datadog evaluates it instead of CloudWatch"
    problem = _problem(alarms={"wait": {"evaluatedBy": "datadog"}})
    assert "key 'alarms.wait.evaluatedBy': datadog without 'datadog'; add its block" in problem
