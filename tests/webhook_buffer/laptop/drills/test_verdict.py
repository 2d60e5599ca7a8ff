"""What a drill shows of its webhooks, by what the backend wrote down."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from webhook_buffer.laptop.drills import report
from webhook_buffer.laptop.drills.traffic import Ledger, Sent
from webhook_buffer.laptop.drills.verdict import Claim, Result, Told, deliveries


def _received(number: str, status: int | None = 200) -> dict[str, Any]:
    return {"status": status, "headers": {"x-drill-number": number}}


def test_lost_and_out_of_order_are_found() -> None:
    """Only a 200 counts as taken, a repeat counts once, and another drill's webhooks do not."""
    groups = ["a", "a", "b", "a", "b"]
    ledger = Ledger([Sent(n, g, 0.0, None, 1.0) for n, g in enumerate(groups)])
    ledger.sent.append(Sent(5, "a", 0.0))  # never accepted, so never lost
    traffic: Any = SimpleNamespace(
        number_of=lambda text: int(text[1:]) if text.startswith("r") else None
    )
    received = [
        _received("r0", 503), _received("r1"), _received("r0"), _received("r0"),
        _received("r2"), _received("r3", None), _received("x9"), _received("r4", 200),
    ]  # fmt: skip
    found = deliveries(ledger, traffic, received)
    assert (found.delivered, found.lost, found.out_of_order) == (4, [3], [0])


def test_a_report_shows_texts_as_they_are() -> None:
    """A notification's words can't become part of the page."""
    result = Result(drill="d", title="<b>t</b>", pace=3.0, begun=0.0)
    result.claims.append(Claim("c", False, "<script>"))
    result.told.append(Told("slack", 1.0, 3.0, "<img src=x>", True, False))
    page = report.as_html([result])
    assert "<script>" not in page
    assert "<img" not in page
    assert "&lt;b&gt;t&lt;/b&gt;" in page
    assert "1 minute = 3 s" in page
    assert '"passed": false' in report.as_json([result])
