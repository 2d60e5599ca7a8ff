"""SIGKILL of a function's process after each of its calls, while it parks and while it releases.

The real handler runs in a process of its own and calls, over HTTP, the modelled SQS and DynamoDB
and a backend. Its k-th call has its effect and the process no answer; then a new process goes on.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from lambdas.base import envelope
from lambdas.base.aws import AwsError
from lambdas.tokens import Token
from settings.paths import ROOT
from tests.function_modules import POLICY, function_environ
from tests.lambdas.modelled_aws import Item, Queue, Tables

pytestmark = pytest.mark.slow

_GROUP = "g"
# More calls than an invocation makes, and more invocations than a group of two takes.
_MOST_CALLS, _MOST_INVOCATIONS = 40, 20

# A busy machine is not a failing AWS: a call takes as long as it takes.
_FUNCTION = """
import json, sys, types
sys.path.insert(0, sys.argv[1])
from lambdas.base import aws
attempt = aws.Service._attempt
aws.Service._attempt = lambda self, action, body, seconds: attempt(self, action, body, 60)
from lambdas import subscribe
context = types.SimpleNamespace(
    function_name="subscribe", aws_request_id="r", get_remaining_time_in_millis=lambda: 10_000
)
for line in sys.stdin:
    print("ANSWER", json.dumps(subscribe.handler(json.loads(line), context)), flush=True)
"""


class World:
    """A queue, tables and a backend, at which one process of ``subscribe`` works.

    Attributes:
        taken: ids of the webhooks that the backend took, in order.
        kill_at: the call of this invocation after which the process is killed.
    """

    def __init__(self, url: str, on_park: str) -> None:
        policy = {**json.loads(POLICY), "on_park": on_park, "refusals": 1, "refused_for": 0}
        self._environ = {**function_environ(url), "FAILURE_POLICY": json.dumps(policy)}
        self._process: subprocess.Popen[str] | None = None
        self._calls = 0
        self.begin_anew()

    def begin_anew(self) -> None:
        """Two webhooks wait in a group, of which the backend refuses the first."""
        self.queue = Queue(visibility=60, now=time.time())
        self.tables = Tables({"records": ("id",), "parking": ("partition", "row")})
        self.taken: list[str] = []
        self.kill_at: int | None = None
        self.first, self.second = self._accept(b"1"), self._accept(b"2")
        self.refused = {self.first}

    def answer(self, headers: Any, body: bytes) -> tuple[int, Item]:
        """What a call is answered, once it had its effect."""
        service, _, action = (headers["X-Amz-Target"] or "").partition(".")
        if service:
            try:
                target = self.queue if service == "AmazonSQS" else self.tables
                return 200, target.call(action, json.loads(body))
            except AwsError as error:
                return 400, {"__type": error.code}
        webhook = headers["X-Buffer-Message-Id"]
        if webhook in self.refused:
            return 404, {}
        self.taken.append(webhook)
        return 200, {}

    def dies_here(self) -> bool:
        """Counts a call; whether the process was killed at it."""
        self._calls += 1
        if self._calls != self.kill_at or self._process is None:
            return False
        self._process.send_signal(signal.SIGKILL)
        return True

    def invoke(self) -> bool:
        """Has the group's head handled; whether the process lived to its end.

        Of a process that was to be killed after more calls than it made, the event source does not
        get the answer.
        """
        self.queue.now = time.time()
        for message in self.queue.groups[_GROUP]:
            message.visible_at = self.queue.now
        event = self.queue.receive(_GROUP)
        self._others_are_delivered()
        self._calls = 0
        answer = self._handled({"Records": [event]})
        if answer is not None and not answer["batchItemFailures"] and self.kill_at is None:
            self.queue.delete(event["receiptHandle"])
        return answer is not None

    def run(self) -> None:
        """Handles all that is queued, with nobody killed."""
        self.kill_at = None
        for _ in range(_MOST_INVOCATIONS):
            if not self.queue.groups.get(_GROUP):
                return
            assert self.invoke()
        pytest.fail(f"still queued: {self.queue.groups}")

    def release(self) -> int:
        """Sends the tokens of ``webhooks release``, for all that is parked; how many."""
        rows = self.tables.items["parking"].values()
        sent = [Token(hold=row["hold_id"]["S"]) for row in rows if "hold_id" in row]
        sent += [Token(row=row["row"]["S"]) for row in rows if row["row"]["S"].startswith("aside#")]
        for token in sent:
            self.queue.send(_GROUP, token.text(), {}, str(random.random()))
        return len(sent)

    def stored(self) -> list[str]:
        """The rows of the group."""
        return [row for partition, row in self.tables.items["parking"] if partition[0] == "g"]

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _accept(self, body: bytes) -> str:
        now = round(time.time() * 1000)
        webhook = envelope.Envelope("POST", "/", "", (), body, now, source="s")
        message = envelope.pack(webhook)
        attributes = {
            name: {"dataType": "Binary", "binaryValue": value["BinaryValue"]}
            for name, value in message.attributes.items()
        }
        return self.queue.send(_GROUP, message.text, attributes, body.decode())

    def _others_are_delivered(self) -> None:
        """Another group of the source is delivered just now, so that refusals count."""
        key = {"partition": {"S": "s#s"}, "row": {"S": "delivered"}}
        at = {"N": str(round(time.time() * 1000) + 1)}
        item = {**key, "at": at, "group_id": {"S": "another"}}
        self.tables.call("PutItem", {"TableName": "parking", "Item": item})

    def _handled(self, event: Item) -> Item | None:
        """The handler's answer; None if its process was killed before."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-B", "-c", _FUNCTION, str(ROOT)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self._environ,
            )  # fmt: skip
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(event) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("ANSWER "):
                answer: Item = json.loads(line.removeprefix("ANSWER "))
                return answer
        assert self._process.wait() == -signal.SIGKILL
        self.stop()
        return None


