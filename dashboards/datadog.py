"""Datadog's dashboards: an overview from users down to the queue, and the functions one by one."""

from __future__ import annotations

from dashboards import datadog_parts as parts
from dashboards.datadog_functions import serverless
from monitoring.model.dashboards import Board, EventList, Group, MonitorStates, Note, SloState
from monitoring.model.signals import Kind
from settings.schema import Settings

# What an event must say to mark a deployment on every graph, beside its env and service.
DEPLOYED = "event:deployment"

_LEGEND = (
    "A line across a graph is an alarm's threshold: red pages, orange is a ticket, blue is for the "
    "record. CloudWatch evaluates them, minutes before the same metrics are here: they come "
    "{delay} late. What the functions send themselves comes at once."
)
_DELAY = {"polling": "10 to 20 minutes", "stream": "2 to 3 minutes"}


def boards(settings: Settings) -> tuple[Board, ...]:
    """The dashboards of an environment."""
    return (overview(settings), serverless(settings, legend(settings)))


def overview(settings: Settings) -> Board:
    """Are senders served, does the backend keep up, what waits, is anything wrong?"""
    state = _state(settings)
    groups = (state, *_theirs(settings)) if settings.existing else (state, *_ours(settings))
    return Board(
        "overview",
        "Webhook buffer — overview",
        "From what users notice down to the queue, with the thresholds of the alarms.",
        groups,
    )


def legend(settings: Settings) -> str:
    """How to read a dashboard of this environment."""
    assert settings.datadog is not None
    return _LEGEND.format(delay=_DELAY[settings.datadog.metrics])


def _state(settings: Settings) -> Group:
    objectives = (
        SloState("accepted", "Accepted, and what is left of the error budget"),
        SloState("delivered", "Delivered in time, and what is left of the error budget"),
    )
    return Group(
        "Is anything wrong?",
        (
            (Note(legend(settings)),),
            *([] if settings.existing else [objectives]),
            (
                MonitorStates("What Datadog watches"),
                # CloudWatch's alarms come as events where the AWS integration collects them.
                EventList("What CloudWatch's alarms told", '"{prefix}"'),
                EventList("Deployments", f"{DEPLOYED} $env $service"),
            ),
        ),
    )


def _ours(settings: Settings) -> tuple[Group, ...]:
    instrumented = settings.datadog_functions
    return (
        Group("Are senders served?", (parts.api("api", Kind.HTTP_API), parts.refused())),
        Group("Does the backend keep up?", parts.backend(settings)),
        Group(
            "What waits?",
            parts.queue("queue", "queue-", "", ("webhooks-late",), ("backlog-growing",)),
        ),
        Group("Does the record keep up?", (parts.record(recorded="subscribe" in instrumented),)),
        Group("Does the watching work?", parts.watching(settings)),
    )


def _theirs(settings: Settings) -> tuple[Group, ...]:
    existing = settings.existing
    assert existing is not None
    return (
        *(
            Group(
                f"API {one.role}",
                (parts.api(one.role, Kind.HTTP_API if one.kind == "http" else Kind.REST_API),),
            )
            for one in existing.apis
        ),
        *(
            Group(f"Queue {one.role}", parts.queue(one.role, f"{one.role}-", f"{one.role}-"))
            for one in existing.queues
        ),
        *(Group(f"Table {one.role}", (parts.table(one.role),)) for one in existing.tables),
        Group("Do notifications arrive?", (parts.notifications(),)),
    )
