"""Resolved properties as alarms: what can't be used becomes a problem of that alarm alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alarmproof.base import known
from alarmproof.base.alarms import (
    AnyAlarm,
    CompositeAlarm,
    MetricAlarm,
    Missing,
    OpaqueAlarm,
    ProblemKind,
    Query,
    Source,
    WarmUp,
)
from alarmproof.base.metric_data import MetricKey
from alarmproof.base.values import Unknown
from alarmproof.reading.properties import Reader


def read(
    kind: str,
    properties: Mapping[str, Any],
    source: Source,
    types: Mapping[tuple[str, str], str],
    *,
    live: bool = False,
) -> AnyAlarm:
    """An alarm of one of CloudWatch's types.

    Args:
        properties: resolved.
        types: of resources, by (stack, logical id).
        live: whether they come from DescribeAlarms, which has more.
    """
    reader = Reader(properties, source, types)
    if kind in known.CUSTOM:
        kind = known.CUSTOM[kind]  # its provider decides which properties it has
    else:
        more = known.LIVE_ONLY if live else frozenset()
        reader.only(properties, known.PROPERTIES[kind] | more, "")
    if kind == known.COMPOSITE_ALARM:
        return _composite(reader)
    if kind == known.LOG_ALARM:
        return _opaque(reader, "log alarm", "a log alarm evaluates a query of CloudWatch Logs")
    if properties.get("EvaluationCriteria") is not None:
        return _opaque(reader, "PromQL alarm", "a PromQL alarm evaluates a PromQL query")
    return _metric_alarm(reader)


def _opaque(reader: Reader, kind: str, why: str) -> OpaqueAlarm:
    common = reader.common()
    reader.wrong(ProblemKind.UNSUPPORTED, "Type", f"{why}, which alarmproof does not do")
    return OpaqueAlarm(kind=kind, problems=tuple(reader.problems), **common)


def _composite(reader: Reader) -> CompositeAlarm:
    properties = reader.properties
    suppressor = properties.get("ActionsSuppressor")
    rule = reader.text("AlarmRule")
    if isinstance(rule, Unknown) and "(" not in rule:
        reader.unresolved(rule, "AlarmRule")
    given: dict[str, Any] = {
        "rule": str(rule),
        "suppressor": str(suppressor).rpartition(":alarm:")[2] if suppressor else None,
        "wait": reader.integer(
            properties.get("ActionsSuppressorWaitPeriod"), "ActionsSuppressorWaitPeriod", 60
        ),
        "extension": reader.integer(
            properties.get("ActionsSuppressorExtensionPeriod"),
            "ActionsSuppressorExtensionPeriod",
            60,
        ),
        **reader.common(),
    }
    return CompositeAlarm(problems=tuple(reader.problems), **given)


def _metric_alarm(reader: Reader) -> MetricAlarm:
    properties = reader.properties
    queries = _queries(reader)
    entries = reader.mappings(properties.get("Metrics"), "Metrics") or [{}]
    returned = [
        query.id
        for query, entry in zip(queries, entries, strict=False)
        if reader.flag(entry.get("ReturnData"), "ReturnData", True)
    ]
    band = properties.get("ThresholdMetricId")
    band = band if isinstance(band, str) else None
    chosen = [name for name in returned if name != band] or [queries[0].id]
    periods = reader.integer(properties.get("EvaluationPeriods"), "EvaluationPeriods", 1)
    to_alarm = reader.integer(properties.get("DatapointsToAlarm"), "DatapointsToAlarm", periods)
    given: dict[str, Any] = {
        "queries": queries,
        "returned": chosen[0],
        "band": band,
        "comparison": str(reader.text("ComparisonOperator")),
        "threshold": reader.number(properties.get("Threshold"), "Threshold"),
        "period": next((query.period for query in queries if query.period), None) or 60,
        "evaluation_periods": periods,
        "datapoints_to_alarm": to_alarm,
        "missing": Missing(
            reader.one_of("TreatMissingData", tuple(Missing), Missing.MISSING.value)
        ),
        "low_samples": reader.one_of(
            "EvaluateLowSampleCountPercentile", ("evaluate", "ignore"), "evaluate"
        ),
        "wall_clock": _wall_clock(reader),
        "warm_up": _warm_up(reader),
        **reader.common(),
    }
    return MetricAlarm(problems=tuple(reader.problems), **given)


def _wall_clock(reader: Reader) -> str | None:
    """The time zone of a wall clock window; None for a sliding one.

    Source: CloudWatch API reference, EvaluationWindow and WallClockWindow; UTC by default.
    """
    value = reader.properties.get("EvaluationWindow")
    if value is None:
        return None
    window = reader.mapping(value, "EvaluationWindow")
    reader.only(window, ("SlidingWindow", "WallClockWindow"), "EvaluationWindow.")
    if "WallClockWindow" not in window:
        return None
    clock = reader.mapping(window["WallClockWindow"], "EvaluationWindow.WallClockWindow")
    reader.only(clock, ("Timezone",), "EvaluationWindow.WallClockWindow.")
    zone = clock.get("Timezone") or "UTC"
    if isinstance(zone, Unknown):
        reader.unresolved(zone, "EvaluationWindow.WallClockWindow.Timezone")
    return str(zone)


def _warm_up(reader: Reader) -> WarmUp | None:
    """Source: CloudWatch API reference, WarmUpConfiguration."""
    value = reader.properties.get("WarmUpConfiguration")
    if value is None:
        return None
    configuration = reader.mapping(value, "WarmUpConfiguration")
    duration, whole = "WarmUpPeriodDurationInMinutes", "OnlyStartEvaluatingAfterWarmUpPeriodEnds"
    reader.only(configuration, (duration, whole), "WarmUpConfiguration.")
    minutes = reader.integer(configuration.get(duration), f"WarmUpConfiguration.{duration}", 0)
    waits = reader.flag(configuration.get(whole), f"WarmUpConfiguration.{whole}", False)
    return WarmUp(60 * minutes, waits) if minutes else None


def _queries(reader: Reader) -> tuple[Query, ...]:
    properties = reader.properties
    entries = reader.mappings(properties.get("Metrics"), "Metrics")
    if entries:
        return tuple(_query(reader, number, entry) for number, entry in enumerate(entries))
    statistic = reader.text("ExtendedStatistic") or reader.text("Statistic") or "Average"
    period = reader.integer(properties.get("Period"), "Period", 300)
    metric = _metric(reader, properties, "", "")
    unit = reader.text("Unit") or None
    return (Query("m1", metric, str(statistic), period, unit=unit),)


def _query(reader: Reader, number: int, entry: Mapping[str, Any]) -> Query:
    where = f"Metrics[{number}]."
    reader.only(entry, known.METRIC_QUERY, where)
    stat = entry.get("MetricStat")
    given = entry.get("Period")
    identifier = entry.get("Id")
    if not isinstance(identifier, str):
        reader.wrong(ProblemKind.INVALID, f"{where}Id", f"{where}Id is missing, or not a text")
    name = identifier if isinstance(identifier, str) else f"query{number}"
    if stat is None:
        period = reader.integer(given, f"{where}Period", 0) or None
        expression = entry.get("Expression")
        if not isinstance(expression, str):
            reader.wrong(
                ProblemKind.INVALID,
                f"{where}Expression",
                f"{where[:-1]} has neither MetricStat nor an Expression",
            )
        return Query(name, period=period, expression=str(expression or ""))
    metric_stat = reader.mapping(stat, f"{where}MetricStat")
    reader.only(metric_stat, known.METRIC_STAT, f"{where}MetricStat.")
    metric = reader.mapping(metric_stat.get("Metric"), f"{where}MetricStat.Metric")
    reader.only(metric, known.METRIC, f"{where}MetricStat.Metric.")
    asked = given if given is not None else metric_stat.get("Period")
    period = reader.integer(asked, f"{where}MetricStat.Period", 0) or None
    account = entry.get("AccountId")
    key = _metric(
        reader, metric, f"{where}MetricStat.Metric.", "" if account is None else str(account)
    )
    unit = metric_stat.get("Unit")
    statistic = metric_stat.get("Stat")
    if not isinstance(statistic, str):
        reader.wrong(ProblemKind.INVALID, f"{where}MetricStat.Stat", f"{where}Stat is missing")
    return Query(name, key, str(statistic), period, unit=unit if isinstance(unit, str) else None)


def _metric(reader: Reader, entry: Mapping[str, Any], where: str, account: str) -> MetricKey:
    given = entry.get("Dimensions")
    for number, dimension in enumerate(reader.mappings(given, f"{where}Dimensions")):
        reader.only(dimension, known.DIMENSION, f"{where}Dimensions[{number}].")
        if not {"Name", "Value"} <= dimension.keys():
            name = f"{where}Dimensions"
            reader.wrong(ProblemKind.INVALID, name, f"{name} has an entry without Name or Value")
    dimensions = {
        _plain(dimension.get("Name")): _plain(dimension.get("Value"))
        for dimension in reader.mappings(given, f"{where}Dimensions")
    }
    if isinstance(given, Unknown):
        dimensions = {given: given}
    return MetricKey.of(
        _plain(entry.get("Namespace")), _plain(entry.get("MetricName")), dimensions, account
    )


def _plain(value: Any) -> str:
    """A text as it stands: a reference stays one."""
    return value if isinstance(value, str) else str(value)
