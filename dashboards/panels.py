"""Panels that hold for any queue, function, API or table, whoever made it."""

from __future__ import annotations

from monitoring.model import metrics
from monitoring.model.dashboards import Formula, Line, Panel
from monitoring.model.signals import Kind, Metric, Query

GREEN, BLUE, ORANGE, RED, PURPLE, BROWN = (
    "#2ca02c", "#1f77b4", "#ff7f0e", "#d62728", "#9467bd", "#8c564b",
)  # fmt: skip
API = {
    Kind.HTTP_API: (
        metrics.HTTP_COUNT,
        metrics.HTTP_4XX,
        metrics.HTTP_5XX,
        metrics.HTTP_LATENCY,
    ),
    Kind.REST_API: (
        metrics.REST_COUNT,
        metrics.REST_4XX,
        metrics.REST_5XX,
        metrics.REST_LATENCY,
    ),
}


# What the backend answered: metric, what it is called, colour.
OUTCOMES = (
    (metrics.BACKEND_2XX, "2xx: delivered", GREEN),
    (metrics.BACKEND_3XX, "3xx", PURPLE),
    (metrics.BACKEND_4XX, "4xx", ORANGE),
    (metrics.BACKEND_5XX, "5xx", RED),
    (metrics.BACKEND_TIMEOUT, "timeout", BROWN),
    (metrics.BACKEND_CONNECTION_ERROR, "no connection", "#7f7f7f"),
)


def line(metric: Metric, statistic: str, role: str, label: str, color: str | None = None) -> Line:
    """A metric that is shown."""
    return Line(Query(metric, statistic, role), label, color=color)


def hidden(metric: Metric, statistic: str, role: str, name: str) -> Line:
    """A metric for formulas alone, which call it by ``name``."""
    return Line(Query(metric, statistic, role), name, id=name, hidden=True)


def counts(role: str, kind: Kind) -> tuple[Line, ...]:
    """An API's requests for formulas: ``n``, and of them ``e4`` and ``e5``."""
    count, client_errors, server_errors, _ = API[kind]
    return (
        hidden(count, "Sum", role, "n"),
        hidden(client_errors, "Sum", role, "e4"),
        hidden(server_errors, "Sum", role, "e5"),
    )


def api(role: str, kind: Kind) -> tuple[Panel, ...]:
    """What senders are told, and how soon."""
    count, client_errors, server_errors, latency = API[kind]
    return (
        Panel(
            title="Requests",
            unit="Count",
            axis="requests",
            lines=(
                line(count, "Sum", role, "all", BLUE),
                line(client_errors, "Sum", role, "4xx", ORANGE),
                line(server_errors, "Sum", role, "5xx", RED),
            ),
        ),
        Panel(
            title="Share of requests not taken",
            unit="Percent",
            lines=(
                *counts(role, kind),
                Formula("100 * e4 / n", "4xx"),
                Formula("100 * e5 / n", "5xx"),
            ),
            signals=(f"{role}-4xx", f"{role}-5xx"),
        ),
        Panel(
            title="How long senders wait for their answer",
            unit="Milliseconds",
            lines=(line(latency, "p50", role, "p50"), line(latency, "p99", role, "p99")),
            signals=(f"{role}-latency",),
        ),
    )


def queue_age(role: str, prefix: str, *, head: bool) -> tuple[Panel, ...]:
    """How long messages wait. Next to minutes a retention of days needs a panel of its own.

    Args:
        prefix: what the ids of its signals begin with.
        head: whether the buffer's own metric of failed attempts stands beside SQS's.
    """
    age = line(metrics.QUEUE_AGE, "Maximum", role, "oldest, as SQS tells it", BLUE)
    failed = line(metrics.HEAD_AGE, "Maximum", "buffer", "oldest that failed", ORANGE)
    lines = (age, failed) if head else (age,)
    nearing = "message-nearing-retention" if head else f"{prefix}nearing-retention"
    return (
        Panel(
            title="Age of the oldest message",
            unit="Seconds",
            lines=lines,
            signals=(f"{prefix}age-ticket", f"{prefix}age-page"),
        ),
        Panel(
            title="Age of the oldest message, against its retention",
            unit="Seconds",
            period=3600,
            lines=lines,
            signals=(nearing,),
            limits={f"{role}.retention": "it vanishes"},
        ),
    )


