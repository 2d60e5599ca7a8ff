"""Metric math, and the rules of composite alarms: what CloudWatch can't read or can't mean."""

from __future__ import annotations

from collections.abc import Iterator

from alarmproof.base import composites
from alarmproof.base.alarms import AnyAlarm, CompositeAlarm, MetricAlarm, Query
from alarmproof.base.errors import NotSupportedError, SyntaxProblemError
from alarmproof.base.expressions import NOT_COMPARED, Node, compile_expression, kind_of
from alarmproof.base.metric_table import published
from alarmproof.rules.context import Context, fires_above
from alarmproof.rules.registry import ERROR, NOTE, WARNING, Hit, rule


@rule(
    "invalid-expression",
    ERROR,
    finds="math or a composite's rule that can't be parsed, or uses undeclared ids",
    why="CloudWatch rejects it.",
    remedy="Correct it.",
)
def invalid_expression(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """With the position."""
    if isinstance(alarm, CompositeAlarm):
        try:
            composites.parse(alarm.rule)
        except SyntaxProblemError as error:
            yield f"{error}."
        except NotSupportedError:
            return
    if not isinstance(alarm, MetricAlarm):
        return
    ids = {query.id for query in alarm.queries}
    for query in alarm.queries:
        if not query.expression or query.id == alarm.band:
            continue
        if _is_compared_band(alarm, query):
            yield f"The expression '{query.expression}' {_WRONG_KINDS['band']}."
            continue
        try:
            undeclared = compile_expression(query.expression).ids - ids
        except SyntaxProblemError as error:
            yield f"{error}."
            continue
        except NotSupportedError:
            continue
        for name in sorted(undeclared):
            yield f"The expression '{query.expression}' uses '{name}', which is not a query's id."
        if query.id == alarm.returned:
            yield from _wrong_kind(query.expression)


# Source: CloudWatch user guide, "Metric math syntax and functions".
_WRONG_KINDS = {
    "band": "makes two series, the ends of a band; name it as ThresholdMetricId and compare the "
    "metric with it",
    **NOT_COMPARED,
}


def _is_compared_band(alarm: MetricAlarm, query: Query) -> bool:
    """Whether a band is compared with the threshold, in place of being it."""
    compared = alarm.band is None and query.id == alarm.returned
    return compared and (query.expression or "").lstrip().startswith("ANOMALY_DETECTION_BAND(")


def _wrong_kind(expression: str) -> Iterator[str | Hit]:
    kind = kind_of(compile_expression(expression).tree, {})
    if kind in _WRONG_KINDS:
        yield f"The expression '{expression}' {_WRONG_KINDS[kind]}."


@rule(
    "unsupported-expression",
    NOTE,
    finds="math that depends on more than the alarm's series: quotas, searches, other queries",
    why="`alarmproof test` and `replay` can't evaluate it; all rules that don't need it are "
    "applied.",
    remedy="Nothing has to change: AWS accepts it.",
)
def unsupported_expression(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Every such function by name."""
    if isinstance(alarm, CompositeAlarm):
        try:
            composites.parse(alarm.rule)
        except SyntaxProblemError:
            return
        except NotSupportedError as error:
            yield f"It is not evaluated, because {error}."
    if not isinstance(alarm, MetricAlarm):
        return
    for query in alarm.queries:
        if not query.expression or query.id == alarm.band or _is_compared_band(alarm, query):
            continue
        try:
            compile_expression(query.expression)
        except SyntaxProblemError:
            continue
        except NotSupportedError as error:
            yield f"It is not evaluated, because {error}."


@rule(
    "negative-drain",
    ERROR,
    finds="a time to drain that is negative while the backlog grows",
    why="It is silent when it matters.",
    remedy="Divide by the messages deleted, and check separately whether the backlog grows.",
)
def negative_drain(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Depth / (out - in) is below zero while more comes in than goes out."""
    if not isinstance(alarm, MetricAlarm):
        return
    names = {query.id: query.metric.name for query in alarm.queries if query.metric}
    for query in alarm.queries:
        text = (query.expression or "").replace(" ", "")
        for out, gone in names.items():
            for into, come in names.items():
                if (
                    f"/({out}-{into})" in text
                    and gone == "NumberOfMessagesDeleted"
                    and come == "NumberOfMessagesSent"
                    and fires_above(alarm)
                ):
                    yield f"'{query.expression}' is negative while the backlog grows."


@rule(
    "ratio-as-percent",
    WARNING,
    finds="a share of failures, without a factor of 100, that is compared with more than 1",
    why="It never fires: a share is 1 at most.",
    remedy="Multiply by 100, or compare with a share such as 0.02.",
)
def ratio_as_percent(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Only sums of failures of AWS's metrics, divided by sums of others."""
    if not isinstance(alarm, MetricAlarm) or alarm.threshold is None or not fires_above(alarm):
        return
    failures: set[str] = set()
    others: set[str] = set()
    for query in alarm.queries:
        entry = published(query.metric) if query.metric else None
        if entry and query.statistic in ("Sum", "SampleCount"):
            (failures if entry.failure else others).add(query.id)
    for query in alarm.queries:
        if query.id != alarm.returned or not query.expression or alarm.threshold <= 1:
            continue
        try:
            tree = compile_expression(query.expression).tree
        except (NotSupportedError, SyntaxProblemError):
            continue
        if tree.kind != "operation" or tree.value != "/":
            continue
        above, below = (_names_only(part) for part in tree.parts)
        if above and below and above <= failures and below <= others:
            yield (
                f"'{query.expression}' is a share, 1 at most, and the threshold is "
                f"{alarm.threshold:g}."
            )


def _names_only(node: Node) -> set[str]:
    """The ids of a sum of queries; empty where it is anything else."""
    if node.kind == "name":
        return {node.value}
    if node.kind != "operation" or node.value != "+":
        return set()
    parts = [_names_only(part) for part in node.parts]
    return set().union(*parts) if all(parts) else set()
