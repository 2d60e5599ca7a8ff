"""The CloudWatch dashboard, from "are users fine?" down to the parts."""

from __future__ import annotations

from dashboards import panels
from monitoring.model import metrics
from monitoring.model.dashboards import Formula, Line, Panel, Section
from monitoring.model.signals import Kind
from settings.schema import Settings


def buffer(settings: Settings) -> tuple[Section, ...]:
    """The sections of an environment with a buffer."""
    function_rows = (panels.function("publish"), panels.function("subscribe"))
    return (
        Section("Are senders served?", (panels.api("api", Kind.HTTP_API), _ACCEPTED)),
        Section("Do webhooks arrive?", (_OUTCOMES, _DELIVERED)),
        Section(
            "What waits?", ((*panels.queue_age("queue", "queue-", head=True), _BLOCKED), _BACKLOG)
        ),
        Section("Functions", function_rows),
        Section("The record", (_RECORD,)),
        Section("Does the watching work?", _watch(heartbeat=settings.heartbeat != "off")),
    )


def existing(role: str, kind: Kind) -> Section | None:
    """The section of a resource that this app did not make; None where there is nothing to say."""
    match kind:
        case Kind.QUEUE:
            backlog = (
                panels.waiting(role),
                panels.flow(role),
                panels.limits(role, f"{role}-"),
                panels.drain(role),
            )
            return Section(
                f"Queue {role}", (panels.queue_age(role, f"{role}-", head=False), backlog)
            )
        case Kind.FUNCTION:
            return Section(f"Function {role}", (panels.function(role),))
        case Kind.HTTP_API | Kind.REST_API:
            return Section(f"API {role}", (panels.api(role, kind),))
        case Kind.TABLE:
            return Section(f"Table {role}", (panels.table(role),))
        case _:
            return None


def notifications() -> Section:
    """What holds for every environment: whether alarms reach people."""
    return Section("Do notifications arrive?", (_NOTIFICATIONS,))


_ACCEPTED = (
    Panel(
        title="Accepted, over the time shown",
        unit="Percent",
        number=True,
        lines=(
            panels.hidden(metrics.HTTP_COUNT, "Sum", "api", "n"),
            panels.hidden(metrics.HTTP_5XX, "Sum", "api", "e5"),
            Formula("100 - 100 * e5 / n", "accepted; {slo.accepted_budget} % may be refused"),
        ),
    ),
    Panel(
        title="Refused in an hour, against the error budget",
        unit="Percent",
        period=3600,
        lines=(
            panels.hidden(metrics.HTTP_5XX, "Average", "api", "share"),
            Formula("100 * share", "refused"),
        ),
        signals=("slo-accepted-fast-long", "slo-accepted-slow-long"),
    ),
    Panel(
        title="Accepted webhooks",
        unit="Count",
        axis="webhooks",
        period="heartbeat.period",
        lines=(panels.line(metrics.ACCEPTED, "Sum", "buffer", "accepted", panels.GREEN),),
    ),
)

_OUTCOMES = (
    Panel(
        title="Attempts, by what the backend answered",
        unit="Count",
        axis="attempts",
        stacked=True,
        lines=tuple(
            panels.line(metric, "Sum", "buffer", label, color)
            for metric, label, color in panels.OUTCOMES
        ),
    ),
    Panel(
        title="Share of fresh attempts that failed",
        unit="Percent",
        lines=(
            panels.line(
                metrics.BACKEND_OUTCOME,
                "PR(4.5:)",
                "buffer",
                "5xx, timeout or no connection",
                panels.RED,
            ),
            panels.line(
                metrics.BACKEND_OUTCOME, "PR(2.5:4.5)", "buffer", "3xx or 4xx", panels.ORANGE
            ),
        ),
        signals=("backend-down", "backend-rejecting"),
    ),
    Panel(
        title="How long the backend takes",
        unit="Milliseconds",
        lines=(
            panels.line(metrics.BACKEND_DURATION, "p50", "buffer", "p50"),
            panels.line(metrics.BACKEND_DURATION, "p90", "buffer", "p90"),
        ),
        signals=("backend-slow",),
        limits={"subscribe.backend_time": "the attempt times out"},
    ),
)

