"""The overview, from "are senders served?" down to the parts: the same in both dashboards."""

from __future__ import annotations

from dashboards import buffer, panels, sources
from monitoring.model.dashboards import (
    Deployed,
    EventList,
    MonitorStates,
    Note,
    Section,
    SloState,
)
from monitoring.model.signals import Kind

_LEGEND = (
    "A line across a graph is an alarm's threshold: red pages, orange opens a ticket, blue "
    "is informational. CloudWatch evaluates the alarms; its metrics arrive here {delay} late. What "
    "the functions send themselves arrives immediately."
)


def overview(deployed: Deployed) -> tuple[Section, ...]:
    """Is anything wrong, are senders served, do webhooks arrive, what waits?"""
    resources = (
        _buffer(deployed)
        if deployed.buffer
        else tuple(_existing(role, kind) for role, kind in deployed.existing.items())
    )
    notify = "notify" in deployed.functions
    return (
        _state(deployed),
        *resources,
        *([Section("Do notifications arrive?", (buffer.NOTIFICATIONS,))] if notify else []),
    )


def legend(deployed: Deployed) -> Note:
    """How to read a Datadog dashboard of this environment."""
    delay = "2 to 3 minutes" if deployed.streamed else "10 to 20 minutes"
    return Note(_LEGEND.format(delay=delay))


def _state(deployed: Deployed) -> Section:
    """For Datadog alone: CloudWatch's dashboard begins with the alarms themselves."""
    objectives = (
        SloState("accepted", "Accepted: error budget left"),
        SloState("delivered", "Delivered in time: error budget left"),
    )
    return Section(
        "Is anything wrong?",
        (
            (legend(deployed),),
            objectives if deployed.buffer else (),
            (
                MonitorStates("Monitors"),
                # CloudWatch's alarms come as events where the AWS integration collects them.
                EventList("CloudWatch alarms", '"{prefix}"'),
                EventList("Deployments", "{deployment} $env $service"),
            ),
        ),
    )


def _buffer(deployed: Deployed) -> tuple[Section, ...]:
    monitoring = (
        *(buffer.HEARTBEATS if deployed.heartbeats else ()),
        *(buffer.AUDIT if "audit" in deployed.functions else ()),
    )
    return (
        Section("Are senders served?", (panels.api("api", Kind.HTTP_API), buffer.ACCEPTED)),
        *(
            [Section("What do sources send?", sources.rows(deployed.sources))]
            if deployed.sources
            else []
        ),
        Section("Do webhooks arrive?", (buffer.BACKEND, buffer.DELIVERED)),
        Section(
            "What waits?",
            (
                panels.queue_age(
                    "queue",
                    "message-nearing-retention",
                    further=(buffer.HEAD_AGE,),
                    monitors=("webhooks-late",),
                )
                + buffer.BLOCKED,
                buffer.PARKED,
                panels.backlog(
                    "queue", ("backlog-depth", "in-flight-limit"), growing=("backlog-growing",)
                ),
            ),
        ),
        Section("Functions", (panels.function("publish"), panels.function("subscribe"))),
        Section(
            "The record", ((*buffer.RECORD, panels.latency("table"), panels.capacity("table")),)
        ),
        Section("Does the monitoring work?", (monitoring,)),
    )


def _existing(role: str, kind: Kind) -> Section:
    """The section of a resource that this project did not create."""
    match kind:
        case Kind.QUEUE:
            near_limits = (f"{role}-depth", f"{role}-in-flight-limit")
            return Section(
                f"Queue {role}",
                (
                    panels.queue_age(role, f"{role}-nearing-retention"),
                    panels.backlog(role, near_limits),
                ),
            )
        case Kind.FUNCTION:
            return Section(f"Function {role}", (panels.function(role),))
        case Kind.TABLE:
            return Section(
                f"Table {role}",
                ((panels.throttled(role), panels.latency(role), panels.capacity(role)),),
            )
        case _:
            return Section(f"API {role}", (panels.api(role, kind),))
