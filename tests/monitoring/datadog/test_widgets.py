"""One Datadog widget: what becomes of it, and how a mistake in it is reported."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.datadog import metrics
from monitoring.datadog.boards import COLUMNS, _columns, boards
from monitoring.datadog.query import metric as read
from monitoring.model import metrics as cloudwatch
from monitoring.model.dashboards import (
    Color,
    EventList,
    Formula,
    Line,
    LogCount,
    LogList,
    MonitorStates,
    Note,
    Panel,
    Series,
    Shape,
    SloState,
    TraceList,
    Widget,
)
from monitoring.model.signals import Query
from tests.dashboard_fixtures import (
    DATADOG,
    EXISTING,
    UNINSTRUMENTED,
    UNTRACED,
    Body,
    in_cloudwatch,
    in_datadog,
    made,
    markers,
    queries,
    showing,
)

_ENHANCED = "aws.lambda.enhanced"
_AGE = Query(cloudwatch.QUEUE_AGE, "Maximum", "queue")


def _series(name: str, aggregation: str, role: str = "", **more: Any) -> Line:
    return Line("x", datadog=Series(name, aggregation, role), **more)


def _panel(*lines: Line | Formula, **more: Any) -> Panel:
    fields: dict[str, Any] = {"title": "Mine", "unit": "Count", "lines": lines, **more}
    return Panel(**fields)


def _drawn(*lines: Line | Formula, **more: Any) -> Body:
    [widget] = in_datadog((_panel(*lines, **more),))
    return widget


def _problems(*widgets: Widget, **overrides: Any) -> list[str]:
    return boards(made(**overrides), showing(widgets))[1]


@given(st.integers(min_value=1, max_value=COLUMNS))
def test_a_row_takes_the_whole_width(count: int) -> None:
    """However many widgets share a row, they fill it without a gap, none wider by more than one."""
    places = _columns(count)
    assert places[0][0] == 0
    assert sum(width for _, width in places) == COLUMNS
    assert all(x + width == other for (x, width), (other, _) in pairwise(places))
    widths = {width for _, width in places}
    assert max(widths) - min(widths) <= 1


def test_a_graph_is_a_request_for_each_visible_line() -> None:
    """Its query has Datadog's name, the variables, the resource and the period."""
    graph = _drawn(Line("age", _AGE, _AGE, color=Color.RED), unit="Seconds", period=300)
    [request] = graph["requests"]
    [shown] = request["formulas"]
    assert shown == {
        "formula": "q0",
        "alias": "age",
        "number_format": {"unit": {"type": "canonical_unit", "unit_name": "second"}},
    }
    assert request["style"] == {"palette": "red"}
    assert request["display_type"] == "line"
    [query] = queries(graph)
    assert query["query"] == (
        "max:aws.sqs.approximate_age_of_oldest_message"
        "{$env,$service,$region,queuename:webhook-buffer-stg.fifo}.rollup(max, 300)"
    )
    assert graph["events"][0]["q"] == "event:deployment $env $service"


def test_log_lines_are_counted_over_the_period() -> None:
    """A line without a CloudWatch metric's counterpart is a search, of one function's log."""
    query = Query(cloudwatch.RECORD_FAILED, "Sum", "buffer")
    line = Line("not written", query, LogCount("@RecordFailed:1", "subscribe"))
    [count] = queries(_drawn(line, period=300), "logs")
    assert count["search"]["query"] == (
        "$env $service $region functionname:webhook-buffer-stg-subscribe @RecordFailed:1"
    )
    assert count["compute"] == {"aggregation": "count", "interval": 300_000}


def test_bars_and_numbers() -> None:
    """Bars and parts of a whole are bars; a number is one value over the time shown."""
    line = _series(f"{_ENHANCED}.errors", "sum")
    for shape in (Shape.BARS, Shape.STACKED):
        assert _drawn(line, shape=shape)["requests"][0]["display_type"] == "bars"
    number = _drawn(line, number=True)
    assert number["type"] == "query_value"
    [query] = queries(number)
    assert query["aggregator"] == "sum"
    assert "rollup" not in query["query"]


