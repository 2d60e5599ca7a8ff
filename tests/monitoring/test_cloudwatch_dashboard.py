"""The CloudWatch renderer: what becomes of panels, and where thresholds are drawn."""

from __future__ import annotations

import json
from typing import Any

import pytest

import dashboards
from monitoring.alarm_set import PROBE, alarm_set
from monitoring.model import metrics
from monitoring.model.dashboards import (
    Color,
    Formula,
    Line,
    LogCount,
    LogList,
    Note,
    Panel,
    Series,
    Shape,
)
from monitoring.model.signals import Query
from monitoring.resources import resources
from settings.errors import DefinitionError
from settings.loader import load
from tests.dashboard_fixtures import (
    CATALOG,
    EXISTING,
    across,
    cloudwatch_widgets,
    in_cloudwatch,
    made,
    showing,
)

_AGE = Query(metrics.QUEUE_AGE, "Maximum", "queue")
_DURATION = Query(metrics.FUNCTION_DURATION, "p99", "publish")


def _age(**more: Any) -> Panel:
    fields: dict[str, Any] = {"title": "Age", "unit": "Seconds", "lines": (Line("age", _AGE),)}
    return Panel(**{**fields, **more})


def _slow(**more: Any) -> Panel:
    lines = (Line("p99", _DURATION),)
    return Panel(title="Duration", unit="Milliseconds", lines=lines, **more)


def _text(kind: str, runbook: str) -> str:
    widgets = cloudwatch_widgets(made(runbookUrl=runbook), showing((_age(),)))
    texts = [widget["properties"]["markdown"] for widget in widgets if widget["type"] == "text"]
    return str(texts[0 if kind == "header" else -1])


def test_a_panel_says_where_what_how_often_and_in_which_unit() -> None:
    """A graph is complete: region, title, period, view, axis and metrics."""
    [panel] = in_cloudwatch((_age(period=300),))
    assert panel == {
        "title": "Age",
        "region": "eu-west-1",
        "period": 300,
        "view": "timeSeries",
        "stacked": False,
        "metrics": [
            [
                "AWS/SQS",
                "ApproximateAgeOfOldestMessage",
                "QueueName",
                "webhook-buffer-stg.fifo",
                {"stat": "Maximum", "label": "age"},
            ]
        ],
        "yAxis": {"left": {"label": "s", "min": 0, "showUnits": False}},
    }


def test_panels_of_a_row_share_its_width_below_the_section_s_title() -> None:
    """Two panels take 12 columns each, the next row lies below them."""
    dashboards = showing((_age(), _age()), (_age(),))
    widgets = cloudwatch_widgets(made(), dashboards)
    [title] = [widget for widget in widgets if widget["properties"].get("markdown") == "## Mine"]
    places = [
        (widget["x"], widget["y"], widget["width"])
        for widget in widgets
        if widget["type"] == "metric"
    ]
    top = title["y"] + 1
    assert places == [(0, top, 12), (12, top, 12), (0, top + 6, 24)]


def test_what_cloudwatch_does_not_have_is_left_out() -> None:
    """Datadog's lines, formulas over them, other widgets, and what is empty without them."""
    log = Line("lines", datadog=LogCount("@level:ERROR"), id="l", hidden=True)
    series = Line("cost", datadog=Series("aws.lambda.enhanced.estimated_cost", "sum"))
    hidden = Line("hidden", _AGE, id="h", hidden=True)
    share = Formula("a / (l + h)", "share")
    mixed = _age(lines=(Line("age", _AGE, id="a"), hidden, log, series, share))
    elsewhere = _age(title="Elsewhere", lines=(log, series, Formula("2 * l", "twice")))
    [panel] = in_cloudwatch((Note("Read this."), mixed, elsewhere), (LogList("Log"),))
    assert [metric[-1]["label"] for metric in panel["metrics"]] == ["age"]
    widgets = cloudwatch_widgets(made(), showing((elsewhere, Note("Read this."))))
    assert not [widget for widget in widgets if widget["properties"].get("markdown") == "## Mine"]


def test_a_line_is_shown_as_it_says() -> None:
    """Id, color and visibility of a line, and expression and color of a formula."""
    [panel] = in_cloudwatch(
        (
            _age(
                lines=(
                    Line("age", _AGE, id="a", hidden=True, color=Color.RED),
                    Formula("a / {queue.retention}", "of {queue.retention} s", Color.BLUE),
                )
            ),
        )
    )
    age, share = panel["metrics"]
    assert age[-1] == {
        "stat": "Maximum", "label": "age", "id": "a", "visible": False, "color": "#d62728",
    }  # fmt: skip
    assert share == [{"expression": "a / 1209600", "label": "of 1209600 s", "color": "#1f77b4"}]


