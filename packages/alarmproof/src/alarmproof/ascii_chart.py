"""A failed case in a terminal: the compared values, the threshold, and the resulting states."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

import numpy as np

from alarmproof.base.alarms import MetricAlarm, State
from alarmproof.base.arrays import Values
from alarmproof.base.history import History
from alarmproof.evaluate import datapoints
from alarmproof.notation import duration
from alarmproof.plan import evaluated_every
from alarmproof.runner import Outcome

_HEIGHT = 7
_MARGIN = 11
_BLOCKS = " ▁▂▃▄▅▆▇█"
_STRIP = {State.OK: "·", State.ALARM: "█", State.INSUFFICIENT_DATA: "?"}


def failed(outcome: Outcome, *, width: int = 80) -> str:
    """A failed case: its failures, its alarm's datapoints and states, and its transitions.

    Args:
        width: columns of the terminal; 40 at least.
    """
    lines: list[str] = []
    for failure in outcome.failures:
        lines += _folded("  ✗ ", f"{failure}  ({outcome.case.file}:{failure.line})", width)
    for history in _shown(outcome):
        lines += ["", *_alarm(outcome, history, width)]
    return "\n".join(lines)


def _shown(outcome: Outcome) -> list[History]:
    """The alarm, and what failed beside it; a composite's parts that ever fired."""
    names = [outcome.alarm.name, *(failure.alarm for failure in outcome.failures)]
    if not isinstance(outcome.alarm, MetricAlarm):
        names += [
            history.alarm.name for history in outcome.histories.values() if history.in_alarm()
        ]
    return [outcome.histories[name] for name in dict.fromkeys(names)]


def _alarm(outcome: Outcome, history: History, width: int) -> Iterator[str]:
    alarm = history.alarm
    every = evaluated_every(alarm)
    count = (history.end - history.start) // every
    per = -(-count // (width - _MARGIN))
    yield from _folded("  ", alarm.name, width)
    if isinstance(alarm, MetricAlarm):
        begin, end = outcome.origin + history.start, outcome.origin + history.end
        values = datapoints(alarm, outcome.recording, start=begin, end=end)
        yield from _chart(_thinned(values, per, alarm), alarm)
    yield _row("state", _strip(history, count, per, every))
    wrong = {
        failure.at
        for failure in outcome.failures
        if failure.alarm == alarm.name and failure.at is not None
    }
    right = {
        expectation.at
        for expectation in outcome.case.expect
        if alarm is outcome.alarm and not expectation.alarm
    }
    yield from _expected(wrong, right - wrong, per * every, every)
    yield _row("", _axis(count, per, every))
    legend = f"· OK  █ ALARM  ? INSUFFICIENT_DATA, from {history.initial}"
    yield from _folded(" " * _MARGIN, legend, width)
    for change in history.changes:
        when = f"{duration(change.at):>{_MARGIN - 1}} → "
        yield from _folded(when, f"{change.state}: {change.reason}", width)
        notified = [note.action for note in history.notifications if note.at == change.at]
        if notified:
            yield from _folded(" " * len(when), f"notified: {', '.join(notified)}", width)
    if not history.changes:
        yield _row("", "no transition")


def _row(label: str, cells: str) -> str:
    return f"{label:>{_MARGIN - 1}} {cells}".rstrip()


def _folded(prefix: str, text: str, width: int) -> list[str]:
    """Text in lines; names and paths stay whole, so that they can be copied."""
    return textwrap.wrap(
        text,
        width,
        initial_indent=prefix,
        subsequent_indent=" " * len(prefix),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _thinned(values: Values, per: int, alarm: MetricAlarm) -> Values:
    """Of every few evaluations the value nearest to an alarm; NaN where there is none."""
    padded = np.full(-(-len(values) // per) * per, np.nan)
    padded[: len(values)] = values
    extreme = np.fmin if alarm.comparison.startswith("LessThan") else np.fmax
    return np.asarray(extreme.reduce(padded.reshape(-1, per), axis=1))


def _chart(values: Values, alarm: MetricAlarm) -> Iterator[str]:
    present = values[~np.isnan(values)]
    threshold = alarm.threshold
    ends: Sequence[float] = [*present, *([threshold] if threshold is not None else [])]
    if not len(present):
        yield _row("", "(no datapoints)")
        return
    low, high = min(0.0, min(ends)), max(ends)
    span = (high - low) or 1.0
    levels = np.nan_to_num((values - low) / span * _HEIGHT * 8)
    at = None if threshold is None else int(np.clip((threshold - low) / span * _HEIGHT, 0, 6.99))
    for row in reversed(range(_HEIGHT)):
        cells = [_BLOCKS[int(np.clip(round(level) - 8 * row, 0, 8))] for level in levels]
        if row == at:
            cells = [cell if cell != " " else "┄" for cell in cells]
        label = f"{threshold:g}" if row == at else f"{high:g}" if row == _HEIGHT - 1 else ""
        yield f"{label:>{_MARGIN - 2}} ┤{''.join(cells).rstrip()}"
    if np.isnan(values).any():
        yield _row("missing", "".join("_" if missing else " " for missing in np.isnan(values)))


def _strip(history: History, count: int, per: int, every: int) -> str:
    """The state of every few evaluations: ALARM where it was that in any of them."""
    cells = []
    for index in range(0, count, per):
        first, last = history.start + every * (index + 1), history.start + every * (index + per)
        alarmed = any(begin <= last and first < end for begin, end in history.in_alarm())
        cells.append(_STRIP[State.ALARM if alarmed else history.state(last)])
    return "".join(cells)


def _expected(wrong: set[int], right: set[int], column: int, every: int) -> Iterator[str]:
    """A mark below the state of every time at which one was expected.

    Args:
        column: seconds that one stands for.
        every: seconds between two evaluations.
    """
    marks = dict.fromkeys(right, "✓") | dict.fromkeys(wrong, "✗")
    cells = [" "] * (max(marks, default=0) // column + 1)
    for at, mark in marks.items():
        cells[max(0, (at - every) // column)] = mark
    if marks:
        yield _row("expected", "".join(cells))


def _axis(count: int, per: int, every: int) -> str:
    """Times below the columns, as many as there is room for."""
    text = ""
    for column in range(0, -(-count // per), 10):
        text = text.ljust(column) + duration(every * column * per).replace(" ", "").ljust(9)
    return text.rstrip()
