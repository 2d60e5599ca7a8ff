"""The project's dashboards: they render everywhere, say nothing twice and show what is there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import combinations
from typing import Any

import pytest
from datadog_api_client.configuration import Configuration
from datadog_api_client.model_utils import UnparsedObject, validate_and_convert_types

from alarms import CATALOG
from dashboards import DASHBOARDS
from monitoring.alarm_set import AlarmSet
from monitoring.datadog import metrics
from monitoring.datadog.definition import Definition, Kind
from monitoring.datadog.query import metric as read
from monitoring.datadog.sync.api import models
from monitoring.deployed import deployed
from monitoring.model.dashboards import Panel, Section
from monitoring.model.metrics import REFUSALS
from settings.loader import environments, load
from settings.sources import EXAMPLE
from tests.dashboard_fixtures import (
    DATADOG,
    EXISTING,
    STREAMED,
    UNINSTRUMENTED,
    UNTRACED,
    Body,
    cloudwatch_widgets,
    drawn_boards,
    every_widget,
    made,
    queries,
)
from webhook_buffer.composition import alarm_set

ONLY_A_QUEUE: dict[str, Any] = {
    "backend_url": None,
    "existing": {"queues": [{"name": "q", "role": "orders"}]},
}
NO_HEARTBEAT: dict[str, Any] = {"heartbeat": "off"}
SOURCES: dict[str, Any] = {
    "sources": [EXAMPLE, {"name": "open", "paths": ["/open"]}],
    "openToEveryone": None,
}
CASES: list[dict[str, Any]] = [
    {}, EXISTING, ONLY_A_QUEUE, UNINSTRUMENTED, {**EXISTING, **UNINSTRUMENTED}, UNTRACED, STREAMED,
    {"backend_url": None, "create_faux_backend": True}, NO_HEARTBEAT, {"traffic": {}},
    SOURCES,
    {"datadog": {**DATADOG, "functions": ["publish"]}},
]  # fmt: skip


# What is rendered of the same settings is rendered once, for the tests only read it.
@cache
def _alarms(overrides: str) -> AlarmSet:
    return made(CATALOG, **json.loads(overrides))


@cache
def _boards(overrides: str) -> list[Definition]:
    return drawn_boards(_alarms(overrides), DASHBOARDS)


@cache
def _widgets(overrides: str) -> list[Body]:
    return cloudwatch_widgets(_alarms(overrides), DASHBOARDS)


def _ours(**overrides: Any) -> AlarmSet:
    return _alarms(json.dumps(overrides))


def _datadog(**overrides: Any) -> list[Definition]:
    return _boards(json.dumps(overrides))


def _drawn(**overrides: Any) -> list[Body]:
    return every_widget(_datadog(**overrides))


def _cloudwatch(**overrides: Any) -> list[Body]:
    return _widgets(json.dumps(overrides))


def _metric_widgets(**overrides: Any) -> list[Body]:
    return [
        widget["properties"] for widget in _cloudwatch(**overrides) if widget["type"] == "metric"
    ]


def _sections(**overrides: Any) -> list[Section]:
    """Every section of both dashboards."""
    having = deployed(_ours(**overrides).settings)
    of_datadog = [section for board in DASHBOARDS.datadog(having) for section in board.sections]
    return [*DASHBOARDS.cloudwatch(having), *of_datadog]


def _headings(**overrides: Any) -> list[str]:
    texts = [widget["properties"].get("markdown", "") for widget in _cloudwatch(**overrides)]
    return [text.removeprefix("## ") for text in texts if text.startswith("## ")]


def _unparsed(value: Any, where: str = "") -> Iterator[str]:
    """Where Datadog's own models did not recognize what they were given."""
    if isinstance(value, UnparsedObject) or getattr(value, "_unparsed", False):
        yield where
    if isinstance(value, list):
        for place, part in enumerate(value):
            yield from _unparsed(part, f"{where}.{place}")
    elif hasattr(value, "_data_store"):
        for name, part in value._data_store.items():
            yield from _unparsed(part, f"{where}.{name}")


