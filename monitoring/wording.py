"""Descriptions of alarms: for tables, and for CloudWatch."""

from __future__ import annotations

import re

from monitoring.alarm_set import Alarm, CompositeAlarm
from monitoring.model import metrics
from monitoring.model.signals import Comparison, Evaluator, Kind, Missing, Query
from monitoring.quantities import quantity, window

# Source: CloudWatch API reference, PutMetricAlarm: AlarmDescription.
_LONGEST_DESCRIPTION = 1024
# Up to this length an expression shows its metrics' labels in place of their ids.
_SHORT = 60

SEVERITIES = {
    "page": "page: wakes somebody up",
    "ticket": "ticket: somebody looks at it today",
    "info": "info: no action needed",
}

EVALUATORS = {
    Evaluator.CLOUDWATCH: "CloudWatch",
    Evaluator.DATADOG: "Datadog",
    Evaluator.BOTH: "CloudWatch, Datadog",
}

# The meaning of the shares of fresh attempts.
_OUTCOMES = {
    "PR(4.5:)": "ended in a 5xx, a timeout or no connection",
    "PR(2.5:4.5)": "were answered with 3xx or 4xx",
}
_MISSING = {
    Missing.BREACHING: "counts as breaching",
    Missing.NOT_BREACHING: "counts as not breaching",
    Missing.IGNORE: "keeps the state",
}
_SIGNS = {">=": "≥", "<=": "≤", "==": "=", "AND": "and", "OR": "or"}


def condition(alarm: Alarm) -> str:
    """When the alarm fires, for a reader who knows the metrics' names."""
    value, guard = _value(alarm)
    sign = alarm.signal.comparison.sign
    threshold = quantity(alarm.threshold, alarm.signal.threshold.unit)
    held = window(alarm.period, alarm.signal.datapoints, alarm.periods)
    text = f"{value} {sign} {threshold} in {held}"
    if guard:
        text += f", while {guard}"
    named = _ids(f"{value} {guard}") & alarm.measures.keys()
    if alarm.expression and named:
        used = [query for query in alarm.measures if query in named]
        meanings = [f"{query} = {_measure(alarm, query, '{} ({})')}" for query in used]
        text += f", where {', '.join(meanings)}"
    return text


def measured(alarm: Alarm) -> str:
    """What is compared with the threshold: ``oldest message, Maximum``."""
    return _value(alarm)[0]


def missing(alarm: Alarm) -> str:
    """What a period without data does to the alarm."""
    return _MISSING[alarm.signal.missing]


def parts(composite: CompositeAlarm) -> str:
    """Which alarms set off a composite: ``backend-down, or a-long and a-short``."""
    return ", or ".join(_part(composite, together) for together in composite.parts)


def _part(composite: CompositeAlarm, together: tuple[Alarm, ...]) -> str:
    text = " and ".join(alarm.signal.id for alarm in together)
    explained = " or ".join(alarm.signal.id for alarm in composite.explained(together))
    return f"{text} (unless {explained})" if explained else text


def description(alarm: Alarm | CompositeAlarm, runbook_url: str) -> str:
    """The description that CloudWatch shows: title, impact, condition, link to the runbook.

    Args:
        runbook_url: where the runbook stands; the heading follows a ``#``.
    """
    if isinstance(alarm, Alarm):
        signal, heading, on = alarm.signal, alarm.signal.runbook, condition(alarm)
        said = f"{_sentence(signal.title)} {_sentence(signal.impact)} Fires when {on}."
    else:
        of, heading = alarm.composite, alarm.composite.id
        on = parts(alarm)
        said = f"{_sentence(of.title)} {_sentence(of.impact)} "
        said += f"Fires while any of these is in ALARM: {on}."
        if of.suppressed_by:
            said += f" Suppressed during {of.suppressed_by}."
    link = f" Runbook: {runbook_url}#{heading}"
    room = _LONGEST_DESCRIPTION - len(link)
    return (said if len(said) <= room else f"{said[: room - 1]}…") + link


def _sentence(text: str) -> str:
    return f"{text.rstrip('.')}."


