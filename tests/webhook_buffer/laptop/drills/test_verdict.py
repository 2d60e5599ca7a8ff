"""What a drill shows of its webhooks, by what the backend wrote down."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from settings.errors import InputError
from webhook_buffer.laptop.drills import report
from webhook_buffer.laptop.drills.catalog import DRILLS
from webhook_buffer.laptop.drills.claims import judge_parked
from webhook_buffer.laptop.drills.traffic import Ledger, Sent
from webhook_buffer.laptop.drills.verdict import Claim, Fired, Notified, Result, deliveries


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
    result = deliveries(ledger, traffic, received)
    assert (result.delivered, result.lost, result.out_of_order) == (4, [3], [0])


def test_what_goes_aside_and_what_is_dropped() -> None:
    """What goes aside may come late, what is dropped may not come, and the others go on."""
    groups = ["a", "a", "b", "a", "a"]
    ledger = Ledger([Sent(n, g, 0.0, None, 1.0) for n, g in enumerate(groups)], aside={1})
    traffic: Any = SimpleNamespace(number_of=lambda text: int(text[1:]))
    others = [_received(number) for number in ("r0", "r2", "r4")]
    result = deliveries(ledger, traffic, others)
    assert (result.lost, result.out_of_order, result.behind) == ([1, 3], [], [4])
    late = [*others, _received("r1"), _received("r3")]
    result = deliveries(ledger, traffic, late)
    assert (result.lost, result.out_of_order, result.undead) == ([], [3], [])
    ledger.dropped.add(1)
    assert deliveries(ledger, traffic, others).lost == [3]
    assert deliveries(ledger, traffic, late).undead == [1]


@pytest.mark.parametrize(
    ("parked", "behind", "holds"), [(1, 3, True), (0, 3, False), (1, 2, False)]
)
def test_what_is_parked_before_the_repair(parked: int, behind: int, holds: bool) -> None:
    """Exactly what the drill says, and what it says of those behind it."""
    drill = DRILLS["refused-webhook"]
    seen: Any = SimpleNamespace(
        drill=drill,
        parked=lambda _: [SimpleNamespace(reason="refused")] * parked,
        deliveries=lambda _: SimpleNamespace(behind=range(behind)),
    )
    result, traffic = Result(drill=drill.name, title="t", pace=3.0, begun=0.0), Ledger()
    judge_parked(result, seen, traffic)  # type: ignore[arg-type]
    assert result.passed is holds, result.claims


def test_the_order_is_of_accepted_webhooks() -> None:
    """What was refused and came all the same has no place in it; what overtakes, has."""
    ledger = Ledger([Sent(0, "a", 0.0), Sent(1, "a", 0.0, None, 1.0), Sent(2, "a", 0.0)])
    traffic: Any = SimpleNamespace(number_of=int)
    refused_late = deliveries(ledger, traffic, [_received("1"), _received("0")])
    assert (refused_late.delivered, refused_late.out_of_order) == (2, [])
    overtaken = deliveries(ledger, traffic, [_received("2"), _received("1")])
    assert overtaken.out_of_order == [1]


def test_a_report_shows_texts_as_they_are() -> None:
    """A notification's words can't become part of the page."""
    result = Result(drill="d", title="<b>t</b>", pace=3.0, begun=0.0)
    result.claims.append(Claim("c", False, "<script>"))
    result.notified.append(Notified("slack", 1.0, 3.0, "<img src=x>", True, False))
    page = report.as_html([result])
    assert "<script>" not in page
    assert "<img" not in page
    assert "&lt;b&gt;t&lt;/b&gt;" in page
    assert "1 minute = 3 s" in page
    assert '"passed": false' in report.as_json([result])


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    """So that a run goes on where it was stopped, and a table is made of kept results."""
    result = Result(drill="d", title="t", pace=3.0, begun=1e9, commit="abc1234")
    result.claims.append(Claim("nothing is lost", True, "0 of 5 accepted"))
    result.fired.append(Fired("backend-down", 2, 3))
    result.notified.append(Notified("slack", 1.0, 3.0, "x", True, False))
    file = tmp_path / "r.json"
    file.write_text(report.as_json([result]))
    assert report.read(file) == [result]
    table = report.as_table(report.read(file), {"d": {"backend-down": 3}})
    assert "| d | 3 s | `backend-down` 2 (limit 3) | 3 |  | 0 of 5 accepted |  | passed |" in table
    assert "- Faster than real time: run 2001-09-09 at abc1234; without a result: back" in table
    assert "In real time" not in table
    for broken in ("", "[]", '{"drills": [{}]}', '{"drills": [{"fired": 1}]}'):
        file.write_text(broken)
        with pytest.raises(InputError, match=r"r\.json"):
            report.read(file)


def test_results_of_shares_become_one_table(tmp_path: Path) -> None:
    """The latest counts, fast stands above real time, and what has no result is named."""

    def result(drill: str, pace: float, begun: float, commit: str) -> Result:
        return Result(drill=drill, title="t", pace=pace, begun=begun, commit=commit)

    shares = {
        "a": [result("backend-5xx", 60.0, 1e9, "old"), result("backend-slow", 15.0, 1e9, "fast")],
        "b": [result("backend-5xx", 60.0, 2e9, "new"), result("backend-5xx", 3.0, 1e9, "fast")],
    }
    for name, results in shares.items():
        (tmp_path / name).write_text(report.as_json(results))
    together = report.together([tmp_path / "b", tmp_path / "a"])
    assert [(each.drill, each.pace, each.commit) for each in together] == [
        ("backend-5xx", 3.0, "fast"), ("backend-5xx", 60.0, "new"), ("backend-slow", 15.0, "fast"),
    ]  # fmt: skip
    *_, fast, real = report.as_table(together).splitlines()
    assert fast.startswith("- Faster than real time: run 2001-09-09 at fast; without a result: ")
    assert "backend-slow" not in fast
    assert real.startswith("- In real time, 60 s a minute: run 2033-05-18 at new; without a result")
    assert "backend-slow" in real
