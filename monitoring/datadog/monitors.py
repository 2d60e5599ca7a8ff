"""Monitors, rendered from their definitions and from the signals that Datadog also evaluates.

Source: Datadog API reference, "Monitors", for queries and options.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from monitoring.alarm_guide import steps
from monitoring.alarm_set import Alarm, AlarmSet, resolved
from monitoring.datadog import metrics
from monitoring.datadog.definition import Definition, Kind, marked, tags
from monitoring.datadog.messages import Incident, message
from monitoring.model.datadog import WINDOWS, BurnRate, DatadogMonitor, LogQuery, MetricQuery, Needs
from monitoring.model.signals import Comparison, Evaluator, Missing, Severity
from monitoring.overrides import replaced
from monitoring.resources import Resources, plain
from settings.errors import SettingsError
from settings.paths import CDK_JSON
from settings.schema import Settings

_SIGNS = {
    Comparison.ABOVE: ">",
    Comparison.AT_LEAST: ">=",
    Comparison.BELOW: "<",
    Comparison.AT_MOST: "<=",
}
_PRIORITIES = {Severity.PAGE: 1, Severity.TICKET: 3, Severity.INFO: 5}
# How a window's values of a statistic become the one that is judged.
_OVER_TIME = {"Sum": "sum", "Maximum": "max", "Minimum": "min", "Average": "avg"}
# Seconds by which a source's newest values are late; the monitor looks that far back. Metric
# Streams need two to three minutes.
_LATE = {"polling": 900, "stream": 300}
_ALERT_WINDOW = 1800


def monitors(alarms: AlarmSet) -> list[Definition]:
    """Every monitor of an environment.

    Raises:
        SettingsError: When ``alarms`` assigns Datadog a signal that it can't evaluate.
    """
    own = [_of_monitor(monitor, alarms) for monitor in datadog_monitors(alarms)]
    shared = [one for one in alarms.alarms if one.signal.evaluated_by is Evaluator.BOTH]
    return own + [_of_alarm(alarm, alarms) for alarm in (*shared, *alarms.in_datadog)]


def datadog_monitors(alarms: AlarmSet) -> list[DatadogMonitor]:
    """The monitors that have something to evaluate, with what ``alarms`` changes in them."""
    settings = alarms.settings
    found = []
    for monitor in alarms.catalog.monitors:
        change = settings.alarms.get(monitor.id)
        if left_out(monitor, alarms):
            _require_unneeded(monitor, alarms)
            continue
        if change and change.evaluatedBy not in (None, "datadog"):
            problem = (
                f"key 'alarms.{monitor.id}.evaluatedBy': only Datadog can evaluate this; "
                f"write datadog, or enabled: false"
            )
            raise SettingsError(CDK_JSON, settings.environment, [problem])
        if change and change.severity:
            monitor = replace(monitor, severity=Severity(change.severity))
        if change and change.threshold is not None:
            monitor = replace(monitor, threshold=replaced(monitor.threshold, change.threshold))
            _require_possible(monitor, settings)
        found.append(monitor)
    return found


def _require_unneeded(monitor: DatadogMonitor, alarms: AlarmSet) -> None:
    """Checks that no SLO of this environment names a monitor that the settings leave out."""
    settings = alarms.settings
    change = settings.alarms.get(monitor.id)
    needing = [one.key for one in alarms.catalog.objectives if monitor.id in one.monitors]
    if change and not change.enabled and needing and settings.existing is None:
        problem = (
            f"key 'alarms.{monitor.id}.enabled': false, but the SLO '{needing[0]}' counts its "
            "time; set its severity to info instead"
        )
        raise SettingsError(CDK_JSON, settings.environment, [problem])


def _require_possible(monitor: DatadogMonitor, settings: Settings) -> None:
    """Checks that a threshold in the settings can be crossed, but not always."""
    value, unit = monitor.threshold.value, monitor.threshold.unit
    most = 1 if monitor.unusual else 100 if unit == "Percent" else None
    if value <= 0 or (most is not None and value > most):
        bound = f"more than 0 and at most {most}" if most else "more than 0"
        problem = f"key 'alarms.{monitor.id}.threshold': {plain(value)} must be {bound}"
        raise SettingsError(CDK_JSON, settings.environment, [problem])


def left_out(monitor: DatadogMonitor, alarms: AlarmSet) -> str | None:
    """Why an environment does not have the monitor; None if it has."""
    settings = alarms.settings
    change = settings.alarms.get(monitor.id)
    if change and not change.enabled:
        return f"settings say so (alarms.{monitor.id}.enabled)"
    instrumented = settings.datadog_functions
    datadog = settings.datadog
    there = {
        Needs.INSTRUMENTED: bool(instrumented),
        Needs.TRACES: bool(instrumented and datadog and datadog.tracing),
        Needs.LOGS: bool(instrumented),
        Needs.HEARTBEAT: settings.sends_heartbeats and "heartbeat" in instrumented,
        Needs.BUFFER: alarms.resources.ours,
    }
    for need in monitor.needs:
        if not there[need]:
            return f"it needs {need.value}"
    if monitor.role and Needs.INSTRUMENTED in monitor.needs and monitor.role not in instrumented:
        return f"{monitor.role} is not instrumented"
    return None


def scope(resources: Resources, settings: Settings, role: str | None) -> dict[str, str]:
    """The tags of a role's metrics; of the whole service without one."""
    whole = {"env": settings.environment, "service": settings.service}
    if role is None:
        return whole
    resource = resources.by_role[role]
    # An API's id is known only once it is deployed; ours carries the tags of its stack.
    if role == "api" and resources.ours:
        return whole
    return metrics.scope(resource)


