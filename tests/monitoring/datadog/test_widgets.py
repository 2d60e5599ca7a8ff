"""One widget: what becomes of it, and what is told of a mistake in it."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.datadog import metrics
from monitoring.datadog.boards import COLUMNS, _columns
from monitoring.datadog.environment import BoardError
from monitoring.datadog.query import metric as read
from monitoring.datadog.widgets import Widgets
from monitoring.model import metrics as cloudwatch
from monitoring.model.dashboards import Formula, Graph, Line, LogCount, Series
from monitoring.model.signals import Query
from settings.paths import ROOT
from tests.datadog_boards import (
    Body,
    made,
    queries,
)


def _rendered(*lines: Line | Series | LogCount | Formula, **more: Any) -> Body:
    fields: dict[str, Any] = {"title": "Mine", "unit": "Count", "lines": lines, **more}
    return Widgets(made(), deployed="event:deployment").graph(Graph(**fields))


@given(st.integers(min_value=1, max_value=COLUMNS))
def test_a_row_takes_the_whole_width(count: int) -> None:
    """However many widgets share a row, they fill it without a gap, none wider by more than one."""
    places = _columns(count)
    assert places[0][0] == 0
    assert sum(width for _, width in places) == COLUMNS
    assert all(x + width == other for (x, width), (other, _) in pairwise(places))
    widths = {width for _, width in places}
    assert max(widths) - min(widths) <= 1


@pytest.mark.parametrize(
    ("lines", "more", "message"),
    [
        (
            (Series("aws.lambda.nothing", "sum", "x"),),
            {},
            r"panel 'Mine', lines\[0\].name: 'aws.lambda.nothing' is no metric in monitoring/dat",
        ),
        (
            (Series("aws.lambda.errors", "sum", "x", "publisher"),),
            {},
            r"panel 'Mine', lines\[0\].role: 'publisher' is nothing that this environment has",
        ),
        (
            (Series("aws.lambda.errors", "sum", "x", tags={"cold_start": "true"}),),
            {},
            r"panel 'Mine', lines\[0\].tags: 'aws.lambda.errors' has no tag 'cold_start'",
        ),
        (
            (Line(Query(cloudwatch.QUEUE_GROUPS, "Maximum", "queue"), "x"),),
            {},
            r"panel 'Mine', lines\[0\].query: Datadog has no Maximum of ApproximateNumberOfGroups",
        ),
        (
            (Formula("100 * a / b", "x"),),
            {},
            r"panel 'Mine', lines\[0\].expression: 'a' is no line's id; give a line that id",
        ),
        (
            (
                Series("aws.lambda.duration", "avg", "x", "publish"),
                Series("aws.lambda.enhanced.duration", "avg", "y", "publish"),
            ),
            {},
            r"panel 'Mine', lines: in millisecond and second on one axis; give each unit a panel",
        ),
        (
            (Series("aws.lambda.errors", "sum", "x", "publish"),),
            {"signals": ("queue-age-page",)},
            r"panel 'Mine', signals: 'queue-age-page': 'aws.lambda.errors' is in error, which no",
        ),
        (
            (Series("aws.lambda.errors", "sum", "x", color="#123456"),),
            {},
            r"panel 'Mine', lines\[0\].color: '#123456' has no palette; take one of #",
        ),
        (
            (Series("aws.lambda.duration", "avg", "x"),),
            {"limits": {"publish.patience": "enough"}},
            r"panel 'Mine', limits: 'publish.patience' is no fact of this environment",
        ),
        (
            (LogCount("@level:ERROR", "x"),),
            {"signals": ("queue-age-page",)},
            r"panel 'Mine', unit: is Count, but 'queue-age-page' is in Seconds; draw it where",
        ),
    ],
)
def test_a_mistake_is_told_with_panel_and_field(
    lines: tuple[Line | Series | LogCount | Formula, ...], more: dict[str, Any], message: str
) -> None:
    """What Datadog would show as an empty graph, or a line in the wrong place, is an error here."""
    with pytest.raises(BoardError, match=message):
        _rendered(*lines, **more)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(metrics.METRICS)), st.sampled_from([60, 300, 3600, 86_400]))
def test_any_metric_of_the_table_can_be_drawn(name: str, period: int) -> None:
    """A graph of whatever the table has is a query that can be read, over the period asked for."""
    known = metrics.METRICS[name]
    over = "max" if known.type == "gauge" else "sum"
    graph = _rendered(Series(name, over, "x"), period=period)
    [query] = queries(graph)
    assert read(query["query"]).metrics == (name,)
    assert query["query"].endswith(f".rollup({over}, {period})")


def test_the_documented_widget_is_one() -> None:
    """The example of docs/add-a-widget.md, in the place it names, is what is said there of it."""
    text = (ROOT / "docs" / "add-a-widget.md").read_text()
    [block] = re.findall(r"```python\n(.*?)```", text, re.S)

    def made_for(role: str, *, watched: bool) -> Any:
        def own(name: str, aggregation: str, label: str) -> Series:
            return Series(f"aws.lambda.enhanced.{name}", aggregation, label, role)

        names = {"Graph": Graph, "own": own, "role": role, "watched": watched}
        graph = eval(block, names)  # noqa: S307 - our own text
        return Widgets(made(), deployed="event:deployment").graph(graph)

    body = made_for("publish", watched=True)
    assert body["markers"][0]["value"] == "y = 10000"
    [average, longest] = queries(body)
    assert average["query"].startswith(
        "avg:aws.lambda.enhanced.post_runtime_duration{$env,$service,"
    )
    assert longest["query"].endswith("functionname:webhook-buffer-stg-publish}.rollup(max, 60)")
    assert "markers" not in made_for("notify", watched=False)
