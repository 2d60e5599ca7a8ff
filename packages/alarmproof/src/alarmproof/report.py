"""A replay as one HTML file: no network, a section for each alarm that fired."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from alarmproof.base.metric_data import Recording
from alarmproof.notation import duration
from alarmproof.replay import Replay, Replayed
from alarmproof.report_chart import Budget, chart, moment

# So that a page of any number of alarms stays below a megabyte: charts, and what all of them draw.
_CHARTS, _POINTS, _MARKS = 100, 24_000, 2_000
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:)]")
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #777; --ink: CanvasText; --bad: #c62828;
  --after: #1976d2 }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.15rem; margin: 2.5rem 0 .2rem; overflow-wrap: anywhere }
.wide { overflow-x: auto } table { border-collapse: collapse; width: 100%;
  font-variant-numeric: tabular-nums }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid var(--line) }
th:first-child, td:first-child { text-align: left } th { font-weight: 600; color: var(--soft) }
p, li { max-width: 60rem; overflow-wrap: anywhere } .soft { color: var(--soft) }
figure { margin: .5rem 0 } figcaption { color: var(--soft); font-size: .85rem;
  overflow-wrap: anywhere }
.plot { position: relative; height: 200px; margin-left: 3.6rem; border: 1px solid var(--line) }
svg { width: 100%; height: 100%; display: block; overflow: visible }
.scale span { position: absolute; right: calc(100% + .4rem); transform: translateY(-50%) }
.scale, .times { color: var(--soft); font-size: .75rem }
.times { display: flex; justify-content: space-between; gap: 1rem; margin-left: 3.6rem }
path { fill: none; vector-effect: non-scaling-stroke } .line { stroke: var(--ink) }
.limit { stroke: var(--ink); stroke-dasharray: 6 4 } .alarm { fill: #c6282840 }
.note { stroke: var(--bad); stroke-width: 3 } .line.after, .limit.after, .note.after
  { stroke: var(--after) } .alarm.after { fill: #1976d240 }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.5rem; padding: 0; list-style: none }
.legend svg { width: 28px; height: 14px; display: inline-block; vertical-align: middle }
@media (max-width: 44rem) { thead { display: none } tr { display: block; padding: .4rem 0;
  border-bottom: 1px solid var(--line) } td { display: flex; justify-content: space-between;
  border: 0; padding: .1rem 0; overflow-wrap: anywhere }
  LABELS }
details { margin: 1rem 0 } @media print { body { max-width: none; margin: 0 } }
"""
_HEADS = ("Alarm", "Fired", "Notified", "A week", "Time in ALARM", "Longest", "Flaps")
# A phone has no width for the table, so that each figure has its word beside it there.
_LABELS = " ".join(
    f'td:nth-child({number})::before {{ content: "{head}"; color: var(--soft) }}'
    for number, head in enumerate(_HEADS[1:], start=2)
)
# What a chart has: a word, and how it is drawn in 28 by 14.
_LEGEND = (
    ("compared with the threshold", '<path class="line {}" d="M0 7H28"/>'),
    ("threshold", '<path class="limit {}" d="M0 7H28"/>'),
    ("in ALARM", '<rect class="alarm {}" width="28" height="14"/>'),
    ("notified", '<path class="note {}" d="M14 0v14"/>'),
)


def report(replay: Replay, recording: Recording, *, title: str) -> str:
    """The whole page."""
    return "\n".join(_page(replay, recording, title))


def _page(replay: Replay, recording: Recording, title: str) -> Iterator[str]:
    fired = [pair for pair in _pairs(replay) if any(replayed.incidents for replayed in pair)]
    yield '<!doctype html><html lang="en"><meta charset="utf-8">'
    yield f"<title>{html.escape(title)}</title>"
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<style>{_STYLE.replace('LABELS', _LABELS)}</style>"
    yield f'<h1 id="top">{html.escape(title)}</h1>'
    yield f"<p>{moment(replay.start)} to {moment(replay.end)} UTC, "
    yield f"{duration(replay.end - replay.start)}. "
    yield f"{len(fired)} of {len(replay.before)} alarms fired.</p>"
    for name, some in (("before", replay.before), ("after", replay.after)):
        if some:
            label = f" {name} the changes" if replay.after else ""
            yield f"<p>Notified of ALARM{label}: {html.escape(replay.notified(some))}.</p>"
    if replay.changes:
        changed = ", ".join(f"<code>{html.escape(str(change))}</code>" for change in replay.changes)
        yield f"<p>Changed: {changed}.</p>"
    yield f'<div class="wide">{_table(replay, fired)}</div>'
    drawn = sorted(fired, key=_longest, reverse=True)[:_CHARTS]
    if drawn:
        yield _legend(changes=bool(replay.changes))
    budget = Budget(_POINTS // max(len(drawn), 1), max(_MARKS // max(len(drawn), 1), 20))
    for number, pair in enumerate(fired):
        if pair not in drawn:
            continue
        yield f'<h2 id="a{number}">{html.escape(pair[0].alarm.name)}</h2>'
        if pair[0].alarm.description:
            yield f'<p class="soft">{_linked(pair[0].alarm.description)}</p>'
        yield chart(pair, recording, replay.start, replay.end, budget)
        yield '<p><a href="#top">All alarms</a></p>'
    if len(fired) > len(drawn):
        yield f"<p>Drawn are the {_CHARTS} alarms that were in ALARM for longest.</p>"
    yield from _rest(replay, {pair[0].alarm.name for pair in fired})


def _longest(pair: tuple[Replayed, ...]) -> int:
    return max(replayed.seconds_in_alarm for replayed in pair)


def _legend(*, changes: bool) -> str:
    """What lines, shades and ticks mean, before and after the changes."""
    sides = (("before", ""), ("after", " after the changes")) if changes else (("before", ""),)
    items = "".join(
        f'<li><svg viewBox="0 0 28 14">{drawing.format(side)}</svg> {word}{suffix}</li>'
        for side, suffix in sides
        for word, drawing in _LEGEND
    )
    return f'<ul class="legend">{items}</ul>'


def _linked(text: str) -> str:
    """A stranger's text, escaped, with its links."""
    made, end = [], 0
    for match in _LINK.finditer(text):
        address = html.escape(match[0])
        made.append(html.escape(text[end : match.start()]))
        made.append(f'<a href="{address}" rel="noreferrer">{address}</a>')
        end = match.end()
    return "".join((*made, html.escape(text[end:])))


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
    head = "".join(f"<th>{heading}</th>" for heading in _HEADS)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


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
