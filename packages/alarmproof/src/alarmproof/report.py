"""A replay as one HTML file: no network, a section for each alarm that fired."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from alarmproof.alarms import MetricAlarm
from alarmproof.arrays import Values
from alarmproof.evaluate import datapoints
from alarmproof.history import History
from alarmproof.metric_data import Recording
from alarmproof.notation import duration
from alarmproof.replay import Replay, Replayed

# Points that a chart draws at most; of more the lowest and highest of each stretch are kept.
_POINTS = 4000
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #888; --bad: #c62828; --after: #1565c0 }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.15rem; margin: 2.5rem 0 .2rem }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid var(--line) }
th:first-child, td:first-child { text-align: left } th { font-weight: 600; color: var(--soft) }
p, li { max-width: 60rem } .soft { color: var(--soft) } .bad { color: var(--bad) }
.chart { background: #fff; border-radius: 6px; margin: .5rem 0 } details { margin: 1rem 0 }
@media print { body { max-width: none; margin: 0 } h2 { break-after: avoid } }
"""


def report(replay: Replay, recording: Recording, *, title: str) -> str:
    """The whole page."""
    return "\n".join(_page(replay, recording, title))


def _page(replay: Replay, recording: Recording, title: str) -> Iterator[str]:
    from plotly.offline import get_plotlyjs

    fired = [pair for pair in _pairs(replay) if any(replayed.incidents for replayed in pair)]
    yield '<!doctype html><html lang="en"><meta charset="utf-8">'
    yield f"<title>{html.escape(title)}</title>"
    yield '<meta name="viewport" content="width=device-width">'
    yield f"<style>{_STYLE}</style><script>{get_plotlyjs()}</script>"
    yield f"<h1>{html.escape(title)}</h1>"
    yield f"<p>{_day(replay.start)} to {_day(replay.end)}, {duration(replay.end - replay.start)}. "
    yield f"{len(fired)} of {len(replay.before)} alarms fired.</p>"
    for name, some in (("before", replay.before), ("after", replay.after)):
        if some:
            label = f" {name} the changes" if replay.after else ""
            yield f"<p>Notified of ALARM{label}: {html.escape(replay.notified(some))}.</p>"
    if replay.changes:
        changed = ", ".join(f"<code>{html.escape(str(change))}</code>" for change in replay.changes)
        blue = '<span style="color:var(--after)">blue</span>'
        yield f"<p>Changed: {changed}; the result is {blue}.</p>"
    yield _table(replay, fired)
    for number, pair in enumerate(fired):
        yield f'<h2 id="a{number}">{html.escape(pair[0].alarm.name)}</h2>'
        if pair[0].alarm.description:
            yield f'<p class="soft">{html.escape(pair[0].alarm.description)}</p>'
        yield f'<div class="chart">{_chart(replay, pair, recording)}</div>'
    yield from _rest(replay, {pair[0].alarm.name for pair in fired})


def _pairs(replay: Replay) -> Iterator[tuple[Replayed, ...]]:
    if not replay.after:
        yield from ((replayed,) for replayed in replay.before)
        return
    after = {replayed.alarm.name: replayed for replayed in replay.after}
    yield from ((replayed, after[replayed.alarm.name]) for replayed in replay.before)


