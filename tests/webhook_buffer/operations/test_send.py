"""Sending, and the smoke tests' webhooks."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from lambdas.base import extract
from webhook_buffer.laptop.backend import ScriptedBackend
from webhook_buffer.operations.send import Sender, Webhook, from_files, paced, percentile
from webhook_buffer.operations.smoke import Opening, in_group


def test_files_become_webhooks(tmp_path: Path) -> None:
    """One webhook per visible file, in order, with the content type of its ending."""
    for name in ("b.json", "a.xml", "c", ".hidden"):
        (tmp_path / name).write_text(name)
    webhooks = from_files(tmp_path, method="PUT", target="/x", headers={"X-A": "1"})
    assert [webhook.body for webhook in webhooks] == [b"a.xml", b"b.json", b"c"]
    kinds = [webhook.headers["Content-Type"] for webhook in webhooks]
    assert kinds[1:] == ["application/json", "application/octet-stream"]
    assert kinds[0].endswith("/xml")
    assert {(w.method, w.path, w.headers["X-A"]) for w in webhooks} == {("PUT", "/x", "1")}


def test_own_content_type_wins(tmp_path: Path) -> None:
    """A content type given by hand is the only one sent."""
    (tmp_path / "a.json").write_text("{}")
    (webhook,) = from_files(tmp_path, method="POST", target="/", headers={"content-type": "x/y"})
    assert webhook.headers == {"content-type": "x/y"}


def test_pace_repeats_in_order() -> None:
    """Webhooks come round as often as asked."""
    first, second = Webhook(body=b"1"), Webhook(body=b"2")
    assert list(paced([first, second], rate=1e6, repeat=2)) == [first, second, first, second]


def test_no_answer_is_a_receipt(backend: ScriptedBackend) -> None:
    """A buffer that is away is reported as such, not as an exception."""
    backend.refuse()
    receipt = Sender(backend.url).post(Webhook(body=b"x"))
    assert (receipt.status, receipt.accepted) == (0, False)


def test_a_200_that_is_no_buffer_s_is_not_accepted(backend: ScriptedBackend) -> None:
    """Accepted is what came with a message id."""
    assert not Sender(backend.url).post(Webhook(body=b"x")).accepted


@pytest.mark.parametrize(("percent", "expected"), [(50, 2), (99, 4), (1, 1), (100, 4)])
def test_percentile(percent: float, expected: float) -> None:
    """Nearest rank: always a value that was measured."""
    assert percentile([4, 1, 3, 2], percent) == expected


def test_percentile_of_nothing() -> None:
    """Without a measurement there is no number."""
    assert math.isnan(percentile([], 50))


@pytest.mark.parametrize(
    "extractors",
    [
        ["header:X-Group-Id"],
        ["query:group"],
        ["path:3"],
        ["json:repository.full_name"],
        ["form:group", "json:a || b", "json:group_id"],
    ],
)
def test_smoke_webhooks_have_their_group(extractors: list[str]) -> None:
    """Whatever an environment's extractors are, a smoke test's webhook meets its group."""
    webhook = in_group(
        Opening("/smoke-test", extractors, anywhere=True), "smoke-1", {"smoke_test": 1}
    )
    path, _, query = webhook.path.partition("?")
    facts: Any = extract.RequestFacts(
        path=path, query=query, headers=list(webhook.headers.items()), body=webhook.body
    )
    assert extract.first([extract.parse(line) for line in extractors], facts) == "smoke-1"
    assert json.loads(webhook.body)["smoke_test"] == 1
