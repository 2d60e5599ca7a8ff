"""The faux backend and the inbox of `up`: programs on a fixed port, controlled by files."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import urllib3

from settings.errors import ToolError
from tests.waiting import eventually
from webhook_buffer.laptop import inbox
from webhook_buffer.laptop.inbox import InboxProcess
from webhook_buffer.laptop.practice import Mode, PracticeBackend
from webhook_buffer.laptop.programs.process import listens


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[PracticeBackend]:
    """A faux backend of the test's own."""
    started = PracticeBackend(tmp_path / "backend")
    started.start()
    yield started
    started.stop()


def _post(url: str, group: str = "a", *, number: str = "r-0") -> int:
    headers = {
        "X-Buffer-Group": group, "X-Buffer-Message-Id": "m", "X-Drill-Number": number,
        "Origin": "https://sender",
    }  # fmt: skip
    return urllib3.request("POST", f"{url}/x", body=b"body", headers=headers, retries=False).status


def test_a_port_that_a_rival_took_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two laptops start at the same moment: the later one says so, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as rival:
        port = rival.getsockname()[1]
        monkeypatch.setattr("webhook_buffer.laptop.practice.usable_port", lambda *_: port)
        late = PracticeBackend(tmp_path / "backend")
        with pytest.raises(ToolError, match=f"Port {port} .* Run the command again"):
            late.start()
    assert late.last_port() is None


def test_an_answer_says_that_its_connection_ends(practice: PracticeBackend) -> None:
    """Or a client might send its next request into a connection that is being closed."""
    running = practice.running()
    assert running
    answer = urllib3.request("POST", f"{running.endpoint_url}/x", body=b"body", retries=False)
    assert answer.headers["Connection"] == "close"


def test_anybody_can_break_it_and_mend_it(practice: PracticeBackend) -> None:
    """Each mode is in force once `set` returns, and what came is written down without its body."""
    running = practice.running()
    assert running
    url = running.endpoint_url
    assert _post(url) == 200
    practice.set(Mode(status=503))
    assert _post(url) == 503
    practice.set(Mode(refused_group="b"))
    assert (_post(url, "b"), _post(url, "a")) == (422, 200)
    practice.set(Mode(refused_number="r-1", refusal=401))
    assert (_post(url, number="r-1"), _post(url, number="r-2")) == (401, 200)
    practice.set(Mode(slow=(0.3, 0.3)))
    started = time.monotonic()
    assert _post(url) == 200
    assert time.monotonic() - started >= 0.3
    practice.set(Mode(reset=True))
    with pytest.raises(urllib3.exceptions.ProtocolError):
        _post(url)
    practice.set(Mode(listens=False))
    with pytest.raises(urllib3.exceptions.NewConnectionError):
        _post(url)
    practice.set(Mode())
    assert _post(url) == 200
    statuses = [request["status"] for request in practice.received()]
    assert statuses == [200, 503, 422, 200, 401, 200, 200, None, 200]
    assert practice.received()[0]["headers"]["x-buffer-group"] == "a"
    assert "body" not in practice.received()[0]


def test_a_killed_one_comes_back_on_its_port_and_in_its_mode(practice: PracticeBackend) -> None:
    """Functions know its port, so it never moves; what broke it is in a file."""
    running = practice.running()
    assert running
    practice.set(Mode(status=302))
    os.kill(running.pid, signal.SIGKILL)
    eventually(lambda: practice.running() is None)
    with pytest.raises(ToolError, match="webhook-buffer up"):
        practice.set(Mode(status=303))
    again = practice.start()
    assert again.port == running.port
    assert _post(again.endpoint_url) == 303
    practice.stop()
    assert not psutil.pid_exists(again.pid)
    assert not listens(again.port)


def test_the_inbox_keeps_what_channels_and_topics_send(tmp_path: Path) -> None:
    """JSON as it came, a mail's subject and text; anything else is refused."""
    process = InboxProcess(tmp_path / "inbox")
    url = process.start().endpoint_url
    try:
        mail = {"Type": "Notification", "Subject": "RECOVERED x", "Message": "It lasted 1 s."}
        alarm = {"Type": "Notification", "Message": '{"AlarmName": "alert-path-broken"}'}
        sent = (("slack", {"text": "a"}), ("mail/email", mail), ("mail/email", alarm))
        for path, document in sent:
            assert urllib3.request("POST", f"{url}/{path}", json=document).status == 200
        for path, body in (("slack", b"no json"), ("slack", b"[]"), ("a/b/c", b"{}")):
            assert urllib3.request("POST", f"{url}/{path}", body=body).status == 400
        page = {"Origin": "https://evil.example"}
        assert urllib3.request("POST", f"{url}/slack", json={}, headers=page).status == 403
        first, second, third = inbox.received(process.folder)
        assert (first.channel, first.content) == ("slack", {"text": "a"})
        assert (second.channel, second.text) == ("email", "RECOVERED x\n\nIt lasted 1 s.")
        assert third.channel == inbox.ALERT_PATH, "no mail of notify's, but the alarm's own"
        assert (first.recovered, second.recovered) == (False, True)
        assert inbox.Received("slack", {"text": "DRILL: Recovered: x"}).recovered
    finally:
        process.stop()
