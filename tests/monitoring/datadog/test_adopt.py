"""What an import takes over of an object that Datadog has."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitoring.datadog.definition import Kind
from monitoring.datadog.sync.adopt import taken_over
from monitoring.documents.datadog import example

_BODIES: dict[Kind, dict[str, Any]] = {
    Kind.MONITOR: {"id": 12345, "name": "Late", "type": "query alert", "message": "Look.",
                   "query": "max(last_5m):max:a{*} > 1",
                   "options": {"thresholds": {"critical": 1}}},
    Kind.DASHBOARD: {"id": "aaa-bbb-ccc", "title": "Late", "layout_type": "ordered",
                     "widgets": [{"id": 1, "definition": {"type": "note", "content": "Hello"}}]},
}  # fmt: skip


@pytest.mark.parametrize("kind", _BODIES)
def test_a_field_that_no_model_knows_is_left_out_and_named(kind: Kind) -> None:
    """Datadog adds fields that it does not take back; the rest is taken over as it is."""
    body = {**_BODIES[kind], "brand_new": {"a": 1}}
    adopted = taken_over(kind, str(body["id"]), body, example())
    assert adopted.left_out == ("brand_new",)
    assert "brand_new" not in adopted.sent | json.loads(adopted.text)["body"]
    plain = taken_over(kind, str(body["id"]), _BODIES[kind], example())
    assert (plain.left_out, plain.text, plain.sent) == ((), adopted.text, adopted.sent)
