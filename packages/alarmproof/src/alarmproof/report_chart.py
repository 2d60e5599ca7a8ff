"""A chart of a replayed alarm as SVG, without a script: its values, threshold, incidents."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from alarmproof.base import metric_table
from alarmproof.base.alarms import MetricAlarm
from alarmproof.base.arrays import Values
from alarmproof.base.metric_data import Recording
from alarmproof.evaluate import datapoints
from alarmproof.replay import Replayed

_WIDTH, _HEIGHT = 1000, 200
_SIDES = ("before", "after")
_Scale = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a chart may draw, so that a page of many stays small.

    Attributes:
        points: of a line; of more the lowest and highest of each stretch are kept.
        marks: incidents, and notifications.
    """

    points: int
    marks: int


def chart(
    pair: tuple[Replayed, ...], recording: Recording, start: int, end: int, budget: Budget
) -> str:
    """The chart with its axes.

    Args:
        pair: as it was, and with changes where there are any.
        start, end: seconds since the epoch.
    """
    lines = [_line(replayed, recording, start, end) for replayed in pair]
    limits = [
        replayed.alarm.threshold
        for replayed in pair
        if isinstance(replayed.alarm, MetricAlarm) and replayed.alarm.threshold is not None
    ]
    drawn = [line for line in lines if line is not None and not np.isnan(line).all()]
    highest = max([*limits, *(float(np.nanmax(line)) for line in drawn), 0.0])
    lowest = min([*limits, *(float(np.nanmin(line)) for line in drawn), 0.0])
    span = (highest - lowest) * 1.08 or 1.0

    def x(at: float) -> float:
        return _WIDTH * (at - start) / (end - start)

    def y(value: float) -> float:
        return _HEIGHT * (1 - (value - lowest) / span)

    parts: list[str] = []
    for side, replayed in zip(_SIDES, pair, strict=False):
        parts += _incidents(replayed, side, x, budget.marks, halved=len(pair) > 1)
    for side, limit in zip(_SIDES, limits, strict=False):
        parts.append(f'<path class="limit {side}" d="M0 {y(limit):.1f}H{_WIDTH}"/>')
    for side, line in zip(_SIDES, lines, strict=False):
        first = lines[0] if side == "after" else None
        if line is not None and (first is None or not np.array_equal(line, first, equal_nan=True)):
            path = _path(line, start, budget.points, x, y)
            parts.append(f'<path class="line {side}" d="{path}"/>')
    for side, replayed in zip(_SIDES, pair, strict=False):
        parts += _notified(replayed, side, x, budget.marks)
    scale = "".join(
        f'<span style="top:{100 * y(value) / _HEIGHT:.1f}%">{value:.4g}</span>'
        for value in _apart((highest, lowest, *limits), span / 10)
    )
    middle = (start + end) // 2
    times = "".join(f"<span>{moment(at)}</span>" for at in (start, middle, end))
    return (
        f'<figure><figcaption>{html.escape(_caption(pair[0]))}</figcaption><div class="plot">'
        f'<div class="scale">{scale}</div><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'preserveAspectRatio="none" role="img">{"".join(parts)}</svg></div>'
        f'<div class="times">{times}</div></figure>'
    )


def _apart(values: tuple[float, ...], distance: float) -> list[float]:
    """Values without those that are too close to one before them to be read."""
    kept: list[float] = []
    for value in values:
        if all(abs(value - other) >= distance for other in kept):
            kept.append(value)
    return kept


def moment(at: int) -> str:
    """A time in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


def _line(replayed: Replayed, recording: Recording, start: int, end: int) -> Values | None:
    if not isinstance(replayed.alarm, MetricAlarm) or replayed.history is None:
        return None
    return datapoints(replayed.alarm, recording, start=start, end=end)


def _caption(replayed: Replayed) -> str:
    """The statistic, metric and unit; or the expression."""
    alarm = replayed.alarm
    if not isinstance(alarm, MetricAlarm):
        return "A composite alarm."
    query = next((query for query in alarm.queries if query.id == alarm.returned), None)
    if query is None:
        return ""
    if query.metric is None:
        return f"{query.expression}, every {alarm.period} s"
    entry = metric_table.published(query.metric)
    unit = query.unit or (entry.unit if entry else "")
    of_unit = f" in {unit}" if unit else ""
    return f"{query.statistic} of {query.metric}{of_unit}, every {alarm.period} s"


def _incidents(
    replayed: Replayed, side: str, x: _Scale, most: int, *, halved: bool
) -> Iterator[str]:
    """Shaded stretches in ALARM; with changes each side has its half."""
    height = _HEIGHT / 2 if halved else _HEIGHT
    top = _HEIGHT / 2 if halved and side == "before" else 0
    for begin, end in replayed.incidents[:most]:
        width = max(x(end) - x(begin), 0.5)
        yield (
            f'<rect class="alarm {side}" x="{x(begin):.1f}" y="{top:g}" width="{width:.1f}" '
            f'height="{height:g}"><title>ALARM {moment(begin)} to {moment(end)}</title></rect>'
        )


def _notified(replayed: Replayed, side: str, x: _Scale, most: int) -> Iterator[str]:
    top = 16 * _SIDES.index(side)
    for note in (replayed.history.notifications if replayed.history else ())[:most]:
        text = html.escape(f"{moment(note.at)} {note.state}: {note.action}")
        path = f'<path class="note {side}" d="M{x(note.at):.1f} {top}v14">'
        yield f"{path}<title>{text}</title></path>"


def _path(values: Values, start: int, points: int, x: _Scale, y: _Scale) -> str:
    """A line, broken where there is no value."""
    per = max(1, -(-len(values) // max(points // 2, 1)))
    made: list[str] = []
    command = "M"
    for begin in range(0, len(values), per):
        some = values[begin : begin + per]
        if np.isnan(some).all():
            command = "M"
            continue
        for index in sorted({int(np.nanargmin(some)), int(np.nanargmax(some))}):
            at = start + 60 * (begin + index + 1)
            made.append(f"{command}{x(at):.1f} {y(float(some[index])):.1f}")
            command = "L"
    return "".join(made)
