"""The buffer's promise as a property: at least once, in order per group, nothing lost.

The real handlers, on the emulator's FIFO queue, deliver to a backend that fails as each
example says. The test takes the event source's part, so that it can also crash a function
between delivery and deletion. What is judged is what the backend saw.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdas.faux_backend import Answer, FauxBackend
from tests.emulated_aws import Aws
from tests.function_events import context, http_event
from tests.function_modules import Functions
from webhook_buffer.laptop.backend import ScriptedBackend

# What may happen to an attempt before the one that succeeds, and what is none: an invocation that
# Lambda throttled, or one that came late.
_FAILURES = ["500", "429", "404", "302", "reset", "timeout", "crash", "throttled", "late"]
# Kept back by subscribe for its own calls; what exceeds it is the backend's.
_RESERVE_SECONDS = 3.0
_BACKEND_SECONDS = 0.2
_CONCURRENCY = 3


@dataclass(frozen=True)
class Sent:
    """A webhook of an example.

    Attributes:
        group: its group.
        failures: what its first attempts meet.
        repeats: how often its sender sends it again at once, with the same delivery id.
    """

    group: int
    failures: tuple[str, ...]
    repeats: int


class PlannedBackend(FauxBackend):
    """Answers each webhook's attempts as its plan says, then 200."""

    def __init__(self) -> None:
        super().__init__(obey_flags=False)
        self.plans: dict[int, list[str]] = {}

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        plan = self.plans[json.loads(body)["number"]]
        step = plan[0] if plan else "200"
        if plan and step != "crash":
            plan.pop(0)
        self.script.append(
            Answer(
                status=int(step) if step.isdigit() else 200,
                delay=2 * _BACKEND_SECONDS if step == "timeout" else 0,
                reset=step == "reset",
            )
        )
        return super().answer(method, target, headers, body)


webhooks = st.lists(
    st.builds(
        Sent,
        group=st.integers(0, 3),
        failures=st.lists(st.sampled_from(_FAILURES), max_size=2).map(tuple),
        repeats=st.integers(0, 1),
    ),
    min_size=1,
    max_size=8,
)


@settings(
    max_examples=settings().max_examples * 3 // 10,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(sent=webhooks, choices=st.integers(0, 2**32).map(random.Random))
def test_nothing_lost_and_in_order(
    functions: Functions, aws: Aws, sent: Sequence[Sent], choices: random.Random
) -> None:
    """Whatever fails and whoever repeats, each group's webhooks arrive in order, none missing."""
    faux, example = PlannedBackend(), uuid4()
    with ScriptedBackend(faux) as backend:
        publish = functions.publish(DEDUPLICATION_ID='["header:webhook-id"]')
        subscribe = functions.subscribe(backend.url)
        numbers: dict[str, int] = {}
        for number, webhook in enumerate(sent):
            faux.plans[number] = list(webhook.failures)
            event = http_event(
                {"group_id": f"{example}-{webhook.group}", "number": number},
                headers={"webhook-id": f"{example}-{number}"},
            )
            answers = [publish.handler(event, context()) for _ in range(1 + webhook.repeats)]
            assert {answer["statusCode"] for answer in answers} == {200}
            ids = {json.loads(answer["body"])["message_id"] for answer in answers}
            assert len(ids) == 1
            numbers[ids.pop()] = number

        in_flight: list[dict[str, Any]] = []
        while in_flight or aws.waiting():
            while len(in_flight) < _CONCURRENCY and (received := aws.received()):
                in_flight += received
            if not in_flight:
                continue  # a put-back that SQS did not take: the queue's own timeout brings it
            message = in_flight.pop(choices.randrange(len(in_flight)))
            _deliver(subscribe, aws, faux, message, numbers[message["messageId"]])

    seen: dict[int, list[int]] = defaultdict(list)
    taken = set()
    for request in faux.received:
        number = json.loads(request.body)["number"]
        seen[sent[number].group].append(number)
        if request.status == 200:
            taken.add(number)
    assert taken == set(range(len(sent)))
    for order in seen.values():
        assert order == sorted(order), "a webhook was attempted before its predecessor was done"
    for message_id in numbers:
        record = aws.record(message_id)
        assert record
        listed = [int(attempt["M"]["number"]["N"]) for attempt in record["attempts"]["L"]]
        assert listed == list(range(1, int(record["attempt_count"]["N"]) + 1))


def _deliver(
    subscribe: Any, aws: Aws, faux: PlannedBackend, message: dict[str, Any], number: int
) -> None:
    """Does what the event source does with one message, or crashes before deleting it."""
    step = next(iter(faux.plans[number]), None)
    if step in ("throttled", "late"):
        faux.plans[number].pop(0)
    if step == "throttled":
        _put_back(aws, message)
        return
    if step == "late":
        message["attributes"]["ApproximateFirstReceiveTimestamp"] = "0"
    crashes = step == "crash"
    answer = subscribe.handler(
        {"Records": [message]}, context(seconds=_RESERVE_SECONDS + _BACKEND_SECONDS)
    )
    if crashes:
        faux.plans[number].pop(0)
        _put_back(aws, message)
    elif not answer["batchItemFailures"]:
        aws.delete(message)


def _put_back(aws: Aws, message: dict[str, Any]) -> None:
    aws.sqs.change_message_visibility(
        QueueUrl=aws.queue_url, ReceiptHandle=message["receiptHandle"], VisibilityTimeout=0
    )
