"""Bodies as Datadog's endpoints take them and answer with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from monitoring.datadog.definition import Body, Kind
from monitoring.datadog.sync.api.transport import reason
from settings.errors import DatadogError


@dataclass(frozen=True, slots=True)
class RemoteObject:
    """An object that Datadog has.

    Attributes:
        body: as it was read; of a dashboard in a list only its summary.
    """

    id: str
    body: Body


def wrapped(kind: Kind, body: Body, id: str | None = None) -> Body:  # noqa: A002
    """A body as its endpoint takes it."""
    if kind is not Kind.DOWNTIME:
        return body
    data: Body = {"type": "downtime", "attributes": body}
    return {"data": {**data, "id": id} if id else data}


def unwrapped(kind: Kind, reply: Any) -> Body:
    """The object in an answer, with its id.

    Raises:
        DatadogError: When there is none in it.
    """
    try:
        body: Any = reply
        if kind is Kind.SLO and "data" in reply:
            data = reply["data"]
            body = data[0] if isinstance(data, list) else data
        elif kind is Kind.DOWNTIME:
            body = {**reply["data"]["attributes"], "id": reply["data"]["id"]}
        return dict(body)
    except (IndexError, KeyError, TypeError, ValueError):
        raise DatadogError(f"Datadog answered with no {kind}: {reason(reply)}") from None


def object_of(kind: Kind, entry: Any) -> Body:
    """An entry of a list as an object of its own."""
    return unwrapped(kind, {"data": entry} if kind is Kind.DOWNTIME else entry)


def id_of(kind: Kind, body: Body) -> str:
    try:
        return str(body["id"])
    except KeyError:
        raise DatadogError(f"Datadog answered with a {kind} that has no id") from None
