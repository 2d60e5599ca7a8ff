"""Datadog's dashboard of the functions: each one's calls, time, memory, cost, logs and traces."""

from __future__ import annotations

from dashboards import panels
from dashboards.panels import line
from monitoring.model import metrics
from monitoring.model.dashboards import (
    Board,
    Formula,
    Graph,
    Group,
    LogCount,
    LogList,
    Note,
    Series,
    TraceList,
    Widget,
)
from settings.schema import Settings

# The functions of the buffer that have signals, and whose timeout is a fact.
_WATCHED = ("publish", "subscribe")


def serverless(settings: Settings, legend: str) -> Board:
    """Every function of an environment."""
    first = Group("All functions", ((Note(legend),), *_all(settings)))
    groups = tuple(Group(role, _function(role, settings)) for role in _roles(settings))
    return Board(
        "serverless",
        "Webhook buffer — serverless",
        "Each function: calls, errors, time, memory, concurrency, cost, logs and traces.",
        (first, *groups),
    )


def percentiles(role: str, *, watched: bool = True) -> Graph:
    """How long a function takes, against its timeout.

    Args:
        watched: whether it has signals, and its timeout is a fact; else Datadog says what it is.
    """
    timeout = (
        Series("aws.lambda.timeout", "max", "timeout", role, id="timeout", hidden=True),
        Formula("1000 * timeout", "timeout", "#7f7f7f"),
    )
    return Graph(
        title=f"{role}: duration",
        unit="Milliseconds",
        lines=(
            line(metrics.FUNCTION_DURATION, "p50", role, "p50"),
            # CloudWatch's alarms have no p95; Datadog does.
            Series("aws.lambda.duration.p95", "max", "p95", role),
            line(metrics.FUNCTION_DURATION, "p99", role, "p99"),
            *(() if watched else timeout),
        ),
        signals=(f"{role}-duration",) if watched else (),
        limits={f"{role}.timeout": "timeout"} if watched else {},
    )


def _roles(settings: Settings) -> list[str]:
    existing = settings.existing
    return [*(one.role for one in (existing.functions if existing else ())), *settings.functions]


def _watched(role: str, settings: Settings) -> bool:
    existing = settings.existing
    return role in ([one.role for one in existing.functions] if existing else _WATCHED)


def _all(settings: Settings) -> tuple[tuple[Graph, ...], ...]:
    if not settings.datadog_functions:
        return ()
    runs = Series("aws.lambda.enhanced.invocations", "sum", "invocations", color=panels.BLUE)
    errors = Series("aws.lambda.enhanced.errors", "sum", "errors", color=panels.RED)
    cost = Series("aws.lambda.enhanced.estimated_cost", "sum", "estimated cost")
    return (
        (
            Graph(title="Invocations", unit="Count", lines=(runs,), number=True),
            Graph(title="Errors", unit="Count", lines=(errors,), number=True),
            Graph(title="Estimated cost", unit="US dollars", lines=(cost,), number=True),
        ),
        (
            Graph(
                title="Invocations in half an hour",
                unit="Count",
                shape="bars",
                period=1800,
                lines=(runs,),
                signals=("datadog-blind",),
            ),
            Graph(
                title="Estimated cost of a day",
                unit="US dollars",
                shape="bars",
                period=86_400,
                lines=(cost,),
                signals=("function-cost",),
            ),
        ),
    )


def _function(role: str, settings: Settings) -> tuple[tuple[Widget, ...], ...]:
    watched = _watched(role, settings)
    rows: list[tuple[Widget, ...]] = [
        (
            Graph(
                title=f"{role}: invocations",
                unit="Count",
                shape="bars",
                lines=(
                    line(metrics.FUNCTION_INVOCATIONS, "Sum", role, "invocations", panels.BLUE),
                    line(metrics.FUNCTION_ERRORS, "Sum", role, "errors", panels.RED),
                    line(metrics.FUNCTION_THROTTLES, "Sum", role, "throttles", panels.ORANGE),
                ),
                signals=(f"{role}-errors", f"{role}-throttles") if watched else (),
            ),
            percentiles(role, watched=watched),
            Graph(
                title=f"{role}: concurrency",
                unit="Count",
                lines=(line(metrics.FUNCTION_CONCURRENCY, "Maximum", role, "running"),),
                signals=(f"{role}-concurrency",) if watched else (),
                limits={f"{role}.concurrency": "limit"} if watched else {},
            ),
        )
    ]
    if role in settings.datadog_functions:
        assert settings.datadog is not None
        rows += _enhanced(role, watched=watched)
        rows += _logs_and_traces(role, watched=watched, tracing=settings.datadog.tracing)
    return tuple(rows)


