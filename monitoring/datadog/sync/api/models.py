"""What Datadog's own models say against a body: they take an unknown value in silence."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

from datadog_api_client import Configuration
from datadog_api_client.model_utils import (
    ModelComposed,
    ModelNormal,
    ModelSimple,
    OpenApiModel,
    UnparsedObject,
    _discriminator_map_cache,
    validate_and_convert_types,
)

from monitoring.datadog.definition import Definition, Kind, resolved
from monitoring.datadog.sync.api.bodies import wrapped

# What the models are read with; no server has a part in it.
_UNSENT = Configuration()  # type: ignore[no-untyped-call]


def problems(definition: Definition) -> list[str]:
    """What the client's models say against a body: wrong types, unknown fields and values."""
    body = resolved(definition.body, {}, missing=1 if definition.kind is Kind.SLO else "0" * 32)
    body = wrapped(definition.kind, body)
    wrong = _problems(definition.kind, json.dumps(body))
    return [f"{definition.name}: {problem}" for problem in wrong]


# A dashboard's body takes the models a tenth of a second, and `deploy` plans twice.
@lru_cache(maxsize=256)
def _problems(kind: Kind, body: str) -> tuple[str, ...]:
    try:
        model = validate_and_convert_types(  # type: ignore[no-untyped-call]
            json.loads(body), (_model(kind),), ["body"], True, True, configuration=_UNSENT
        )
    except (TypeError, ValueError) as error:
        return (str(error).split("\n")[0],)
    return tuple(_unparsed(model, ""))


def fields(kind: Kind) -> frozenset[str]:
    """The fields of an object that the client's models know."""
    return frozenset(_model(kind).attribute_map.values())


def _unparsed(value: Any, path: str) -> Iterator[str]:
    """Pieces that a model could not make sense of, the innermost alone."""
    if isinstance(value, UnparsedObject | ModelSimple):
        if isinstance(value, UnparsedObject) or value._unparsed:
            unknown = json.dumps(getattr(value, "_data_store", {}), default=str)
            yield f"{path or 'body'}: Datadog's models do not know {unknown[:160]}"
    elif isinstance(value, OpenApiModel):
        inner = list(_inside(value, path))
        yield from inner
        if isinstance(value, ModelNormal):
            for name in sorted(set(value._data_store) - set(value.attribute_map)):
                yield f"{path}.{name}: Datadog's models have no such field".lstrip(".")
        if value._unparsed and not inner:
            yield f"{path or 'body'}: Datadog's models can't read it"
    elif isinstance(value, dict):
        for name, nested in value.items():
            yield from _unparsed(nested, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        for place, nested in enumerate(value):
            yield from _unparsed(nested, f"{path}.{place}".lstrip("."))


def _inside(model: OpenApiModel, path: str) -> Iterator[str]:
    if isinstance(model, ModelComposed):
        for inner in model._composed_instances:
            yield from _unparsed(inner, path)
    else:
        for name, inner in model._data_store.items():
            yield from _unparsed(inner, f"{path}.{name}".lstrip("."))


@cache
def _model(kind: Kind) -> Any:
    """The client's model of what is sent; loading one takes a while."""
    match kind:
        case Kind.MONITOR:
            from datadog_api_client.v1.model.monitor import Monitor

            return Monitor
        case Kind.SLO:
            from datadog_api_client.v1.model.service_level_objective_request import (
                ServiceLevelObjectiveRequest,
            )

            return ServiceLevelObjectiveRequest
        case Kind.DASHBOARD:
            from datadog_api_client.v1.model.dashboard import Dashboard

            _choose_widgets_by_type()
            return Dashboard
        case Kind.DOWNTIME:
            from datadog_api_client.v2.model.downtime_create_request import DowntimeCreateRequest

            return DowntimeCreateRequest


def _choose_widgets_by_type() -> None:
    """Lets the client read a widget with the model of its ``type``, and only a wrong one with all.

    The client does so itself where every model has a ``type`` that no other has. Of widgets, two
    share "funnel" and one has none, so it would read each widget, and each group, with all 43.
    Source: ``get_oneof_instance`` of datadog-api-client 2.62.
    """
    from datadog_api_client.v1.model.widget_definition import WidgetDefinition

    models = [
        (value, model)
        for model in WidgetDefinition._composed_schemas["oneOf"]
        for value in _types(model)
    ]
    shared = Counter(value for value, _ in models)
    _discriminator_map_cache[WidgetDefinition] = {
        value: model for value, model in models if shared[value] == 1
    }


def _types(model: Any) -> frozenset[str]:
    """The values that a model's ``type`` may have."""
    return frozenset(
        value for kind in model.openapi_types.get("type", ()) for value in kind.allowed_values
    )
