"""messages: each kind of channel has a form of its own, in which a name does no harm."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from lambdas import messages
from lambdas.blocking import Webhook
from tests.lambdas.fixtures import alarms
from tests.lambdas.fixtures.alarms import ALARM_GUIDES, DOWN
from tests.lambdas.notifying import AT, content_of

_KEY = "0123456789abcdef0123456789abcdef"


def test_pagerdutys_limits_and_address() -> None:
    """A plain routing key goes to PagerDuty's own address; long texts are cut to its limits."""
    alarm = {**ALARM_GUIDES["alarms"][DOWN], "title": "x" * 5000}
    content = replace(content_of(guides={"alarms": {DOWN: alarm}}), alarm="a" * 300)
    [(url, event)] = messages.pagerduty(_KEY, content)
    assert url == "https://events.pagerduty.com/v2/enqueue"
    assert (len(event["payload"]["summary"]), len(event["dedup_key"])) == (1024, 255)
    digits = "1" * 32  # JSON, too
    assert messages.pagerduty(digits, content)[0][1]["routing_key"] == digits


@pytest.mark.parametrize(
    "said", [alarms.METRIC, alarms.MATHS, alarms.COMPOSITE, alarms.EMULATOR, {"no": "alarm"}]
)
def test_every_channel_can_show_anything(said: dict[str, Any]) -> None:
    """Each kind has a form for every message that was recorded, and for one that is none."""
    content = content_of(said)
    for compose, key in ((messages.slack, "https://x"), (messages.pagerduty, _KEY),
                         (messages.https, "https://x")):  # fmt: skip
        assert all(json.dumps(document) for _, document in compose(key, content))
    subject, text = messages.email(content)
    assert subject.isascii()
    assert subject.isprintable()
    assert content.summary in text


_NASTY = "`<!channel> @here *x* https://evil.example/?a=b\n"


def test_names_are_inert_in_texts() -> None:
    """A group's id, which a sender chose, mentions nobody, links nowhere and ends no code span."""
    content = content_of(webhooks=(Webhook(_NASTY, "m-1", AT),))
    shown = "message `m-1` of group `%60%3C%21channel%3E%20%40here%20%2Ax%2A%20https%3A//evil"
    [(_, slack)] = messages.slack("https://hooks.example/x", content)
    sections = [block["text"] for block in slack["blocks"][1:]]
    assert any(shown in section["text"] for section in sections)
    assert all(section["verbatim"] for section in sections)
    [(_, pagerduty)] = messages.pagerduty(_KEY, content)
    assert pagerduty["payload"]["custom_details"]["Webhooks"].startswith(shown)
    assert f"\nWebhooks: {shown}" in messages.email(content)[1]
    for text in (json.dumps(slack), json.dumps(pagerduty), *messages.email(content)):
        assert not re.search("@here|channel>|https://evil|`<", text)


def test_names_are_exact_in_json() -> None:
    """A program gets the ids as they are: three webhooks at most."""
    webhooks = tuple(Webhook(_NASTY, f"m-{number}", None) for number in range(4))
    [(_, document)] = messages.https("https://in.example/", content_of(webhooks=webhooks))
    assert document["webhooks"] == [
        {"group_id": _NASTY, "message_id": f"m-{number}", "since": None} for number in range(3)
    ]