def rendered(query: MetricQuery, resources: Resources, settings: Settings) -> str:
    """A metric query as Datadog reads it, without what happens over time."""
    metric = metrics.METRICS[query.name]
    found = {**scope(resources, settings, query.role), **query.tags}
    text = ",".join(f"{name}:{value}" for name, value in sorted(found.items()))
    if query.percentile:
        return f"{query.over_time}:{query.name}{{{text}}}"
    counted = ".as_count()" if query.over_time == "sum" and metric.type != "gauge" else ""
    return f"{query.over_time}:{query.name}{{{text}}}{counted}"


def _of_monitor(monitor: DatadogMonitor, alarms: AlarmSet) -> Definition:
    settings = alarms.settings
    threshold = resolved(monitor.threshold, alarms.resources)
    critical = threshold * _factor(monitor)
    options: dict[str, Any] = {"include_tags": True, "thresholds": {"critical": _number(critical)}}
    above = monitor.comparison in (Comparison.ABOVE, Comparison.AT_LEAST)
    for name, share in (("warning", monitor.warning), ("critical_recovery", monitor.recovery)):
        if share is not None:
            options["thresholds"][name] = _number(critical * share)
    if monitor.warning is not None:
        ends = monitor.warning * (0.95 if above else 1.05)
        options["thresholds"]["warning_recovery"] = _number(critical * ends)
    query, kind = _query(monitor, alarms, _number(critical))
    if kind == "query alert":
        options |= _metric_options(monitor, settings)
    elif kind == "log alert":
        options |= {"enable_logs_sample": True, "on_missing_data": "default"}
    incident = Incident(
        monitor.title, monitor.impact, monitor.severity, monitor.runbook,
        steps(monitor.runbook, alarms), monitor.threshold.unit, kind=kind,
    )  # fmt: skip
    return _definition(settings, monitor.id, query, kind, options, incident)


