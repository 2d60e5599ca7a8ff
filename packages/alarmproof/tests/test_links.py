"""--check-links asks for runbooks, and reports those that are not there."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from alarmproof.base.definitions import Templates
from alarmproof.links import findings
from alarmproof.template import parse


class _Wiki(BaseHTTPRequestHandler):
    """Pages by name: there, gone, behind a login, or without HEAD."""

    def do_HEAD(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self._answer({"/there": 200, "/login": 403, "/get": 405}.get(self.path, 404))

    def do_GET(self) -> None:
        self._answer(200)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def wiki() -> Iterator[HTTPServer]:
    """A server on a free port of the loopback."""
    with HTTPServer(("127.0.0.1", 0), _Wiki) as server:
        server.asked = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def _templates(**descriptions: str) -> Templates:
    alarms = {
        name: {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmDescription": text}}
        for name, text in descriptions.items()
    }
    return parse({"Resources": alarms}, "t.json")


def test_a_link_that_is_gone_is_a_warning(wiki: HTTPServer) -> None:
    """Not one that answers, asks for a login, or takes GET only; each page is asked for once."""
    base = f"http://127.0.0.1:{wiki.server_port}"
    warnings = findings(
        _templates(
            A=f"Runbook: {base}/there#a.", B=f"{base}/gone", C=f"({base}/login)", D=f"{base}/get",
            E=f"{base}/there#b",
        )
    )  # fmt: skip
    assert [(warning.alarm, warning.message) for warning in warnings] == [
        ("B", f"{base}/gone does not answer: status 404.")
    ]
    assert sorted(wiki.asked) == ["/get", "/gone", "/login", "/there"]  # type: ignore[attr-defined]


def test_other_links_are_not_asked_for(wiki: HTTPServer) -> None:
    """A template can't make lint ask for addresses outside of the project's pattern."""
    base = f"http://127.0.0.1:{wiki.server_port}"
    warnings = findings(_templates(A=f"{base}/gone"), re.compile("^https://wiki[.]example[.]com/"))
    assert warnings == []
    assert wiki.asked == []  # type: ignore[attr-defined]


def test_nobody_there() -> None:
    """A refused connection is reported with its reason."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    [finding] = findings(_templates(A=f"http://127.0.0.1:{port}/there"))
    assert "refused" in finding.message
    assert "Errno" not in finding.message
