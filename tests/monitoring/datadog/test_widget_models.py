"""A widget is read with the model of its type, and what is refused is what all models refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from datadog_api_client import model_utils
from datadog_api_client.v1.model.alert_graph_widget_definition import AlertGraphWidgetDefinition
from datadog_api_client.v1.model.widget_definition import WidgetDefinition

from monitoring.datadog.definition import Definition, Kind
from monitoring.datadog.sync.api import models, problems

_MODELS = WidgetDefinition._composed_schemas["oneOf"]
_TYPES = sorted({value for model in _MODELS for value in models._types(model)})
_NOTE = {"type": "note", "content": "Read the runbook."}


def _board(*widgets: dict[str, Any]) -> Definition:
    body = {
        "title": "overview", "layout_type": "ordered",
        "widgets": [{"definition": widget} for widget in widgets],
    }  # fmt: skip
    return Definition(Kind.DASHBOARD, "overview", body)


def _group(widget: dict[str, Any]) -> dict[str, Any]:
    return {"type": "group", "layout_type": "ordered", "widgets": [{"definition": widget}]}


@pytest.fixture
def tried_with_all(monkeypatch: pytest.MonkeyPatch) -> Callable[[Definition], list[str]]:
    """What the client's models say of a definition when each widget is tried with all of them."""

    def read(definition: Definition) -> list[str]:
        models._problems.cache_clear()
        with monkeypatch.context() as patched:
            patched.setitem(model_utils._discriminator_map_cache, WidgetDefinition, None)
            said = problems(definition)
        models._problems.cache_clear()
        return said

    return read


def _widgets(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for widget in body.get("widgets", []):
        yield widget["definition"]
        yield from _widgets(widget["definition"])


def _wrong(widget: dict[str, Any]) -> list[dict[str, Any]]:
    """The widget with a field too many, and with a value of the wrong type."""
    return [{**widget, "colour": "red"}, {**widget, "title": 3}]


def test_a_widget_is_read_with_the_model_of_its_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """A right widget, in a group or not, is not tried as another type."""
    tried = []
    made = AlertGraphWidgetDefinition.__init__

    def recorded(self: Any, *args: Any, **fields: Any) -> None:
        tried.append(fields)
        made(self, *args, **fields)

    monkeypatch.setattr(AlertGraphWidgetDefinition, "__init__", recorded)
    models._problems.cache_clear()
    assert problems(_board(_NOTE, _group(_NOTE))) == []
    assert tried == []


def test_what_is_wrong_with_a_shipped_widget_is_what_all_models_say(
    shipped: list[Definition], tried_with_all: Callable[[Definition], list[str]]
) -> None:
    """One of each type that is shipped, right and with each of some faults; one in a group, too."""
    boards = [definition.body for definition in shipped if definition.kind is Kind.DASHBOARD]
    by_type = {widget["type"]: widget for body in boards for widget in _widgets(body)}
    assert by_type.keys() > {"note", "timeseries", "query_value"}
    for kind, widget in by_type.items():
        assert problems(_board(widget)) == tried_with_all(_board(widget)) == [], kind
        wrong = _wrong(widget)
        if kind == "note":
            wrong += [*map(_group, wrong), {**_group(widget), "layout_type": "free"}]
        for faulty in wrong:
            said = problems(_board(faulty))
            assert said == tried_with_all(_board(faulty)), kind
        assert problems(_board({**widget, "title": 3, "content": 3})) != [], kind


@pytest.mark.parametrize("kind", _TYPES)
def test_a_widget_without_what_its_type_needs_is_what_all_models_say(
    kind: str, tried_with_all: Callable[[Definition], list[str]]
) -> None:
    """Every type that the client knows, including one that two models share."""
    bare = _board({"type": kind})
    assert problems(bare) == tried_with_all(bare)


def test_an_unknown_type_of_widget_is_named() -> None:
    """No model takes it, so it is refused by its place."""
    [problem] = problems(_board(_NOTE, {"type": "notes", "content": "Read the runbook."}))
    assert problem.startswith("dashboard overview: widgets.1.definition")
    assert "Datadog's models" in problem


_TIMESERIES: dict[str, Any] = {
    "type": "timeseries",
    "requests": [
        {
            "response_format": "timeseries",
            "queries": [{"name": "a", "data_source": "metrics", "query": "avg:system.load.1{*}"}],
        }
    ],
}


def _in_the_request(**fields: Any) -> dict[str, Any]:
    return {**_TIMESERIES, "requests": [{**_TIMESERIES["requests"][0], **fields}]}


@pytest.mark.parametrize(
    ("widget", "place"),
    [
        ({**_TIMESERIES, "colour": "red"}, "widgets.0.definition.colour"),
        (_group({**_NOTE, "colour": "red"}), "widgets.0.definition.widgets.0.definition.colour"),
        (_in_the_request(colour="red"), "widgets.0.definition.requests.0.colour"),
        (
            _in_the_request(
                queries=[{**_TIMESERIES["requests"][0]["queries"][0], "colour": "red"}]
            ),
            "widgets.0.definition.requests.0.queries.0.colour",
        ),
    ],
    ids=["definition", "in a group", "request", "query"],
)
def test_an_unknown_field_of_a_widget_is_named(widget: dict[str, Any], place: str) -> None:
    """The models take a field that they don't know; it is named by its place."""
    assert problems(_board(widget)) == [
        f"dashboard overview: {place}: Datadog's models have no such field"
    ]
