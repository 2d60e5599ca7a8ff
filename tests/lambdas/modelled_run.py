"""Runs of the real subscribe in a modelled queue: concurrent, killed, and reproducible by seed.

Each invocation is a greenlet, of which one runs at a time: at every call to AWS or to the backend
it hands over, and the run's own chance says who goes on, how long the call took, whether it failed
before or after its effect, and whether the invocation was killed there.
"""

from __future__ import annotations

import base64
import json
import math
import os
import random
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple, NoReturn, TypeVar

import pytest
from greenlet import getcurrent, greenlet

from lambdas import (
    attempts,
    delivery,
    fairness,
    group_state,
    parked_rows,
    source_deliveries,
    tokens,
)
from lambdas.base import aws, envelope, http, observe
from lambdas.config import SubscribeConfig
from tests.function_modules import function_environ
from tests.lambdas.modelled_aws import Item, Queue, Tables, sequence_number

_TIMEOUT = 10.0
_START = 1_700_000_000.0
# Sizes of bodies: one is deflated into the record's item, and one goes to the bucket, and
# continues in further rows where it is parked.
_MEDIUM_BYTES, _LARGE_BYTES, _CHUNK_BYTES = 1_500, 9_000, 4_000
# What begins the keys of rows that hold messages.
_STORED = ("held#", "aside#", "more#")


_T = TypeVar("_T")


class Killed(BaseException):
    """The end of an invocation between two calls; nothing in a function may catch it."""


class World(NamedTuple):
    """What a run is made of.

    Attributes:
        webhooks: how many are sent.
        groups: among how many groups.
        concurrency: invocations at once.
        on_park: ``message`` or ``group``.
        killed, failing: the chance per call.
        late: the chance that an invocation starts only after its message's visibility timeout.
        undeleted: the chance that a message stays in the queue which may leave it.
        outages: the chance, at each step, that the backend fails everybody for a minute or more.
        bad: the share of webhooks that the backend refuses until it is mended or repaired.
        large: the share of those whose body does not fit into an item.
        sending: the chance, at each step, that one is sent while there are any left.
    """

    webhooks: int = 250
    groups: int = 12
    concurrency: int = 10
    on_park: str = "message"
    killed: float = 0.02
    failing: float = 0.03
    late: float = 0.02
    undeleted: float = 0.03
    outages: float = 0.0005
    bad: float = 0.04
    large: float = 0.04
    sending: float = 0.3


@dataclass
class Webhook:
    """A webhook that was accepted, and what became of it."""

    number: int
    group: str
    id: str
    body: bytes
    bad: bool
    sent_at: float
    taken: int = 0
    dropped_at: float | None = None


@dataclass
class Invocation:
    """A function that runs, or waits for its turn."""

    turn: greenlet
    event: Item
    container: fairness.Container
    begins_at: float
    ends_at: float
    wakes_at: float = 0.0
    stays: bool = True
    error: BaseException | None = None
    token: tokens.Token | None = None


