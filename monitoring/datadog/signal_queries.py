"""A signal as the query of a Datadog monitor, where Datadog can evaluate it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from monitoring.alarm_set import Alarm, AlarmSet
from monitoring.datadog import metrics
from monitoring.datadog.monitor_queries import SIGNS, filled, rendered
from monitoring.model.datadog import WINDOWS, MetricQuery, window_covering
from monitoring.model.signals import Comparison
from monitoring.resources import plain
from settings.errors import DefinitionError, SettingsError, WebhookBufferError
from settings.paths import CDK_JSON
from settings.schema import Settings

# How a window's values of a statistic become the one that is judged.
_OVER_TIME = {"Sum": "sum", "Maximum": "max", "Minimum": "min", "Average": "avg"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalQuery:
    """What Datadog evaluates of a signal.

    Attributes:
        text: the query, with its window and threshold.
        metrics: those it reads, by Datadog's names.
        critical: the threshold in the metric's unit.
        window: seconds; the shortest of Datadog's that covers all periods of the alarm.
    """

    text: str
    metrics: tuple[str, ...]
    critical: float
    window: int


class _UnsupportedError(Exception):
    """When Datadog can't evaluate a signal; its text says why."""


def signal_query(alarm: Alarm, alarms: AlarmSet) -> SignalQuery:
    """The query that holds where the signal held in each of its periods.

    Datadog does not support "2 of 3": CloudWatch alone evaluates such a signal.

    Raises:
        DefinitionError: When Datadog can't evaluate the signal that is assigned to it.
        SettingsError: When ``alarms`` in the settings assigns it.
    """
    try:
        return _query(alarm, alarms)
    except _UnsupportedError as reason:
        raise _refusal(alarm.signal.id, alarms.settings, str(reason)) from None


def _refusal(signal: str, settings: Settings, reason: str) -> WebhookBufferError:
    problem = f"Datadog can't evaluate this signal: {reason}; write cloudwatch"
    change = settings.alarms.get(signal)
    if change and change.evaluatedBy:
        problem = f"key 'alarms.{signal}.evaluatedBy': {problem}"
        return SettingsError(CDK_JSON, settings.environment, [problem])
    return DefinitionError([f"signal '{signal}': evaluated_by: {problem}"])


def _query(alarm: Alarm, alarms: AlarmSet) -> SignalQuery:
    signal = alarm.signal
    if signal.datapoints != alarm.periods:
        raise _UnsupportedError(f"it is on with {signal.datapoints} of {alarm.periods} periods")
    queries = {name: _counterpart(alarm, name) for name in alarm.measures}
    expression = _arithmetic(alarm)
    aggregation = _aggregation(alarm)
    wanted = alarm.period * alarm.periods
    window = window_covering(wanted)
    if window is None:
        raise _UnsupportedError(f"its window of {wanted} s is longer than Datadog's")
    names = tuple(query.name for query in queries.values())
    factor = 1.0
    if alarm.expression is None:
        factor = float(metrics.unit_factor(signal.threshold.unit, names[0]))
    critical = float(plain(alarm.threshold * factor))
    texts = {name: _rolled_up(query, alarm, alarms) for name, query in queries.items()}
    text = (
        f"{aggregation}(last_{WINDOWS[window]}):{filled(expression, texts)} "
        f"{SIGNS[signal.comparison]} {plain(critical)}"
    )
    return SignalQuery(text=text, metrics=names, critical=critical, window=window)


def _counterpart(alarm: Alarm, name: str) -> MetricQuery:
    """Datadog's metric for one of the signal's queries."""
    query, statistic = alarm.signal.queries[name], alarm.measures[name].statistic
    counterpart = metrics.of(query.metric, statistic)
    if counterpart is None:
        raise _UnsupportedError(f"it has no {statistic} of {query.metric.name}")
    space, metric = counterpart
    return MetricQuery(metric, space, query.role)


def _rolled_up(query: MetricQuery, alarm: Alarm, alarms: AlarmSet) -> str:
    """A metric query whose values are those of the alarm's periods."""
    text = rendered(query, alarms.resources, alarms.settings)
    return f"{text}.rollup({query.over_time}, {alarm.period})" if alarm.periods > 1 else text


def _aggregation(alarm: Alarm) -> str:
    """How the window's values become the one that is compared with the threshold."""
    over = {_OVER_TIME.get(measure.statistic, "avg") for measure in alarm.measures.values()}
    if len(over) > 1:
        raise _UnsupportedError(f"its expression joins {' and '.join(sorted(over))}")
    if alarm.periods == 1:
        return over.pop()
    above = alarm.signal.comparison in (Comparison.ABOVE, Comparison.AT_LEAST)
    return "min" if above else "max"


def _arithmetic(alarm: Alarm) -> str:
    """CloudWatch's metric math in Datadog's syntax, as far as both support it."""
    text = alarm.expression or next(iter(alarm.measures))
    text = re.sub(r"FILL\((\w+), 0\)", r"default_zero(\1)", text)
    unknown = set(re.findall(r"[A-Za-z_]\w*", text)) - alarm.measures.keys() - {"default_zero"}
    if unknown or re.search(r"[<>=\[\]]", text):
        what = f"{', '.join(sorted(unknown))}" if unknown else "comparisons"
        raise _UnsupportedError(f"its expression has {what}, which Datadog's queries lack")
    return text
