"""Datadog's dashboards: complete, on the grid, and narrowed by their variables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest
from datadog_api_client.configuration import Configuration
from datadog_api_client.model_utils import UnparsedObject, validate_and_convert_types
from datadog_api_client.v1.model.dashboard import Dashboard

from dashboards.datadog import boards, legend
from monitoring.alarm_set import AlarmSet
from monitoring.datadog import metrics
from monitoring.datadog.boards import dashboards
from monitoring.datadog.definition import Kind, key_of
from monitoring.datadog.query import metric as read
from monitoring.model.dashboards import Group, Widget
from tests.datadog_boards import (
    CASES,
    EXISTING,
    STREAMED,
    UNINSTRUMENTED,
    UNTRACED,
    by_key,
    every_widget,
    made,
    queries,
)


def _unparsed(value: Any, where: str = "") -> Iterator[str]:
    """Where Datadog's own models did not recognise what they were given."""
    if isinstance(value, UnparsedObject) or getattr(value, "_unparsed", False):
        yield where
    if isinstance(value, list):
        for place, one in enumerate(value):
            yield from _unparsed(one, f"{where}.{place}")
    elif hasattr(value, "_data_store"):
        for name, one in value._data_store.items():
            yield from _unparsed(one, f"{where}.{name}")


def _further(value: Any, where: str) -> Iterator[str]:
    if isinstance(value, list):
        for place, one in enumerate(value):
            yield from _further(one, f"{where}.{place}")
    elif hasattr(value, "_data_store"):
        known = set(getattr(value, "attribute_map", {}))
        for name, one in value._data_store.items():
            if known and name not in known and not hasattr(value, "_composed_instances"):
                yield f"{where}.{name}"
            yield from _further(one, f"{where}.{name}")


@pytest.mark.parametrize("overrides", CASES)
def test_datadog_s_own_models_take_them(overrides: dict[str, Any]) -> None:
    """Each body, ids in place of references, is a dashboard to the official client, to the last
    enum value."""
    for board in dashboards(made(**overrides)):
        text = re.sub(r'\{"\$ref": "slo:[a-z]+"\}', '"0123456789"', json.dumps(board.body))
        convert: Any = validate_and_convert_types
        untyped: Any = Configuration
        model = convert(json.loads(text), (Dashboard,), [board.key], True, True, untyped())
        assert not list(_unparsed(model))
        # What no model knows, it keeps aside without a word.
        assert not list(_further(model, board.key))


@pytest.mark.parametrize("overrides", CASES)
def test_widgets_lie_on_twelve_columns_side_by_side(overrides: dict[str, Any]) -> None:
    """Every widget is within the 12 columns of its group, none covers another, groups hold all."""
    for board in dashboards(made(**overrides)):
        levels = [board.body["widgets"]]
        for one in board.body["widgets"]:
            inner = one["definition"]["widgets"]
            levels.append(inner)
            lowest = max(each["layout"]["y"] + each["layout"]["height"] for each in inner)
            assert one["layout"]["height"] == lowest + 1
        for widgets in levels:
            places = [one["layout"] for one in widgets]
            for one in places:
                assert 0 <= one["x"] <= one["x"] + one["width"] <= 12
                assert one["height"] >= 1
            for one, other in combinations(places, 2):
                a, b = sorted((one, other), key=lambda each: each["x"])
                c, d = sorted((one, other), key=lambda each: each["y"])
                assert a["x"] + a["width"] <= b["x"] or c["y"] + c["height"] <= d["y"]


@pytest.mark.parametrize("overrides", CASES)
def test_every_query_is_narrowed_by_the_variables(overrides: dict[str, Any]) -> None:
    """Whatever is chosen above a dashboard holds for each metric that has such a tag, each log
    search and each trace search."""
    for one in every_widget(made(**overrides)):
        for query in queries(one):
            found = read(query["query"])
            [name] = found.metrics
            assert found.variables == {"env", "service", "region"} & metrics.METRICS[name].tags
        for query in queries(one, "logs"):
            assert query["search"]["query"].startswith("$env $service $region")
        if one["type"] == "list_stream":
            source = one["requests"][0]["query"]
            if source["data_source"] != "event_stream":
                assert source["query_string"].startswith("$env $service")
        for event in one.get("events", ()):
            assert event["q"] == "event:deployment $env $service"


@pytest.mark.parametrize("overrides", CASES)
def test_metrics_are_in_the_table_with_the_tags_they_have(overrides: dict[str, Any]) -> None:
    """No query names a metric, or narrows it by a tag, that Datadog does not have."""
    found = [query["query"] for one in every_widget(made(**overrides)) for query in queries(one)]
    assert found
    for text in found:
        [name] = read(text).metrics
        known = metrics.METRICS[name]
        scope = re.findall(r"\{([^}]*)\}", text)[0].split(",")
        assert {tag.partition(":")[0].lstrip("$") for tag in scope} <= known.tags
        assert (".as_count()" in text or ".as_rate()" in text) == (
            text.startswith("sum:") and known.type != "gauge"
        )