class Run:
    """One run; ``problems`` says what it did that it must not do.

    Attributes:
        events: what the functions logged, counted.
        counts: what the run did to them, counted.
        bucket: objects by key.
    """

    def __init__(self, seed: int, world: World, subscribe: ModuleType) -> None:
        self.seed, self.chance = seed, random.Random(seed)
        self.world = world
        self.queue = Queue(visibility=60.0, now=_START)
        self.tables = Tables({"records": ("id",), "parking": ("partition", "row")})
        self.bucket: dict[str, bytes] = {}
        self.webhooks: dict[str, Webhook] = {}
        self.problems: list[str] = []
        self.repaired = False
        self.events: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self._subscribe: Any = subscribe
        self._running: list[Invocation] = []
        self._current: Invocation | None = None
        self._main = getcurrent()
        self._outage_until = 0.0
        self._outage: int | None = None
        # Containers that wait for an invocation. One that is killed is not used again.
        self._idle: list[fairness.Container] = []
        # Groups of which a webhook is being attempted.
        self._attempted: set[str] = set()
        self._by_group: dict[str, list[Webhook]] = defaultdict(list)
        # When each group was held the last time.
        self._held_since: dict[str, float] = {}

    # What the functions call, in place of AWS, the backend and the clock.

    def now(self) -> float:
        return self.queue.now

    def call(self, service: aws.Service, action: str, body: bytes, seconds: float) -> Item:
        """One try at a call to SQS or DynamoDB."""
        target = self.queue if service.name == "sqs" else self.tables
        request = json.loads(body)

        def done() -> Item:
            repeated = request.get("ClientRequestToken") in self.tables.done
            reply = target.call(action, request)
            if not repeated:
                self._note_hold(action, request)
            return reply

        return self._tried(service.name, done, seconds)

    def _note_hold(self, action: str, request: Item) -> None:
        """Writes down since when a group has its latest hold."""
        actions = request.get("TransactItems", [{action.removesuffix("Item"): request}])
        for put in (action["Put"] for action in actions if "Put" in action):
            if put["Item"].get("row") == {"S": group_state.STATE}:
                self._held_since[put["Item"]["group_id"]["S"]] = self.now()

    def exchange(
        self,
        service: str,
        method: str,
        _endpoint: str,
        path: str,
        _headers: object,
        body: bytes,
        *,
        seconds: float,
    ) -> http.Answer:
        """One try at storing an object in the bucket; no service but S3 is called like this."""
        assert (service, method) == ("s3", "PUT"), (service, method)

        def stored() -> http.Answer:
            self.bucket[path.removeprefix("/bodies/")] = body
            return http.Answer(200, {}, 0.0)

        return self._tried(service, stored, seconds)

    def _tried(self, service: str, call: Callable[[], _T], seconds: float) -> _T:
        """A call's result; it may fail before its effect or after it, or be the invocation's last.

        Raises:
            AwsError: When the service refuses it, or it fails.
        """
        fails = self.chance.random() < self.world.failing and not self.repaired
        self.counts[f"{service} failed"] += fails
        self._pass(min(seconds, self.chance.choice((0.005, 0.01, 0.05))))
        if fails and self.chance.random() < 0.5:
            raise aws.AwsError("InternalServerError", retryable=self.chance.random() < 0.5)
        reply = call()
        if fails:
            raise aws.AwsError("Timeout", retryable=True)
        self._maybe_killed()
        return reply

    def attempt(
        self, _backend: Any, webhook: envelope.Envelope, extra: dict[str, str], *, seconds: float
    ) -> delivery.Outcome:
        """One attempt at the backend."""
        started_at = round(self.now() * 1000)
        known = self.webhooks.get(extra["X-Buffer-Message-Id"])
        if known is None or known.body != webhook.body:
            self.problems.append(f"{extra['X-Buffer-Message-Id']} is not what was sent")
            return delivery.Outcome(started_at, 1.0, status=200)
        self._check_turn(known)
        if known.group in self._attempted:
            self.problems.append(f"{known.id} was attempted while another of its group was")
        self._attempted.add(known.group)
        try:
            return self._answered(known, started_at, seconds)
        finally:
            self._attempted.discard(known.group)

    def _answered(self, known: Webhook, started_at: int, seconds: float) -> delivery.Outcome:
        status = self._answer(known)
        self._pass(seconds if status is None else self.chance.choice((0.01, 0.2, 1.0)))
        if status is not None and status < 300:
            known.taken += 1
        self._maybe_killed()
        if status is None:
            return delivery.Outcome(started_at, 1000 * seconds, error="ReadTimeout")
        return delivery.Outcome(started_at, 1.0, status=status)

    def _answer(self, webhook: Webhook) -> int | None:
        if self.repaired:
            return 200
        if self.now() < self._outage_until:
            return self._outage
        if webhook.bad:
            return self.chance.choice((404, 422))
        return self.chance.choices((200, 503, None), (90, 8, 2))[0]

    def _check_turn(self, webhook: Webhook) -> None:
        """A webhook is attempted while it is not settled, and all before it in its group are."""
        current = self._current
        assert current
        parking, records = self.tables.items["parking"], self.tables.items["records"]
        record = records.get((attempts.key(webhook.id),)) or records.get((webhook.id,), {})
        if "delivered_timestamp" in record:
            self.problems.append(f"{webhook.id} was attempted although it was delivered")
        if not current.token and self._is_parked(webhook):
            self.problems.append(f"{webhook.id} was attempted although it was parked")
        if webhook.dropped_at is not None and webhook.dropped_at < current.begins_at:
            self.problems.append(f"{webhook.id} was attempted although it was dropped")
        held = parking.get((f"g#{webhook.group}", group_state.STATE))
        if current.token and current.token.hold:
            if not held or held["hold_id"]["S"] != current.token.hold:
                self.problems.append(f"a token released what is not of its hold: {webhook.id}")
            sent_at = int(current.event["attributes"]["SentTimestamp"])
            if sent_at < int(1000 * self._held_since[webhook.group]):
                self.problems.append(f"a token released a later hold: {webhook.id}")
        elif held and not (current.token and current.token.row):
            self.problems.append(f"{webhook.id} was attempted while its group was held")
        if current.token and current.token.row:
            return
        for other in self._by_group[webhook.group]:
            if other.number >= webhook.number:
                break
            gone = other.taken or other.dropped_at is not None
            if not (gone or self._is_parked(other, parked_rows.ASIDE)):
                self.problems.append(f"{webhook.id} was attempted before {other.id}")

    def _is_parked(self, webhook: Webhook, *places: str) -> bool:
        sequence = sequence_number(webhook.id).zfill(39)
        rows = self.tables.items["parking"]
        return any(
            (f"g#{webhook.group}", f"{place}{sequence}") in rows
            for place in places or (parked_rows.ASIDE, parked_rows.HELD)
        )

    # The baton: one greenlet at a time.

    def _pass(self, seconds: float) -> None:
        """Lets time go by, and others run, within an invocation."""
        current = self._current
        assert current
        self._maybe_killed()
        current.wakes_at = self.now() + seconds
        self._main.switch()
        if self.now() >= current.ends_at:
            self._killed()

    def _maybe_killed(self) -> None:
        if not self.repaired and self.chance.random() < self.world.killed:
            self._killed()

    def _killed(self) -> NoReturn:
        self.counts["killed"] += 1
        raise Killed

    def _resume(self, invocation: Invocation) -> None:
        self._current = invocation
        self._subscribe.CONTAINER = invocation.container
        invocation.turn.switch()
        self._current = None
        if invocation.turn.dead:
            self._running.remove(invocation)
            self._ended(invocation)

    def _ended(self, invocation: Invocation) -> None:
        """Does what the event source does with an invocation's result."""
        if isinstance(invocation.error, Exception):
            raise invocation.error
        if not invocation.error:
            self._idle.append(invocation.container)
        if invocation.error or invocation.stays or self.chance.random() < self.world.undeleted:
            return
        try:
            self.queue.delete(invocation.event["receiptHandle"])
        except aws.AwsError:
            pass

    def _invoke(self, event: Item) -> None:
        late = not self.repaired and self.chance.random() < self.world.late
        begins_at = self.now() + (self.chance.uniform(20, 70) if late else 0.01)

        def body() -> None:
            try:
                remaining = SimpleNamespace(
                    function_name="subscribe",
                    aws_request_id="r",
                    get_remaining_time_in_millis=lambda: max(
                        0, int(1000 * (invocation.ends_at - self.now()))
                    ),
                )
                reply = self._subscribe.handler({"Records": [event]}, remaining)
                invocation.stays = bool(reply["batchItemFailures"])
            except BaseException as error:
                invocation.error = error

        container = self._idle.pop() if self._idle else fairness.Container()
        invocation = Invocation(
            greenlet(body), event, container, begins_at, begins_at + _TIMEOUT, wakes_at=begins_at
        )
        invocation.token = tokens.parse(event["body"])
        self._running.append(invocation)
        self.counts["invocations"] += 1

    # The run itself.

    def play(self) -> list[str]:
        """Plays the run to its end; what went wrong."""
        sent, numbers = 0, iter(range(self.world.webhooks))
        for step in range(400 * self.world.webhooks + 20_000):
            if self.problems:
                return self.problems
            if sent < self.world.webhooks and self.chance.random() < self.world.sending:
                self._send(next(numbers))
                sent += 1
            if self.chance.random() < 0.01 and not self.repaired:
                self._operate()
            if self.chance.random() < self.world.outages and not self.repaired:
                self._outage = self.chance.choice((404, 503, None))
                self._outage_until = self.now() + (60 if self._outage == 404 else 150)
            if sent == self.world.webhooks and step > 30 * self.world.webhooks:
                self.repaired = True
            idle = not self._running and not any(self.queue.groups.values())
            if self.repaired and idle and not self._release_all():
                return self._result()
            self._step()
        self.problems.append("the run did not come to its end")
        return self.problems

    def _step(self) -> None:
        if len(self._running) < self.world.concurrency and (ready := self.queue.ready()):
            self._invoke(self.queue.receive(self.chance.choice(ready)))
            return
        awake = [function for function in self._running if function.wakes_at <= self.now()]
        if awake:
            self._resume(self.chance.choice(awake))
            return
        times = [function.wakes_at for function in self._running]
        times.extend(self._arrivals())
        if self.now() < (at := self.queue.next_at()) < math.inf:
            times.append(at)
        self.queue.now = max(self.now(), min(times)) if times else self.now() + 1

    def _arrivals(self) -> list[float]:
        """When the next webhook comes, where that is a matter of time."""
        return []

    def _send(self, number: int) -> None:
        self._queue(number, f"g{self.chance.randrange(self.world.groups)}")

    def _queue(self, number: int, group: str) -> None:
        body = b"%d " % number + self.chance.randbytes(8) + self._filling()
        webhook = envelope.Envelope(
            "POST", "/", "", (("x-n", str(number)),), body, round(self.now() * 1000), source="s"
        )
        message = envelope.pack(webhook)
        attributes = {
            name: {"dataType": "Binary", "binaryValue": value["BinaryValue"]}
            for name, value in message.attributes.items()
        }
        ids = {
            self.queue.send(group, message.text, attributes, f"d-{number}")
            for _ in range(self.chance.choice((1, 1, 2)))
        }
        [message_id] = ids
        bad = self.chance.random() < self.world.bad
        self.webhooks[message_id] = Webhook(number, group, message_id, body, bad, self.now())
        self._by_group[group].append(self.webhooks[message_id])

    def _filling(self) -> bytes:
        """What makes a body small, medium or large."""
        chance, large = self.chance.random(), self.world.large
        if chance < large:
            return self.chance.randbytes(_LARGE_BYTES)
        return b"." * _MEDIUM_BYTES if chance < 2 * large else b""

    def _parked(self) -> list[Item]:
        rows = self.tables.items["parking"].values()
        return [row for row in rows if row["row"]["S"].startswith(("held#", "aside#"))]

    def _operate(self) -> None:
        """A person releases or drops something, perhaps twice, or mends the backend for it."""
        held = [row for row in self.tables.items["parking"].values() if "hold_id" in row]
        parked = [row for row in self._parked() if "dropped_at" not in row]
        choice = self.chance.random()
        if held and choice < 0.5:
            row = self.chance.choice(held)
            for _ in range(self.chance.choice((1, 1, 2))):
                self._token(row["group_id"]["S"], tokens.Token(hold=row["hold_id"]["S"]))
        elif parked and choice < 0.7:
            row = self.chance.choice(parked)
            if row["row"]["S"].startswith("aside#"):
                self._token(row["group_id"]["S"], tokens.Token(row=row["row"]["S"]))
        elif parked and choice < 0.8:
            self._drop(self.chance.choice(parked))
        elif refused := [hook for row in parked if (hook := self.webhooks[row["id"]["S"]]).bad]:
            self.chance.choice(refused).bad = False

    def _token(self, group: str, token: tokens.Token) -> None:
        self.counts["released"] += 1
        self.queue.send(group, token.text(), {}, f"t-{self.chance.random()}")

    def _drop(self, row: Item) -> None:
        record = self.tables.items["records"].setdefault(
            (attempts.key(row["id"]["S"]),), {"id": {"S": attempts.key(row["id"]["S"])}}
        )
        if "delivered_timestamp" not in record:
            row["dropped_at"] = record["dropped_at"] = {"N": "1"}
            self.webhooks[row["id"]["S"]].dropped_at = self.now()
            self.counts["dropped"] += 1

    def _release_all(self) -> bool:
        """Releases all that is parked, now that the backend works; whether there was anything."""
        held = [row for row in self.tables.items["parking"].values() if "hold_id" in row]
        aside = [row for row in self._parked() if row["row"]["S"].startswith("aside#")]
        for row in held:
            self._token(row["group_id"]["S"], tokens.Token(hold=row["hold_id"]["S"]))
        for row in aside:
            self._token(row["group_id"]["S"], tokens.Token(row=row["row"]["S"]))
        return bool(held or aside)

    def _result(self) -> list[str]:
        missing = [
            webhook.id
            for webhook in self.webhooks.values()
            if not (webhook.taken or webhook.dropped_at is not None)
        ]
        if missing:
            self.problems.append(f"lost: {', '.join(missing)}")
        if left := [row for _, row in self.tables.items["parking"] if row.startswith(_STORED)]:
            self.problems.append(f"left in the store: {left}")
        self._check_bodies()
        twice = [webhook.id for webhook in self.webhooks.values() if webhook.taken > 1]
        self.counts["delivered twice"] = len(twice)
        if twice and not (self.world.killed or self.world.failing or self.world.late):
            self.problems.append(f"delivered twice for no reason: {', '.join(twice)}")
        return self.problems

    def _check_bodies(self) -> None:
        """A recorded body is the webhook's; it is missing only where the bucket failed."""
        for webhook in self.webhooks.values():
            record = self.tables.items["records"].get((webhook.id,))
            if record is None or len(webhook.body) <= _MEDIUM_BYTES:
                continue
            if "body_key" in record:
                deflated = self.bucket.get(record["body_key"]["S"], b"")
            elif "body" in record:
                deflated = base64.b64decode(record["body"]["B"])
            else:
                self.counts["bodies not recorded"] += 1
                continue
            if not deflated or zlib.decompress(deflated) != webhook.body:
                self.problems.append(f"the record of {webhook.id} has another body, or none")
        if self.counts["bodies not recorded"] and not self.world.failing:
            self.problems.append("bodies were not recorded although nothing failed")