def test_facts_are_filled_in_everywhere() -> None:
    """Period and statistic may name facts, too."""
    lag = Query(metrics.DELIVERY_LAG, "PR(:{slo.delivery_target})", "buffer")
    lines = (Line("in time", lag),)
    panel = Panel(title="Lag", unit="Percent", period="heartbeat.period", lines=lines)
    [drawn] = in_cloudwatch((panel,))
    assert drawn["period"] == 300
    assert drawn["metrics"][0][-1]["stat"] == "PR(:300000)"
    assert "{" not in json.dumps(drawn["metrics"]).replace('{"stat', "")


def test_shapes_and_numbers() -> None:
    """Parts of a whole are stacked, bars are lines here, a number is over the time shown."""
    stacked, bars, number = in_cloudwatch(
        (_age(shape=Shape.STACKED), _age(shape=Shape.BARS), _age(number=True))
    )
    assert (stacked["stacked"], bars["stacked"]) == (True, False)
    assert number["view"] == "singleValue"
    assert number["setPeriodToTimeRange"] is True


def test_thresholds_are_the_alarms_own() -> None:
    """A line is where its alarm fires, and says whose it is and how bad."""
    [panel] = in_cloudwatch((_age(signals=("waits", "waits-a-bit")),))
    assert across(panel) == {"waits (page): 14 min": 840, "waits-a-bit (ticket): 4 min": 240}
    assert [line["color"] for line in panel["annotations"]["horizontal"]] == ["#d62728", "#ff7f0e"]


def test_a_changed_threshold_moves_its_line() -> None:
    """What an environment changes in an alarm shows on its dashboard."""
    changes = {"waits": {"threshold": 1200, "severity": "ticket"}}
    [panel] = in_cloudwatch((_age(signals=("waits",)),), alarms=changes)
    assert across(panel) == {"waits (ticket): 20 min": 1200}


@pytest.mark.parametrize(
    ("signal", "overrides"),
    [("waits", {"alarms": {"waits": {"enabled": False}}}), ("asked-for", {})],
)
def test_a_signal_that_is_left_out_has_no_line(signal: str, overrides: dict[str, Any]) -> None:
    """Where there is no alarm, no line claims one."""
    [panel] = in_cloudwatch((_age(signals=(signal,)),), **overrides)
    assert "annotations" not in panel


def test_limits_are_drawn_in_the_graph_s_unit() -> None:
    """A timeout of seconds is a line in milliseconds."""
    [panel] = in_cloudwatch((_slow(limits={"publish.timeout": "timeout"}),))
    assert across(panel) == {"timeout: 10 s": 10_000}


def test_lines_that_fall_together_share_a_label() -> None:
    """Two labels on one spot can't be read; the worse severity gives the color."""
    panel = _slow(signals=("slow",), limits={"publish.timeout": "timeout"})
    [drawn] = in_cloudwatch((panel,), alarms={"slow": {"threshold": 10_000}})
    assert drawn["annotations"]["horizontal"] == [
        {"value": 10_000, "label": "slow (ticket), timeout: 10 s", "color": "#ff7f0e"}
    ]


def test_log_metrics_have_no_dimensions() -> None:
    """What a metric filter counts is found by its name alone."""
    line = Line("errors", Query(metrics.LOG_ERRORS, "Sum", "publish"))
    [panel] = in_cloudwatch((Panel(title="Log", unit="Count", lines=(line,)),))
    assert panel["metrics"] == [
        [
            "WebhookBuffer/Logs",
            "webhook-buffer-stg-publish-log-errors",
            {"stat": "Sum", "label": "errors"},
        ]
    ]


def test_the_api_s_id_may_be_a_token() -> None:
    """What the API's id is only the deployment knows; it stands in the body as it came."""
    settings = load("stg")
    alarms = alarm_set(settings, CATALOG, resources(settings, api_id="${Token[API.1]}"))
    line = Line("n", Query(metrics.HTTP_COUNT, "Sum", "api"))
    panel = Panel(title="Requests", unit="Count", lines=(line,))
    widgets = cloudwatch_widgets(alarms, showing((panel,)))
    [drawn] = [widget["properties"] for widget in widgets if widget["type"] == "metric"]
    assert drawn["metrics"][0][2:4] == ["ApiId", "${Token[API.1]}"]


def test_pages_stand_at_the_top_and_all_alarms_at_the_bottom() -> None:
    """First what wakes somebody, last every alarm's state; the probe has no place."""
    widgets = cloudwatch_widgets(made(), showing((_age(),)))
    first, last = [
        widget["properties"]["alarms"] for widget in widgets if widget["type"] == "alarm"
    ]
    arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:webhook-buffer-stg"
    assert first == [f"{arn}-waits"]
    assert last == [f"{arn}-waits", f"{arn}-waits-a-bit", f"{arn}-slow"]
    assert not any(PROBE in name for name in last)