def test_a_formula_may_differ_from_cloudwatch_s() -> None:
    """Each dashboard reads its own expression, over the lines that it has."""
    deleted = Query(cloudwatch.QUEUE_DELETED, "Sum", "queue")
    rate = Series("aws.sqs.number_of_messages_deleted", "sum", "queue", rate=True)
    panel = _panel(
        Line("d", deleted, rate, id="d", hidden=True), Formula("d / 60", "rate", datadog="d")
    )
    [datadog], [cloudwatch_panel] = in_datadog((panel,)), in_cloudwatch((panel,))
    assert datadog["requests"][0]["formulas"][0]["formula"] == "d"
    assert queries(datadog)[0]["query"].endswith(".as_rate()")
    assert cloudwatch_panel["metrics"][-1][0]["expression"] == "d / 60"


@pytest.mark.parametrize(
    ("line", "overrides"),
    [
        (Line("x", _AGE), {}),
        (_series(f"{_ENHANCED}.errors", "sum", "publish"), UNINSTRUMENTED),
        (_series(f"{_ENHANCED}.errors", "sum"), UNINSTRUMENTED),
        (
            _series(f"{_ENHANCED}.errors", "sum", "publish"),
            {"datadog": {**DATADOG, "functions": ["subscribe"]}},
        ),
        (_series("trace.aws.lambda", "p95", "publish"), UNTRACED),
        (
            Line("x", datadog=Series("trace.backend.request", "p95", needs="subscribe")),
            {"datadog": {**DATADOG, "functions": ["publish"]}},
        ),
        (
            Line("x", datadog=Series("aws.lambda.timeout", "max", "publish", needs="publish")),
            UNINSTRUMENTED,
        ),
        (Line("x", datadog=LogCount("@level:ERROR", "publish")), UNINSTRUMENTED),
    ],
)
def test_what_datadog_does_not_have_is_left_out(line: Line, overrides: dict[str, Any]) -> None:
    """Lines that CloudWatch alone has, and those whose function or traces do not come."""
    kept = Line("kept", _AGE, _AGE)
    panels = (_panel(line, kept), _panel(line, title="Gone"))
    [widget] = in_datadog(panels, **overrides)
    assert widget["title"] == "Mine"
    assert [request["formulas"][0]["alias"] for request in widget["requests"]] == ["kept"]


def test_lists_of_what_is_not_sent_are_left_out() -> None:
    """Logs and traces are listed where the function is instrumented, traces where it is traced."""
    row = (LogList("Log", role="publish"), TraceList("Traces", "publish"), Note("Always."))

    def kinds(**overrides: Any) -> list[str]:
        return [
            str(definition.get("title", definition["type"]))
            for definition in in_datadog(row, **overrides)
        ]

    assert kinds() == ["Log", "Traces", "note"]
    assert kinds(**UNTRACED) == ["Log", "note"]
    assert kinds(**UNINSTRUMENTED) == ["note"]


def test_other_widgets() -> None:
    """Objectives by reference, monitors by our tags, events by what a search may name."""
    slo, states, events = in_datadog(
        (
            SloState("accepted", "Accepted"),
            MonitorStates("Monitors"),
            EventList("Events", '"{prefix}" {deployment}'),
        )
    )
    assert slo["slo_id"] == {"$ref": "slo:accepted"}
    for tag in ("env:stg", "service:webhook-buffer", "managed-by:webhook-buffer"):
        assert f'"{tag}"' in states["query"]
    query = events["requests"][0]["query"]["query_string"]
    assert query == '"webhook-buffer-stg" event:deployment'


def test_thresholds_are_drawn_in_the_unit_of_the_axis() -> None:
    """An alarm's milliseconds are 7,000 where the axis has milliseconds, 7 where it has
    seconds."""
    duration = Query(cloudwatch.FUNCTION_DURATION, "p99", "publish")
    shown: dict[str, Any] = {"signals": ("slow",), "limits": {"publish.timeout": "timeout"}}
    polled = _drawn(Line("p99", duration, duration), unit="Milliseconds", **shown)
    live = _drawn(_series(f"{_ENHANCED}.duration", "max", "publish"), unit="Seconds", **shown)
    assert markers(polled) == {"slow (ticket): 7 s": 7000, "timeout: 10 s": 10_000}
    assert markers(live) == {"slow (ticket): 7 s": 7, "timeout: 10 s": 10}