@contextmanager
def _world(on_park: str) -> Iterator[World]:
    """A world whose AWS and backend are one server."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer is one packet

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            status, document = world.answer(self.headers, body)
            if world.dies_here():
                self.close_connection = True
                return
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        world = World(f"http://127.0.0.1:{server.server_port}", on_park)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield world
        finally:
            world.stop()
            server.shutdown()


def _killed_at_each_call(world: World, prepare: Callable[[World], None]) -> Iterator[int]:
    """Has an invocation killed after its first call, its second, and so on; the call's number.

    The last invocation has no more calls: it ends, and only its answer is lost.

    Args:
        prepare: what comes before that invocation.
    """
    for call in range(1, _MOST_CALLS):
        world.begin_anew()
        prepare(world)
        world.kill_at = call
        lived = world.invoke()
        yield call
        if lived:
            return
    pytest.fail("an invocation makes more calls than it may")


def _refused_once(world: World) -> None:
    """The first webhook is parked when it is refused again."""
    assert world.invoke()


def _released(world: World) -> None:
    """All is parked that will be, the backend is repaired, and a token waits."""
    world.run()
    world.taken.clear()
    world.refused.clear()
    assert world.release() == 1


@pytest.mark.parametrize("on_park", ["message", "group"])
def test_parking(on_park: str) -> None:
    """Wherever parking is killed, what is parked is parked once, and nothing is lost or doubled."""
    with _world(on_park) as world:
        for call in _killed_at_each_call(world, _refused_once):
            world.run()
            places = [row.partition("#")[0] for row in world.stored()]
            if on_park == "message":
                assert (places, world.taken) == (["aside"], [world.second]), call
            else:
                assert (sorted(places), world.taken) == (["", "held", "held"], []), call
            world.refused.clear()
            world.release()
            world.run()
            in_order = [world.first, world.second]
            assert world.taken == (in_order[::-1] if on_park == "message" else in_order), call
            assert not world.stored()
    assert call > 5


@pytest.mark.parametrize("on_park", ["message", "group"])
def test_releasing(on_park: str) -> None:
    """Wherever a release is killed, the command said again finishes it: in order, at least once.

    Only what was being delivered at the kill may arrive twice.
    """
    with _world(on_park) as world:
        for call in _killed_at_each_call(world, _released):
            world.release()
            world.run()
            wanted = [world.first] if on_park == "message" else [world.first, world.second]
            assert list(dict.fromkeys(world.taken)) == wanted, call
            assert world.taken == sorted(world.taken, key=wanted.index), call
            assert len(world.taken) <= len(wanted) + 1, call
            assert not world.stored()
    assert call > (5 if on_park == "message" else 10)
