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


def carried_out(datadog: FakeDatadog, settings: Settings, found: Plan) -> list[Failure]:
    """What failed of a plan."""
    return apply(client(datadog), settings, found, prune=False, tell=lambda _: None)


def published(datadog: FakeDatadog, settings: Settings, wanted: list[Definition]) -> Plan:
    """The plan that was carried out, whole."""
    found = planned(datadog, settings, wanted)
    assert carried_out(datadog, settings, found) == []
    return found


def counts(found: Plan) -> dict[str, int]:
    """How many steps a plan has of each action."""
    return {action.value: found.count(action) for action in Action if found.count(action)}


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
    """A metric SLO of ours."""
    body = {
        "name": "delivered", "type": "metric", "tags": ["env:x"],
        "description": marked("In time.", settings, "delivered"),
        "query": {"numerator": "sum:a{*}.as_count()", "denominator": "sum:b{*}.as_count()"},
        "thresholds": [{"timeframe": "30d", "target": 99.0, "warning": 99.5}],
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
    """A dashboard that shows that SLO."""
    shown = {"type": "slo", "title": "SLO", "view_type": "detail", "view_mode": "overall",
             "time_windows": ["30d"], "slo_id": reference(Kind.SLO, "delivered")}  # fmt: skip
    body = {
        "title": "Overview", "description": marked("All.", settings, "overview"),
        "layout_type": "ordered", "widgets": [{"definition": shown}],
    }  # fmt: skip
    return Definition(Kind.DASHBOARD, "overview", body)


def one_of_each(settings: Settings) -> list[Definition]:
    """A monitor, an SLO, a monitor on that, and a dashboard."""
    return [monitor(settings), slo(settings), burn(settings), board(settings)]
