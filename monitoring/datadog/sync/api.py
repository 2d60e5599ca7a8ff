"""Datadog's API through its official client: the only place that knows it.

Bodies travel as they are; the client's models check them beforehand, for they take an unknown
value in silence (``problems``). Retries are ours: the client's own would repeat a POST whose reply
was lost, and so make an object twice.
"""

from __future__ import annotations

import json
import random
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import urllib3
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import ApiException
from datadog_api_client.model_utils import (
    ModelNormal,
    ModelSimple,
    OpenApiModel,
    UnparsedObject,
    validate_and_convert_types,
)

from monitoring.datadog.definition import Definition, Kind, resolved
from monitoring.datadog.sync.fields import Body
from monitoring.datadog.sync.keys import Keys
from monitoring.datadog.sync.rate_limit import Pace, StoppedError
from settings.errors import DatadogError

# What the models are read with; no server has a part in it.
_UNSENT = Configuration()  # type: ignore[no-untyped-call]
# At a time; Datadog's limits decide how fast it really goes.
CONNECTIONS = 8
_TRIES = 5
_TIMEOUT = (5.0, 60.0)  # to connect, to answer
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 8.0
# The limit is all of the organisation's: others may use it up for a while.
_PATIENCE = 300.0
# How a kind's list is asked for in pages: by how many, and from where.
# Source: Datadog API reference, "Get all …": SLOs by up to 1,000; dashboards by 100 unless more
# are asked for; 250 were seen.
_PAGES = {
    Kind.SLO: ("limit", "offset", 1000),
    Kind.DASHBOARD: ("count", "start", 250),
    Kind.DOWNTIME: ("page[limit]", "page[offset]", 100),
}
_MONITOR_PAGE = 1000
# Datadog's smallest page unless another is asked for (downtimes): a list with fewer is whole,
# whatever limit a server has.
_SMALLEST_PAGE = 30
# How often a list is read that changes while it is read.
_READINGS = 3


@dataclass(frozen=True, slots=True)
class _Route:
    """How a kind's objects are reached.

    Attributes:
        path: of all of them; one of them follows with its id.
        read, write: the permissions that it takes.
        method: of an update.
    """

    path: str
    read: str
    write: str
    method: str = "PUT"


_ROUTES = {
    Kind.MONITOR: _Route("/api/v1/monitor", "monitors_read", "monitors_write"),
    Kind.SLO: _Route("/api/v1/slo", "slos_read", "slos_write"),
    Kind.DASHBOARD: _Route("/api/v1/dashboard", "dashboards_read", "dashboards_write"),
    Kind.DOWNTIME: _Route("/api/v2/downtime", "monitors_downtime", "monitors_downtime", "PATCH"),
}


@dataclass(frozen=True, slots=True)
class Found:
    """An object that Datadog has.

    Attributes:
        body: as it was read; of a dashboard in a list only its summary.
    """

    id: str
    body: Body


class LostReplyError(DatadogError):
    """When nobody can know whether a request was carried out."""