def _table(replay: Replay, fired: Sequence[tuple[Replayed, ...]]) -> str:
    if not fired:
        return "<p>No alarm fired.</p>"
    rows = []
    for number, pair in enumerate(fired):
        cells = [
            " → ".join(dict.fromkeys(texts)) if len(set(texts)) > 1 else texts[0]
            for texts in zip(*(replay.figures(side) for side in pair), strict=True)
        ]
        name = html.escape(pair[0].alarm.name)
        rows.append(
            f'<tr><td><a href="#a{number}">{name}</a></td>'
            + "".join(f"<td>{cell}</td>" for cell in cells)
            + "</tr>"
        )
    heads = ("Alarm", "Fired", "Notified", "A week", "Time in ALARM", "Longest", "Flaps")
    head = "".join(f"<th>{heading}</th>" for heading in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _chart(replay: Replay, pair: tuple[Replayed, ...], recording: Recording) -> str:
    from plotly import graph_objects, io

    figure = graph_objects.Figure()
    for replayed, color in zip(pair, ("#1f2937", "#1565c0"), strict=False):
        alarm = replayed.alarm
        if not isinstance(alarm, MetricAlarm) or replayed.history is None:
            continue
        if color == "#1f2937" or alarm.period != _period(pair[0]):
            values = datapoints(alarm, recording, start=replay.start, end=replay.end)
            times, shown = _thinned(replay.start, values)
            figure.add_scatter(x=times, y=shown, mode="lines", name="compared",
                               line={"width": 1, "color": color})  # fmt: skip
        if alarm.threshold is not None:
            figure.add_hline(y=alarm.threshold, line={"dash": "dash", "color": color, "width": 1})
    shades = (("rgba(198,40,40,.25)", 0.5 if len(pair) > 1 else 0.0, 1.0),
              ("rgba(21,101,192,.30)", 0.0, 0.5))  # fmt: skip
    for replayed, (shade, low, high) in zip(pair, shades, strict=False):
        for begin, end in replayed.incidents[:500]:
            figure.add_shape(type="rect", xref="x", yref="paper", x0=_at(begin), x1=_at(end),
                             y0=low, y1=high, fillcolor=shade, line_width=0,
                             layer="below")  # fmt: skip
        notes = _notes(replayed.history)
        if notes:
            figure.add_scatter(
                x=[_at(at) for at, _ in notes], y=[1.02] * len(notes), yaxis="y2", mode="markers",
                marker={"symbol": "triangle-down", "size": 9, "color": shade.replace(".25", "1")},
                text=[text for _, text in notes], hoverinfo="text+x", name="notified",
            )  # fmt: skip
    figure.update_layout(
        height=260 if isinstance(pair[0].alarm, MetricAlarm) else 140,
        margin={"l": 50, "r": 15, "t": 22, "b": 30}, showlegend=False, template="plotly_white",
        xaxis={"range": [_at(replay.start), _at(replay.end)]},
        yaxis={"rangemode": "tozero", "visible": isinstance(pair[0].alarm, MetricAlarm)},
        yaxis2={"overlaying": "y", "range": [0, 1.03], "visible": False},
    )  # fmt: skip
    made: str = io.to_html(
        figure, full_html=False, include_plotlyjs=False, config={"responsive": True}
    )
    return made


def _period(replayed: Replayed) -> int:
    return replayed.alarm.period if isinstance(replayed.alarm, MetricAlarm) else 0


def _notes(history: History | None) -> list[tuple[int, str]]:
    notes = history.notifications if history else ()
    return [(note.at, f"{note.state}: {note.action}") for note in notes[:1000]]


def _thinned(start: int, values: Values) -> tuple[list[str], list[Any]]:
    """Times and values, of a long series the lowest and highest of each stretch."""
    per = max(1, -(-len(values) // (_POINTS // 2)))
    indexes: list[int] = []
    for begin in range(0, len(values), per):
        some = values[begin : begin + per]
        if np.isnan(some).all():
            indexes.append(begin)
        else:
            indexes += sorted({begin + int(np.nanargmin(some)), begin + int(np.nanargmax(some))})
    times = [_at(start + 60 * (index + 1)) for index in indexes]
    return times, [None if np.isnan(values[index]) else float(values[index]) for index in indexes]


def _rest(replay: Replay, fired: set[str]) -> Iterator[str]:
    others = [replayed for replayed in replay.before if replayed.alarm.name not in fired]
    read = [replayed for replayed in others if not replayed.refused]
    refused = [f"{other.alarm.name}: {other.refused}" for other in others if other.refused]
    groups = (
        ("Not evaluated", refused),
        (
            "Without any data: dead, or not recorded",
            [other.alarm.name for other in read if other.unseen],
        ),
        ("Never fired", [other.alarm.name for other in read if not other.unseen]),
    )
    for title, names in groups:
        if names:
            items = "".join(f"<li>{html.escape(name)}</li>" for name in names)
            yield f"<details><summary>{title}: {len(names)}</summary><ul>{items}</ul></details>"


def _at(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


def _day(at: int) -> str:
    return f"{_at(at)} UTC"
