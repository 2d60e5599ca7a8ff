"""Drills of a deployed environment: only safe ones, announced, and judged by CloudWatch's states.

There is no AWS here: alarms and records are a fake's, and the API is a scripted server.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from lambdas.faux_backend import Answer, FauxBackend
from settings.errors import InputError
from settings.loader import load
from webhook_buffer.composition import alarm_set
from webhook_buffer.laptop.backend import ScriptedBackend
from webhook_buffer.laptop.drills import deployed
from webhook_buffer.laptop.drills.catalog import DRILLS
from webhook_buffer.laptop.drills.deployed import Deployed

SETTINGS = load("prd")


def _place(states: Callable[[], str], *, delivered: bool, endpoint: str = "") -> tuple[Any, Any]:
    """A deployed environment, and what was written to its table."""
    table_calls: list[Any] = []
    alarm = SETTINGS.alarm_name("dropped-duplicates")

    def described(**asked: Any) -> dict[str, Any]:
        assert asked["AlarmNames"] == [alarm]
        on = states() == asked["StateValue"]
        return {"MetricAlarms": [{"AlarmName": alarm}] if on else []}

    target = SimpleNamespace(
        settings=SETTINGS,
        cloudwatch=SimpleNamespace(describe_alarms=described),
        dynamodb=SimpleNamespace(
            put_item=lambda **said: table_calls.append(said["Item"]),
            get_item=lambda **_: {"Item": {"delivered_timestamp": {}} if delivered else {}},
        ),
    )
    outputs = {"BufferedEndpoint": endpoint, "DynamoDBTable": "t", "UsesFauxBackend": "false"}
    anything: Any = target
    return Deployed(anything, alarm_set(SETTINGS), outputs, poll=0.01), table_calls


def test_what_changes_something_is_refused() -> None:
    """The error names the drills that are safe anywhere."""
    place, _ = _place(lambda: "OK", delivered=True)
    with pytest.raises(InputError, match=r"laptop only .*Safe anywhere: duplicates, invalid-req"):
        deployed.plan(DRILLS["backend-unreachable"], place)


def test_the_plan_says_what_will_happen() -> None:
    """Where it sends, to whose backend, what it sets off, who is notified; what is not checked."""
    place, _ = _place(lambda: "OK", delivered=True, endpoint="https://webhooks.example.com")
    said = " ".join(deployed.plan(DRILLS["duplicates"], place))
    for words in ("https://webhooks.example.com", "X-Buffer-Drill", "REAL backend",
                  "dropped-duplicates", "no channel", "changes nothing",
                  "not what each channel receives", "ends by itself, 9 minutes"):  # fmt: skip
        assert words in said


class _Api(FauxBackend):
    """Accepts every webhook as the API does."""

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        super().answer(method, target, headers, body)
        return Answer(200)


@pytest.mark.parametrize("fires", [True, False])
def test_a_safe_drill_is_announced_run_and_ended(
    monkeypatch: pytest.MonkeyPatch, fires: bool
) -> None:
    """Its record stays until it expires, as notify may be late; without its signal it fails."""
    monkeypatch.setattr(deployed, "MINUTE", 0.02)
    monkeypatch.setattr(deployed, "_RATE", 50.0)
    with ScriptedBackend(_Api(obey_flags=False)) as api:
        asked: list[str] = []

        def states() -> str:
            asked.append("")
            return "ALARM" if fires and len(asked) == 3 else "OK"

        place, table_calls = _place(states, delivered=True, endpoint=api.url)
        result = deployed.run(DRILLS["duplicates"], place, progress=lambda _: None)
    [record] = table_calls
    assert record["drill"] == {"S": "duplicates"}
    assert list(record["alarms"]["M"]) == [SETTINGS.alarm_name("dropped-duplicates")]
    assert result.passed is fires
    assert result.sent > 0
    json.dumps(result.document())
