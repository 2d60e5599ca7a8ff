"""Requests to Datadog through its official client, as fast as its limits allow.

Retries are ours: the client's own would repeat a POST whose reply was lost, and so make an object
twice.
"""

from __future__ import annotations

import json
import random
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import urllib3
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import ApiException

from monitoring.datadog.definition import Body
from monitoring.datadog.keys import Keys
from monitoring.datadog.sync.api.rate_limit import Pace, StoppedError
from settings.errors import DatadogError

# At a time; Datadog's limits decide how fast it really goes.
CONNECTIONS = 8
TRIES = 5
_TIMEOUT = (5.0, 60.0)  # to connect, to answer
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 8.0
# The limit is the whole organization's: others may use it up for a while.
_PATIENCE = 300.0


class LostReplyError(DatadogError):
    """When nobody can know whether a request was carried out."""


class Transport:
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

    def stop(self) -> None:
        """Ends what other threads wait for: nothing more is sent."""
        self._pace.stop()

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
            if attempt == TRIES or status == 429:
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
                problem = f"{where}: {status}: {reason(data)}"
            except urllib3.exceptions.HTTPError as error:
                # Its text names the host and no header.
                cause = getattr(error, "reason", None) or error
                problem = f"{where} was not answered ({type(cause).__name__})"
        finally:
            self._pace.leave(family, headers, refused=status == 429)
        return status, parsed(data), headers, problem

    def _wait(self, attempt: int) -> None:
        longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0**attempt)
        self._sleep(random.uniform(longest / 2, longest))


def parsed(data: Any) -> Any:
    """An answer's body; the client has read an error's already, where it is JSON."""
    if not isinstance(data, bytes | str):
        return data or {}
    try:
        return json.loads(data) if data else {}
    except ValueError:
        return {}


def reason(body: Any) -> str:
    """Datadog's own words in an error's body."""
    document = parsed(body)
    errors = (
        document.get("errors", document.get("error")) if isinstance(document, dict) else document
    )
    if isinstance(errors, list):
        return "; ".join(
            str(error.get("detail") or error.get("title"))
            if isinstance(error, dict)
            else str(error)
            for error in errors
        )
    return str(errors or "without a reason")
