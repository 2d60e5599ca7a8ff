"""Dashboards on a session: the numbers that its log says, or the reason why there are none."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest

from monitoring.datadog import query_tree
from settings.errors import InputError
from settings.loader import load
from tests.webhook_buffer.console.sessions import MINUTES, OUTAGE, outage
from tests.webhook_buffer.console.strangers import HOSTILE, WIDGETS, query
from tests.webhook_buffer.live.test_observations import START, line
from webhook_buffer.composition import alarm_set
from webhook_buffer.console import log_counts
from webhook_buffer.console.boards import Boards
from webhook_buffer.console.feeds import FileFeed, Place
from webhook_buffer.console.frame import Frame
from webhook_buffer.console.numbers import Numbers
from webhook_buffer.console.ranked import changes
from webhook_buffer.console.state import State
from webhook_buffer.console.streams import log_lines
from webhook_buffer.live.session import read_event

_END = START + 60 * MINUTES
_BOARDS = ("overview", "serverless", "cloudwatch")


def _widgets(shown: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for widget in shown["widgets"]:
        yield widget
        if "widgets" in widget:
            yield from _widgets(widget)


def _board(state: State, key: str) -> dict[str, dict[str, Any]]:
    board = state.board(key, START, _END)
    assert board is not None
    return {widget["title"]: widget for widget in _widgets(board)}


@pytest.mark.parametrize("key", _BOARDS)
def test_every_widget_has_something_to_show(state: State, key: str) -> None:
    """A number, a line, a text, or the reason; and no kind of widget is unknown here."""
    board = state.board(key, START, _END)
    assert board is not None
    widgets = list(_widgets(board))
    assert len(widgets) > 20
    for widget in widgets:
        said = widget.keys() & {
            "series", "value", "lines", "rows", "content", "widgets", "reason", "empty", "target"
        }  # fmt: skip
        assert said, widget
        assert "does not draw" not in widget.get("reason", ""), widget
        assert "can't be read" not in widget.get("reason", ""), widget
        if "series" in widget and "empty" not in widget:
            numbers = [value for line in widget["series"] for value in line["values"]]
            assert any(value is not None for value in numbers), widget["title"]


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
        for drawn in ours[title]["series"]:
            assert _values(theirs[title], drawn["label"]) == drawn["values"], title


def test_refusals_are_shown_by_source_and_reason(tmp_path: Path) -> None:
    """Each source has its own numbers, and each of its reasons; both dashboards agree."""
    session = outage()
    refused = [
        line("publish", 60 * MINUTES + number, "webhook.refused", "WARNING", status=401,
             source=source, reason=reason, metrics={"SourceRefused": 1, "SignatureRefused": 1})
        for number, (source, reason) in enumerate([("a", "wrong"), ("a", "old"), ("b", "wrong")])
    ]  # fmt: skip
    session.apply(read_event(refused, [], _END + 60))
    session.save(tmp_path / "s.jsonl")
    sources = [{"name": name, "paths": [f"/{name}"]} for name in ("a", "b")]
    alarms = alarm_set(load("local", overrides={"sources": sources}))
    state = State(FileFeed(Place(session=tmp_path / "s.jsonl")), alarms)
    state.update()
    for key in ("overview", "cloudwatch"):
        shown = state.board(key, START, _END + 60)
        assert shown is not None
        board = {widget["title"]: widget for widget in _widgets(shown)}
        counts = {
            (title, label): sum(value or 0 for value in _values(board[title], label))
            for title, label in (
                ("Refused requests, by source", "a"), ("Refused requests, by source", "b"),
                ("a: refused requests, by reason", "wrong"),
                ("a: refused requests, by reason", "old"),
                ("b: refused requests, by reason", "wrong"),
                ("b: refused requests, by reason", "old"),
            )
        }  # fmt: skip
        assert list(counts.values()) == [2, 1, 1, 1, 1, 0], key


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
    assert (alarm.threshold, "error") in [(marker["value"], marker["kind"]) for marker in markers]


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
    said = json.dumps([widget["content"] for widget in _widgets(board) if "content" in widget])
    assert '["a", {"href": "#api-5xx"}, ["api-5xx"]]' in said


def test_marks_say_what_happened(state: State) -> None:
    """A notified alarm and what was done, at their times."""
    board = state.board("overview", START, _END)
    assert board is not None
    assert [(mark["at"], mark["kind"]) for mark in board["marks"]] == [
        (START + 600, "mark"), (START + 720, "alarm"),
    ]  # fmt: skip


_SITE = "https://app.datadoghq.eu"


def _links(state: State, *given: Any) -> dict[str, str]:
    board = {
        "template_variables": [
            {"name": "env", "default": "local"}, {"name": "team", "default": "*"}
        ],
        "widgets": [{"definition": {"type": "note", "content": "x", "custom_links": list(given)}}],
    }  # fmt: skip
    return {link["label"]: link["href"] for link in _made(state, board)["widgets"][0]["links"]}


def test_links_of_log_lines_lead_to_those_of_the_session(state: State) -> None:
    """With the variables' values and the time shown; all else leads to where it is."""
    span = f"from={START}&to={_END}"
    asked = "/logs?query={{$env}} {{$team}} a:(b OR c)&from_ts={{timestamp_start}}&live=false"
    assert _links(
        state,
        {"override_label": "logs", "link": asked},
        {"override_label": "traces", "link": "/apm/traces?query={{$env.value}}"},
        {"label": "Console", "link": "https://example.com/{{$env.value}}?at={{timestamp_end}}"},
        {"label": "Lists", "link": "/dashboard/lists"},
        {"override_label": "hosts", "link": "/infrastructure", "is_hidden": True},
    ) == {
        "logs": f"#/logs?q=env%3Alocal+a%3A%28b+OR+c%29&{span}",
        "traces": f"#/traces?q=local&{span}",
        "Console": f"https://example.com/local?at={1000 * _END}",
        "Lists": "https://app.datadoghq.eu/dashboard/lists",
    }


