"""Datadog's objects: listed, read, made, changed and deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitoring.datadog.definition import Body, Kind
from monitoring.datadog.sync.api.bodies import RemoteObject, id_of, object_of, unwrapped, wrapped
from monitoring.datadog.sync.api.transport import TRIES, LostReplyError, Transport, reason
from settings.errors import DatadogError

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


class Api(Transport):
    """Datadog as it is reached with some keys; for many threads."""

    def check_key(self) -> None:
        """Makes sure of the API key.

        Raises:
            DatadogError: When Datadog does not take it, or can't be reached.
        """
        status, body, _ = self._request("GET", "/api/v1/validate", family="validate")
        if status != 200 or not isinstance(body, dict) or not body.get("valid"):
            raise self._refused_key("API key")

    def check_keys(self) -> None:
        """Makes sure of both keys.

        Source: Datadog API reference, "Validate API and application keys": 401 or 403 otherwise.

        Raises:
            DatadogError: When Datadog does not take one of them, or can't be reached.
        """
        self.check_key()
        status, body, _ = self._request("GET", "/api/v2/validate_keys", family="validate")
        if status in (401, 403):
            raise self._refused_key("application key")
        if status != 200:
            raise DatadogError(f"checking the keys: Datadog answered {status}: {reason(body)}")

    def require_permission(self, kind: Kind) -> None:
        """Makes sure that objects of a kind may be written, without writing one.

        An object without any field is never taken. That Datadog looks at permissions before it
        looks at the body is assumed; it is seen so on the fake only.

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
            raise DatadogError(f"posting an event: Datadog answered {status}: {reason(reply)}")

    def every(self, kind: Kind) -> list[RemoteObject]:
        """Everything of a kind in the organization, in as few calls as it takes.

        Raises:
            DatadogError: When Datadog does not answer with it.
        """
        entries = self._monitors() if kind is Kind.MONITOR else self._paged(kind)
        bodies = (object_of(kind, entry) for entry in entries)
        return [
            RemoteObject(id_of(kind, body), body)
            for body in bodies
            if body.get("status") not in ("canceled", "ended")
        ]

    def read(self, kind: Kind, id: str) -> RemoteObject | None:  # noqa: A002
        """One object; None when it is not there."""
        path = f"{_ROUTES[kind].path}/{id}"
        query = {"with_assets": "true"} if kind is Kind.MONITOR else None
        status, body, _ = self._request("GET", path, query=query, family=f"{kind} read")
        if status == 404:
            return None
        self._require(kind, status, body, "reading", id, write=False)
        return RemoteObject(id, unwrapped(kind, body))

    def create(
        self, kind: Kind, body: Body, again: Callable[[], RemoteObject | None]
    ) -> RemoteObject:
        """Makes an object, once.

        Args:
            again: looks whether it is there, for when a reply was lost.

        Raises:
            DatadogError: When Datadog does not take it.
        """
        for attempt in range(TRIES):
            try:
                status, reply, _ = self._request(
                    "POST", _ROUTES[kind].path, wrapped(kind, body), family=f"{kind} write",
                    repeat=False,
                )  # fmt: skip
            except LostReplyError as error:
                self._wait(min(attempt, TRIES - 2))
                there = again()
                if there is not None:
                    return there
                if attempt + 1 == TRIES:
                    raise DatadogError(str(error)) from None
                continue
            if status == 400 and "duplicate" in str(reply).casefold():
                there = again()
                if there is not None:
                    return there
            self._require(kind, status, reply, "creating", str(body.get("name", "")))
            made = unwrapped(kind, reply)
            return RemoteObject(id_of(kind, made), made)
        raise AssertionError("unreachable")

    def update(self, kind: Kind, id: str, body: Body) -> RemoteObject:  # noqa: A002
        """Gives an object another body.

        Raises:
            DatadogError: When Datadog does not take it.
        """
        route = _ROUTES[kind]
        sent = wrapped(kind, body, id)
        path = f"{route.path}/{id}"
        status, reply, _ = self._request(route.method, path, sent, family=f"{kind} write")
        self._require(kind, status, reply, "updating", id)
        return RemoteObject(id, unwrapped(kind, reply))

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
            last = max(
                int(id_of(Kind.MONITOR, object_of(Kind.MONITOR, entry))) for entry in entries
            )

    def _paged(self, kind: Kind) -> Iterable[Any]:
        """All of a kind. What is deleted meanwhile shifts the rest: then it is read once more."""
        by_id: dict[str, Any] = {}
        for _ in range(_READINGS):
            whole = True
            for ids, entries in self._pages(kind):
                whole = whole and ids is not None
                by_id |= {id_of(kind, object_of(kind, entry)): entry for entry in entries}
            if whole:
                break
        return by_id.values()

    def _pages(self, kind: Kind) -> Iterator[tuple[str | None, list[Any]]]:
        """Each page with its last id; None where it does not begin with the one before's last."""
        limit, offset, size = _PAGES[kind]
        start, last = 0, ""
        while True:
            entries = self._entries(kind, {limit: size, offset: start})
            ids = [id_of(kind, object_of(kind, entry)) for entry in entries]
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
            raise DatadogError(
                f"listing {kind}s: Datadog's answer at {self.keys.url} is not a list"
            )
        return body

    def _require(
        self, kind: Kind, status: int, body: Any, doing: str, what: str, *, write: bool = True
    ) -> None:
        if status in (401, 403):
            refused_because = reason(body)
            if (not write and status == 401) or refused_because == "Forbidden":
                raise self._refused_key("application key")
            raise self._forbidden(kind, body, write=write)
        if not 200 <= status < 300:
            raise DatadogError(f"{doing} {what}: Datadog answered {status}: {reason(body)}")

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
            f"({reason(body)}): it, or its owner's role, lacks the permission {permission}. Add "
            "it in Datadog under Organization Settings, Application Keys (Scope), or Roles."
        )
