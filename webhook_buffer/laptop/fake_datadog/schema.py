"""What a body may hold, as the official client's models have it."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Literal

Model = Literal["monitor", "slo", "dashboard", "widget", "downtime", "downtime update"]


def problem(model: Model, body: Any) -> str | None:
    """The first thing that is wrong with a body, if anything."""
    return _problem(_models()[model], body)


def widget_problem(widget: Any) -> str | None:
    """The first thing that is wrong with a widget, if anything.

    Datadog knows more forms of requests than the client's models: what they can't make sense of
    inside of a widget of a type that they know is taken.
    """
    definition = dict(widget["definition"])
    model = _widgets().get(str(definition.get("type")))
    if model is None:
        return problem("widget", widget)
    rest = {**widget, "definition": {"type": "note", "content": ""}}
    return problem("widget", rest) or _problem(model, definition, newer=True)


def _problem(model: type, body: Any, *, newer: bool = False) -> str | None:
    from datadog_api_client.configuration import Configuration
    from datadog_api_client.exceptions import OpenApiException
    from datadog_api_client.model_utils import validate_and_convert_types

    try:
        typed = validate_and_convert_types(  # type: ignore[no-untyped-call]
            body,
            (model,),
            ["body"],
            True,
            True,
            configuration=Configuration(),  # type: ignore[no-untyped-call]
        )
    except (OpenApiException, ValueError) as failure:
        return str(failure)
    except TypeError as failure:
        missing = re.search(r"missing \d+ required .*?: ('\w+')", str(failure))
        return f"{missing[1]} is a required property" if missing else str(failure)
    return _unknown(typed, newer)


@cache
def _models() -> dict[Model, type]:
    # Imported when first needed: that takes longer than all else here.
    from datadog_api_client.v1.model.dashboard import Dashboard
    from datadog_api_client.v1.model.monitor import Monitor
    from datadog_api_client.v1.model.service_level_objective_request import (
        ServiceLevelObjectiveRequest,
    )
    from datadog_api_client.v1.model.widget import Widget
    from datadog_api_client.v2.model.downtime_create_request import DowntimeCreateRequest
    from datadog_api_client.v2.model.downtime_update_request import DowntimeUpdateRequest

    return {
        "monitor": Monitor,
        "slo": ServiceLevelObjectiveRequest,
        "dashboard": Dashboard,
        "widget": Widget,
        "downtime": DowntimeCreateRequest,
        "downtime update": DowntimeUpdateRequest,
    }


@cache
def _widgets() -> dict[str, type]:
    """The models of widgets' definitions, by type."""
    from datadog_api_client.model_utils import ModelNormal
    from datadog_api_client.v1.model.widget_definition import WidgetDefinition

    models: dict[str, type] = {}
    for model in WidgetDefinition._composed_schemas["oneOf"]:
        if issubclass(model, ModelNormal):
            kind = model.openapi_types["type"][0]
            models |= dict.fromkeys(kind.allowed_values, model)
    return models


def _unknown(value: Any, newer: bool, depth: int = 0) -> str | None:
    """The first value or field that a model took although it does not know it.

    Args:
        newer: whether Datadog may know what the models do not, below the first level.
    """
    from datadog_api_client.model_utils import (
        ModelComposed,
        ModelNormal,
        ModelSimple,
        UnparsedObject,
    )

    parts: list[Any] = []
    if isinstance(value, UnparsedObject):
        if newer and depth > 1:
            return None
        return f"{value._data_store} is not valid under any of the given schemas"
    if isinstance(value, ModelSimple):
        if value._unparsed:
            return f"{value.value!r} is not one of {sorted(value.allowed_values)}"
    elif isinstance(value, ModelComposed):
        parts = value._composed_instances
    elif isinstance(value, ModelNormal):
        for name in value._data_store:
            if name not in value.openapi_types:
                return f"Additional properties are not allowed ({name!r} was unexpected)"
        parts = list(value._data_store.values())
    elif isinstance(value, list):
        parts = value
    return next(filter(None, (_unknown(part, newer, depth + 1) for part in parts)), None)
