"""Datadog's dashboard of the functions: each one's calls, time, memory, cost, logs and traces."""

from __future__ import annotations

from dashboards import panels
from dashboards.lines import hidden_series, series
from dashboards.overview import legend
from monitoring.model.dashboards import (
    Board,
    Color,
    Deployed,
    Formula,
    Line,
    LogList,
    Panel,
    Section,
    Series,
    Shape,
    TraceList,
    Widget,
)
from monitoring.model.signals import Kind

_ENHANCED = "aws.lambda.enhanced"
# The functions of the buffer that have signals, and whose timeout is a fact.
_EVALUATED = ("publish", "subscribe")

_RUNS = series(f"{_ENHANCED}.invocations", "sum", "invocations", color=Color.BLUE)
_ERRORS = series(f"{_ENHANCED}.errors", "sum", "errors", color=Color.RED)
_COST = series(f"{_ENHANCED}.estimated_cost", "sum", "estimated cost")
_ALL = (
    (
        Panel(title="Invocations", unit="Count", lines=(_RUNS,), number=True),
        Panel(title="Errors", unit="Count", lines=(_ERRORS,), number=True),
        Panel(title="Estimated cost", unit="US dollars", lines=(_COST,), number=True),
    ),
    (
        Panel(
            title="Invocations in half an hour",
            unit="Count",
            shape=Shape.BARS,
            period=1800,
            lines=(_RUNS,),
            monitors=("datadog-blind",),
        ),
        Panel(
            title="Estimated cost of a day",
            unit="US dollars",
            shape=Shape.BARS,
            period=86_400,
            lines=(_COST,),
            monitors=("function-cost",),
        ),
    ),
)


def serverless(deployed: Deployed) -> Board:
    """Every function of an environment."""
    existing = [role for role, kind in deployed.existing.items() if kind is Kind.FUNCTION]
    evaluated = _EVALUATED if deployed.buffer else existing
    return Board(
        "serverless",
        "Webhook buffer — serverless",
        "Each function: calls, errors, time, memory, concurrency, cost, logs and traces.",
        (
            Section("All functions", ((legend(deployed),), *_ALL)),
            *(
                Section(role, _function(role, evaluated=role in evaluated))
                for role in (*existing, *deployed.functions)
            ),
        ),
    )


def _function(role: str, *, evaluated: bool) -> tuple[tuple[Widget, ...], ...]:
    return (
        panels.function(role, evaluated=evaluated),
        _times(role, evaluated=evaluated),
        _resources(role),
        _traces(role),
        (LogList(f"{role}: log lines", "-@level:INFO", role), TraceList(f"{role}: traces", role)),
    )


def _own(name: str, aggregation: str, label: str, role: str, color: Color | None = None) -> Line:
    """A metric that Datadog's extension sends, at once and in its own units."""
    return series(f"{_ENHANCED}.{name}", aggregation, label, role, color)


def _times(role: str, *, evaluated: bool) -> tuple[Panel, ...]:
    duration = (
        _own("duration", "avg", "average", role),
        _own("duration", "max", "longest", role),
    )
    timeout = Line(
        "timeout", datadog=Series("aws.lambda.timeout", "max", role, needs=role), color=Color.GRAY
    )
    return (
        Panel(
            title=f"{role}: duration, as it happens",
            unit="Seconds",
            lines=duration if evaluated else (*duration, timeout),
            signals=(f"{role}-duration",) if evaluated else (),
            limits={f"{role}.timeout": "timeout"} if evaluated else {},
        ),
        Panel(
            title=f"{role}: cold starts",
            unit="Percent",
            period=3600,
            lines=(
                hidden_series(
                    f"{_ENHANCED}.invocations", "sum", role, "cold", {"cold_start": "true"}
                ),
                hidden_series(f"{_ENHANCED}.invocations", "sum", role, "all"),
                Formula("100 * cold / all", "of all invocations"),
            ),
            monitors=("cold-starts",) if role == "publish" else (),
        ),
        Panel(
            title=f"{role}: cold start duration",
            unit="Seconds",
            lines=(
                _own("init_duration", "avg", "average", role),
                _own("init_duration", "max", "longest", role),
            ),
        ),
    )


def _resources(role: str) -> tuple[Panel, ...]:
    return (
        Panel(
            title=f"{role}: memory",
            unit="Mebibytes",
            lines=(
                _own("max_memory_used", "max", "used", role),
                _own("memorysize", "max", "configured", role),
            ),
        ),
        Panel(
            title=f"{role}: share of memory used",
            unit="Percent",
            lines=(
                hidden_series(f"{_ENHANCED}.max_memory_used", "max", role, "u"),
                hidden_series(f"{_ENHANCED}.memorysize", "max", role, "g"),
                Formula("100 * u / g", "used"),
            ),
            monitors=(f"{role}-memory",) if role in _EVALUATED else (),
        ),
        Panel(
            title=f"{role}: estimated cost",
            unit="US dollars",
            shape=Shape.BARS,
            period=3600,
            lines=(_own("estimated_cost", "sum", "in an hour", role),),
        ),
        Panel(
            title=f"{role}: stopped by Lambda",
            unit="Count",
            shape=Shape.BARS,
            period=900,
            lines=(
                _own("timeouts", "sum", "timeouts", role, Color.ORANGE),
                _own("out_of_memory", "sum", "out of memory", role, Color.RED),
            ),
        ),
    )


# A batch with items that failed is a successful invocation to Lambda.
_FAILED_ITEMS = Panel(
    title="subscribe: items that failed in batches",
    unit="Count",
    shape=Shape.BARS,
    lines=(_own("batch_item_failures", "sum", "failed items", "subscribe", Color.ORANGE),),
)


def _traces(role: str) -> tuple[Panel, ...]:
    return (
        *((_FAILED_ITEMS,) if role == "subscribe" else ()),
        Panel(
            title=f"{role}: traced calls",
            unit="Count",
            lines=(
                series("trace.aws.lambda.hits", "sum", "calls", role, Color.BLUE),
                series("trace.aws.lambda.errors", "sum", "errors", role, Color.RED),
            ),
        ),
        Panel(
            title=f"{role}: traced time",
            unit="Seconds",
            lines=tuple(
                series("trace.aws.lambda", percentile, percentile, role)
                for percentile in ("p50", "p95", "p99")
            ),
        ),
    )
