"""Widgets that others laid out, on a session: what is drawn of them, and what is not."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from monitoring.datadog import query_tree
from settings.errors import InputError
from settings.loader import load
from tests.webhook_buffer.console.sessions import MINUTES, OUTAGE, made_board, outage, values
from tests.webhook_buffer.console.strangers import HOSTILE, WIDGETS, query
from tests.webhook_buffer.live.test_observations import START
from webhook_buffer.composition import alarm_set
from webhook_buffer.console import log_counts
from webhook_buffer.console.frame import Frame
from webhook_buffer.console.numbers import Numbers
from webhook_buffer.console.ranked import changes
from webhook_buffer.console.state import State

_END = START + 60 * MINUTES


def _shown(state: State, definition: Any) -> dict[str, Any]:
    board = {"title": "Any", "widgets": [{"definition": definition}]}
    widget: dict[str, Any] = made_board(state, board)["widgets"][0]
    return widget


@pytest.mark.parametrize(("definition", "expected"), WIDGETS)
def test_a_strangers_widget_shows_what_it_can(
    state: State, definition: dict[str, Any], expected: str
) -> None:
    """Numbers, lines or text of the session, or the reason why there are none."""
    shown = _shown(state, definition)
    assert expected in shown or expected in shown["reason"]
    assert "can't be read" not in shown.get("reason", "")


@pytest.mark.parametrize("definition", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_widget_does_no_harm(state: State, definition: dict[str, Any]) -> None:
    """It is drawn, or has a reason; no number in it is beyond what JSON has."""
    shown = _shown(state, definition)
    assert shown.keys() & {"series", "value", "rows", "lines", "content", "widgets", "reason"}
    json.dumps(shown, allow_nan=False)


@pytest.mark.parametrize(
    "variables", [5, "text", [5, None], [{"name": ["a"], "defaults": 5}], [{"default": "*"}]]
)
def test_strange_variables_are_no_obstacle(state: State, variables: Any) -> None:
    """A variable in another form than Datadog's is left out, or has the value that it names."""
    shown = made_board(state, {"widgets": [], "template_variables": variables})
    assert {variable["value"] for variable in shown["variables"]} <= {"*"}


def test_a_file_has_a_bounded_number_of_widgets(state: State) -> None:
    """More than people lay out are refused before anything is computed, groups or not."""
    note = {"definition": {"type": "note", "content": "x"}}
    group = {"definition": {"type": "group", "widgets": [note] * 501}}
    for widgets in ([note] * 501, [group]):
        with pytest.raises(InputError, match="more than 500 widgets"):
            made_board(state, {"widgets": widgets})


class _Rising:
    """Numbers of a metric that is the session's hour, for ``a``; ``b`` begins in the second."""

    def of_datadog(self, _: Any, frame: Frame) -> dict[str, Any]:
        hour = (frame.start - START) // 3600
        later = float(hour) if hour else np.nan
        return {"a": np.full(frame.count, 10.0 + hour), "b": np.full(frame.count, later)}


@pytest.mark.parametrize(
    ("asked", "value"),
    [({}, 1.0), ({"change_type": "relative"}, 10.0), ({"compare_to": "day_before"}, 24.0)],
)
def test_a_change_is_from_the_same_time_earlier(asked: dict[str, Any], value: float) -> None:
    """By so much, or so many percent; what had no number then has no change."""
    rising: Any = _Rising()
    hours = 24 if "compare_to" in asked else 1
    start = START + 3600 * hours
    request = {**query("avg:x{*} by {functionname}"), **asked}
    [row] = changes([request], rising, start, start + 600)["rows"][:1]
    assert (row["label"].split()[-1], row["value"]) == ("a", pytest.approx(value))


@pytest.mark.parametrize("kind", ["toplist", "query_table"])
def test_grouped_numbers_are_ranked(state: State, kind: str) -> None:
    """By function, the largest first: subscribe also retried."""
    calls = "sum:aws.lambda.invocations{*} by {functionname}.as_count()"
    rows = _shown(state, {"type": kind, "requests": [query(calls)]})["rows"]
    assert [(row["label"].rpartition("-")[2], row["value"]) for row in rows[:2]] == [
        ("subscribe", 6 * MINUTES + 6 * len(OUTAGE)), ("publish", 6 * MINUTES),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("by", "labels"),
    [
        ("service", ["webhook-buffer"]),
        ("env,service", ["local, webhook-buffer"]),
        ("functionname,env", ["webhook-buffer-local-subscribe, local"]),
    ],
)
def test_what_a_session_has_one_of_is_a_group(state: State, by: str, labels: list[str]) -> None:
    """Environment, service and region are the session's own; other tags are as they are."""
    calls = f"sum:aws.lambda.invocations{{*}} by {{{by}}}.as_count()"
    rows = _shown(state, {"type": "toplist", "requests": [query(calls)]})["rows"]
    assert [row["label"] for row in rows][: len(labels)] == [f"{label}" for label in labels]


