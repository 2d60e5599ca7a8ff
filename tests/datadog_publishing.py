"""How tests publish a few objects to the fake Datadog."""

from __future__ import annotations

from typing import Any

from monitoring.datadog.definition import Definition, Kind, marked, reference
from monitoring.datadog.sync.api import Api
from monitoring.datadog.sync.plan import Action, Plan, plan
from monitoring.datadog.sync.publish import Failure, apply
from settings.schema import Settings
from webhook_buffer.laptop import laptop
from webhook_buffer.laptop.fake_datadog import FakeDatadog


def client(datadog: FakeDatadog) -> Api:
    """A client of the fake that waits for nothing."""
    return Api(laptop.fake_datadog_keys(datadog.url), sleep=lambda _: None)


def planned(datadog: FakeDatadog, settings: Settings, wanted: list[Definition]) -> Plan:
    """What publishing would change."""
    return plan(client(datadog), settings, wanted)


def carried_out(
    datadog: FakeDatadog, settings: Settings, to_apply: Plan, *, prune: bool = False
) -> list[Failure]:
    """What failed of a plan."""
    return apply(client(datadog), settings, to_apply, prune=prune, progress=lambda _: None)


def published(
    datadog: FakeDatadog, settings: Settings, wanted: list[Definition], *, prune: bool = False
) -> Plan:
    """The plan that was carried out, whole."""
    to_apply = planned(datadog, settings, wanted)
    assert carried_out(datadog, settings, to_apply, prune=prune) == []
    return to_apply


def counts(to_apply: Plan) -> dict[str, int]:
    """How many steps a plan has of each action."""
    return {action.value: to_apply.count(action) for action in Action if to_apply.count(action)}


def monitor(settings: Settings, key: str = "late", **fields: Any) -> Definition:
    """A monitor of ours, with all its tags."""
    body = {
        "name": f"{key} {settings.environment}", "type": "query alert",
        "query": "max(last_5m):max:aws.sqs.approximate_age_of_oldest_message{*} >= 300",
        "message": marked("Late.", settings, key),
        "tags": [f"env:{settings.environment}", "managed-by:webhook-buffer",
                 f"service:{settings.service}", "severity:ticket"],
        "options": {"thresholds": {"critical": 300.0}},
    }  # fmt: skip
    return Definition(Kind.MONITOR, key, {**body, **fields})


def slo(settings: Settings) -> Definition:
    """An SLO of ours over that monitor."""
    body = {
        "name": "delivered", "type": "monitor", "tags": ["env:x"],
        "description": marked("In time.", settings, "delivered"),
        "monitor_ids": [reference(Kind.MONITOR, "late")],
        "thresholds": [{"timeframe": "30d", "target": 99.0, "warning": 99.5}],
        "timeframe": "30d", "target_threshold": 99.0, "warning_threshold": 99.5,
    }  # fmt: skip
    return Definition(Kind.SLO, "delivered", body)


def burn(settings: Settings) -> Definition:
    """A monitor on how fast that SLO's budget burns."""
    query = (
        'burn_rate("{$ref:slo:delivered}").over("30d").long_window("1h").short_window("5m") > 14.4'
    )
    body = {
        "name": f"burn {settings.environment}", "type": "slo alert", "query": query,
        "message": marked("Burns.", settings, "burn"), "tags": ["env:x"],
        "options": {"thresholds": {"critical": 14.4}},
    }  # fmt: skip
    return Definition(Kind.MONITOR, "burn", body)


def board(settings: Settings) -> Definition:
    """A dashboard that shows a note and that SLO."""
    note = {"type": "note", "content": "Hello"}
    shown = {"type": "slo", "title": "SLO", "view_type": "detail", "view_mode": "overall",
             "time_windows": ["30d"], "slo_id": reference(Kind.SLO, "delivered")}  # fmt: skip
    body = {
        "title": "Overview", "description": marked("All.", settings, "overview"),
        "layout_type": "ordered", "reflow_type": "fixed",
        "widgets": [
            {"definition": note, "layout": {"x": 0, "y": 0, "width": 12, "height": 2}},
            {"definition": shown, "layout": {"x": 0, "y": 2, "width": 6, "height": 3}},
        ],
    }  # fmt: skip
    return Definition(Kind.DASHBOARD, "overview", body)


def one_of_each(settings: Settings) -> list[Definition]:
    """A monitor, an SLO over it, a monitor on that, and a dashboard with it."""
    return [monitor(settings), slo(settings), burn(settings), board(settings)]


def with_fields(wanted: list[Definition], key: str, **fields: Any) -> list[Definition]:
    """The definitions, one of them with other fields."""
    return [
        Definition(definition.kind, definition.key, {**definition.body, **fields})
        if definition.key == key
        else definition
        for definition in wanted
    ]
