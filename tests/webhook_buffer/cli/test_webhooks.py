"""``webhook-buffer webhooks``: what is parked, and what becomes of it, on the emulator's store."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from settings.errors import InputError
from settings.loader import load
from tests.emulated_aws import made_environment
from tests.function_modules import Functions
from tests.lambdas.test_parking import Buffer
from webhook_buffer.cli import webhooks
from webhook_buffer.laptop import laptop
from webhook_buffer.laptop.backend import ScriptedBackend
from webhook_buffer.laptop.programs.process import Running
from webhook_buffer.live.drops import Drops


@pytest.fixture
def buffer(
    monkeypatch: pytest.MonkeyPatch, emulator: Running, backend: ScriptedBackend, tmp_path: Path
) -> Buffer:
    """A buffer whose queue and tables are an environment's, which the command works with."""
    target, aws = made_environment(emulator, tmp_path)
    monkeypatch.setattr(laptop, "environment", lambda _: target)
    return Buffer(Functions(monkeypatch, aws, emulator), aws, backend)


def _run(*words: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(webhooks.webhooks_app, list(words), input=answer)


def _listed() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_run("parked", "--json").output)
    return document


@pytest.mark.usefixtures("buffer")
def test_nothing_parked() -> None:
    """An empty store is said to be empty."""
    assert _run("parked").output == "Nothing is parked.\n"
    assert _listed() == {"groups": [], "webhooks": []}


@pytest.mark.usefixtures("buffer")
def test_costs_are_printed_for_any_size() -> None:
    """A size of one's own has a row, with both ways that a webhook can go."""
    printed = _run("cost", "--bytes", "5000").output
    assert re.search(
        r"^5,000 bytes +\d+ +0 +\d+\.\d\d +\d+ +\d+ +\d+\.\d\d$", printed, re.MULTILINE
    )
    assert "list prices of us-east-1" in printed


def test_a_delivered_webhook_is_found_and_shown(buffer: Buffer) -> None:
    """It is found by its group and by its time, and shown with all of its body."""
    message_id = buffer.accept("g\x1b[31m", n=1, note="[red]" + "x" * 3000)
    assert _run("search").output == "No recorded webhook matches.\n"
    assert buffer.handle(503) is False
    assert buffer.handle(200)
    for words in (("--group", "g\x1b[31m"), ()):
        output = _run("search", *words).output
        assert message_id in output
        assert "delivered" in output
        assert "\x1b" not in output
        [row] = json.loads(_run("search", *words, "--json").output)
        assert (row["id"], row["state"], row["attempt_count"]) == (message_id, "delivered", 2)
    shown = _run("show", message_id).output
    assert "503" in shown
    assert "\x1b" not in shown
    whole = json.loads(_run("show", message_id, "--json").output)
    assert json.loads(whole["request"]["body"])["note"] == "[red]" + "x" * 3000
    assert [attempt["number"] for attempt in whole["attempts"]["recent"]] == [1, 2]


def test_a_webhook_set_aside(buffer: Buffer) -> None:
    """It is listed with its reason, shown with attempts and body, and released alone."""
    message_id = buffer.accept("g\x1b[31m", n=1, note="[red]\x1b]0;x")
    buffer.refused()
    listed = _run("parked").output
    assert message_id in listed
    assert "3 attempts, refused by the backend" in listed
    shown = _run("show", message_id).output
    assert "404" in shown
    assert "\x1b" not in listed + shown
    whole = json.loads(_run("show", message_id, "--json").output)
    assert whole["request"]["path"] == "/"
    assert len(whole["attempts"]["recent"]) == 3
    assert _run("release", message_id, "--dry-run").exit_code == 0
    assert buffer.aws.waiting() == 0
    assert _run("release", message_id, "--yes").exit_code == 0
    assert buffer.handle(200)
    assert buffer.numbers() == [1]
    assert _listed()["webhooks"] == []