def test_a_tables_latency_is_of_its_operation() -> None:
    """As CloudWatch publishes it: by operation, whose name Datadog has in lower case."""
    session = outage()
    key = ("AWS/DynamoDB", "SuccessfulRequestLatency", "UpdateItem")
    values = [[session.start, 7.0]]
    session.apply({"kind": "stated", "key": key, "statistic": "Average", "values": values})
    numbers = Numbers(session, alarm_set(load("local")), log_counts.LogCounts("x"), {key})
    asked = query_tree.metric("avg:aws.dynamodb.successful_request_latency{operation:updateitem}")
    assert isinstance(asked, query_tree.Atom)
    frame = Frame.over(session.start, session.start + 60)
    assert numbers.of_datadog(asked, frame) == {"": np.array([7.0])}


def test_a_tag_that_a_metric_lacks_groups_nothing(state: State) -> None:
    """Traces of Lambda have no region."""
    hits = "sum:trace.aws.lambda.hits{*} by {region}.as_count()"
    shown = _shown(state, {"type": "toplist", "requests": [query(hits)]})
    assert shown["reason"] == "trace.aws.lambda.hits has no tag region."


_FAILED = 6 * len(OUTAGE) + 1


@pytest.mark.parametrize("older", [True, False])
def test_log_lines_are_counted_by_facet(state: State, older: bool) -> None:
    """Within each value of the first facet, the second's with the most lines; in either form."""
    search = {"query": "functionname:webhook-buffer-local-subscribe @event:webhook.*"}
    facets = [{"facet": "@event"}, {"facet": "@group_id", "limit": 1}]
    asked: dict[str, Any] = {
        "search": search, "compute": {"aggregation": "count"}, "group_by": facets,
    }  # fmt: skip
    body = (
        {"log_query": {"index": "*", **asked}}
        if older
        else {"queries": [{"data_source": "logs", "name": "q", **asked}]}
    )
    rows = _shown(state, {"type": "toplist", "requests": [body]})["rows"]
    assert [row["label"].partition(", ")[0] for row in rows] == [
        "webhook.delivered", "webhook.failed",
    ]  # fmt: skip
    assert rows[0]["value"] == 2 * MINUTES  # of the three groups that take turns, the first
    facets[:] = [{"facet": "status"}]
    rows = _shown(state, {"type": "toplist", "requests": [body]})["rows"]
    assert [(row["label"], row["value"]) for row in rows] == [
        ("info", 6 * MINUTES - 1), ("warning", _FAILED),
    ]  # fmt: skip


def test_ids_are_no_groups(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """More groups than anybody compares are a reason, and are not kept."""
    monkeypatch.setattr(log_counts, "MOST_GROUPS", 5)
    asked = {"data_source": "logs", "name": "q", "search": {"query": "@event:webhook.queued"},
             "group_by": [{"facet": "@message_id"}]}  # fmt: skip
    shown = _shown(state, {"type": "toplist", "requests": [{"queries": [asked]}]})
    assert "more than" in shown["reason"]
    assert "by @message_id" in shown["reason"]


def test_a_number_takes_the_color_of_its_rule(state: State) -> None:
    """The first conditional format that holds."""
    body = query("sum:aws.lambda.invocations{functionname:webhook-buffer-local-publish}.as_count()")
    rules = [
        {"comparator": ">", "value": 1000, "palette": "white_on_red"},
        {"comparator": ">=", "value": 10, "palette": "white_on_yellow"},
    ]  # fmt: skip
    body["formulas"] = [{"formula": "q / 2", "conditional_formats": rules}]
    shown = _shown(state, {"type": "query_value", "requests": [body]})
    assert (shown["value"], shown["palette"]) == (3 * MINUTES, "white_on_yellow")


def test_a_constant_is_a_line(state: State) -> None:
    """As long as the others of its graph."""
    formulas = [{"formula": "q"}, {"formula": "5", "alias": "most"}]
    body = {**query("sum:aws.apigateway.count{*}.as_count()"), "formulas": formulas}
    shown = _shown(state, {"type": "timeseries", "requests": [body]})
    assert values(shown, "most") == [5.0] * len(shown["times"])


def test_the_older_form_of_a_query_is_read(state: State) -> None:
    """``q`` in place of ``queries``."""
    text = "sum:aws.apigateway.count{*}.as_rate()"
    shown = _shown(state, {"type": "timeseries", "requests": [{"q": text}]})
    assert set(shown["series"][0]["values"][:MINUTES]) == {0.1}


@pytest.mark.parametrize(
    ("definition", "reason"),
    [
        ({"type": "timeseries", "requests": [{"q": "sum:system.cpu{*}"}]}, "system.cpu"),
        ({"type": "timeseries", "requests": [{"q": "sum:aws.sqs.x{"}]}, "can't be read"),
        ({"type": "timeseries", "requests": [query("avg:aws.lambda.errors{env:prd}")]}, "env:"),
        ({"type": "timeseries"}, "can't be read"),
        ({"type": "timeseries", "requests": 5}, "can't be read"),
        ({"type": "image", "url": "https://example.com/x.png"}, "another host"),
        ({"type": "brand_new"}, "brand_new"),
        ("text", "unknown"),
    ],
)
def test_strange_widgets_have_a_reason(state: State, definition: Any, reason: str) -> None:
    """And none of them takes the board with it."""
    assert reason in _shown(state, definition)["reason"]


def test_only_a_dashboard_is_a_dashboard(state: State) -> None:
    """Anything else is one error."""
    with pytest.raises(InputError, match="widgets"):
        made_board(state, {"title": "x"})
