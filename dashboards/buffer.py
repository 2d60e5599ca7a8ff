"""Panels of the buffer: what its own functions report, and whether its monitoring runs."""

from __future__ import annotations

from dashboards.lines import cloudwatch, hidden, line, logged
from monitoring.model import metrics
from monitoring.model.dashboards import Color, Formula, Line, LogCount, Panel, Series, Shape
from monitoring.model.signals import Query

ACCEPTED = (
    Panel(
        title="Accepted, over the time shown",
        unit="Percent",
        number=True,
        budget="slo.accepted_budget",
        lines=(
            hidden(metrics.HTTP_COUNT, "Sum", "api", "n"),
            hidden(metrics.HTTP_5XX, "Sum", "api", "e5"),
            Formula("100 * (n - e5) / n", "accepted; {slo.accepted_budget} % may be refused"),
        ),
    ),
    Panel(
        title="Refused in an hour, against the error budget",
        unit="Percent",
        period=3600,
        lines=(
            hidden(metrics.HTTP_COUNT, "Sum", "api", "n"),
            hidden(metrics.HTTP_5XX, "Sum", "api", "e5"),
            Formula("100 * e5 / n", "refused", Color.RED),
        ),
        signals=("slo-accepted-fast-long", "slo-accepted-slow-long"),
    ),
    Panel(
        title="Accepted webhooks",
        unit="Count",
        axis="webhooks",
        period="heartbeat.period",
        lines=(cloudwatch(metrics.ACCEPTED, "Sum", "buffer", "accepted", Color.GREEN),),
    ),
)


def _backend_time(percentile: str, *, traced_only: bool = False) -> Line:
    query = None if traced_only else Query(metrics.BACKEND_DURATION, percentile, "buffer")
    return Line(percentile, query, Series("trace.backend.request", percentile, needs="subscribe"))


def _requests(kind: str, label: str, color: Color) -> Line:
    source = Series(f"trace.backend.request.{kind}", "sum", needs="subscribe")
    return Line(label, datadog=source, color=color)


BACKEND = (
    Panel(
        title="Attempts, by the backend's response",
        unit="Count",
        axis="attempts",
        shape=Shape.STACKED,
        # Each attempt's log line carries one of these.
        lines=(
            logged(metrics.BACKEND_2XX, "subscribe", "2xx: delivered", Color.GREEN),
            logged(metrics.BACKEND_3XX, "subscribe", "3xx", Color.PURPLE),
            logged(metrics.BACKEND_4XX, "subscribe", "4xx", Color.ORANGE),
            logged(metrics.BACKEND_5XX, "subscribe", "5xx", Color.RED),
            logged(metrics.BACKEND_TIMEOUT, "subscribe", "timeout", Color.BROWN),
            logged(metrics.BACKEND_CONNECTION_ERROR, "subscribe", "no connection", Color.GRAY),
        ),
        signals=("backend-redirects",),
    ),
    Panel(
        title="Share of fresh attempts that failed",
        unit="Percent",
        lines=(
            cloudwatch(
                metrics.BACKEND_OUTCOME,
                "PR(4.5:)",
                "buffer",
                "5xx, timeout or no connection",
                Color.RED,
            ),
            cloudwatch(
                metrics.BACKEND_OUTCOME, "PR(2.5:4.5)", "buffer", "3xx or 4xx", Color.ORANGE
            ),
        ),
        signals=("backend-down", "backend-rejecting"),
    ),
    Panel(
        title="Put back without an attempt",
        unit="Count",
        axis="webhooks",
        shape=Shape.BARS,
        lines=(
            logged(
                metrics.PAUSED_BACKEND_DOWN, "subscribe", "the backend fails for all", Color.RED
            ),
            logged(metrics.PAUSED_RETRY_SHARE, "subscribe", "others get their turn", Color.ORANGE),
        ),
    ),
    Panel(
        title="Requests to the backend, as traced",
        unit="Count",
        lines=(
            _requests("hits", "requests", Color.BLUE),
            _requests("errors", "errors", Color.RED),
        ),
    ),
    Panel(
        title="Backend response time",
        unit="Milliseconds",
        lines=(
            _backend_time("p50"),
            _backend_time("p90"),
            _backend_time("p99", traced_only=True),
        ),
        signals=("backend-slow",),
        monitors=("backend-requests-slow",),
        limits={"subscribe.backend_time": "the attempt times out"},
    ),
)

DELIVERED = (
    Panel(
        title="Delivered in time, over the time shown",
        unit="Percent",
        number=True,
        budget="slo.delivered_budget",
        lines=(
            cloudwatch(
                metrics.DELIVERY_LAG,
                "PR(:{slo.delivery_target})",
                "buffer",
                "within {slo.delivery_target} ms; {slo.delivered_budget} % may be later",
            ),
        ),
    ),
    Panel(
        title="Late in an hour, against the error budget",
        unit="Percent",
        period=3600,
        lines=(
            Line(
                "in_time",
                Query(metrics.DELIVERY_LAG, "PR(:{slo.delivery_target})", "buffer"),
                id="in_time",
                hidden=True,
            ),
            Formula("100 - in_time", "later than {slo.delivery_target} ms"),
        ),
        signals=("slo-delivered-fast-long", "slo-delivered-slow-long"),
    ),
    Panel(
        title="Time from receipt to delivery",
        unit="Milliseconds",
        lines=(
            cloudwatch(metrics.DELIVERY_LAG, "p50", "buffer", "p50"),
            cloudwatch(metrics.DELIVERY_LAG, "p99", "buffer", "p99"),
        ),
        limits={"slo.delivery_target": "target"},
    ),
)

