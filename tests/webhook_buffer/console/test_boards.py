"""Dashboards on a session: the numbers that its log says, or the reason why there are none."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from settings.errors import InputError
from tests.webhook_buffer.console.sessions import MINUTES, OUTAGE
from tests.webhook_buffer.live.test_observations import START
from webhook_buffer.console.boards import Boards
from webhook_buffer.console.numbers import Numbers
from webhook_buffer.console.state import State

_END = START + 60 * MINUTES
_BOARDS = ("overview", "serverless", "cloudwatch")


def _widgets(shown: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for one in shown["widgets"]:
        yield one
        if "widgets" in one:
            yield from _widgets(one)


def _board(state: State, key: str) -> dict[str, dict[str, Any]]:
    board = state.board(key, START, _END)
    assert board is not None
    return {one["title"]: one for one in _widgets(board)}


@pytest.mark.parametrize("key", _BOARDS)
def test_every_widget_has_something_to_show(state: State, key: str) -> None:
    """A number, a line, a text, or the reason; and no kind of widget is unknown here."""
    board = state.board(key, START, _END)
    assert board is not None
    widgets = list(_widgets(board))
    assert len(widgets) > 20
    for one in widgets:
        said = one.keys() & {
            "series", "value", "lines", "rows", "content", "widgets", "reason", "empty", "target"
        }  # fmt: skip
        assert said, one
        assert "does not draw" not in one.get("reason", ""), one
        assert "can't be read" not in one.get("reason", ""), one
        if "series" in one and "empty" not in one:
            numbers = [value for line in one["series"] for value in line["values"]]
            assert any(value is not None for value in numbers), one["title"]


def _values(widget: Mapping[str, Any], label: str) -> list[float | None]:
    [line] = [line for line in widget["series"] if line["label"] == label]
    values: list[float | None] = line["values"]
    return values


def test_counts_are_those_of_the_log(state: State) -> None:
    """Six webhooks a minute; while the backend is down no attempt is delivered."""
    board = _board(state, "overview")
    assert set(_values(board["Requests"], "accepted")[:MINUTES]) == {6.0}
    attempts = board["Attempts, by the backend's response"]
    delivered = _values(attempts, "2xx: delivered")[:MINUTES]
    failed = _values(attempts, "no connection")[:MINUTES]
    assert [place for place, count in enumerate(delivered) if count == 0] == list(OUTAGE)
    assert delivered[OUTAGE.stop] == 6 + 6 * len(OUTAGE)
    expected = dict.fromkeys(OUTAGE, 6.0) | {MINUTES - 1: 1.0}
    assert {place: count for place, count in enumerate(failed) if count} == expected


def test_both_dashboards_agree(state: State) -> None:
    """What CloudWatch's and Datadog's dashboards have in common is the same number."""
    ours, theirs = _board(state, "overview"), _board(state, "cloudwatch")
    for title in ("Requests", "Response time for senders", "In and out of the queue"):
        for line in ours[title]["series"]:
            assert _values(theirs[title], line["label"]) == line["values"], title


def test_a_queue_shows_what_is_received(state: State) -> None:
    """Each attempt is a message received; what the emulator does not count says so."""
    for key in ("overview", "cloudwatch"):
        chart = _board(state, key)["In and out of the queue"]
        received = [value or 0 for value in _values(chart, "received")[:MINUTES]]
        assert sum(received) == 6 * MINUTES + 6 * len(OUTAGE)
        assert "Empty receives" in chart["missing"]


def test_no_environment_is_offered_that_widgets_do_not_have(state: State) -> None:
    """Widgets name this environment's resources: template variables offer its values alone."""
    for body in state.published.boards.values():
        variables = body["template_variables"]
        assert variables
        for variable in variables:
            assert variable["available_values"] == variable["defaults"]


def test_a_percentile_is_of_the_values(state: State) -> None:
    """Datadog's traces are in seconds; the cells are in milliseconds."""
    times = _board(state, "overview")["Backend response time"]
    assert times["unit"] == "second"
    assert set(_values(times, "p99")[:MINUTES]) == {0.005}


