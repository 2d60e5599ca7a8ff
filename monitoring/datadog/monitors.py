"""Monitors, rendered from their definitions and from the signals that Datadog also evaluates.

Source: Datadog API reference, "Monitors", for queries and options.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from monitoring.alarm_guide import steps
from monitoring.alarm_set import Alarm, AlarmSet, resolved
from monitoring.datadog import metrics
from monitoring.datadog.definition import Definition, Kind, marked, tags
from monitoring.datadog.messages import Incident, Reading, message
from monitoring.datadog.monitor_queries import (
    ALERT_WINDOW,
    query,
    searches,
    seconds,
)
from monitoring.datadog.signal_queries import signal_query
from monitoring.model.datadog import (
    WINDOWS,
    BurnRate,
    DatadogMonitor,
    MetricQuery,
    Needs,
)
from monitoring.model.signals import Comparison, Evaluator, Missing, Severity
from monitoring.overrides import replaced
from monitoring.resources import plain
from monitoring.wording import measured
from settings.errors import SettingsError
from settings.paths import CDK_JSON
from settings.schema import Settings

_PRIORITIES = {Severity.PAGE: 1, Severity.TICKET: 3, Severity.INFO: 5}


def monitors(alarms: AlarmSet) -> list[Definition]:
    """Every monitor of an environment.

    Raises:
        DefinitionError: When a signal assigns itself to Datadog, which can't evaluate it.
        SettingsError: When ``alarms`` does so.
    """
    own = [_of_monitor(monitor, alarms) for monitor in datadog_monitors(alarms)]
    shared = [alarm for alarm in alarms.alarms if alarm.signal.evaluated_by is Evaluator.BOTH]
    return own + [_of_alarm(alarm, alarms) for alarm in (*shared, *alarms.in_datadog)]


def datadog_monitors(alarms: AlarmSet) -> list[DatadogMonitor]:
    """The monitors that have something to evaluate, with what ``alarms`` changes in them."""
    settings = alarms.settings
    kept = []
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
        kept.append(monitor)
    return kept


def _require_unneeded(monitor: DatadogMonitor, alarms: AlarmSet) -> None:
    """Checks that no SLO of this environment names a monitor that the settings leave out."""
    settings = alarms.settings
    change = settings.alarms.get(monitor.id)
    needing = [
        objective.key for objective in alarms.catalog.objectives if monitor.id in objective.monitors
    ]
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
    if monitor.id in alarms.left_out:
        return alarms.left_out[monitor.id]
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
    text, kind = query(monitor, alarms, _number(critical))
    if kind == "query alert":
        options |= _metric_options(monitor, settings)
    elif kind == "log alert":
        # "default": a count of no lines is zero, and compared.
        options |= {"on_missing_data": "default"}
        variables = searches(monitor, alarms)
        options |= {"variables": variables} if variables else {"enable_logs_sample": True}
    incident = Incident(
        monitor.title, monitor.impact, monitor.severity, monitor.runbook,
        steps(monitor.runbook, alarms), _reading(monitor, alarms, options["thresholds"]),
    )  # fmt: skip
    return _definition(settings, monitor.id, text, kind, options, incident)


def _reading(monitor: DatadogMonitor, alarms: AlarmSet, thresholds: Mapping[str, float]) -> Reading:
    first = next(iter(monitor.queries.values()))
    unit = monitor.threshold.unit
    if isinstance(first, MetricQuery) and not monitor.expression:
        unit = metrics.METRICS[first.name].unit
    return Reading(
        monitor.reading,
        unit=unit,
        comparison=monitor.comparison,
        critical=thresholds["critical"],
        warning=thresholds.get("warning"),
        window=seconds(monitor, alarms.resources),
        of_slo=isinstance(first, BurnRate),
    )


def _metric_options(monitor: DatadogMonitor, settings: Settings) -> dict[str, Any]:
    used = [query for query in monitor.queries.values() if isinstance(query, MetricQuery)]
    options: dict[str, Any] = {"require_full_window": False, "notify_no_data": False}
    options |= _delay((query.name for query in used), settings)
    if monitor.unusual is not None:
        window = f"last_{WINDOWS[ALERT_WINDOW]}"
        options["threshold_windows"] = {"trigger_window": window, "recovery_window": window}
    return options


def _delay(names: Iterable[str], settings: Settings) -> dict[str, int]:
    assert settings.datadog is not None
    polled = any(metrics.METRICS[name].source is metrics.Source.POLLED for name in names)
    return {"evaluation_delay": metrics.DELAYS[settings.datadog.metrics]} if polled else {}


def _factor(monitor: DatadogMonitor) -> float:
    """From the threshold's unit to the metric's."""
    first = next(iter(monitor.queries.values()))
    if monitor.expression or not isinstance(first, MetricQuery):
        return 1.0
    return float(metrics.unit_factor(monitor.threshold.unit, first.name))


def _of_alarm(alarm: Alarm, alarms: AlarmSet) -> Definition:
    """A signal's monitor: the window is all of its periods, in each of which it has to hold."""
    settings, signal = alarms.settings, alarm.signal
    evaluated = signal_query(alarm, alarms)
    silent = signal.missing is Missing.BREACHING and "default_zero" not in evaluated.text
    options: dict[str, Any] = {
        "include_tags": True,
        "thresholds": {"critical": evaluated.critical},
        "require_full_window": False,
        "notify_no_data": silent,
        **({"no_data_timeframe": 2 * evaluated.window // 60} if silent else {}),
        **_delay(evaluated.metrics, settings),
    }
    unit = signal.threshold.unit
    reading = Reading(
        f"{measured(alarm)}: {{value}}",
        unit=metrics.METRICS[evaluated.metrics[0]].unit if alarm.expression is None else unit,
        comparison=signal.comparison,
        critical=evaluated.critical,
        window=alarm.period * alarm.periods,
        silence=2 * evaluated.window if silent else None,
    )
    incident = Incident(
        signal.title, signal.impact, alarm.severity, signal.runbook,
        steps(signal.runbook, alarms), reading,
    )  # fmt: skip
    return _definition(settings, signal.id, evaluated.text, "query alert", options, incident)


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