def waiting(role: str) -> Panel:
    """How many messages there are."""
    return Panel(
        title="Waiting and in flight",
        unit="Count",
        axis="messages",
        lines=(
            line(metrics.QUEUE_VISIBLE, "Maximum", role, "waiting", BLUE),
            line(metrics.QUEUE_IN_FLIGHT, "Maximum", role, "in flight", ORANGE),
            line(metrics.QUEUE_GROUPS, "Maximum", role, "groups in flight", PURPLE),
        ),
    )


def flow(role: str) -> Panel:
    """Whether more comes in than goes out."""
    return Panel(
        title="In and out",
        unit="Count",
        axis="messages",
        lines=(
            line(metrics.QUEUE_SENT, "Sum", role, "sent", BLUE),
            line(metrics.QUEUE_DELETED, "Sum", role, "deleted", GREEN),
        ),
    )


def limits(role: str, prefix: str) -> Panel:
    """The same numbers as in ``waiting``, on the scale of SQS's limits."""
    depth = "backlog-depth" if prefix == "" else f"{prefix}depth"
    return Panel(
        title="Waiting and in flight, against what SQS can take",
        unit="Count",
        axis="messages",
        lines=(
            line(metrics.QUEUE_VISIBLE, "Maximum", role, "waiting", BLUE),
            line(metrics.QUEUE_IN_FLIGHT, "Maximum", role, "in flight", ORANGE),
        ),
        signals=(depth, f"{prefix}in-flight-limit"),
        limits={f"{role}.in_flight_limit": "SQS's limit"},
    )


def drain(role: str, signals: tuple[str, ...] = ()) -> Panel:
    """How long the backlog takes to go at the present rate."""
    return Panel(
        title="Time to drain, at the last minute's rate",
        unit="Seconds",
        lines=(
            hidden(metrics.QUEUE_VISIBLE, "Maximum", role, "visible"),
            hidden(metrics.QUEUE_DELETED, "Sum", role, "deleted"),
            Formula("60 * visible / deleted", "time to drain"),
        ),
        signals=signals,
    )


def function(role: str) -> tuple[Panel, ...]:
    """What fails in a function, and what comes near a limit."""
    return (
        Panel(
            title=f"{role}: invocations",
            unit="Count",
            axis="invocations",
            lines=(
                line(metrics.FUNCTION_INVOCATIONS, "Sum", role, "invocations", BLUE),
                line(metrics.FUNCTION_ERRORS, "Sum", role, "errors", RED),
                line(metrics.FUNCTION_THROTTLES, "Sum", role, "throttles", ORANGE),
            ),
            signals=(f"{role}-errors", f"{role}-throttles"),
        ),
        Panel(
            title=f"{role}: duration",
            unit="Milliseconds",
            lines=(
                line(metrics.FUNCTION_DURATION, "p50", role, "p50"),
                line(metrics.FUNCTION_DURATION, "p99", role, "p99"),
            ),
            signals=(f"{role}-duration",),
            limits={f"{role}.timeout": "timeout"},
        ),
        Panel(
            title=f"{role}: concurrency",
            unit="Count",
            axis="at a time",
            lines=(line(metrics.FUNCTION_CONCURRENCY, "Maximum", role, "running"),),
            signals=(f"{role}-concurrency",),
            limits={f"{role}.concurrency": "limit"},
        ),
        Panel(
            title=f"{role}: log",
            unit="Count",
            axis="lines",
            period=300,
            lines=(
                line(metrics.LOG_ERRORS, "Sum", role, "errors", RED),
                line(metrics.LOG_WARNINGS, "Sum", role, "warnings", ORANGE),
            ),
            signals=(f"{role}-log-errors", f"{role}-log-warnings"),
        ),
    )


def table(role: str) -> tuple[Panel, ...]:
    """Whether DynamoDB keeps up."""
    return (
        Panel(
            title="Requests that DynamoDB held back",
            unit="Count",
            axis="requests",
            lines=(
                line(metrics.TABLE_READ_THROTTLES, "Sum", role, "reads", BLUE),
                line(metrics.TABLE_WRITE_THROTTLES, "Sum", role, "writes", ORANGE),
            ),
            signals=(f"{role}-throttles",),
        ),
        Panel(
            title="Capacity",
            unit="Count",
            axis="units",
            lines=(
                line(metrics.TABLE_READS, "Sum", role, "read", BLUE),
                line(metrics.TABLE_WRITES, "Sum", role, "written", ORANGE),
            ),
        ),
    )