def _value(alarm: Alarm) -> tuple[str, str]:
    """What is compared with the threshold, and the condition under which it is; maybe empty."""
    if alarm.expression is None:
        return _measure(alarm, next(iter(alarm.measures))), ""
    # The text need not mention that missing data counts as zero, or drops the point.
    plain = re.sub(r"FILL\((\w+), 0\)", r"\1", alarm.expression)
    value, guard = _branches(alarm, re.sub(r"^IF\(\w+ >= 0, (IF\(.*\))\)$", r"\1", plain))
    if value in alarm.measures and not guard:
        return _measure(alarm, value), guard
    words = {query: f"({_measure(alarm, query)})" for query in alarm.measures}
    spelled = re.sub(r"[A-Za-z_]\w*", lambda match: words.get(match[0], match[0]), value)
    return (spelled if len(spelled) <= _SHORT and not guard else value), guard


def _branches(alarm: Alarm, expression: str) -> tuple[str, str]:
    """An ``IF`` in words: the larger of two, or a value while something holds."""
    larger = re.fullmatch(r"MAX\(\[(\w+), (\w+)\]\)", expression)
    if larger:
        return f"the larger of {larger[1]} and {larger[2]}", ""
    inner = _arguments(expression)
    if inner is None:
        return _signs(expression), ""
    test, then, otherwise = inner
    if test == f"{then} > {otherwise}":
        return f"the larger of {then} and {otherwise}", ""
    if not re.fullmatch(r"\d+", otherwise) or _breaches(alarm, float(otherwise)):
        return _signs(expression), ""
    return _signs(then), " ".join(_signs(_bare(part)) for part in _conjunction(test))


def _conjunction(test: str) -> list[str]:
    """A condition cut at its ``AND``s and ``OR``s, which are parts of their own."""
    operands, depth = [""], 0
    for word in re.split(r"(\(|\)| AND | OR )", test):
        depth += (word == "(") - (word == ")")
        if depth == 0 and word in (" AND ", " OR "):
            operands += [word.strip(), ""]
        else:
            operands[-1] += word
    return operands


def _bare(part: str) -> str:
    """A comparison without the parentheses around all of it."""
    return part[1:-1] if re.fullmatch(r"\(([^()]|\([^()]*\))*\)", part) else part


def _breaches(alarm: Alarm, value: float) -> bool:
    match alarm.signal.comparison:
        case Comparison.ABOVE:
            return value > alarm.threshold
        case Comparison.AT_LEAST:
            return value >= alarm.threshold
        case Comparison.BELOW:
            return value < alarm.threshold
        case Comparison.AT_MOST:
            return value <= alarm.threshold


def _arguments(expression: str) -> tuple[str, str, str] | None:
    """The three arguments of an ``IF`` that is the whole expression."""
    if not (expression.startswith("IF(") and expression.endswith(")")):
        return None
    arguments, depth, start = [], 0, 3
    for position, sign in enumerate(expression[:-1]):
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 1:
            arguments.append(expression[start:position].strip())
            start = position + 1
    arguments.append(expression[start:-1].strip())
    return (arguments[0], arguments[1], arguments[2]) if len(arguments) == 3 else None


def _signs(expression: str) -> str:
    pattern = r">=|<=|==|\bAND\b|\bOR\b"
    return re.sub(pattern, lambda match: _SIGNS[match[0]], expression)


def _ids(text: str) -> set[str]:
    return set(re.findall(r"[A-Za-z_]\w*", text))


def _measure(alarm: Alarm, query_id: str, form: str = "{}, {}") -> str:
    """``errors of publish, Sum``; a percentile rank as the share it is.

    Args:
        form: how name and statistic stand together.
    """
    query, measure = alarm.signal.queries[query_id], alarm.measures[query_id]
    name = _name(query)
    rank = re.fullmatch(r"PR\((.*):(.*)\)", measure.statistic)
    if rank and query.metric is metrics.BACKEND_OUTCOME:
        return f"share of {name} that {_OUTCOMES[measure.statistic]}"
    if rank:
        return f"share of {name} ≤ {quantity(float(rank[2]), query.metric.unit)}"
    counted = measure.statistic == "SampleCount"
    return form.format(name, "number of values" if counted else measure.statistic)


def _name(query: Query) -> str:
    label = query.metric.label
    of_function = query.metric.kind in (Kind.FUNCTION, Kind.LOG)
    return f"{label} of {query.role}" if of_function else label