def test_many_alarms_take_several_widgets() -> None:
    """CloudWatch shows 100 alarms in a widget at most; the rest gets another."""
    queues = [{"name": f"q{number}", "role": f"q{number}"} for number in range(130)]
    alarms = made(backend_url=None, existing={"queues": queues})
    widgets = cloudwatch_widgets(alarms, showing())
    lengths = [
        len(widget["properties"]["alarms"]) for widget in widgets if widget["type"] == "alarm"
    ]
    assert lengths == [100, 30, 100, 30]


def test_the_runbook_is_linked_where_it_is_a_url() -> None:
    """The console follows links into a runbook on the web, and shows the name of any other."""
    assert "[Runbook](https://example.com/runbook)" in _text(
        "header", "https://example.com/runbook"
    )
    linked = "[queue-age-page](https://example.com/runbook#queue-age-page)"
    assert linked in _text("footer", "https://example.com/runbook")
    assert "Runbook: `docs/runbook.md`" in _text("header", "docs/runbook.md")
    assert "](" not in _text("footer", "docs/runbook.md")


@pytest.mark.parametrize(
    ("panel", "problem"),
    [
        (_age(signals=("queue-age",)), "signals: unknown signal 'queue-age'"),
        (
            _slow(signals=("waits",)),
            "unit: is Milliseconds, but 'waits' is in Seconds; draw it where that is the unit",
        ),
        (
            _age(lines=(Line("age", Query(metrics.QUEUE_AGE, "Maximum", "queues")),)),
            "line 'age': this environment has no 'queues'",
        ),
        (
            _age(limits={"queue.patience": "enough"}),
            "limits: 'queue.patience' is not a fact of this environment",
        ),
        (
            _age(limits={"queue.in_flight_limit": "enough"}),
            "limits: 'queue.in_flight_limit' can't be converted to Seconds",
        ),
        (_age(period="tea.time"), "period: 'tea.time' is not a fact of this environment"),
        (
            _age(lines=(Line("{queue.name}", _AGE),)),
            "lines: '{queue.name}' names 'queue.name', which is not a fact of this environment",
        ),
        (
            _age(unit="Minutes"),
            "unit: unknown unit 'Minutes'; use one of Count, Seconds, Milliseconds, Percent, "
            "US dollars, Mebibytes",
        ),
        (
            _age(lines=(Line("age", _AGE), Formula("2 * a", "twice"))),
            "formula 'twice': no line has the id 'a'; give a line that id",
        ),
        (
            _age(lines=(Line("age", _AGE), Line("more", _AGE, id="m", hidden=True))),
            "line 'more': is hidden, and no formula uses it",
        ),
        (
            _age(lines=(Line("age", _AGE, id="a"), Line("b", _AGE, id="a"))),
            "lines: the id 'a' is used twice",
        ),
        (_age(lines=(Line("age"),)), "line 'age': has no source; name a metric"),
    ],
)
def test_a_mistake_names_panel_and_field(panel: Panel, problem: str) -> None:
    """What CloudWatch would show as an empty graph, or a line in the wrong place, is an error."""
    with pytest.raises(DefinitionError) as caught:
        in_cloudwatch((panel,))
    assert str(caught.value) == f"dashboard panel '{panel.title}', {problem}"


def test_all_mistakes_are_listed_at_once() -> None:
    """Whoever repairs a dashboard sees all that is wrong with it."""
    wrong = _age(signals=("one", "two"), limits={"queue.patience": "enough"})
    with pytest.raises(DefinitionError) as caught:
        in_cloudwatch((wrong, _slow(signals=("three",))))
    assert len(caught.value.problems) == 4


@pytest.mark.slow
def test_synth_reports_mistakes_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The CDK app ends with the list and exit code 2."""
    import app  # here, for loading the CDK takes seconds

    monkeypatch.setenv("WEBHOOK_BUFFER_ENV", "stg")
    monkeypatch.setattr(dashboards, "DASHBOARDS", showing((_age(signals=("weights",)),)))
    assert app.main() == 2
    error = capsys.readouterr().err
    # jsii warns on standard error, too, whenever it likes.
    assert "dashboard panel 'Age', signals: unknown signal 'weights'\n" in error
    assert "Traceback" not in error


def test_other_resources_are_shown_like_ours() -> None:
    """A queue that exists already is found by its own name, with its own signal's threshold."""
    line = Line("age", Query(metrics.QUEUE_AGE, "Maximum", "orders"))
    [panel] = in_cloudwatch((_age(lines=(line,), signals=("orders-waits",)),), **EXISTING)
    assert panel["metrics"][0][2:4] == ["QueueName", "orders.fifo"]
    assert across(panel) == {"orders-waits (page): 14 min": 840}