def _further(value: Any, where: str) -> Iterator[str]:
    """Where they were given attributes that they do not know."""
    if isinstance(value, list):
        for place, part in enumerate(value):
            yield from _further(part, f"{where}.{place}")
    elif hasattr(value, "_data_store"):
        known = set(getattr(value, "attribute_map", {}))
        for name, part in value._data_store.items():
            if known and name not in known and not hasattr(value, "_composed_instances"):
                yield f"{where}.{name}"
            yield from _further(part, f"{where}.{name}")


def test_each_source_is_drawn() -> None:
    """Both dashboards show what is accepted and refused of each source, verified or not."""
    drawn = {widget["title"]: widget["metrics"] for widget in _metric_widgets(**SOURCES)}
    for title, metric in (
        ("Accepted webhooks, by source", "SourceAccepted"),
        ("Refused requests, by source", "SourceRefused"),
    ):
        shown = [line for line in drawn[title] if metric in line]
        assert [line[line.index("source") + 1] for line in shown] == ["example", "open"]
    searches = json.dumps(_drawn(**SOURCES))
    for metric in ("SourceAccepted", "SourceRefused"):
        for name in ("example", "open"):
            assert f"@{metric}:1 @source:{name}" in searches
    assert "What do sources send?" not in _headings()


def test_each_source_is_drawn_by_reason() -> None:
    """Both dashboards show why what is refused of a source is refused, each reason as a line."""
    panels = {panel["title"]: panel["metrics"] for panel in _metric_widgets(**SOURCES)}
    drawn = {widget.get("title"): widget for widget in _drawn(**SOURCES)}
    for source in ("example", "open"):
        title = f"{source}: refused requests, by reason"
        lines = panels[title]
        assert {line[line.index("source") + 1] for line in lines} == {source}
        reasons = [line[line.index("reason") + 1] for line in lines]
        assert reasons == [line[-1]["label"] for line in lines] == list(REFUSALS)
        searches = [query["search"]["query"] for query in queries(drawn[title], "logs")]
        counted = f"@SourceRefused:1 @source:{source} @reason:"
        assert [text.partition(counted)[2] for text in searches] == reasons


def test_no_title_stands_twice() -> None:
    """Two panels, or sections, of one title are the same one, which both dashboards show."""
    titles: dict[str, set[str]] = {}
    for section in _sections():
        for row in section.rows:
            for widget in row:
                if isinstance(widget, Panel):
                    titles.setdefault(widget.title, set()).add(repr(widget))
        titles.setdefault(section.title, set())
    assert {title: places for title, places in titles.items() if len(places) > 1} == {}


@pytest.mark.parametrize("environment", environments())
def test_every_environment_has_both(environment: str) -> None:
    """Nothing is unknown in any environment of cdk.json: neither signal, role, metric nor fact."""
    datadog: dict[str, Any] = {"functions": []} if environment != "local" else {}
    alarms = alarm_set(load(environment, overrides={"datadog": datadog}))
    assert cloudwatch_widgets(alarms, DASHBOARDS)
    assert len(drawn_boards(alarms, DASHBOARDS)) == 2


@pytest.mark.parametrize("overrides", [{}, EXISTING])
def test_datadog_s_own_models_take_them(overrides: dict[str, Any]) -> None:
    """Each body, ids in place of references, is a dashboard to the official client, to the last
    enum value."""
    for board in _datadog(**overrides):
        text = re.sub(r'\{"\$ref": "slo:[a-z]+"\}', '"0123456789"', json.dumps(board.body))
        convert: Any = validate_and_convert_types
        untyped: Any = Configuration
        kind = models._model(Kind.DASHBOARD)
        model = convert(json.loads(text), (kind,), [board.key], True, True, untyped())
        assert not list(_unparsed(model))
        # What no model knows, it keeps aside without a word.
        assert not list(_further(model, board.key))


@pytest.mark.parametrize("overrides", CASES)
def test_cloudwatch_widgets_lie_on_the_grid_side_by_side(overrides: dict[str, Any]) -> None:
    """Every widget is within the 24 columns and none covers another; all of it is plain JSON."""
    widgets = _cloudwatch(**overrides)
    assert json.loads(json.dumps(widgets)) == widgets
    _require_apart([{**widget, "properties": None} for widget in widgets], 24)


