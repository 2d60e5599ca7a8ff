"""The faux backend, as logic, behind an HTTP API and on a socket."""

from __future__ import annotations

import importlib
import json
import socket
import sys
import time
from types import ModuleType
from typing import Any

import pytest

from lambdas import delivery
from lambdas.base.backend_url import Backend
from lambdas.base.envelope import Envelope
from lambdas.base.observe import UnexpectedError
from lambdas.faux_backend import Answer, FauxBackend
from tests.function_events import context, http_event
from tests.lambdas.conftest import Sentry
from tests.waiting import eventually
from webhook_buffer.laptop.backend import ScriptedBackend


def _asked(faux: FauxBackend, body: bytes = b"") -> Answer:
    return faux.answer("POST", "/", {}, body)


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b'{"faux_backend_force_status_code": 503}', Answer(503)),
        (b'{"faux_backend_delay_seconds": 0.01}', Answer(200, 0.01)),
        (b'{"faux_backend_reset": true}', Answer(200, reset=True)),
        (b'{"faux_backend_force_status_code": 404, "faux_backend_delay_seconds": 0.01}',
         Answer(404, 0.01)),
        (b'{"faux_backend_force_status_code": 199}', Answer(299)),
        (b'{"faux_backend_force_status_code": 600}', Answer(299)),
        (b'{"faux_backend_force_status_code": "500"}', Answer(500)),
        (b'{"faux_backend_force_status_code": "5xx"}', Answer(299)),
        (b'{"faux_backend_force_status_code": true}', Answer(299)),
        (b'{"faux_backend_delay_seconds": -1}', Answer(299)),
        (b'{"faux_backend_delay_seconds": NaN}', Answer(299)),
        (b'{"faux_backend_delay_seconds": 1e9}', Answer(299)),
        (b'{"faux_backend_reset": 1}', Answer(299)),
        (b"[500]", Answer(299)),
        (b"\xff", Answer(299)),
        (b"", Answer(299)),
        (b"[" * 200_000, Answer(299)),
    ],
)  # fmt: skip
def test_flags_decide(body: bytes, answer: Answer) -> None:
    """A flag within its bounds decides the answer; anything else leaves it to the default."""
    faux = FauxBackend(obey_flags=True)
    faux.default = Answer(299)
    assert _asked(faux, body) == answer


def test_flags_are_content_elsewhere() -> None:
    """A backend that obeys no flags answers as it always does."""
    body = b'{"faux_backend_force_status_code": 500, "faux_backend_reset": true}'
    assert _asked(FauxBackend(obey_flags=False), body) == Answer(200)


def test_script_then_default_and_all_of_it_kept() -> None:
    """The script's answers come in turn, then the default, and each request is kept in order."""
    faux = FauxBackend(obey_flags=True)
    faux.script += [Answer(500), Answer(reset=True)]
    faux.default = Answer(202)
    bodies = [b"1", b"2\xff", b"3"]
    answers = [
        faux.answer("PUT", f"/{number}?a=1", {"x": str(number)}, body)
        for number, body in enumerate(bodies)
    ]
    assert answers == [Answer(500), Answer(reset=True), Answer(202)]
    kept = [
        (request.method, request.target, request.headers, request.body) for request in faux.received
    ]
    assert kept == [("PUT", f"/{n}?a=1", {"x": str(n)}, body) for n, body in enumerate(bodies)]
    assert [request.status for request in faux.received] == [500, None, 202]


def test_delay_is_waited() -> None:
    """A delayed answer takes its time, and the request counts as received before."""
    faux = FauxBackend(obey_flags=False)
    faux.default = Answer(200, delay=0.1)
    started = time.time()
    _asked(faux)
    assert time.time() - started >= 0.1
    assert faux.received[0].at - started < 0.1


def _module(monkeypatch: pytest.MonkeyPatch, flags: str) -> ModuleType:
    monkeypatch.setenv("TEST_FLAGS", flags)
    monkeypatch.delitem(sys.modules, "lambdas.faux_backend")
    return importlib.import_module("lambdas.faux_backend")


@pytest.mark.parametrize(
    ("flags", "body", "status"),
    [
        ("true", {"faux_backend_force_status_code": 418}, 418),
        ("true", {"faux_backend_reset": True}, 502),
        ("true", {"id": 1}, 200),
        ("false", {"faux_backend_force_status_code": 418}, 200),
    ],
)
def test_behind_an_api(
    monkeypatch: pytest.MonkeyPatch, flags: str, body: dict[str, Any], status: int
) -> None:
    """As a function it answers by flag where its environment says so; a reset becomes a 502."""
    function = _module(monkeypatch, flags)
    event = http_event(body, path="/a b", query="c=1", headers={"x": "1"})
    reply = function.handler(event, context())
    assert reply["statusCode"] == status
    assert json.loads(reply["body"]) == {"status": status, "received": 1}
    [received] = function._BACKEND.received
    assert (received.method, received.target, received.headers) == ("POST", "/a b?c=1", {"x": "1"})
    assert json.loads(received.body) == body


def _deliver(backend: ScriptedBackend, body: bytes = b"{}") -> delivery.Outcome:
    webhook = Envelope("POST", "//a%2Fb", "c=1&c=2", (("x-a", "1"), ("X-A", "2")), body, 0)
    return delivery.attempt(Backend.parse(backend.url), webhook, {}, seconds=2)


def test_on_a_socket(backend: ScriptedBackend) -> None:
    """The scripted backend keeps a request as it came over the wire and answers as scripted."""
    backend.faux.script.append(Answer(503, headers={"Retry-After": "7"}))
    outcome = _deliver(backend, b"\x00\xff")
    assert (outcome.status, outcome.retry_after) == (503, "7")
    [received] = backend.faux.received
    assert (received.method, received.target) == ("POST", "//a%2Fb?c=1&c=2")
    assert (received.headers["x-a"], received.body) == ("1, 2", b"\x00\xff")


def test_goes_away_and_comes_back(backend: ScriptedBackend) -> None:
    """During an outage connections are refused; afterwards the same address answers again."""
    url = backend.url
    backend.refuse()
    assert _deliver(backend).error == "ConnectionRefused"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])))
    backend.resume()
    assert backend.url == url
    assert _deliver(backend).delivered
    assert len(backend.faux.received) == 1


def test_resets(backend: ScriptedBackend) -> None:
    """A reset breaks the connection off after the request was kept."""
    assert _deliver(backend, b'{"faux_backend_reset": true}').error == "ConnectionReset"
    assert [received.status for received in backend.faux.received] == [None]


def test_failures_of_the_function_are_reported(
    monkeypatch: pytest.MonkeyPatch, sentry: Sentry
) -> None:
    """Like the others, the faux backend's function reports to Sentry what it did not handle."""
    function = _module(monkeypatch, "false")
    with pytest.raises(UnexpectedError, match="KeyError at"):
        function.handler({}, context())
    (event,) = eventually(sentry.events)
    assert event["exception"]["values"][0]["type"] == "KeyError"
