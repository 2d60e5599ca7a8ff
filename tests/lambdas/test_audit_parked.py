"""What the audit says of held groups, and of parked webhooks near their end."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from lambdas import audit_parked
from tests.emulated_aws import Aws
from tests.function_modules import Functions
from tests.lambdas.test_parking import Buffer
from webhook_buffer.laptop.backend import ScriptedBackend


@pytest.fixture
def buffer(functions: Functions, aws: Aws, backend: ScriptedBackend) -> Buffer:
    """A buffer of the test's own."""
    return Buffer(functions, aws, backend)


def _said(
    capsys: pytest.CaptureFixture[str], table: str, *, keep: int = 1000
) -> dict[str, dict[str, Any]]:
    """The lines of a look, by their event."""
    capsys.readouterr()
    audit_parked.report(table, keep=keep, within=5)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {line["event"]: line for line in lines}


def test_nothing_parked(buffer: Buffer, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty store costs no metric."""
    buffer.accept(n=1)
    assert _said(capsys, buffer.aws.parking) == {}


def test_held(
    buffer: Buffer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A held group is counted with its time, and named; so is what is near its end."""
    buffer.policy["on_park"] = "group"
    head = buffer.accept(n=1)
    buffer.refused()
    assert set(_said(capsys, buffer.aws.parking)) == {"group.held"}
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 850)
    said = _said(capsys, buffer.aws.parking)
    held, expiring = said["group.held"], said["parked.expiring"]
    assert (held["HeldGroups"], held["group_id"], held["message_id"]) == (1, "g", head)
    assert 840 <= held["HeldSeconds"] <= 860
    assert (expiring["ParkedExpiring"], expiring["message_id"]) == (1, head)


def test_a_table_that_cannot_be_read(buffer: Buffer, capsys: pytest.CaptureFixture[str]) -> None:
    """A failed look is a warning, not a crash of the audit."""
    buffer.accept(n=1)
    assert _said(capsys, "no-such-table")["audit.skipped"]["aws_error"]