def policy(world: World) -> dict[str, Any]:
    """A failure policy with which much is parked in little time."""
    return {
        "on_park": world.on_park,
        "temporary": [409],
        "refusals": 2,
        "refused_for": 5,
        "alone_for": 60,
        "longest": 400,
        "per_hour": 1000,
        "keep": 10**8,
        "breaker": True,
        "retry_share": 0.5,
    }


def loaded(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """``lambdas.subscribe``, which reads the environment as it is loaded."""
    for name, value in function_environ("http://127.0.0.1:9").items():
        monkeypatch.setenv(name, value)
    from lambdas import subscribe

    return subscribe


def play(monkeypatch: pytest.MonkeyPatch, seed: int, world: World) -> Run:
    """A run that is over, with everything that it replaced put back."""
    subscribe = loaded(monkeypatch)
    monkeypatch.setenv("FAILURE_POLICY", json.dumps(policy(world)))
    monkeypatch.setenv("RETRY_MAX_SECONDS", "8")
    monkeypatch.setenv("RETRY_AFTER_MAX_SECONDS", "8")
    with monkeypatch.context() as patch:
        run = Run(seed, world, subscribe)
        replace(patch, run, subscribe)
        run.play()
    return run


def replace(patch: pytest.MonkeyPatch, run: Run, subscribe: ModuleType) -> None:
    """Puts a run in the place of AWS, the backend and the clock."""
    patch.setattr(subscribe, "CONFIG", SubscribeConfig.read(os.environ))
    patch.setattr(subscribe, "CONTAINER", subscribe.CONTAINER)
    patch.setattr(time, "time", run.now)
    patch.setattr(aws.Service, "_attempt", lambda *call: run.call(*call))
    patch.setattr(aws, "_exchange", run.exchange)
    patch.setattr(parked_rows, "_CHUNK_BYTES", _CHUNK_BYTES)
    patch.setattr(delivery, "attempt", run.attempt)
    patch.setattr(observe, "log", lambda _, event, **__: run.events.update([event]))
    patch.setattr(observe, "report", _ignored)
    source_deliveries._noted.clear()
    random.seed(run.seed)


def _ignored(*_: Any, **__: Any) -> None:
    pass
