"""What a webhook costs, counted from the items that its own code writes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdas import attempts, recorded_request
from lambdas.base.envelope import Envelope
from lambdas.delivery import Outcome
from lambdas.record_index import INDEXES
from monitoring import cost
from monitoring.cost import PRICES
from settings.loader import load
from settings.names import FUNCTION_MEMORY_MB
from settings.paths import ROOT
from webhook_buffer.composition import alarm_set
from webhook_buffer.operations import webhook_cost
from webhook_buffer.operations.webhook_cost import delivered, example_body, item_bytes, refused


def _before(size: int) -> int:
    """Write units of the same webhook's item in version 2: its body as it came, and no index."""
    webhook = webhook_cost.webhook(size)
    outcome = Outcome(webhook.received_at, 12.5, status=200)
    item, _ = webhook_cost.item(webhook, outcome, attempts.NONE.after(outcome))
    request = {**json.loads(item["request"]["S"]), "body": webhook.body.decode()}
    new = {"body", "body_bytes", "body_key", *(index.partition for index in INDEXES)} - {"group_id"}
    old = {name: value for name, value in item.items() if name not in new}
    return -(-item_bytes({**old, "request": {"S": json.dumps(request)}}) // 1024)


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"a": {"S": "é"}}, 3),
        ({"ab": {"N": "12345"}}, 6),
        ({"a": {"N": "-1.5"}}, 3),
        ({"a": {"B": "AP8="}}, 3),
        ({"a": {"BOOL": True}, "b": {"NULL": True}}, 4),
        ({"a": {"L": []}}, 4),
        ({"a": {"M": {"b": {"S": "c"}}}}, 7),
    ],
)
def test_sizes_are_dynamodbs(item: dict[str, Any], size: int) -> None:
    """Source: DynamoDB developer guide, "Item sizes and formats"."""
    assert item_bytes(item) == size


@pytest.mark.parametrize("size", [4_096, 16_384, 65_536])
def test_no_more_write_units_than_before(size: int) -> None:
    """Three indexes included, a first-try delivery takes no more than when bodies were plain."""
    assert delivered(size).writes <= _before(size)


def test_a_large_body_is_an_object_and_little_else() -> None:
    """What takes more than 8 KB deflated costs the table as much as the smallest body."""
    assert (delivered(65_536).objects, delivered(300).objects) == (1, 0)
    assert delivered(65_536).writes <= delivered(300).writes


def test_attempts_cost_the_same_whatever_the_body() -> None:
    """Between a small and a large refused webhook lies what a delivery and parking differ by."""
    settings = load("prd")
    small, large = refused(300, settings), refused(65_536, settings)
    assert small.attempts == large.attempts > settings.failure_policy.refusals
    patient = load("prd", overrides={"failurePolicy": {"refusals": 20, "refusalMinutes": 15}})
    more = [refused(size, patient) for size in (300, 65_536)]
    added = more[0].attempts - small.attempts
    assert added > 0
    assert more[0].writes - small.writes == more[1].writes - large.writes == added


def test_attempts_of_fourteen_days_cost_less_than_a_cent() -> None:
    """As docs/costs.md says: the row of attempts never outgrows a write unit."""
    history = attempts.NONE
    outcome = Outcome(1_700_000_000_000, 12_345.678, error="ConnectionRefused")
    units = 0
    for _ in range(5_380):
        history = history.after(outcome, refusal=True, counts=True)
        units += -(-item_bytes({"id": {"S": "m#attempts"}, **attempts.attributes(history)}) // 1024)
    assert units == 5_380
    price = PRICES["write"]
    dollars = units * price.amount / price.units
    assert f"${dollars:.4f}" in (ROOT / "docs" / "costs.md").read_text()


def test_more_memory_costs_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bills of webhooks and of the monitoring follow the functions' memory."""

    def parts() -> dict[str, float]:
        alarms = alarm_set(load("prd"))
        return {line.part: line.amount for line in cost.monthly(alarms)}

    parts_before, dollars_before = parts(), delivered(300).dollars
    monkeypatch.setattr("monitoring.cost.FUNCTION_MEMORY_MB", 4 * FUNCTION_MEMORY_MB)
    parts_after = parts()
    assert delivered(300).dollars > dollars_before
    dearer = {part for part in parts_after if parts_after[part] > parts_before[part]}
    assert dearer == {"heartbeat", "probe of the alert path", "audit"}


def test_example_bodies_are_of_their_size() -> None:
    """A body is as long as asked for, the same each time, and deflates as real ones do, partly."""
    for size in (300, 4_096):
        assert len(example_body(size)) == size
        assert example_body(size) == example_body(size)
    packed = recorded_request.pack(Envelope("POST", "/", "", (), example_body(4_096), 0))
    assert 0.25 < len(packed.deflated) / 4_096 < 0.75