@pytest.mark.parametrize("overrides", CASES)
def test_datadog_s_widgets_lie_on_the_grid_side_by_side(overrides: dict[str, Any]) -> None:
    """Every widget is within the 12 columns of its group, none covers another, groups hold all."""
    for board in _datadog(**overrides):
        groups = board.body["widgets"]
        _require_apart([widget["layout"] for widget in groups], 12)
        for group in groups:
            inner = [widget["layout"] for widget in group["definition"]["widgets"]]
            _require_apart(inner, 12)
            assert (
                group["layout"]["height"]
                == max(place["y"] + place["height"] for place in inner) + 1
            )


def _require_apart(places: list[Body], columns: int) -> None:
    for place in places:
        assert 0 <= place["x"] < place["x"] + place["width"] <= columns
        assert place["height"] >= 1
    for first, other in combinations(places, 2):
        left, right = sorted((first, other), key=lambda place: place["x"])
        upper, lower = sorted((first, other), key=lambda place: place["y"])
        beside = left["x"] + left["width"] <= right["x"]
        assert beside or upper["y"] + upper["height"] <= lower["y"]


@pytest.mark.parametrize("overrides", CASES)
def test_every_query_is_narrowed_by_the_variables(overrides: dict[str, Any]) -> None:
    """Whatever is chosen above a Datadog dashboard holds for each metric that has such a tag, each
    log search and each trace search; no query uses a tag that its metric does not have."""
    for widget in every_widget(_datadog(**overrides)):
        for query in queries(widget):
            parsed = read(query["query"])
            [name] = parsed.metrics
            known = metrics.METRICS[name]
            assert parsed.variables == {"env", "service", "region"} & known.tags
            scope = re.findall(r"\{([^}]*)\}", query["query"])[0].split(",")
            assert {tag.partition(":")[0].lstrip("$") for tag in scope} <= known.tags
        for query in queries(widget, "logs"):
            assert query["search"]["query"].startswith("$env $service $region")
        if widget["type"] == "list_stream":
            source = widget["requests"][0]["query"]
            if source["data_source"] != "event_stream":
                assert source["query_string"].startswith("$env $service")


@pytest.mark.parametrize("overrides", CASES)
def test_only_what_is_there_is_shown(overrides: dict[str, Any]) -> None:
    """Every metric of a CloudWatch graph is of a resource of this environment."""
    resources = _ours(**overrides).resources.by_role.values()
    known = {pair for resource in resources for pair in resource.dimensions.items()}
    known |= {("Operation", operation) for operation in ("GetItem", "UpdateItem")}
    known |= {("reason", reason) for reason in REFUSALS}
    for panel in _metric_widgets(**overrides):
        for metric in panel["metrics"]:
            if len(metric) > 1:
                _, name, *dimensions, _ = metric
                pairs = set(zip(dimensions[::2], dimensions[1::2], strict=True))
                assert pairs <= known
                assert pairs or "-log-" in name


def test_nothing_is_shown_that_does_not_come() -> None:
    """Without instrumentation nothing of the extension, logs or traces is shown; without tracing
    no traces; of existing resources nothing of ours."""
    bare = json.dumps([board.body for board in _datadog(**UNINSTRUMENTED)])
    assert "enhanced" not in bare
    assert "trace." not in bare
    assert '"logs' not in bare
    untraced = json.dumps([board.body for board in _datadog(**UNTRACED)])
    assert "trace." not in untraced
    assert "trace_stream" not in untraced
    assert "aws.lambda.enhanced.max_memory_used" in untraced
    existing = json.dumps([board.body for board in _datadog(**EXISTING)])
    assert "slo:" not in existing
    assert "functionname:worker" in existing
    assert "aws.apigateway.5xxerror{$env,$service,$region,apiname:shop}" in existing
    assert "aws.apigateway.5xx{$env,$service,$region,apiid:a1b2c3}" in existing


def test_both_go_from_users_to_parts() -> None:
    """First what users notice, then what waits, then the parts: in the same order in both."""
    shared = [
        "Are senders served?",
        "Do webhooks arrive?",
        "What waits?",
        "Functions",
        "The record",
        "Does the monitoring work?",
        "Do notifications arrive?",
    ]
    assert _headings() == [*shared, "All alarms"]
    overview, _ = _datadog()
    groups = [widget["definition"]["title"] for widget in overview.body["widgets"]]
    assert groups == ["Is anything wrong?", *shared]


