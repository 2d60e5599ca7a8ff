"""The demo, and that its verdict can also be that something went wrong."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from settings.paths import ROOT
from webhook_buffer.laptop import demo
from webhook_buffer.operations.cdk import node_modules
from webhook_buffer.operations.send import Receipt

EXAMPLES = demo.examples(node_modules("@octokit/webhooks-examples"))


def _received(order: Sequence[int], *, body: bytes | None = None) -> list[dict[str, Any]]:
    """What a backend wrote down when these of the examples arrived in this order."""
    received = []
    for number in order:
        sent = EXAMPLES[number]
        headers = {name.lower(): value for name, value in sent.webhook.headers.items()}
        headers |= {
            "x-buffer-group": sent.group,
            "x-buffer-received-at": "2026-01-01T00:00:00.000Z",
        }
        content = sent.webhook.body if body is None else body
        digest = hashlib.sha256(content).hexdigest()
        received.append(
            {"at": 0.0, "target": sent.webhook.path, "headers": headers, "sha256": digest,
             "status": 200}
        )  # fmt: skip
    return received


def _report(received: Sequence[dict[str, Any]], *, refused: int | None = None) -> demo.Report:
    receipts = {
        number: Receipt(503, {}, 0.1) if number == refused else Receipt(200, {"message_id": "m"}, 0)
        for number in range(len(EXAMPLES))
    }
    return demo.report(EXAMPLES, receipts, received)


def _two_of_a_group() -> tuple[int, int]:
    group = max({item.group for item in EXAMPLES}, key=[i.group for i in EXAMPLES].count)
    first, second = [item.number for item in EXAMPLES if item.group == group][:2]
    return first, second


def test_examples_are_every_kind() -> None:
    """All 58 event types of the package, a form-encoded and a binary webhook."""
    kinds = {item.webhook.headers["X-GitHub-Event"] for item in EXAMPLES}
    assert len(kinds) == 60
    assert {"push", "pull_request", "form", "binary"} <= kinds


def test_all_in_order_holds() -> None:
    """When the backend saw everything once and in order, the claim holds."""
    report = _report(_received(range(len(EXAMPLES))))
    assert report.holds
    assert (report.lost, report.out_of_order, report.duplicates) == (0, 0, 0)


def test_a_missing_webhook_is_lost() -> None:
    """An accepted webhook that the backend never saw is counted, and the claim fails."""
    report = _report(_received(range(1, len(EXAMPLES))))
    assert report.lost == 1
    assert not report.holds


def test_a_changed_body_is_lost() -> None:
    """A webhook whose body arrived changed did not arrive."""
    report = _report(_received([0], body=b"x") + _received(range(1, len(EXAMPLES))))
    assert report.lost == 1
    assert not report.holds


def test_swapped_webhooks_are_out_of_order() -> None:
    """Two of one group the wrong way round fail the claim; of different groups they don't."""
    first, second = _two_of_a_group()
    order = list(range(len(EXAMPLES)))
    order[first], order[second] = second, first
    report = _report(_received(order))
    assert report.out_of_order == 1
    assert not report.holds


def test_order_is_judged_by_what_was_sent() -> None:
    """A buffer that gives each webhook a group of its own does not pass for one in order."""
    first, second = _two_of_a_group()
    order = list(range(len(EXAMPLES)))
    order[first], order[second] = second, first
    received = _received(order)
    for request in received:
        request["headers"]["x-buffer-group"] = str(id(request))
    assert _report(received).out_of_order == 1


def test_what_was_answered_500_was_not_delivered() -> None:
    """An attempt that the backend refused is not a delivery."""
    received = _received(range(len(EXAMPLES)))
    received[5]["status"] = 500
    assert _report(received).lost == 1


def test_a_repeat_is_a_duplicate() -> None:
    """At least once: a second arrival is counted and does no harm to the claim."""
    report = _report(_received([*range(len(EXAMPLES)), 3]))
    assert report.duplicates == 1
    assert report.holds


def test_a_refused_webhook_fails_the_claim() -> None:
    """What was not accepted is not lost, but the demo did not do what it says."""
    report = _report(_received(range(1, len(EXAMPLES))), refused=0)
    assert report.lost == 0
    assert not report.holds


@pytest.mark.emulator
def test_demo_end_to_end(tmp_path: Path) -> None:
    """The whole story, as ``make demo`` runs it: the alarm fires from data and recovers, nothing is
    lost, and nothing is left running.
    """
    command = [str(Path(sys.executable).with_name("webhook-buffer")), "demo"]
    environ = {**os.environ, "WEBHOOK_BUFFER_STATE": str(tmp_path), "COLUMNS": "100"}
    result = subprocess.run(
        command, env=environ, text=True, capture_output=True, check=False, cwd=ROOT
    )
    output = result.stdout + result.stderr
    assert result.returncode == 0, output
    for row in (r"Sent +│ 331 ", r"Accepted +│ 331 ", r"Lost +│ 0 ", r"Out of order +│ 0 "):
        assert re.search(row, output), output
    assert "DRILL PAGE webhook-buffer local: The backend does not accept webhooks" in output
    assert "RECOVERED webhook-buffer local" in output
    assert not list(tmp_path.rglob("emulator.json"))
