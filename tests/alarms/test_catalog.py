"""What holds for this project's own definitions, whatever their numbers."""

from __future__ import annotations

from typing import Any

import pytest

from alarms import CATALOG
from monitoring import cost, wording
from monitoring.alarm_set import Alarm, CompositeAlarm
from monitoring.model.checks import headings, problems
from monitoring.model.signals import FailureMode, Kind
from settings.loader import environments, load
from settings.paths import RUNBOOK
from webhook_buffer.composition import alarm_set

TRAFFIC: dict[str, Any] = {"traffic": {"fromHourUtc": 6, "untilHourUtc": 22}}
MOST = 20.0  # US dollars a month


def test_nothing_is_wrong_with_the_definitions() -> None:
    """Every check passes, for the generic signals too."""
    assert problems(CATALOG, RUNBOOK) == []


@pytest.mark.parametrize("environment", environments())
def test_every_role_resolves(environment: str) -> None:
    """In every shipped environment each alarm has names, dimensions and numbers, no blanks."""
    alarms = alarm_set(load(environment))
    assert alarms.alarms
    for alarm in alarms.alarms:
        assert len(alarm.measures) == len(alarm.signal.queries)
        assert "{" not in (alarm.expression or "")
        for query, measure in alarm.measures.items():
            assert "{" not in measure.statistic
            of_log = alarm.signal.queries[query].metric.kind is Kind.LOG
            assert bool(measure.dimensions) is not of_log


def test_every_failure_mode_is_covered() -> None:
    """Whatever can fail, some signal notices it; only one of them has to be asked for."""

    def covered(**overrides: Any) -> set[FailureMode]:
        alarms = alarm_set(load("stg", overrides=overrides)).alarms
        return {mode for alarm in alarms for mode in alarm.signal.covers}

    assert covered(**TRAFFIC) == set(FailureMode)
    assert set(FailureMode) - covered() == {FailureMode.TRAFFIC_STOPS}


@pytest.mark.parametrize("kind", [Kind.QUEUE, Kind.FUNCTION, Kind.HTTP_API, Kind.TABLE])
def test_existing_resources_have_signals(kind: Kind) -> None:
    """What holds for anybody's resource leads into the runbook, and its ids begin with the role."""
    signals = CATALOG.existing("theirs", kind, "shop")
    assert signals
    assert {signal.runbook for signal in signals} <= headings(RUNBOOK)
    assert all(signal.id.startswith("theirs-") for signal in signals)
    assert all(signal.title.startswith("shop: ") for signal in signals)


def test_what_alarms_about_the_alert_path_takes_a_second_way() -> None:
    """A broken alert path is reported by mail, too, where there is mail."""
    mail = [{"kind": "email", "addresses": ["a@example.com"]}]
    alarms = alarm_set(load("stg", overrides={"notifications": mail}))
    second = {alarm.signal.id for alarm in alarms.alarms if "mail-email" in alarm.topics}
    assert second == {"alert-path-broken", "notifications-undelivered", "helpers-log-errors"}


@pytest.mark.parametrize("environment", environments())
def test_every_id_in_a_condition_is_explained(environment: str) -> None:
    """No condition leaves the reader with a query's id that it does not explain."""
    for alarm in alarm_set(load(environment)).alarms:
        condition = wording.condition(alarm)
        main, _, where = condition.partition(", where ")
        for query in alarm.measures:
            if alarm.expression and f" {query} " in f" {main} ":
                assert f"{query} = " in where, condition


@pytest.mark.parametrize("environment", environments())
def test_descriptions_fit(environment: str) -> None:
    """CloudWatch takes every description whole."""
    alarms = alarm_set(load(environment))
    every: list[Alarm | CompositeAlarm] = [*alarms.alarms, *alarms.composites]
    for alarm in every:
        described = wording.description(alarm, "https://example.com/runbook")
        assert len(described) <= 1024
        assert "…" not in described


@pytest.mark.parametrize("environment", environments())
def test_monitoring_costs_no_more_than_the_cap(environment: str) -> None:
    """Each shipped environment stays below the cap at list prices, channels' secrets aside."""
    lines = cost.monthly(alarm_set(load(environment)))
    total = cost.total([line for line in lines if line.part != "secrets"])
    assert total < MOST, (
        f"{environment}: monitoring costs ${total:.2f} a month, the cap is ${MOST:.2f}. See what "
        f"costs most: webhook-buffer alarms list --env {environment}. Remove an alarm, read fewer "
        "metrics in one, or raise MOST in tests/alarms/test_catalog.py."
    )
