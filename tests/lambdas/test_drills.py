"""The record of a running drill: written by a command, read by notify."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from lambdas import alarm_events, drills, messages
from lambdas.alarm_guide import AlarmGuides
from lambdas.notification import build
from tests.emulated_aws import Aws
from tests.function_modules import Functions
from tests.lambdas.fixtures.alarms import ALARM_GUIDES, DOWN, SLOW, envelope, message


@pytest.fixture
def table(aws: Aws, functions: Functions) -> Aws:
    """A table that the functions find."""
    functions.publish()
    return aws


def _load(table: Aws) -> drills.Drill | None:
    return drills.load(table.table, seconds=2, within=5)


def test_what_was_written_is_read(table: Aws) -> None:
    """With its alarms and their times; it expires after the last of them."""
    assert _load(table) is None
    now = time.time()
    item = drills.item(
        "d",
        {DOWN: (now, now + 60), SLOW: (now, now + 180)},
        pagerduty=True,
        by="ana@laptop",
        run="1",
    )
    table.dynamodb.put_item(TableName=table.table, Item=item)
    loaded = _load(table)
    assert loaded
    assert (loaded.name, loaded.pagerduty) == ("d", True)
    assert loaded.expects(DOWN, round(1000 * now) + 59_000)
    assert not loaded.expects(DOWN, round(1000 * now) + 61_000)
    assert not loaded.expects(DOWN, round(1000 * now) - 2000)
    assert not loaded.expects("another", round(1000 * now))
    assert 180 <= int(item["expires_at"]["N"]) - now <= 182


@pytest.mark.parametrize(
    "damage",
    [{"alarms": {"S": "x"}}, {"alarms": {"M": {DOWN: {"L": []}}}}, {"pagerduty": {"S": "x"}}],
)
def test_a_damaged_record_marks_nothing(table: Aws, damage: dict[str, Any]) -> None:
    """Better a drill that looks real than a fire that looks like a drill."""
    item = {
        **drills.item("d", {DOWN: (0, 1e10)}, pagerduty=False, by="ana@laptop", run="1"),
        **damage,
    }
    table.dynamodb.put_item(TableName=table.table, Item=item)
    assert _load(table) is None


def test_every_channel_says_that_it_is_a_drill() -> None:
    """In title, summary and document; where nothing was measured, that is said, too."""
    set_by_hand = alarm_events.read(
        envelope(message(NewStateReason="Drill: set off on purpose.")), message_id="m", now=1
    )
    guides = AlarmGuides.parse(json.dumps(ALARM_GUIDES))
    content = build(set_by_hand, guides, since=1, drill=True, now=1)
    assert "DRILL" in content.headline
    assert "no measurement: this is a drill" in content.summary
    [(_, slack)] = messages.slack("https://x", content)
    assert slack["text"].startswith("DRILL: ")
    assert "DRILL" in slack["blocks"][0]["text"]["text"]
    [(_, event)] = messages.pagerduty("0" * 32, content)
    assert event["payload"]["summary"].startswith("DRILL: ")
    assert event["payload"]["custom_details"]["Drill"] == "true"
    [(_, document)] = messages.https("https://x", content)
    assert (document["drill"], document["value"]) == (True, None)
    assert document["title"].startswith("DRILL: ")
    subject, text = messages.email(content)
    assert subject.startswith("DRILL ")
    assert text.startswith("DRILL: ")