class Api:
    """Datadog as it is reached with some keys; for many threads."""

    def __init__(self, keys: Keys, sleep: Callable[[float], None] = time.sleep) -> None:
        self.keys = keys
        self.writes = 0
        self._sleep = sleep
        self._pace = Pace()
        self._lock = threading.Lock()
        configuration = Configuration(host=keys.url)  # type: ignore[no-untyped-call]
        configuration.retry_policy = urllib3.Retry(total=0, redirect=0)
        host = urlsplit(keys.url).hostname or ""
        if not urllib.request.proxy_bypass(host):
            configuration.proxy = urllib.request.getproxies().get(urlsplit(keys.url).scheme)
        self._client = ApiClient(configuration)
        # Its own four are fewer than what is sent at a time.
        self._client.rest_client.pool_manager.connection_pool_kw["maxsize"] = CONNECTIONS
        self._headers = {
            "Accept": "application/json",
            "DD-API-KEY": keys.api,
            "DD-APPLICATION-KEY": keys.application,
        }

    def check_key(self) -> None:
        """Makes sure of the API key.

        Raises:
            DatadogError: When Datadog does not take it, or can't be reached.
        """
        status, body, _ = self._request("GET", "/api/v1/validate", family="validate")
        if status != 200 or not isinstance(body, dict) or not body.get("valid"):
            raise self._refused_key("API key")

    def stop(self) -> None:
        """Ends what other threads wait for: nothing more is sent."""
        self._pace.stop()

    def require_permission(self, kind: Kind) -> None:
        """Makes sure that objects of a kind may be written, without writing one.

        An object without any field is never taken. That Datadog looks at permissions before it
        looks at the body is assumed; it is seen so on the stand-in only.

        Raises:
            DatadogError: When they may not.
        """
        status, reply, _ = self._request("POST", _ROUTES[kind].path, {}, family=f"{kind} write")
        if status in (401, 403):
            raise self._forbidden(kind, reply, write=True)

    def announce(self, title: str, text: str, tags: Sequence[str]) -> None:
        """Posts an event, which dashboards show as a line at its time.

        Raises:
            DatadogError: When Datadog does not take it.
        """
        body = {"title": title, "text": text, "tags": list(tags), "alert_type": "info"}
        status, reply, _ = self._request(
            "POST", "/api/v1/events", body, family="event", repeat=False
        )
        if not 200 <= status < 300:
            raise DatadogError(f"posting an event: Datadog answered {status}: {_reason(reply)}")

    def every(self, kind: Kind) -> list[Found]:
        """Everything of a kind in the organisation, in as few calls as it takes.

        Raises:
            DatadogError: When Datadog does not answer with it.
        """
        entries = self._monitors() if kind is Kind.MONITOR else self._paged(kind)
        found = (_object(kind, one) for one in entries)
        return [
            Found(_id(kind, one), one)
            for one in found
            if one.get("status") not in ("canceled", "ended")
        ]

    def read(self, kind: Kind, id: str) -> Found | None:  # noqa: A002
        """One object; None when it is not there."""
        path = f"{_ROUTES[kind].path}/{id}"
        query = {"with_assets": "true"} if kind is Kind.MONITOR else None
        status, body, _ = self._request("GET", path, query=query, family=f"{kind} read")
        if status == 404:
            return None
        self._require(kind, status, body, "reading", id, write=False)
        return Found(id, _unwrapped(kind, body))

    def create(self, kind: Kind, body: Body, again: Callable[[], Found | None]) -> Found:
        """Makes an object, once.

        Args:
            again: looks whether it is there, for when a reply was lost.

        Raises:
            DatadogError: When Datadog does not take it.
        """
        for attempt in range(_TRIES):
            try:
                status, reply, _ = self._request(
                    "POST", _ROUTES[kind].path, _wrapped(kind, body), family=f"{kind} write",
                    repeat=False,
                )  # fmt: skip
            except LostReplyError as error:
                self._wait(min(attempt, _TRIES - 2))
                there = again()
                if there is not None:
                    return there
                if attempt + 1 == _TRIES:
                    raise DatadogError(str(error)) from None
                continue
            if status == 400 and "duplicate" in str(reply).casefold():
                there = again()
                if there is not None:
                    return there
            self._require(kind, status, reply, "creating", str(body.get("name", "")))
            made = _unwrapped(kind, reply)
            return Found(_id(kind, made), made)
        raise AssertionError("unreachable")

    def update(self, kind: Kind, id: str, body: Body) -> Found:  # noqa: A002
        """Gives an object another body.

        Raises:
            DatadogError: When Datadog does not take it.
        """
        route = _ROUTES[kind]
        wrapped = _wrapped(kind, body, id)
        path = f"{route.path}/{id}"
        status, reply, _ = self._request(route.method, path, wrapped, family=f"{kind} write")
        self._require(kind, status, reply, "updating", id)
        return Found(id, _unwrapped(kind, reply))

    def delete(self, kind: Kind, id: str) -> None:  # noqa: A002
        """Takes an object away; one that is gone already is fine.

        Raises:
            DatadogError: When Datadog keeps it.
        """
        path = f"{_ROUTES[kind].path}/{id}"
        status, reply, _ = self._request("DELETE", path, family=f"{kind} write")
        if status != 404:
            self._require(kind, status, reply, "deleting", id)

    def _monitors(self) -> Iterator[Any]:
        """All monitors: each page begins after the last id, so that none can be missed.

        Source: Datadog API reference, "Get all monitors": ``id_offset``, "repeat until the
        response is empty".
        """
        last = 0
        while True:
            query = {"id_offset": last, "page_size": _MONITOR_PAGE}
            entries = self._entries(Kind.MONITOR, query)
            yield from entries
            if len(entries) < _SMALLEST_PAGE:
                return
            last = max(int(_id(Kind.MONITOR, _object(Kind.MONITOR, one))) for one in entries)

    def _paged(self, kind: Kind) -> Iterable[Any]:
        """All of a kind. What is deleted meanwhile shifts the rest: then it is read once more."""
        found: dict[str, Any] = {}
        for _ in range(_READINGS):
            whole = True
            for ids, entries in self._pages(kind):
                whole = whole and ids is not None
                found |= {_id(kind, _object(kind, one)): one for one in entries}
            if whole:
                break
        return found.values()

    def _pages(self, kind: Kind) -> Iterator[tuple[str | None, list[Any]]]:
        """Each page with its last id; None where it does not begin with the one before's last."""
        limit, offset, size = _PAGES[kind]
        start, last = 0, ""
        while True:
            entries = self._entries(kind, {limit: size, offset: start})
            ids = [_id(kind, _object(kind, one)) for one in entries]
            follows = not last or ids[:1] == [last]
            yield (ids[-1] if ids else "") if follows else None, entries
            if len(entries) < (2 if last else _SMALLEST_PAGE):
                return
            # The last one once more, as the first of the next page.
            start, last = start + len(entries) - 1, ids[-1]

    def _entries(self, kind: Kind, query: Mapping[str, int | str]) -> list[Any]:
        """One page of a list, as it is."""
        status, body, _ = self._request(
            "GET", _ROUTES[kind].path, query=query, family=f"{kind} read"
        )
        self._require(kind, status, body, "listing", f"{kind}s", write=False)
        if kind is not Kind.MONITOR:
            name = "dashboards" if kind is Kind.DASHBOARD else "data"
            body = body.get(name) if isinstance(body, dict) else None
        if not isinstance(body, list):
            raise DatadogError(f"listing {kind}s: Datadog's answer at {self.keys.url} is no list")
        return body

    def _request(
        self,
        method: str,
        path: str,
        body: Body | None = None,
        *,
        family: str,
        query: Mapping[str, int | str] | None = None,
        repeat: bool = True,
    ) -> tuple[int, Any, Mapping[str, str]]:
        """One request, repeated where that is safe: after a 429 always, else unless it makes
        something."""
        if method != "GET":
            with self._lock:
                self.writes += 1
        patient_until = time.monotonic() + _PATIENCE
        attempt = 0
        while True:
            status, reply, headers, problem = self._once(method, path, body, family, query)
            if status == 429 and time.monotonic() < patient_until:
                continue  # the pace waits as long as the answer said
            if status and status < 500 and status not in (408, 429):
                return status, reply, headers
            if not repeat:
                raise LostReplyError(problem)
            attempt += 1
            if attempt == _TRIES or status == 429:
                raise DatadogError(problem)
            self._wait(attempt - 1)

    def _once(
        self,
        method: str,
        path: str,
        body: Body | None,
        family: str,
        query: Mapping[str, int | str] | None,
    ) -> tuple[int, Any, Mapping[str, str], str]:
        """Status (0 without an answer), body, headers, and what went wrong in words."""
        try:
            self._pace.enter(family)
        except StoppedError:
            raise DatadogError("not sent: the command was ended") from None
        status = 0
        data: Any = b""
        headers: dict[str, str] = {}
        where = f"Datadog at {self.keys.url}: {method} {path}"
        problem = ""
        try:
            try:
                response = self._client.call_api(
                    path, method, query_params=list((query or {}).items()),
                    header_params=dict(self._headers), body=body, preload_content=False,
                    request_timeout=_TIMEOUT,
                )  # fmt: skip
                status, data, headers = response.status, response.data, dict(response.headers)
            except ApiException as error:
                status, data = error.status, error.body or b""
                headers = dict(error.headers or {})
                problem = f"{where}: {status}: {_reason(data)}"
            except urllib3.exceptions.HTTPError as error:
                # Its text names the host and no header.
                reason = getattr(error, "reason", None) or error
                problem = f"{where} was not answered ({type(reason).__name__})"
        finally:
            self._pace.leave(family, headers, refused=status == 429)
        return status, _json(data), headers, problem

    def _wait(self, attempt: int) -> None:
        longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0**attempt)
        self._sleep(random.uniform(longest / 2, longest))

    def _require(
        self, kind: Kind, status: int, body: Any, doing: str, what: str, *, write: bool = True
    ) -> None:
        if status in (401, 403):
            told = _reason(body)
            if (not write and status == 401) or told == "Forbidden":
                raise self._refused_key("application key")
            raise self._forbidden(kind, body, write=write)
        if not 200 <= status < 300:
            raise DatadogError(f"{doing} {what}: Datadog answered {status}: {_reason(body)}")

    def _refused_key(self, what: str) -> DatadogError:
        return DatadogError(
            f"Datadog at {self.keys.url} does not take the {what} from {self.keys.origin}. Either "
            "it is wrong or revoked, or it is of another site: see 'datadog.site' in cdk.json."
        )

    def _forbidden(self, kind: Kind, body: Any, *, write: bool) -> DatadogError:
        route = _ROUTES[kind]
        verb, permission = ("write", route.write) if write else ("read", route.read)
        return DatadogError(
            f"Datadog refuses to {verb} {kind}s with the application key from {self.keys.origin} "
            f"({_reason(body)}): it, or its owner's role, lacks the permission {permission}. Add "
            "it in Datadog under Organization Settings, Application Keys (Scope), or Roles."
        )