_DELIVERED = (
    Panel(
        title="Delivered in time, over the time shown",
        unit="Percent",
        number=True,
        lines=(
            panels.line(
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
            panels.hidden(metrics.DELIVERY_LAG, "PR(:{slo.delivery_target})", "buffer", "in_time"),
            Formula("100 - in_time", "later than {slo.delivery_target} ms"),
        ),
        signals=("slo-delivered-fast-long", "slo-delivered-slow-long"),
    ),
    Panel(
        title="From receipt to delivery",
        unit="Milliseconds",
        lines=(
            panels.line(metrics.DELIVERY_LAG, "p50", "buffer", "p50"),
            panels.line(metrics.DELIVERY_LAG, "p99", "buffer", "p99"),
        ),
        limits={"slo.delivery_target": "target"},
    ),
)


_BLOCKED = Panel(
    title="Blocked groups, and duplicates that SQS dropped",
    unit="Count",
    axis="webhooks",
    lines=(
        panels.line(
            metrics.BLOCKED_GROUP, "Sum", "buffer", "attempts of blocked groups", panels.RED
        ),
        panels.line(metrics.QUEUE_DUPLICATES, "Sum", "queue", "dropped duplicates", panels.PURPLE),
    ),
    signals=("blocked-group",),
)
_BACKLOG = (
    panels.waiting("queue"),
    panels.flow("queue"),
    panels.limits("queue", ""),
    panels.drain("queue", ("backlog-growing",)),
)


_RECORD = (
    Panel(
        title="Records not written",
        unit="Count",
        axis="records",
        period=300,
        lines=(panels.line(metrics.RECORD_FAILED, "Sum", "buffer", "not written", panels.RED),),
        signals=("record-failed",),
    ),
    Panel(
        title="Writes that DynamoDB held back or failed",
        unit="Count",
        axis="writes",
        lines=(
            panels.line(metrics.TABLE_WRITE_THROTTLES, "Sum", "table", "throttled", panels.ORANGE),
            panels.line(metrics.TABLE_UPDATE_ERRORS, "Sum", "table", "system errors", panels.RED),
        ),
        signals=("table-faults",),
    ),
    Panel(
        title="Write capacity",
        unit="Count",
        axis="units",
        lines=(panels.line(metrics.TABLE_WRITES, "Sum", "table", "consumed"),),
    ),
)


def _watch(*, heartbeat: bool) -> tuple[tuple[Panel, ...], ...]:
    arrived = Panel(
        title="Heartbeats that came through",
        unit="Count",
        axis="heartbeats",
        period="heartbeat.period",
        lines=(panels.line(metrics.HEARTBEAT_ARRIVED, "Sum", "buffer", "arrived", panels.GREEN),),
        signals=("heartbeat-missing",),
    )
    audit = Panel(
        title="Webhooks that the audit can't account for",
        unit="Count",
        axis="webhooks",
        period=3600,
        lines=(
            panels.line(metrics.UNACCOUNTED, "Maximum", "buffer", "unaccounted for", panels.RED),
        ),
        signals=("webhooks-lost",),
    )
    runs = Panel(
        title="Runs of what watches",
        unit="Count",
        axis="invocations",
        period=3600,
        lines=(
            *(
                (_run("heartbeat", panels.BLUE), _crash("heartbeat", panels.ORANGE))
                if heartbeat
                else ()
            ),
            _run("audit", panels.GREEN),
            _crash("audit", panels.RED),
        ),
    )
    return ((*([arrived] if heartbeat else []), audit, runs),)


def _run(role: str, color: str) -> Line:
    return panels.line(metrics.FUNCTION_INVOCATIONS, "Sum", role, role, color)


def _crash(role: str, color: str) -> Line:
    return panels.line(metrics.FUNCTION_ERRORS, "Sum", role, f"{role}: errors", color)


_NOTIFICATIONS = (
    Panel(
        title="notify: invocations",
        unit="Count",
        axis="invocations",
        period="heartbeat.period",
        lines=(_run("notify", panels.BLUE), _crash("notify", panels.RED)),
        signals=("alert-path-broken",),
    ),
    Panel(
        title="Notifications that could not be delivered",
        unit="Count",
        axis="messages",
        lines=(panels.line(metrics.QUEUE_VISIBLE, "Maximum", "notify-dlq", "kept", panels.RED),),
        signals=("notifications-undelivered",),
    ),
)