def test_thresholds_follow_the_settings() -> None:
    """A changed alarm moves its line, one that is left out has none."""
    panel = _panel(Line("age", _AGE, _AGE), unit="Seconds", signals=("waits", "asked-for"))
    [changed] = in_datadog((panel,), alarms={"waits": {"threshold": 1200, "severity": "ticket"}})
    assert markers(changed) == {"waits (ticket): 20 min": 1200}
    [without] = in_datadog((panel,), alarms={"waits": {"enabled": False}})
    assert "markers" not in without


def test_lines_that_fall_together_share_a_label() -> None:
    """Two labels on one spot can't be read; the worse severity gives the style."""
    panel = _panel(Line("age", _AGE, _AGE), unit="Seconds", signals=("waits-a-bit", "waits"))
    [graph] = in_datadog((panel,), alarms={"waits-a-bit": {"threshold": 840}})
    assert graph["markers"] == [
        {
            "value": "y = 840",
            "label": "waits-a-bit (ticket), waits (page): 14 min",
            "display_type": "error dashed",
        }
    ]


def test_monitors_are_drawn_where_their_metric_is() -> None:
    """A monitor's threshold is on the graph that names it, and on each of its metric and window."""
    cost = _series(f"{_ENHANCED}.estimated_cost", "sum")
    drawn = {"costly (info): 3 USD": 3}
    dollars: dict[str, Any] = {"unit": "US dollars"}
    assert markers(_drawn(cost, monitors=("costly",), **dollars)) == drawn
    assert markers(_drawn(cost, period=86_400, **dollars)) == drawn
    assert markers(_drawn(cost, period=3600, **dollars)) == {}


def test_existing_resources_are_found_by_their_names() -> None:
    """Names of others are in lower case, as Datadog keeps the values of tags."""
    query = Query(cloudwatch.FUNCTION_ERRORS, "Sum", "worker")
    [graph] = in_datadog((_panel(Line("errors", query, query)),), **EXISTING)
    assert "functionname:worker}" in queries(graph)[0]["query"]


@pytest.mark.parametrize(
    ("panel", "problem"),
    [
        (
            _panel(_series("aws.lambda.nothing", "sum")),
            "line 'x': 'aws.lambda.nothing' is not in monitoring/datadog/metrics.py; add it there "
            "with its unit and source",
        ),
        (
            _panel(_series("aws.lambda.errors", "sum", "publisher")),
            "line 'x': this environment has no 'publisher'",
        ),
        (
            _panel(Line("x", datadog=LogCount("", "publisher"))),
            "line 'x': this environment has no 'publisher'",
        ),
        (
            _panel(Line("x", datadog=Series("aws.lambda.errors", "sum", tags={"cold": "true"}))),
            "line 'x': 'aws.lambda.errors' has no tag 'cold'",
        ),
        (
            _panel(Line("x", datadog=Query(cloudwatch.QUEUE_GROUPS, "Maximum", "queue"))),
            "line 'x': Datadog has no Maximum of ApproximateNumberOfGroupsWithInflightMessages; "
            "use one that it has, or count log lines",
        ),
        (
            _panel(_series("aws.lambda.errors", "sum"), Formula("100 * a", "y")),
            "formula 'y': no line has the id 'a'; give a line that id",
        ),
        (
            _panel(
                _series("aws.lambda.duration", "avg", "publish"),
                _series(f"{_ENHANCED}.duration", "avg", "publish"),
            ),
            "lines: in millisecond and second on one axis; give each unit a panel of its own",
        ),
        (
            _panel(_series("aws.lambda.errors", "sum"), signals=("waits",)),
            "signals: 'waits': 'aws.lambda.errors' is in error, which no number in Seconds can be",
        ),
        (
            _panel(_series("aws.lambda.errors", "sum"), signals=("weights",)),
            "signals: unknown signal 'weights'",
        ),
        (
            _panel(_series("aws.lambda.errors", "sum"), monitors=("cost",)),
            "monitors: unknown monitor 'cost'",
        ),
        (
            _panel(_series("aws.lambda.duration", "avg"), limits={"publish.patience": "enough"}),
            "limits: 'publish.patience' is not a fact of this environment",
        ),
        (
            _panel(Line("x", datadog=LogCount("@level:ERROR")), signals=("waits",)),
            "unit: is Count, but 'waits' is in Seconds; draw it where that is the unit",
        ),
    ],
)
def test_a_mistake_names_panel_and_field(panel: Panel, problem: str) -> None:
    """What Datadog would show as an empty graph, or a line in the wrong place, is an error here."""
    assert _problems(panel) == [f"dashboard panel 'Mine', {problem}"]