def problems(definition: Definition) -> list[str]:
    """What the client's models say against a body: wrong types, unknown fields and values."""
    body = resolved(definition.body, {}, missing=1 if definition.kind is Kind.SLO else "0" * 32)
    wrapped = _wrapped(definition.kind, body)
    try:
        model = validate_and_convert_types(  # type: ignore[no-untyped-call]
            wrapped, (_model(definition.kind),), ["body"], True, True, configuration=_UNSENT
        )
    except (TypeError, ValueError) as error:
        text = str(error).split("\n")[0]
        return [f"{definition.name}: {text}"]
    return [f"{definition.name}: {problem}" for problem in _unparsed(model, "")]


def _unparsed(value: Any, path: str) -> Iterator[str]:
    """Pieces that a model could not make sense of, the innermost alone."""
    if isinstance(value, UnparsedObject | ModelSimple):
        if isinstance(value, UnparsedObject) or value._unparsed:
            told = json.dumps(getattr(value, "_data_store", {}), default=str)
            yield f"{path or 'body'}: Datadog's models do not know {told[:160]}"
    elif isinstance(value, OpenApiModel):
        inner = list(_inside(value, path))
        yield from inner
        if isinstance(value, ModelNormal):
            for name in sorted(set(value._data_store) - set(value.attribute_map)):
                yield f"{path}.{name}: Datadog's models have no such field".lstrip(".")
        if value._unparsed and not inner:
            yield f"{path or 'body'}: Datadog's models can't read it"
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _unparsed(one, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from _unparsed(one, f"{path}.{place}".lstrip("."))


def _inside(model: OpenApiModel, path: str) -> Iterator[str]:
    store = getattr(model, "_data_store", None)
    if isinstance(store, dict):
        for name, one in store.items():
            yield from _unparsed(one, f"{path}.{name}".lstrip("."))
    elif hasattr(model, "_composed_instances"):
        for one in model._composed_instances:
            yield from _unparsed(one, path)


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

            return Dashboard
        case Kind.DOWNTIME:
            from datadog_api_client.v2.model.downtime_create_request import DowntimeCreateRequest

            return DowntimeCreateRequest


def _wrapped(kind: Kind, body: Body, id: str | None = None) -> Body:  # noqa: A002
    """A body as its endpoint takes it."""
    if kind is not Kind.DOWNTIME:
        return body
    data: Body = {"type": "downtime", "attributes": body}
    return {"data": {**data, "id": id} if id else data}


def _unwrapped(kind: Kind, reply: Any) -> Body:
    """The object in an answer, with its id.

    Raises:
        DatadogError: When there is none in it.
    """
    try:
        found: Any = reply
        if kind is Kind.SLO and "data" in reply:
            data = reply["data"]
            found = data[0] if isinstance(data, list) else data
        elif kind is Kind.DOWNTIME:
            found = {**reply["data"]["attributes"], "id": reply["data"]["id"]}
        return dict(found)
    except (IndexError, KeyError, TypeError, ValueError):
        raise DatadogError(f"Datadog answered with no {kind}: {_reason(reply)}") from None


def _object(kind: Kind, entry: Any) -> Body:
    """An entry of a list as an object of its own."""
    return _unwrapped(kind, {"data": entry} if kind is Kind.DOWNTIME else entry)


def _id(kind: Kind, body: Body) -> str:
    try:
        return str(body["id"])
    except KeyError:
        raise DatadogError(f"Datadog answered with a {kind} that has no id") from None


def _json(data: Any) -> Any:
    """An answer's body; the client has read an error's already, where it is JSON."""
    if not isinstance(data, bytes | str):
        return data or {}
    try:
        return json.loads(data) if data else {}
    except ValueError:
        return {}


def _reason(body: Any) -> str:
    """Datadog's own words in an error's body."""
    found = _json(body)
    errors = found.get("errors", found.get("error")) if isinstance(found, dict) else found
    if isinstance(errors, list):
        return "; ".join(
            str(one.get("detail") or one.get("title")) if isinstance(one, dict) else str(one)
            for one in errors
        )
    return str(errors or "without a reason")