def _enhanced(role: str, *, watched: bool) -> tuple[tuple[Graph, ...], ...]:
    """What Datadog's extension tells, at once and with its own units."""

    def own(name: str, aggregation: str, label: str, color: str | None = None) -> Series:
        return Series(f"aws.lambda.enhanced.{name}", aggregation, label, role, color=color)

    def starts(state: str, name: str) -> Series:
        tags = {"cold_start": state} if state else {}
        return Series(
            "aws.lambda.enhanced.invocations", "sum", name, role, tags, id=name, hidden=True
        )

    timeout = Series("aws.lambda.timeout", "max", "timeout", role, color="#7f7f7f")
    duration = (own("duration", "avg", "average"), own("duration", "max", "longest"))
    memory = (own("max_memory_used", "max", "used"), own("memorysize", "max", "given"))
    share = (
        Series("aws.lambda.enhanced.max_memory_used", "max", "u", role, id="u", hidden=True),
        Series("aws.lambda.enhanced.memorysize", "max", "g", role, id="g", hidden=True),
        Formula("100 * u / g", "used"),
    )
    return (
        (
            Graph(
                title=f"{role}: duration, at once",
                unit="Seconds",
                lines=duration if watched else (*duration, timeout),
                signals=(f"{role}-duration",) if watched else (),
                limits={f"{role}.timeout": "timeout"} if watched else {},
            ),
            Graph(
                title=f"{role}: cold starts",
                unit="Percent",
                period=3600,
                lines=(
                    starts("true", "cold"),
                    starts("", "all"),
                    Formula("100 * cold / all", "of all invocations"),
                ),
                signals=("cold-starts",) if role == "publish" else (),
            ),
            Graph(
                title=f"{role}: how long a cold start takes",
                unit="Seconds",
                lines=(
                    own("init_duration", "avg", "average"),
                    own("init_duration", "max", "longest"),
                ),
            ),
        ),
        (
            Graph(title=f"{role}: memory", unit="Mebibytes", lines=memory),
            Graph(
                title=f"{role}: share of its memory",
                unit="Percent",
                lines=share,
                signals=(f"{role}-memory",) if role in _WATCHED else (),
            ),
            Graph(
                title=f"{role}: estimated cost",
                unit="US dollars",
                shape="bars",
                period=3600,
                lines=(own("estimated_cost", "sum", "in an hour"),),
            ),
            Graph(
                title=f"{role}: ended by Lambda",
                unit="Count",
                shape="bars",
                period=900,
                lines=(
                    own("timeouts", "sum", "timeouts", panels.ORANGE),
                    own("out_of_memory", "sum", "out of memory", panels.RED),
                ),
            ),
        ),
    )


def _logs_and_traces(role: str, *, watched: bool, tracing: bool) -> tuple[tuple[Widget, ...], ...]:
    lines = Graph(
        title=f"{role}: log",
        unit="Count",
        shape="bars",
        period=300,
        lines=(
            LogCount("@level:ERROR", "errors", role, color=panels.RED),
            LogCount("@level:WARNING", "warnings", role, color=panels.ORANGE),
        ),
        signals=(f"{role}-log-errors", f"{role}-log-warnings") if watched else (),
    )
    logs = LogList(f"{role}: what it logged", "-@level:INFO", role)
    if not tracing:
        return ((lines, logs),)
    return (
        (
            lines,
            Graph(
                title=f"{role}: traced calls",
                unit="Count",
                shape="bars",
                lines=(
                    Series("trace.aws.lambda.hits", "sum", "calls", role, color=panels.BLUE),
                    Series("trace.aws.lambda.errors", "sum", "errors", role, color=panels.RED),
                ),
            ),
            Graph(
                title=f"{role}: traced time",
                unit="Seconds",
                lines=tuple(
                    Series("trace.aws.lambda", one, one, role) for one in ("p50", "p95", "p99")
                ),
            ),
        ),
        (logs, TraceList(f"{role}: traces", role)),
    )
