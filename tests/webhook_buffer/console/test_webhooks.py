"""Webhooks are found by what is known of them, and those that retry come first."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.webhook_buffer.console.sessions import (
    HOSTILE,
    MINUTES,
    OUTAGE,
    RETRYING,
    saved,
    state_of,
)
from tests.webhook_buffer.live.test_observations import START, line
from webhook_buffer.console import webhooks
from webhook_buffer.console.state import State
from webhook_buffer.live.session import Session, read_event


def _found(state: State, query: str = "", which: str = "") -> list[str]:
    assert state.session
    listing = webhooks.listed(state.session, state.tracker, query=query, state=which, most=1000)
    return [row["id"] for row in listing["webhooks"]]


def test_what_retries_comes_first(state: State) -> None:
    """With its next attempt; the rest follows, the newest first."""
    assert state.session
    listing = webhooks.listed(state.session, state.tracker)
    first, second = listing["webhooks"][:2]
    at = START + 60 * (MINUTES - 1) + 52
    assert (first["id"], first["next_attempt"]) == (RETRYING, at + 8)
    assert (second["id"], second["state"]) == ("m-29-4", "delivered")
    assert listing["counts"] == {
        "retrying": 1, "queued": 0, "parked": 0, "dropped": 0, "consumed": 0,
        "delivered": 6 * MINUTES - 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "many"),
    [
        ("m-3-4", 1),
        ("order-2", 2 * MINUTES),
        ("path:/orders/4", MINUTES),
        ("attempts:>1", 6 * len(OUTAGE)),
        ("status:200 attempts:2", 6 * len(OUTAGE)),
        ("error:refused", 6 * len(OUTAGE) + 1),
        (f"group:{HOSTILE.split()[0]}", 1),
        ("nothing-of-the-kind", 0),
        ("status:many", 0),
    ],
)
def test_they_are_found(state: State, query: str, many: int) -> None:
    """By id, group, path, status, attempts and error."""
    assert len(_found(state, query)) == many


def test_states_are_a_filter(state: State) -> None:
    """Beside the search."""
    assert _found(state, "", "retrying") == [RETRYING]
    assert _found(state, "m-3", "retrying") == []


def test_time_is_a_filter(state: State) -> None:
    """Only webhooks that came in the last minutes are listed."""
    assert state.session
    listing = webhooks.listed(state.session, state.tracker, minutes=5)
    assert sum(listing["counts"].values()) == 6 * 5


def test_one_in_full(state: State) -> None:
    """Every attempt, and every line that names it."""
    assert state.session
    shown = webhooks.in_full(state.session, state.tracker, f"m-{OUTAGE.start}-0")
    assert shown is not None
    outcomes = [
        (attempt["number"], attempt["status"], attempt["error"]) for attempt in shown["attempted"]
    ]
    assert outcomes == [(1, None, "ConnectionRefused"), (2, 200, None)]
    assert [line["event"] for line in shown["lines"]] == [
        "webhook.queued", "webhook.failed", "webhook.delivered",
    ]  # fmt: skip
    assert webhooks.in_full(state.session, state.tracker, "unknown") is None


def test_groups_say_what_blocks_them(state: State) -> None:
    """The webhook at the head, its outcome, and how many wait behind it."""
    assert state.session
    [group] = webhooks.groups(state.session, state.tracker)
    assert (group["group"], group["blocked_by"], group["waiting"]) == ("order-2", RETRYING, 1)
    assert group["error"] == "ConnectionRefused"


def _parked(state: State, name: str, kind: str, at: float, *, group: str = "order-2") -> None:
    assert state.session
    said = line("subscribe", at, "webhook.parked", "WARNING", message_id=name, group_id=group,
                reason="refused" if kind == "aside" else "age", state=kind)  # fmt: skip
    state.session.apply(read_event([said], [], START + at))


def test_what_is_parked_waits_for_nobody(session_file: Path) -> None:
    """Set aside it blocks no group and is not retrying; held it blocks its group till a release."""
    state = state_of(session_file)
    assert state.session
    at = 60.0 * MINUTES + 1
    _parked(state, RETRYING, "aside", at)
    assert _found(state, "", "retrying") == []
    assert _found(state, "", "parked") == [RETRYING]
    assert webhooks.groups(state.session, state.tracker) == []
    row = webhooks.listed(state.session, state.tracker)["webhooks"][0]
    assert (row["id"], row["parked"], row["next_attempt"]) == (RETRYING, "refused", None)
    _parked(state, RETRYING, "held", at + 1)
    [group] = webhooks.groups(state.session, state.tracker)
    assert (group["blocked_by"], group["held"]) == (RETRYING, True)
    delivered = line("subscribe", at + 2, "webhook.delivered", message_id=RETRYING, attempt=2,
                     group_id="order-2", status=200)  # fmt: skip
    state.session.apply(read_event([delivered], [], START + at + 2))
    assert _found(state, "", "parked") == []
    assert webhooks.groups(state.session, state.tracker) == []


def test_what_was_dropped_is_not_parked_any_more(tmp_path: Path) -> None:
    """It blocks nothing, has a state of its own, and keeps it in an exported session."""
    state = state_of(saved(tmp_path))
    assert state.session
    _parked(state, RETRYING, "held", 60.0 * MINUTES + 1)
    assert state.session.webhooks.parked == [RETRYING]
    state.session.apply({"kind": "dropped", "webhooks": [RETRYING, "gone"]})
    assert (_found(state, "", "parked"), _found(state, "", "dropped")) == ([], [RETRYING])
    assert webhooks.groups(state.session, state.tracker) == []
    assert state.session.webhooks.parked == []
    state.session.save(tmp_path / "exported.jsonl")
    assert Session.open(tmp_path / "exported.jsonl").webhooks[RETRYING].state == "dropped"


def test_the_command_that_releases_takes_a_group_for_a_word(session_file: Path) -> None:
    """People paste it into a shell, and whoever sends a webhook may name its group."""
    state = state_of(session_file)
    assert state.session
    group = "-$(touch${IFS}/tmp/x);'`reboot`"
    _parked(state, "m-held", "held", 60.0 * MINUTES + 1, group=group)
    shown = webhooks.in_full(state.session, state.tracker, "m-held")
    assert shown is not None
    command = ["webhook-buffer", "webhooks", "release", "--env", "local", "--"]
    assert shlex.split(shown["release"]) == [*command, group]
    _parked(state, "m-aside", "aside", 60.0 * MINUTES + 1)
    shown = webhooks.in_full(state.session, state.tracker, "m-aside")
    assert shown is not None
    assert shlex.split(shown["release"]) == [*command, "m-aside"]
    delivered = webhooks.in_full(state.session, state.tracker, f"m-{OUTAGE.start}-0")
    assert delivered is not None
    assert delivered["release"] is None
