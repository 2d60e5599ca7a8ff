"""Dashboards on a session: the numbers that its log says, or the reason why there are none."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from settings.loader import load
from tests.webhook_buffer.console.sessions import MINUTES, OUTAGE, made_board, outage, values
from tests.webhook_buffer.live.test_observations import START, line
from webhook_buffer.composition import alarm_set
from webhook_buffer.console.feeds import FileFeed, Place
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


def test_counts_are_those_of_the_log(state: State) -> None:
    """Six webhooks a minute; while the backend is down no attempt is delivered."""
    board = _board(state, "overview")
    assert set(values(board["Requests"], "accepted")[:MINUTES]) == {6.0}
    attempts = board["Attempts, by the backend's response"]
    delivered = values(attempts, "2xx: delivered")[:MINUTES]
    failed = values(attempts, "no connection")[:MINUTES]
    assert [place for place, count in enumerate(delivered) if count == 0] == list(OUTAGE)
    assert delivered[OUTAGE.stop] == 6 + 6 * len(OUTAGE)
    expected = dict.fromkeys(OUTAGE, 6.0) | {MINUTES - 1: 1.0}
    assert {place: count for place, count in enumerate(failed) if count} == expected


def test_both_dashboards_agree(state: State) -> None:
    """What CloudWatch's and Datadog's dashboards have in common is the same number."""
    ours, theirs = _board(state, "overview"), _board(state, "cloudwatch")
    for title in ("Requests", "Response time for senders", "In and out of the queue"):
        for drawn in ours[title]["series"]:
            assert values(theirs[title], drawn["label"]) == drawn["values"], title


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
            (title, label): sum(value or 0 for value in values(board[title], label))
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
        received = [value or 0 for value in values(chart, "received")[:MINUTES]]
        assert sum(received) == 6 * MINUTES + 6 * len(OUTAGE)
        assert "Empty receives" in chart["missing"]


def test_no_environment_is_offered_that_widgets_do_not_have(state: State) -> None:
    """Widgets name this environment's resources: template variables offer its values alone."""
    for body in state.published.boards.values():
        variables = body["template_variables"]
        assert variables
        for variable in variables:
            assert variable["available_values"] == variable["defaults"]


def test_a_percentile_is_of_thevalues(state: State) -> None:
    """Datadog's traces are in seconds; the cells are in milliseconds."""
    times = _board(state, "overview")["Backend response time"]
    assert times["unit"] == "second"
    assert set(values(times, "p99")[:MINUTES]) == {0.005}


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
    assert values(board["publish: memory"], "configured")[0] == 512


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


def _links(state: State, *given: Any) -> dict[str, str]:
    board = {
        "template_variables": [
            {"name": "env", "default": "local"}, {"name": "team", "default": "*"}
        ],
        "widgets": [{"definition": {"type": "note", "content": "x", "custom_links": list(given)}}],
    }  # fmt: skip
    return {link["label"]: link["href"] for link in made_board(state, board)["widgets"][0]["links"]}


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