def test_a_hostile_link_is_none(state: State) -> None:
    """Scripts, other schemes, other hosts without one, and nonsense."""
    for target in ("javascript:alert(1)", "data:text/html,x", "//example.com", "", 5, "x" * 9000):
        assert _links(state, {"label": "x", "link": target}) == {}
    assert _links(state, 5, None, [], {"link": "/logs"}, {"label": "x"}) == {}


def test_every_graph_of_ours_leads_to_its_log_lines(state: State) -> None:
    """And what it asks for can be read; where a search counts lines, it finds these."""
    assert state.session
    for key in state.published.boards:
        board = state.board(key, START, _END)
        assert board
        for widget in (inner for group in board["widgets"] for inner in group["widgets"]):
            if widget["type"] not in ("timeseries", "query_value"):
                continue
            labels = {link["label"]: link["href"] for link in widget["links"]}
            assert labels.keys() == {"logs", "traces"}, widget["title"]
            [search] = parse_qs(labels["logs"].partition("?")[2])["q"]
            lines = log_lines(search, state.session, state.counts, START, _END)["lines"]
            if widget["title"] == "Attempts, by the backend's response":
                assert lines
                assert {line["source"] for line in lines} == {"subscribe"}


def _made(state: State, board: dict[str, Any]) -> dict[str, Any]:
    assert state.session
    numbers = Numbers(state.session, state.alarm_set, state.counts)
    return Boards(state.session, numbers, state.counts, {}, _SITE).shown(board, START, _END)


def _shown(state: State, definition: Any) -> dict[str, Any]:
    board = {"title": "Any", "widgets": [{"definition": definition}]}
    widget: dict[str, Any] = _made(state, board)["widgets"][0]
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
    shown = _made(state, {"widgets": [], "template_variables": variables})
    assert {variable["value"] for variable in shown["variables"]} <= {"*"}


def test_a_file_has_a_bounded_number_of_widgets(state: State) -> None:
    """More than people lay out are refused before anything is computed, groups or not."""
    note = {"definition": {"type": "note", "content": "x"}}
    group = {"definition": {"type": "group", "widgets": [note] * 501}}
    for widgets in ([note] * 501, [group]):
        with pytest.raises(InputError, match="more than 500 widgets"):
            _made(state, {"widgets": widgets})


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
    assert _values(shown, "most") == [5.0] * len(shown["times"])


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
        _made(state, {"title": "x"})
