"""Results of drills as a page of HTML that needs nothing else, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from settings.errors import FileError, InputError
from webhook_buffer.laptop.drills.catalog import DRILLS
from webhook_buffer.laptop.drills.verdict import Claim, Fired, Notified, Result
from webhook_buffer.live.pace import REAL_TIME, described

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;
color:#1b1f24}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}
th,td{border-bottom:1px solid #d0d7de;padding:.3rem .6rem;text-align:left;vertical-align:top}
.ok{color:#116329}.no{color:#a40e26;font-weight:600}.dim{color:#57606a}
@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}th,td{border-color:#30363d}
.ok{color:#3fb950}.no{color:#ff7b72}.dim{color:#8d96a0}}
"""


def as_json(results: Sequence[Result]) -> str:
    """All results as one document."""
    return (
        json.dumps({"version": 1, "drills": [result.document() for result in results]}, indent=2)
        + "\n"
    )


def read(file: Path) -> list[Result]:
    """Results of an earlier ``as_json``.

    Raises:
        FileError: When the file can't be read.
        InputError: When it holds something else.
    """
    try:
        drills = json.loads(file.read_text("utf-8"))["drills"]
        return [_result(drill) for drill in drills]
    except OSError as error:
        raise FileError(error, file) from None
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{file}: not results of drills: {error}. Name another file.") from None


def _result(said: dict[str, Any]) -> Result:
    known = {field.name for field in fields(Result)} - {"fired", "notified", "claims"}
    return Result(
        **{name: value for name, value in said.items() if name in known},
        fired=[Fired(**fields) for fields in said["fired"]],
        notified=[Notified(**fields) for fields in said["notified"]],
        claims=[Claim(**fields) for fields in said["claims"]],
    )


def together(files: Iterable[Path]) -> list[Result]:
    """The latest result of each drill, fast and in real time, of several files.

    Raises:
        FileError: When a file can't be read.
        InputError: When one holds something else.
    """
    return latest(result for file in files for result in read(file))


def latest(results: Iterable[Result]) -> list[Result]:
    """The latest of each drill, fast and in real time, in the catalog's order."""
    last = {
        (result.drill, _in_real_time(result)): result
        for result in sorted(results, key=lambda result: result.begun)
    }
    order = {name: number for number, name in enumerate(DRILLS)}
    return sorted(
        last.values(),
        key=lambda result: (order.get(result.drill, len(order)), result.drill, result.pace),
    )


def as_table(
    results: Sequence[Result], recorded: Mapping[str, Mapping[str, int]] | None = None
) -> str:
    """All results as a table of Markdown: minutes of the session from the cause.

    Args:
        recorded: by drill and signal, the same of recordings in real time.
    """
    recorded = recorded or {}
    lines = [
        "| drill | pace | signals, after minutes | recorded | first page | lost | out of order "
        "| verdict |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for result in results:
        seen = {claim.what: claim.seen for claim in result.claims}
        awaited = [fired for fired in result.fired if fired.limit is not None]
        signals = ", ".join(
            f"`{fired.signal}` {fired.minute} (limit {fired.limit})" for fired in awaited
        )
        known = recorded.get(result.drill, {})
        before = ", ".join(str(known[fired.signal]) for fired in awaited if fired.signal in known)
        page = (
            "" if result.paged is None else f"{result.paged:.1f} min ({result.page_seconds:.1f} s)"
        )
        lines.append(
            f"| {result.drill} | {result.pace:g} s | {signals} | {before} | {page} | "
            f"{seen.get('nothing is lost', '')} | {seen.get('nothing is out of order', '')} | "
            f"{_verdict(result)} |"
        )
    real = [result for result in results if _in_real_time(result)]
    fast = [result for result in results if not _in_real_time(result)]
    lines += [
        "",
        *_runs("Faster than real time", fast),
        *_runs("In real time, 60 s a minute", real),
    ]
    return "\n".join(lines) + "\n"


def _in_real_time(result: Result) -> bool:
    return result.pace == REAL_TIME


def _verdict(result: Result) -> str:
    if result.skipped:
        return f"skipped: {result.skipped}"
    return "passed" if result.passed else "failed"


def _runs(how: str, results: Sequence[Result]) -> list[str]:
    """When and at which commit results came about, and which drills have none."""
    if not results:
        return []
    dates = {datetime.fromtimestamp(result.begun, UTC).strftime("%Y-%m-%d") for result in results}
    commits = {result.commit for result in results if result.commit}
    run = f"- {how}: run {', '.join(sorted(dates))} at {', '.join(sorted(commits)) or 'no commit'}"
    lacking = [name for name in DRILLS if name not in {result.drill for result in results}]
    return [f"{run}; without a result: {', '.join(lacking)}." if lacking else f"{run}."]


def as_html(results: Sequence[Result]) -> str:
    """All results as one page."""
    passed = sum(result.passed for result in results)
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><title>Fire drills</title>",
        f"<style>{_STYLE}</style><h1>Fire drills</h1>",
        f"<p>{passed} of {_drills(len(results))} passed.</p>",
        *(_drill(result) for result in results),
        "</html>\n",
    ]
    return "".join(parts)


def _drills(count: int) -> str:
    return f"{count} drill{'' if count == 1 else 's'}"


def _drill(result: Result) -> str:
    begun = datetime.fromtimestamp(result.begun, UTC).strftime("%Y-%m-%d %H:%M UTC")
    style = "ok" if result.passed else "no"
    head = (
        f"<h2>{escape(result.drill)} <span class={style}>{escape(_verdict(result))}</span></h2>"
        f"<p>{escape(result.title)}. <span class=dim>{begun}, {escape(described(result.pace))}, "
        f"{result.took:.0f} s; {result.accepted} of {result.sent} webhooks accepted, "
        f"{result.delivered} delivered.</span></p>"
    )
    claims = "".join(
        f"<tr><td class={'ok' if claim.holds else 'no'}>{'✓' if claim.holds else '✗'}"
        f"<td>{escape(claim.what)}<td>{escape(claim.seen)}"
        for claim in result.claims
    )
    rows = "".join(
        f"<tr><td>{notification.minute:.1f} min<td>{escape(notification.channel)}"
        f"<td>{escape(notification.title)}"
        for notification in result.notified
    )
    return (
        f"{head}<table>{claims}</table>"
        f"<table><tr><th>After<th>Channel<th>Notification{rows}</table>"
    )
