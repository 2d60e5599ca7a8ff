"""Datadog's dashboards of many environments, taken apart for tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from dashboards.datadog import boards
from monitoring.alarm_set import AlarmSet
from monitoring.datadog.boards import dashboards
from monitoring.datadog.definition import Definition
from monitoring.model.dashboards import Graph
from settings.loader import load
from settings.schema import Settings
from webhook_buffer.composition import alarm_set

Body = dict[str, Any]

DATADOG = {
    "apiKeySecretArn": "arn:aws:secretsmanager:us-east-1:222222222222:secret:datadog-AbCdEf",
    "team": "webhooks",
}
EXISTING: dict[str, Any] = {
    "backend_url": None,
    "existing": {
        "queues": [{"name": "orders.fifo", "role": "orders"}],
        "functions": [{"name": "Worker", "role": "worker", "timeoutSeconds": 30}],
        "apis": [
            {"name": "shop", "role": "shop", "kind": "rest"},
            {"name": "a1b2c3", "role": "web", "kind": "http"},
        ],
        "tables": [{"name": "stock", "role": "stock"}],
    },
}
ONLY_A_QUEUE: dict[str, Any] = {
    "backend_url": None,
    "existing": {"queues": [{"name": "q", "role": "orders"}]},
}
UNINSTRUMENTED: dict[str, Any] = {"datadog": {"functions": []}}
UNTRACED: dict[str, Any] = {"datadog": {**DATADOG, "tracing": False}}
STREAMED: dict[str, Any] = {"datadog": {**DATADOG, "metrics": "stream"}}
FAUX: dict[str, Any] = {"backend_url": None, "create_faux_backend": True}
CASES: list[dict[str, Any]] = [
    {}, EXISTING, ONLY_A_QUEUE, UNINSTRUMENTED, {**EXISTING, **UNINSTRUMENTED}, UNTRACED, STREAMED,
    FAUX, {"heartbeat": "off"}, {"datadog": {**DATADOG, "functions": ["publish"]}},
]  # fmt: skip


def made(**overrides: Any) -> AlarmSet:
    return alarm_set(load("stg", overrides={"datadog": DATADOG, **overrides}))


def by_key(found: AlarmSet) -> dict[str, Definition]:
    return {one.key: one for one in dashboards(found)}


def leaves(widgets: list[Body]) -> Iterator[Body]:
    """The definitions of all widgets that are no group."""
    for one in widgets:
        inner = one["definition"].get("widgets")
        if inner is None:
            yield one["definition"]
        else:
            yield from leaves(inner)


def every_widget(found: AlarmSet) -> list[Body]:
    return [one for board in dashboards(found) for one in leaves(board.body["widgets"])]


def titled(found: AlarmSet, title: str) -> Body:
    [one] = {
        json.dumps(each): each for each in every_widget(found) if each.get("title") == title
    }.values()
    return one


def queries(definition: Body, source: str = "metrics") -> list[Body]:
    return [
        query
        for request in definition.get("requests", ())
        for query in request.get("queries", ())
        if query["data_source"] == source
    ]


def markers(definition: Body) -> dict[str, float]:
    return {
        one["label"]: float(one["value"].removeprefix("y = "))
        for one in definition.get("markers", ())
    }


def panels(chosen: Settings) -> list[Graph]:
    return [
        one
        for board in boards(chosen)
        for group in board.groups
        for row in group.rows
        for one in row
        if isinstance(one, Graph)
    ]