HEAD_AGE = cloudwatch(metrics.HEAD_AGE, "Maximum", "buffer", "oldest that failed", Color.ORANGE)
BLOCKED = (
    Panel(
        title="Attempts of blocked groups",
        unit="Count",
        axis="attempts",
        shape=Shape.BARS,
        lines=(logged(metrics.BLOCKED_GROUP, "subscribe", "attempts", Color.RED),),
        signals=("blocked-group",),
    ),
    Panel(
        title="Duplicates that SQS dropped",
        unit="Count",
        axis="webhooks",
        period=300,
        lines=(
            cloudwatch(
                metrics.QUEUE_DUPLICATES, "Sum", "queue", "dropped duplicates", Color.PURPLE
            ),
        ),
        signals=("dropped-duplicates",),
    ),
)

PARKED = (
    Panel(
        title="Parked and released webhooks",
        unit="Count",
        axis="webhooks",
        shape=Shape.BARS,
        lines=(
            logged(metrics.PARKED, "subscribe", "parked", Color.ORANGE),
            logged(metrics.RELEASED, "subscribe", "released", Color.GREEN),
            logged(metrics.PARKING_BRAKED, "subscribe", "kept by the brake", Color.RED),
        ),
        signals=("webhook-parked", "parking-braked"),
    ),
    Panel(
        title="Held groups, and parked webhooks near their end",
        unit="Count",
        axis="groups or webhooks",
        period=3600,
        lines=(
            cloudwatch(metrics.HELD_GROUPS, "Maximum", "buffer", "held groups", Color.ORANGE),
            cloudwatch(metrics.PARKED_EXPIRING, "Maximum", "buffer", "near their end", Color.RED),
        ),
        signals=("group-held", "parked-expiring"),
    ),
)

RECORD = (
    Panel(
        title="Records not written or read",
        unit="Count",
        axis="records",
        shape=Shape.BARS,
        period=300,
        lines=(logged(metrics.RECORD_FAILED, "subscribe", "not written or read", Color.RED),),
        signals=("record-failed",),
    ),
    Panel(
        title="Throttled and failed requests",
        unit="Count",
        axis="requests",
        shape=Shape.BARS,
        lines=(
            line(metrics.TABLE_WRITE_THROTTLES, "Sum", "table", "throttled writes", Color.ORANGE),
            line(metrics.TABLE_READ_THROTTLES, "Sum", "table", "throttled reads", Color.BLUE),
            line(metrics.TABLE_UPDATE_ERRORS, "Sum", "table", "system errors", Color.RED),
        ),
        signals=("table-faults",),
    ),
)


def _runs(role: str, color: Color, errors: Color) -> tuple[Line, Line]:
    return (
        line(metrics.FUNCTION_INVOCATIONS, "Sum", role, role, color),
        line(metrics.FUNCTION_ERRORS, "Sum", role, f"{role}: errors", errors),
    )


HEARTBEATS = (
    Panel(
        title="Heartbeats that arrived",
        unit="Count",
        axis="heartbeats",
        shape=Shape.BARS,
        period="heartbeat.period",
        lines=(logged(metrics.HEARTBEAT_ARRIVED, "subscribe", "arrived", Color.GREEN),),
        signals=("heartbeat-missing",),
    ),
    Panel(
        title="Heartbeat runs in an hour",
        unit="Count",
        axis="invocations",
        period=3600,
        lines=_runs("heartbeat", Color.BLUE, Color.ORANGE),
    ),
)
AUDIT = (
    Panel(
        title="Lost webhooks",
        unit="Count",
        axis="webhooks",
        period=3600,
        lines=(cloudwatch(metrics.UNACCOUNTED, "Maximum", "buffer", "lost", Color.RED),),
        signals=("webhooks-lost",),
    ),
    # Log lines can be counted, what they say can't be added up: audits, not webhooks.
    Panel(
        title="Audits that found lost webhooks",
        unit="Count",
        shape=Shape.BARS,
        period=3600,
        lines=(
            Line(
                "audits",
                datadog=LogCount(f"@{metrics.UNACCOUNTED.name}:>0", "audit"),
                color=Color.RED,
            ),
        ),
    ),
    Panel(
        title="Audit runs in an hour",
        unit="Count",
        axis="invocations",
        period=3600,
        lines=_runs("audit", Color.GREEN, Color.RED),
        signals=("audit-missing",),
    ),
)
NOTIFICATIONS = (
    Panel(
        title="Runs of notify",
        unit="Count",
        axis="invocations",
        period="heartbeat.period",
        lines=_runs("notify", Color.BLUE, Color.RED),
        signals=("alert-path-broken",),
    ),
    Panel(
        title="Undelivered notifications",
        unit="Count",
        axis="messages",
        lines=(line(metrics.QUEUE_VISIBLE, "Maximum", "notify-dlq", "kept", Color.RED),),
        signals=("notifications-undelivered",),
    ),
)