def test_thresholds_are_those_of_the_alarms(state: State) -> None:
    """With value, name and severity."""
    markers = _board(state, "overview")["Share of requests refused"]["markers"]
    alarm = state.alarm_set.alarm("api-5xx")
    assert alarm is not None
    assert (alarm.threshold, "error") in [(one["value"], one["kind"]) for one in markers]


def test_what_a_session_cannot_have_says_why(state: State) -> None:
    """In the widget's place."""
    board = _board(state, "serverless")
    assert "Cold starts" in board["publish: cold starts"]["reason"]
    assert "Memory used" in board["publish: memory"]["missing"]
    assert _values(board["publish: memory"], "configured")[0] == 512


def test_an_objective_is_computed_on_the_session(state: State) -> None:
    """All were accepted, so that the whole budget is left."""
    slo = _board(state, "overview")["Accepted: error budget left"]
    assert (slo["value"], slo["left"]) == (100.0, 100.0)


def test_notes_lead_to_the_runbook(state: State) -> None:
    """What to do is a link, also where the runbook has no address on the web."""
    board = state.board("overview", START, _END)
    assert board is not None
    said = json.dumps([one["content"] for one in _widgets(board) if "content" in one])
    assert '["a", {"href": "#api-5xx"}, ["api-5xx"]]' in said


def test_marks_say_what_happened(state: State) -> None:
    """A notified alarm and what was done, at their times."""
    board = state.board("overview", START, _END)
    assert board is not None
    assert [(one["at"], one["kind"]) for one in board["marks"]] == [
        (START + 600, "mark"), (START + 720, "alarm"),
    ]  # fmt: skip


def _shown(state: State, definition: Any) -> dict[str, Any]:
    assert state.session
    numbers = Numbers(state.session, state.alarm_set, state.counts)
    boards = Boards(state.session, numbers, state.counts, {})
    board = {"title": "Any", "widgets": [{"definition": definition}]}
    widget: dict[str, Any] = boards.shown(board, START, _END)["widgets"][0]
    return widget


def _metric(query: str, **more: Any) -> dict[str, Any]:
    return {"queries": [{"data_source": "metrics", "name": "q", "query": query, **more}]}


@pytest.mark.parametrize("kind", ["toplist", "query_table", "change"])
def test_grouped_numbers_are_ranked(state: State, kind: str) -> None:
    """By function, the largest first: subscribe also retried."""
    query = "sum:aws.lambda.invocations{*} by {functionname}.as_count()"
    rows = _shown(state, {"type": kind, "requests": [_metric(query)]})["rows"]
    assert [(row["label"].rpartition("-")[2], row["value"]) for row in rows[:2]] == [
        ("subscribe", 6 * MINUTES + 6 * len(OUTAGE)), ("publish", 6 * MINUTES),
    ]  # fmt: skip


def test_a_number_takes_the_color_of_its_rule(state: State) -> None:
    """The first conditional format that holds."""
    body = _metric(
        "sum:aws.lambda.invocations{functionname:webhook-buffer-local-publish}.as_count()"
    )
    rules = [
        {"comparator": ">", "value": 1000, "palette": "white_on_red"},
        {"comparator": ">=", "value": 10, "palette": "white_on_yellow"},
    ]  # fmt: skip
    body["formulas"] = [{"formula": "q / 2", "conditional_formats": rules}]
    shown = _shown(state, {"type": "query_value", "requests": [body]})
    assert (shown["value"], shown["palette"]) == (3 * MINUTES, "white_on_yellow")


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
        ({"type": "timeseries", "requests": [_metric("avg:aws.lambda.errors{env:prd}")]}, "env:"),
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
    assert state.session
    numbers = Numbers(state.session, state.alarm_set, state.counts)
    with pytest.raises(InputError, match="widgets"):
        Boards(state.session, numbers, state.counts, {}).shown({"title": "x"}, START, _END)
