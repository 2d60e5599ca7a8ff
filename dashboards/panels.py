"""Panels that hold for any API, queue, function or table, whoever made it."""

from __future__ import annotations

from dashboards.lines import cloudwatch, hidden, hidden_series, line, series
from monitoring.model import metrics
from monitoring.model.dashboards import Color, Formula, Line, LogCount, Panel, Series, Shape
from monitoring.model.signals import Kind, Metric, Query

_API = {
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


def api(role: str, kind: Kind) -> tuple[Panel, ...]:
    """What senders are answered, and how soon."""
    count, client_errors, server_errors, latency = _API[kind]
    return (
        Panel(
            title="Requests",
            unit="Count",
            axis="requests",
            shape=Shape.STACKED,
            lines=(
                hidden(count, "Sum", role, "n"),
                Formula("n - e4 - e5", "accepted", Color.GREEN),
                line(client_errors, "Sum", role, "4xx", Color.ORANGE, "e4"),
                line(server_errors, "Sum", role, "5xx", Color.RED, "e5"),
            ),
        ),
        Panel(
            title="Share of requests refused",
            unit="Percent",
            lines=(
                hidden(count, "Sum", role, "n"),
                hidden(client_errors, "Sum", role, "e4"),
                hidden(server_errors, "Sum", role, "e5"),
                Formula("100 * e4 / n", "4xx", Color.ORANGE),
                Formula("100 * e5 / n", "5xx", Color.RED),
            ),
            signals=(f"{role}-4xx", f"{role}-5xx"),
        ),
        Panel(
            title="Response time for senders",
            unit="Milliseconds",
            lines=(
                line(latency, "p50", role, "p50"),
                line(latency, "p99", role, "p99"),
                # What of it the function takes; the rest is the API's own.
                series("aws.apigateway.integration_latency", "avg", "function, average", role),
            ),
            signals=(f"{role}-latency",),
        ),
    )


def queue_age(
    role: str,
    nearing_retention: str,
    *,
    further: tuple[Line, ...] = (),
    monitors: tuple[str, ...] = (),
) -> tuple[Panel, ...]:
    """How long messages wait. A retention of days needs a panel of its own beside minutes.

    Args:
        nearing_retention: the id of that signal.
        further: lines beside SQS's own metric.
        monitors: Datadog's of the same age.
    """
    age = line(metrics.QUEUE_AGE, "Maximum", role, "oldest, as SQS reports it", Color.BLUE)
    return (
        Panel(
            title="Age of the oldest message",
            unit="Seconds",
            lines=(age, *further),
            signals=(f"{role}-age-ticket", f"{role}-age-page"),
            monitors=monitors,
        ),
        Panel(
            title="Age of the oldest message, against its retention",
            unit="Seconds",
            period=3600,
            lines=(age, *further),
            signals=(nearing_retention,),
            limits={f"{role}.retention": "expires"},
        ),
    )


def backlog(
    role: str, near_limits: tuple[str, ...], *, growing: tuple[str, ...] = ()
) -> tuple[Panel, ...]:
    """How many messages wait, and for how long at the present rate.

    Args:
        near_limits: the ids of the signals of SQS's limits.
        growing: those of the time to drain.
    """
    visible = line(metrics.QUEUE_VISIBLE, "Maximum", role, "waiting", Color.BLUE)
    in_flight = line(metrics.QUEUE_IN_FLIGHT, "Maximum", role, "in flight", Color.ORANGE)
    groups = cloudwatch(metrics.QUEUE_GROUPS, "Maximum", role, "groups in flight", Color.PURPLE)
    deleted = Line(
        "deleted",
        Query(metrics.QUEUE_DELETED, "Sum", role),
        Series("aws.sqs.number_of_messages_deleted", "sum", role, rate=True),
        id="deleted",
        hidden=True,
    )
    return (
        Panel(
            title="Waiting and in flight",
            unit="Count",
            axis="messages",
            lines=(visible, in_flight, groups),
        ),
        Panel(
            title="In and out of the queue",
            unit="Count",
            axis="messages",
            lines=(
                line(metrics.QUEUE_SENT, "Sum", role, "sent", Color.BLUE),
                line(metrics.QUEUE_RECEIVED, "Sum", role, "received", Color.ORANGE),
                line(metrics.QUEUE_EMPTY_RECEIVES, "Sum", role, "empty receives", Color.GRAY),
                line(metrics.QUEUE_DELETED, "Sum", role, "deleted", Color.GREEN),
            ),
        ),
        Panel(
            title="Waiting and in flight, against SQS's limit",
            unit="Count",
            axis="messages",
            lines=(visible, in_flight),
            signals=near_limits,
            limits={f"{role}.in_flight_limit": "SQS's limit"},
        ),
        Panel(
            title="Time to drain, at the present rate",
            unit="Seconds",
            lines=(
                hidden(metrics.QUEUE_VISIBLE, "Maximum", role, "visible"),
                deleted,
                # CloudWatch counts per minute, the period; Datadog per second, whatever is shown.
                Formula("60 * visible / deleted", "time to drain", datadog="visible / deleted"),
            ),
            signals=growing,
        ),
    )


def function(role: str, *, evaluated: bool = True) -> tuple[Panel, ...]:
    """What fails in a function, and what comes near a limit.

    Args:
        evaluated: whether it has signals, and its timeout and concurrency are facts.
    """

    def signals(*topics: str) -> tuple[str, ...]:
        return tuple(f"{role}-{topic}" for topic in topics) if evaluated else ()

    return (
        Panel(
            title=f"{role}: invocations",
            unit="Count",
            axis="invocations",
            lines=(
                line(metrics.FUNCTION_INVOCATIONS, "Sum", role, "invocations", Color.BLUE),
                line(metrics.FUNCTION_ERRORS, "Sum", role, "errors", Color.RED),
                line(metrics.FUNCTION_THROTTLES, "Sum", role, "throttles", Color.ORANGE),
            ),
            signals=signals("errors", "throttles"),
        ),
        Panel(
            title=f"{role}: duration",
            unit="Milliseconds",
            lines=(
                *(
                    line(metrics.FUNCTION_DURATION, percentile, role, percentile)
                    for percentile in ("p50", "p95", "p99")
                ),
                *(() if evaluated else _timeout(role)),
            ),
            signals=signals("duration"),
            limits={f"{role}.timeout": "timeout"} if evaluated else {},
        ),
        Panel(
            title=f"{role}: concurrency",
            unit="Count",
            axis="at a time",
            lines=(line(metrics.FUNCTION_CONCURRENCY, "Maximum", role, "running"),),
            signals=signals("concurrency"),
            limits={f"{role}.concurrency": "limit"} if evaluated else {},
        ),
        Panel(
            title=f"{role}: log",
            unit="Count",
            axis="lines",
            shape=Shape.BARS,
            period=300,
            lines=(
                _log_lines(metrics.LOG_ERRORS, "ERROR", role, "errors", Color.RED),
                _log_lines(metrics.LOG_WARNINGS, "WARNING", role, "warnings", Color.ORANGE),
            ),
            signals=signals("log-errors", "log-warnings"),
        ),
    )


def _timeout(role: str) -> tuple[Line | Formula, ...]:
    """A function's timeout as Datadog knows it."""
    return (
        hidden_series("aws.lambda.timeout", "max", role, "timeout"),
        Formula("1000 * timeout", "timeout", Color.GRAY),
    )


def _log_lines(metric: Metric, level: str, role: str, label: str, color: Color) -> Line:
    query = Query(metric, "Sum", role)
    return Line(label, query, LogCount(f"@level:{level}", role), color=color)


def throttled(role: str) -> Panel:
    """Whether DynamoDB keeps up."""
    return Panel(
        title="Throttled requests",
        unit="Count",
        axis="requests",
        shape=Shape.BARS,
        lines=(
            line(metrics.TABLE_READ_THROTTLES, "Sum", role, "reads", Color.BLUE),
            line(metrics.TABLE_WRITE_THROTTLES, "Sum", role, "writes", Color.ORANGE),
        ),
        signals=(f"{role}-throttles",),
    )


def latency(role: str) -> Panel:
    """How long a table takes."""
    read, write = metrics.TABLE_GET_LATENCY, metrics.TABLE_UPDATE_LATENCY
    return Panel(
        title="Response time of the table",
        unit="Milliseconds",
        lines=(
            line(read, "Average", role, "reads, average", Color.BLUE),
            line(read, "Maximum", role, "reads, slowest", Color.PURPLE),
            line(write, "Average", role, "writes, average", Color.ORANGE),
            line(write, "Maximum", role, "writes, slowest", Color.BROWN),
        ),
    )


def capacity(role: str) -> Panel:
    """What a table's requests consume."""

    def consumed(metric: Metric, kind: str, name: str) -> Line:
        source = Series(f"aws.dynamodb.consumed_{kind}_capacity_units", "avg", role)
        return Line(name, Query(metric, "Sum", role), source, id=name, hidden=True)

    # CloudWatch sums up each minute, the period; Datadog has units per second.
    return Panel(
        title="Capacity consumed in a second",
        unit="Count",
        axis="units",
        lines=(
            consumed(metrics.TABLE_READS, "read", "r"),
            consumed(metrics.TABLE_WRITES, "write", "w"),
            Formula("r / 60", "read", Color.BLUE, datadog="r"),
            Formula("w / 60", "written", Color.ORANGE, datadog="w"),
        ),
    )