def _metric_options(monitor: DatadogMonitor, settings: Settings) -> dict[str, Any]:
    used = [one for one in monitor.queries.values() if isinstance(one, MetricQuery)]
    options: dict[str, Any] = {"require_full_window": False, "notify_no_data": False}
    options |= _delay((one.name for one in used), settings)
    if monitor.silence is not None:
        options |= {"notify_no_data": True, "no_data_timeframe": monitor.silence // 60}
    if monitor.unusual is not None:
        window = f"last_{WINDOWS[_ALERT_WINDOW]}"
        options["threshold_windows"] = {"trigger_window": window, "recovery_window": window}
    return options


def _delay(names: Iterable[str], settings: Settings) -> dict[str, int]:
    assert settings.datadog is not None
    polled = any(metrics.METRICS[name].source is metrics.Source.POLLED for name in names)
    return {"evaluation_delay": _LATE[settings.datadog.metrics]} if polled else {}


def _query(monitor: DatadogMonitor, alarms: AlarmSet, critical: float) -> tuple[str, str]:
    """The query and the type of its monitor."""
    settings = alarms.settings
    ends = f"{_SIGNS[monitor.comparison]} {plain(critical)}"
    window = WINDOWS[monitor.window]
    first = next(iter(monitor.queries.values()))
    if isinstance(first, BurnRate):
        long, short = WINDOWS[first.long], WINDOWS[first.short]
        slo = f'burn_rate("{{$ref:slo:{first.slo}}}").over("30d")'
        return f'{slo}.long_window("{long}").short_window("{short}") {ends}', "slo alert"
    if isinstance(first, LogQuery):
        where = " ".join(
            [f"service:{settings.service}", f"env:{settings.environment}", first.search]
        )
        by = "".join(f'.by("{one}")' for one in monitor.by)
        text = where.replace('"', '\\"')
        counted = f'logs("{text}").index("*").rollup("count"){by}.last("{window}")'
        return f"{counted} {ends}", "log alert"
    parts = {
        name: rendered(one, alarms.resources, settings)
        for name, one in monitor.queries.items()
        if isinstance(one, MetricQuery)
    }
    text = filled(monitor.expression or next(iter(parts)), parts)
    if monitor.unusual is not None:
        usual = (
            f"anomalies({text}, 'agile', {monitor.unusual}, direction='both', interval=60, "
            f"alert_window='last_{WINDOWS[_ALERT_WINDOW]}', seasonality='weekly', "
            "timezone='utc', count_default_zero='true')"
        )
        return f"avg(last_{window}):{usual} {ends}", "query alert"
    over = first.over_time
    if first.percentile:
        return f"percentile(last_{window}):{text} {ends}", "query alert"
    return f"{over}(last_{window}):{text} {ends}", "query alert"


def filled(expression: str, parts: Mapping[str, str]) -> str:
    """An expression with the queries that its names stand for."""
    return re.sub(r"[A-Za-z_]\w*", lambda match: parts.get(match[0], match[0]), expression)


def _factor(monitor: DatadogMonitor) -> float:
    """From the threshold's unit to the metric's."""
    first = next(iter(monitor.queries.values()))
    if monitor.expression or not isinstance(first, MetricQuery):
        return 1.0
    return float(metrics.unit_factor(monitor.threshold.unit, first.name))


def _of_alarm(alarm: Alarm, alarms: AlarmSet) -> Definition:
    """A signal's monitor: the window is all of its periods, in each of which it has to hold.

    Datadog does not support "2 of 3": CloudWatch alone evaluates such a signal.
    """
    settings, signal = alarms.settings, alarm.signal

    def refuse(reason: str) -> SettingsError:
        problem = (
            f"key 'alarms.{signal.id}.evaluatedBy': Datadog can't evaluate this signal: {reason}; "
            "write cloudwatch"
        )
        return SettingsError(CDK_JSON, settings.environment, [problem])

    if signal.datapoints != alarm.periods:
        raise refuse(f"it is on with {signal.datapoints} of {alarm.periods} periods")
    found: dict[str, str] = {}
    names, over, factor = [], set(), 1.0
    above = signal.comparison in (Comparison.ABOVE, Comparison.AT_LEAST)
    for name, measure in alarm.measures.items():
        query = signal.queries[name]
        known = metrics.of(query.metric, measure.statistic)
        if known is None:
            raise refuse(f"it has no {measure.statistic} of {query.metric.name}")
        space, metric = known
        names.append(metric)
        text = rendered(MetricQuery(metric, space, query.role), alarms.resources, settings)
        if alarm.periods > 1:
            text += f".rollup({space}, {alarm.period})"
        found[name] = text
        over.add(_OVER_TIME.get(measure.statistic, "avg"))
        if alarm.expression is None:
            factor = float(metrics.unit_factor(signal.threshold.unit, metric))
    expression = _arithmetic(alarm, refuse)
    if len(over) > 1:
        raise refuse(f"its expression joins {' and '.join(sorted(over))}")
    aggregation = over.pop() if alarm.periods == 1 else ("min" if above else "max")
    wanted = alarm.period * alarm.periods
    window = min((one for one in WINDOWS if one >= wanted), default=None)
    if window is None:
        raise refuse(f"its window of {wanted} s is longer than Datadog's")
    critical = _number(alarm.threshold * factor)
    query_text = (
        f"{aggregation}(last_{WINDOWS[window]}):{filled(expression, found)} "
        f"{_SIGNS[signal.comparison]} {plain(critical)}"
    )
    silent = signal.missing is Missing.BREACHING and "default_zero" not in query_text
    options: dict[str, Any] = {
        "include_tags": True,
        "thresholds": {"critical": critical},
        "require_full_window": False,
        "notify_no_data": silent,
        **({"no_data_timeframe": 2 * window // 60} if silent else {}),
        **_delay(names, settings),
    }
    incident = Incident(
        signal.title, signal.impact, alarm.severity, signal.runbook,
        steps(signal.runbook, alarms), signal.threshold.unit, kind="query alert",
    )  # fmt: skip
    return _definition(settings, signal.id, query_text, "query alert", options, incident)


def _arithmetic(alarm: Alarm, refuse: Callable[[str], SettingsError]) -> str:
    """CloudWatch's metric math in Datadog's syntax, as far as both support it."""
    text = alarm.expression or next(iter(alarm.measures))
    text = re.sub(r"FILL\((\w+), 0\)", r"default_zero(\1)", text)
    unknown = set(re.findall(r"[A-Za-z_]\w*", text)) - alarm.measures.keys() - {"default_zero"}
    if unknown or re.search(r"[<>=\[\]]", text):
        what = f"{', '.join(sorted(unknown))}" if unknown else "comparisons"
        raise refuse(f"its expression has {what}, which Datadog's queries lack")
    return text


def _definition(
    settings: Settings,
    key: str,
    query: str,
    kind: str,
    options: dict[str, Any],
    incident: Incident,
) -> Definition:
    severity = incident.severity
    body = {
        "name": f"[{settings.service} {settings.environment}] {incident.title}",
        "type": kind,
        "query": query,
        "message": marked(message(incident, settings), settings, key),
        "tags": sorted([*tags(settings), f"severity:{severity.value}", f"signal:{key}"]),
        "priority": _PRIORITIES[severity],
        "options": options,
    }
    return Definition(Kind.MONITOR, key, body)


def _number(value: float) -> float:
    """A threshold as it stands in query and options alike."""
    return float(plain(value))