def test_existing_resources_have_a_section_each() -> None:
    """Where only a queue is monitored, only a queue is shown, and whether notifications arrive."""
    assert _headings(**ONLY_A_QUEUE) == ["Queue orders", "Do notifications arrive?", "All alarms"]
    assert _headings(**EXISTING)[:5] == [
        "Queue orders", "Function worker", "API shop", "API web", "Table stock",
    ]  # fmt: skip


def test_a_role_that_only_begins_like_the_monitoring_s_is_shown() -> None:
    """A function called notify-customers is not the one that notifies us."""
    functions = [{"name": "n", "role": "notify-customers", "timeoutSeconds": 30}]
    headings = _headings(backend_url=None, existing={"functions": functions})
    assert headings[0] == "Function notify-customers"


def test_without_heartbeat_none_is_shown() -> None:
    """A panel of heartbeats that nobody sends would only puzzle."""
    title = "Heartbeats that arrived"
    assert title in {panel["title"] for panel in _metric_widgets()}
    assert title not in {panel["title"] for panel in _metric_widgets(**NO_HEARTBEAT)}


@pytest.mark.parametrize("overrides", CASES)
def test_every_function_has_its_group(overrides: dict[str, Any]) -> None:
    """Datadog shows all functions, instrumented or not, under the names that AWS knows."""
    settings = _ours(**overrides).settings
    _, serverless = _datadog(**overrides)
    titles = [widget["definition"]["title"] for widget in serverless.body["widgets"]]
    existing = settings.existing
    others = [function.role for function in existing.functions] if existing else []
    roles = [title for title in titles if title != "All functions"]
    assert roles == [*others, *settings.functions]
    text = json.dumps(serverless.body)
    for role in settings.functions:
        assert f"functionname:{settings.function_name(role)}" in text


def test_the_legend_says_how_late_metrics_come() -> None:
    """A reader learns how late CloudWatch's metrics come, by the way they come."""
    assert "10 to 20 minutes late" in json.dumps(_datadog()[0].body)
    assert "2 to 3 minutes late" in json.dumps(_datadog(**STREAMED)[0].body)


def test_objectives_are_one_number_over_the_time_shown() -> None:
    """Each says how much may be missing, and what is late."""
    panels = {panel["title"]: panel for panel in _metric_widgets()}
    accepted = panels["Accepted, over the time shown"]
    assert accepted["setPeriodToTimeRange"] is True
    assert accepted["metrics"][-1][0]["label"] == "accepted; 0.1 % may be refused"
    delivered = panels["Delivered in time, over the time shown"]
    assert delivered["metrics"][0][-1]["stat"] == "PR(:300000)"


@pytest.mark.parametrize("overrides", CASES)
def test_no_part_is_stacked_onto_its_whole(overrides: dict[str, Any]) -> None:
    """Datadog stacks all bars of a graph: errors among the calls would be counted twice."""
    wholes = re.compile(r"\.(?:invocations|hits|count)\{")
    parts = re.compile(r"\.(?:errors|throttles|timeouts|out_of_memory)\{")
    for widget in _drawn(**overrides):
        bars = [
            str(query.get("query", ""))
            for request in widget.get("requests", ())
            if request.get("display_type") == "bars" and len(request["queries"]) == 1
            for query in request["queries"]
        ]
        both = any(map(wholes.search, bars)) and any(map(parts.search, bars))
        assert not both, widget["title"]


def test_shares_of_an_objective_have_its_color() -> None:
    """Red below the objective, green from it on."""
    least = made(CATALOG).settings.acceptedObjective
    title = "Accepted, over the time shown"
    [number] = [widget for widget in _drawn() if widget.get("title") == title]
    [formula] = number["requests"][0]["formulas"]
    assert formula["conditional_formats"] == [
        {"comparator": "<", "value": least, "palette": "white_on_red"},
        {"comparator": ">=", "value": least, "palette": "white_on_green"},
    ]
