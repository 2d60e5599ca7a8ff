"""Graphs of the overview: API, backend, queue, table, and what watches them."""

from __future__ import annotations

from dashboards import datadog_functions as functions
from dashboards import panels
from dashboards.panels import hidden, line
from monitoring.model import metrics
from monitoring.model.dashboards import Formula, Graph, LogCount, Series
from monitoring.model.signals import Kind
from settings.schema import Settings


def api(role: str, kind: Kind) -> tuple[Graph, ...]:
    """What senders are told, and how soon."""
    latency = panels.API[kind][-1]
    return (
        Graph(
            title="Requests",
            unit="Count",
            shape="bars",
            lines=(
                *panels.counts(role, kind),
                Formula("n - e4 - e5", "taken", panels.GREEN),
                Formula("e4", "4xx", panels.ORANGE),
                Formula("e5", "5xx", panels.RED),
            ),
        ),
        Graph(
            title="Share of requests not taken",
            unit="Percent",
            lines=(
                *panels.counts(role, kind),
                Formula("100 * e4 / n", "4xx", panels.ORANGE),
                Formula("100 * e5 / n", "5xx", panels.RED),
            ),
            signals=(f"{role}-4xx", f"{role}-5xx"),
        ),
        Graph(
            title="How long senders wait for their answer",
            unit="Milliseconds",
            lines=(line(latency, "p50", role, "p50"), line(latency, "p99", role, "p99")),
            signals=(f"{role}-latency",),
        ),
    )


def refused() -> tuple[Graph, ...]:
    """How many senders were refused, against what the objective allows."""
    share = (
        hidden(metrics.HTTP_COUNT, "Sum", "api", "n"),
        hidden(metrics.HTTP_5XX, "Sum", "api", "e5"),
    )
    return (
        Graph(
            title="Accepted, over the time shown",
            unit="Percent",
            number=True,
            lines=(*share, Formula("100 * (n - e5) / n", "accepted")),
        ),
        Graph(
            title="Refused in an hour, against the error budget",
            unit="Percent",
            period=3600,
            lines=(*share, Formula("100 * e5 / n", "refused", panels.RED)),
            signals=("slo-accepted-fast-long", "slo-accepted-slow-long"),
        ),
    )


def backend(settings: Settings) -> tuple[tuple[Graph, ...], ...]:
    """Whether what comes in goes out, and what the backend answers."""
    assert settings.datadog is not None
    rows = [(_flow("queue"), functions.percentiles("subscribe"))]
    if "subscribe" in settings.datadog_functions:
        rows.append((_OUTCOMES, _FAILING))
        if settings.datadog.tracing:
            rows.append((_REQUESTS, _REQUEST_TIMES))
    return tuple(rows)


def _outcome(metric: str, label: str, color: str) -> LogCount:
    return LogCount(f"@{metric}:1", label, "subscribe", color=color)


# Each attempt's line carries one of the metrics of its outcome.
_OUTCOMES = Graph(
    title="Attempts, by what the backend answered",
    unit="Count",
    shape="bars",
    lines=tuple(_outcome(metric.name, *told) for metric, *told in panels.OUTCOMES),
    signals=("backend-redirects",),
)
_FAILING = Graph(
    title="Attempts of blocked groups",
    unit="Count",
    shape="bars",
    lines=(_outcome("BlockedGroup", "attempts", panels.RED),),
    signals=("blocked-group",),
)
_REQUESTS = Graph(
    title="Requests to the backend, as traced",
    unit="Count",
    shape="bars",
    lines=(
        Series("trace.backend.request.hits", "sum", "requests", color=panels.BLUE),
        Series("trace.backend.request.errors", "sum", "errors", color=panels.RED),
    ),
)
_REQUEST_TIMES = Graph(
    title="How long the backend takes",
    unit="Milliseconds",
    lines=tuple(Series("trace.backend.request", one, one) for one in ("p50", "p90", "p99")),
    signals=("backend-slow", "backend-requests-slow"),
    limits={"subscribe.backend_time": "the attempt times out"},
)