@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["text", "json"])
def test_credentials_are_shown_on_request(buffer: Buffer, as_json: tuple[str, ...]) -> None:
    """Neither headers nor parameters give a secret away, unless somebody asks for it."""
    secret = "s3cr3t"
    event = {"query": f"token={secret}&n=1", "headers": {"Authorization": f"Bearer {secret}"}}
    message_id = buffer.accept("g", event=event)
    buffer.refused()
    shown = _run("show", message_id, *as_json).output
    assert "token=(redacted)&n=1" in shown
    assert secret not in shown
    whole = _run("show", message_id, "--show-credentials", *as_json).output
    assert f"token={secret}&n=1" in whole
    assert not as_json or "raw" in json.loads(whole)


def test_a_held_group(buffer: Buffer) -> None:
    """It is listed with its first webhook, and released in order; the plan shows what."""
    buffer.policy["on_park"] = "group"
    first, second = buffer.accept(n=1), buffer.accept(n=2)
    buffer.refused()
    assert buffer.handle()
    [group] = _listed()["groups"]
    assert (group["group_id"], group["head"], group["webhooks"]) == ("g", first, 2)
    refused = _run("release", second, "--yes")
    assert isinstance(refused.exception, InputError)
    remedy = "release the group: webhook-buffer webhooks release --env local -- g"
    assert remedy in str(refused.exception)
    plan = json.loads(_run("release", "g", "--json", "--yes").output)
    assert [webhook["id"] for webhook in plan["webhooks"]] == [first, second]
    assert buffer.handle(200, 200)
    assert buffer.numbers() == [1, 2]
    assert _listed() == {"groups": [], "webhooks": []}


def test_dropping(buffer: Buffer) -> None:
    """A dropped webhook keeps its reason in the record, and is not released but listed as such."""
    buffer.policy["on_park"] = "group"
    first = buffer.accept(n=1)
    second = buffer.accept(n=2)
    buffer.refused()
    assert buffer.handle()
    drops = Drops(laptop.environment(load("local")), every=10.0)
    assert drops.poll([first, second], 100.0) == []
    dropped = _run("drop", first, "--reason", "forged", "--yes")
    assert "still held" in dropped.output
    record = buffer.aws.attempts(first)
    assert record
    assert record["dropped_reason"] == {"S": "forged"}
    assert [webhook["state"] for webhook in _listed()["webhooks"]] == ["dropped", "held"]
    assert drops.poll([first, second], 105.0) == []  # too soon to look again
    assert drops.poll([first, second], 110.0) == [{"kind": "dropped", "webhooks": [first]}]
    assert _run("drop", first, "--reason", "again", "--yes").exit_code == 0
    assert _run("release", "g", "--yes").exit_code == 0
    assert buffer.handle(200)
    assert buffer.numbers() == [2]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("show", "nothing"), "neither parked nor recorded"),
        (("search", "--group", "g", "--delivery", "d"), "pass one of them"),
        (("search", "--since", "\x1bnoon"), "--since: '\\x1bnoon' is not a time such as 2026-"),
        (("search", "--since", "2026-01-02", "--until", "2026-01-01"), "later than --until"),
        (("search", "--since", "2026-01-01", "--until", "2026-02-01"), "at most 7 days"),
        (("release", "nothing", "--yes"), "not a parked webhook"),
        (("drop", "nothing", "--reason", " "), "--reason"),
    ],
)
@pytest.mark.usefixtures("buffer")
def test_mistakes(words: tuple[str, ...], says: str) -> None:
    """What can't be done is an error that says why."""
    result = _run(*words)
    assert isinstance(result.exception, InputError)
    assert says in str(result.exception)


def test_no_confirmation_without_a_terminal(buffer: Buffer) -> None:
    """Without a terminal nothing is changed unless --yes says so."""
    message_id = buffer.accept(n=1)
    buffer.refused()
    for words in (("release", message_id), ("release", message_id, "--json")):
        assert isinstance(_run(*words).exception, InputError)
    assert buffer.aws.waiting() == 0