@pytest.mark.parametrize("overrides", CASES)
def test_every_function_of_the_environment_has_its_group(overrides: dict[str, Any]) -> None:
    """All functions are shown, instrumented or not, under the names that AWS knows."""
    found = made(**overrides)
    board = by_key(found)["serverless"]
    titles = [one["definition"]["title"] for one in board.body["widgets"]]
    existing = found.settings.existing
    theirs = [one.role for one in existing.functions] if existing else []
    assert sorted(titles[1:]) == sorted([*found.settings.functions, *theirs])
    text = json.dumps(board.body)
    for role in found.settings.functions:
        assert f"functionname:{found.settings.function_name(role)}" in text
        assert role in titles


def test_only_what_is_there_is_shown() -> None:
    """Without instrumentation nothing of the extension, logs or traces is shown; without tracing
    no traces; of others' resources nothing of ours."""
    bare = json.dumps([one.body for one in dashboards(made(**UNINSTRUMENTED))])
    assert "enhanced" not in bare
    assert "trace." not in bare
    assert '"logs' not in bare
    untraced = json.dumps([one.body for one in dashboards(made(**UNTRACED))])
    assert "trace." not in untraced
    assert "trace_stream" not in untraced
    assert "aws.lambda.enhanced.max_memory_used" in untraced
    theirs = json.dumps([one.body for one in dashboards(made(**EXISTING))])
    assert "slo:" not in theirs
    assert "functionname:worker" in theirs
    assert "aws.apigateway.5xxerror{$env,$service,$region,apiname:shop}" in theirs
    assert "aws.apigateway.5xx{$env,$service,$region,apiid:a1b2c3}" in theirs


def test_variables_begin_with_the_environment() -> None:
    """A dashboard opens on its own environment; what others made need not carry its tags."""

    def defaults(found: AlarmSet) -> dict[str, list[str]]:
        variables = by_key(found)["overview"].body["template_variables"]
        assert all(one["prefix"] == one["name"] for one in variables)
        return {one["name"]: one["defaults"] for one in variables}

    ours = {"env": ["stg"], "service": ["webhook-buffer"], "region": ["us-east-1"]}
    assert defaults(made()) == ours
    assert defaults(made(**EXISTING)) == {"env": ["*"], "service": ["*"], "region": ["us-east-1"]}


def test_they_are_known_again_and_told_apart() -> None:
    """Title and marker say service and environment; a tag of a dashboard is its team alone."""
    found = made()
    for key, one in by_key(found).items():
        assert one.kind is Kind.DASHBOARD
        assert "(webhook-buffer stg)" in one.body["title"]
        assert key_of(one.body["description"], found.settings) == key
        assert one.body["tags"] == ["team:webhooks"]
        assert (one.body["layout_type"], one.body["reflow_type"]) == ("ordered", "fixed")
    assert "tags" not in by_key(made(**UNINSTRUMENTED))["overview"].body
    assert list(by_key(found)["overview"].references) == [
        (Kind.SLO, "accepted"),
        (Kind.SLO, "delivered"),
    ]


def test_runbooks_are_linked_where_they_can_be() -> None:
    """Every drawn signal's heading stands in its group; as a link only if the runbook has a URL."""

    def notes(found: AlarmSet) -> str:
        return "\n".join(one["content"] for one in every_widget(found) if one["type"] == "note")

    plain, linked = notes(made()), notes(made(runbookUrl="https://example.com/runbook"))
    assert "`queue-age-page`" in plain
    assert "](" not in plain
    assert "[queue-age-page](https://example.com/runbook#queue-age-page)" in linked
    assert "[publish-duration](https://example.com/runbook#publish-duration)" in linked


def test_the_delay_is_told_as_it_is() -> None:
    """A reader learns how late CloudWatch's metrics come, by the way they come."""
    assert "10 to 20 minutes late" in legend(made().settings)
    assert "2 to 3 minutes late" in legend(made(**STREAMED).settings)


def test_monitors_are_found_by_our_tags() -> None:
    """The summary shows this environment's monitors and nobody else's."""
    [one] = [each for each in every_widget(made()) if each["type"] == "manage_status"]
    for tag in ("env:stg", "service:webhook-buffer", "managed-by:webhook-buffer"):
        assert f'"{tag}"' in one["query"]


def test_widgets_of_every_kind_are_shown() -> None:
    """Metrics, numbers, objectives, monitors, events, logs, traces and notes each have a place."""
    kinds = {one["type"] for one in every_widget(made())}
    assert kinds == {"timeseries", "query_value", "slo", "manage_status", "list_stream", "note"}
    sources = {
        one["requests"][0]["query"]["data_source"]
        for one in every_widget(made())
        if one["type"] == "list_stream"
    }
    assert sources == {"event_stream", "logs_stream", "trace_stream"}


def test_a_group_without_widgets_is_left_out() -> None:
    """No group is an empty frame."""
    for overrides in CASES:
        for board in dashboards(made(**overrides)):
            assert all(one["definition"]["widgets"] for one in board.body["widgets"])


def test_groups_are_data() -> None:
    """A widget's kinds are all that a group may hold, so that one more is one more line of data."""
    for board in boards(made().settings):
        for group in board.groups:
            assert isinstance(group, Group)
            assert all(isinstance(one, Widget) for row in group.rows for one in row)