def queue(
    role: str, age: str, prefix: str, late: tuple[str, ...] = (), drain: tuple[str, ...] = ()
) -> tuple[tuple[Graph, ...], ...]:
    """How long messages wait, and how many.

    Args:
        age: what the ids of the signals of its age begin with.
        prefix: what those of its depth begin with.
        late, drain: further signals of its age, and of the time to drain.
    """
    oldest = line(metrics.QUEUE_AGE, "Maximum", role, "oldest", panels.BLUE)
    waiting = line(metrics.QUEUE_VISIBLE, "Maximum", role, "waiting", panels.BLUE)
    in_flight = line(metrics.QUEUE_IN_FLIGHT, "Maximum", role, "in flight", panels.ORANGE)
    nearing = f"{prefix}nearing-retention" if prefix else "message-nearing-retention"
    return (
        (
            Graph(
                title="Age of the oldest message",
                unit="Seconds",
                lines=(oldest,),
                signals=(f"{age}age-ticket", f"{age}age-page", *late),
            ),
            Graph(title="Waiting and in flight", unit="Count", lines=(waiting, in_flight)),
            Graph(
                title="Time to drain, at the present rate",
                unit="Seconds",
                lines=(
                    hidden(metrics.QUEUE_VISIBLE, "Maximum", role, "visible"),
                    Series(
                        "aws.sqs.number_of_messages_deleted",
                        "sum",
                        "deleted",
                        role,
                        rate=True,
                        id="deleted",
                        hidden=True,
                    ),
                    Formula("visible / deleted", "time to drain"),
                ),
                signals=drain,
            ),
        ),
        (
            Graph(
                title="Age of the oldest message, against its retention",
                unit="Seconds",
                period=3600,
                lines=(oldest,),
                signals=(nearing,),
                limits={f"{role}.retention": "it vanishes"},
            ),
            Graph(
                title="Waiting and in flight, against what SQS can take",
                unit="Count",
                lines=(waiting, in_flight),
                signals=(
                    f"{prefix}depth" if prefix else "backlog-depth",
                    f"{prefix}in-flight-limit",
                ),
                limits={f"{role}.in_flight_limit": "SQS's limit"},
            ),
            *([_flow(role)] if prefix else []),
        ),
    )


def _flow(role: str) -> Graph:
    return Graph(
        title="In and out of the queue",
        unit="Count",
        lines=(
            line(metrics.QUEUE_SENT, "Sum", role, "in", panels.BLUE),
            line(metrics.QUEUE_DELETED, "Sum", role, "out", panels.GREEN),
        ),
    )


def record(*, recorded: bool) -> tuple[Graph, ...]:
    """Whether what happened can be written down.

    Args:
        recorded: whether subscribe's log is in Datadog.
    """
    faults = Graph(
        title="Writes that DynamoDB held back or failed",
        unit="Count",
        shape="bars",
        lines=(
            line(metrics.TABLE_WRITE_THROTTLES, "Sum", "table", "throttled", panels.ORANGE),
            line(metrics.TABLE_UPDATE_ERRORS, "Sum", "table", "system errors", panels.RED),
        ),
        signals=("table-faults",),
    )
    unwritten = Graph(
        title="Records not written",
        unit="Count",
        shape="bars",
        lines=(LogCount("@RecordFailed:1", "not written", "subscribe", color=panels.RED),),
        signals=("record-failed",),
    )
    return (faults, unwritten) if recorded else (faults,)


def table(role: str) -> tuple[Graph, ...]:
    """Whether DynamoDB keeps up."""
    return (
        Graph(
            title="Requests that DynamoDB held back",
            unit="Count",
            shape="bars",
            lines=(
                line(metrics.TABLE_READ_THROTTLES, "Sum", role, "reads", panels.BLUE),
                line(metrics.TABLE_WRITE_THROTTLES, "Sum", role, "writes", panels.ORANGE),
            ),
            signals=(f"{role}-throttles",),
        ),
        Graph(
            title="Capacity consumed in a second",
            unit="Count",
            lines=(
                Series("aws.dynamodb.consumed_read_capacity_units", "avg", "read", role),
                Series("aws.dynamodb.consumed_write_capacity_units", "avg", "written", role),
            ),
        ),
    )


def watching(settings: Settings) -> tuple[tuple[Graph, ...], ...]:
    """Whether heartbeats, audits and notifications run."""
    heartbeats = Graph(
        title="Heartbeats that came through",
        unit="Count",
        shape="bars",
        period="heartbeat.period",
        lines=(LogCount("@HeartbeatArrived:1", "arrived", "subscribe", color=panels.GREEN),),
        signals=("heartbeat-missing",),
    )
    lost = Graph(
        title="Audits that can't account for webhooks",
        unit="Count",
        shape="bars",
        period=3600,
        lines=(LogCount("@Unaccounted:>0", "audits", "audit", color=panels.RED),),
    )
    audits = Graph(
        title="Audits in an hour",
        unit="Count",
        shape="bars",
        period=3600,
        lines=(line(metrics.FUNCTION_INVOCATIONS, "Sum", "audit", "audits", panels.GREEN),),
        signals=("audit-missing",),
    )
    instrumented = settings.datadog_functions
    return (
        (
            *([heartbeats] if settings.sends_heartbeats and "subscribe" in instrumented else []),
            *([lost] if "audit" in instrumented else []),
            *([audits] if "audit" in settings.functions else []),
        ),
        notifications() if "notify" in settings.functions else (),
    )


def notifications() -> tuple[Graph, ...]:
    """Whether alarms reach people."""
    return (
        Graph(
            title="notify: invocations",
            unit="Count",
            shape="bars",
            period="heartbeat.period",
            lines=(
                line(metrics.FUNCTION_INVOCATIONS, "Sum", "notify", "invocations", panels.BLUE),
                line(metrics.FUNCTION_ERRORS, "Sum", "notify", "errors", panels.RED),
            ),
            signals=("alert-path-broken",),
        ),
        Graph(
            title="Notifications that could not be delivered",
            unit="Count",
            lines=(line(metrics.QUEUE_VISIBLE, "Maximum", "notify-dlq", "kept", panels.RED),),
            signals=("notifications-undelivered",),
        ),
    )