def test_all_mistakes_are_listed_at_once() -> None:
    """Whoever repairs a dashboard sees all that is wrong with it, in every widget."""
    problems = _problems(
        _panel(_series("aws.lambda.nothing", "sum"), _series("aws.lambda.no", "sum")),
        _panel(_series("aws.lambda.errors", "sum"), signals=("one", "two"), title="Other"),
        TraceList("Traces", "publisher"),
    )
    assert [re.findall(r"'([\w.]+)'", problem)[-1] for problem in problems] == [
        "one", "two", "aws.lambda.nothing", "aws.lambda.no", "publisher",
    ]  # fmt: skip


@settings(max_examples=settings().max_examples // 4)
@given(st.sampled_from(sorted(metrics.METRICS)), st.sampled_from([60, 300, 3600, 86_400]))
def test_any_metric_of_the_table_can_be_drawn(name: str, period: int) -> None:
    """A graph of whatever the table has is a query that can be read, over the period asked for."""
    known = metrics.METRICS[name]
    over = "max" if known.type == "gauge" else "sum"
    unit = "US dollars" if known.unit == "dollar" else "Count"
    graph = _drawn(_series(name, over), period=period, unit=unit)
    [query] = queries(graph)
    assert read(query["query"]).metrics == (name,)
    assert query["query"].endswith(f".rollup({over}, {period})")


def _links(line: Line, **overrides: Any) -> dict[str, str]:
    [widget] = in_datadog((_panel(line),), **overrides)
    return {link["override_label"]: link["link"] for link in widget.get("custom_links", ())}


@pytest.mark.parametrize(
    ("line", "functions"),
    [
        (Line("x", datadog=_AGE), "functionname:webhook-buffer-stg-subscribe"),
        (_series(f"{_ENHANCED}.errors", "sum", "notify"), "functionname:webhook-buffer-stg-notify"),
        (
            Line("x", datadog=LogCount("@Backend5xx:1", "subscribe")),
            "functionname:webhook-buffer-stg-subscribe @Backend5xx:1",
        ),
    ],
)
def test_a_panel_leads_to_its_log_lines_and_traces(line: Line, functions: str) -> None:
    """Links lead to the function that works on what is shown, over the time that was clicked."""
    links = _links(line)
    chosen = "query={{$env}} {{$service}}"
    assert links["logs"].startswith(f"/logs?{chosen} {functions}&from_ts={{{{timestamp_start}}}}&")
    spans = functions.split(" ")[0].replace("functionname", "resource_name")
    assert f"{chosen} operation_name:aws.lambda {spans}&start=" in links["traces"]


def test_a_panel_of_all_functions_leads_to_all_of_them() -> None:
    """Each by its name."""
    links = _links(_series(f"{_ENHANCED}.errors", "sum"))
    assert "functionname:webhook-buffer-stg-publish OR functionname:" in links["logs"]


def test_what_sends_nothing_to_datadog_has_no_links() -> None:
    """Functions that are not instrumented, others' resources; without tracing no traces."""
    line = Line("x", datadog=_AGE)
    assert _links(line, **UNINSTRUMENTED) == {}
    assert _links(line, **UNTRACED).keys() == {"logs"}
    orders = Line("x", datadog=Query(cloudwatch.QUEUE_AGE, "Maximum", "orders"))
    assert _links(orders, **EXISTING) == {}
