"""A failed case in a terminal: what was compared, the threshold, the states that came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from proof.evaluate import datapoints
from proof.model import History, MetricAlarm, State, Values
from proof.notation import duration
from proof.runner import Outcome

_HEIGHT = 7
_MARGIN = 11
_BLOCKS = " ▁▂▃▄▅▆▇█"
_STRIP = {State.OK: "·", State.ALARM: "█", State.INSUFFICIENT_DATA: "?"}


def failed(outcome: Outcome, *, width: int = 80) -> str:
    """A failed case: its failures, its alarm's datapoints and states, and its transitions."""
    columns = max(20, width - _MARGIN - 1)
    lines = [f"  ✗ {failure}  ({outcome.case.file}:{failure.line})" for failure in outcome.failures]
    shown = _shown(outcome)
    for history in shown:
        lines += ["", *_alarm(outcome, history, columns)]
    return "\n".join(lines)


def _shown(outcome: Outcome) -> list[History]:
    """The alarm, and what failed beside it; a composite's parts that ever went on."""
    names = [outcome.alarm.name, *(one.alarm for one in outcome.failures)]
    if not isinstance(outcome.alarm, MetricAlarm):
        names += [one.alarm.name for one in outcome.histories.values() if one.in_alarm()]
    return [outcome.histories[name] for name in dict.fromkeys(names)]


def _alarm(outcome: Outcome, history: History, columns: int) -> Iterator[str]:
    alarm = history.alarm
    yield f"  {alarm.name}"
    minutes = (history.end - history.start) // 60
    per = -(-minutes // columns)
    if isinstance(alarm, MetricAlarm):
        values = datapoints(alarm, outcome.recording, start=history.start, end=history.end)
        yield from _chart(_bucketed(values, per), alarm)
    states = [history.state(60 * (minute + 1)) for minute in range(0, minutes, per)]
    yield f"{'state':>{_MARGIN - 1}} {''.join(_STRIP[one] for one in states)}"
    yield f"{'':>{_MARGIN}}{_axis(minutes, per)}"
    yield f"{'':>{_MARGIN}}· OK  █ ALARM  ? INSUFFICIENT_DATA, from {history.initial}"
    for change in history.changes:
        yield f"{duration(change.at):>{_MARGIN - 1}} → {change.state}: {change.reason}"
        told = [one.action for one in history.notifications if one.at == change.at]
        if told:
            yield f"{'':>{_MARGIN}}  told: {', '.join(told)}"
    if not history.changes:
        yield f"{'':>{_MARGIN}}no transition"


def _bucketed(values: Values, per: int) -> Values:
    """The largest value of every few minutes; NaN where there is none."""
    padded = np.full(-(-len(values) // per) * per, np.nan)
    padded[: len(values)] = values
    rows = padded.reshape(-1, per)
    whole = np.where(np.isnan(rows), -np.inf, rows).max(axis=1)
    return np.where(np.isinf(whole), np.nan, whole)


def _chart(values: Values, alarm: MetricAlarm) -> Iterator[str]:
    present = values[~np.isnan(values)]
    threshold = alarm.threshold
    ends: Sequence[float] = [*present, *([threshold] if threshold is not None else [])]
    if not len(present):
        yield f"{'':>{_MARGIN}}(no datapoint at all)"
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
        yield f"{label:>{_MARGIN - 2}} ┤{''.join(cells)}"
    gaps = "".join("_" if missing else " " for missing in np.isnan(values))
    if gaps.strip():
        yield f"{'missing':>{_MARGIN - 1}} {gaps}"


def _axis(minutes: int, per: int) -> str:
    """Times below the columns, as many as there is room for."""
    text = ""
    for column in range(0, -(-minutes // per), 10):
        text = text.ljust(column) + duration(60 * column * per).replace(" ", "").ljust(9)
    return text.rstrip()
