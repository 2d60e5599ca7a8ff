"""The steps: each tries assumptions on a deployed environment, and says what it saw."""

from __future__ import annotations

import itertools
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from monitoring.alarm_set import alarm_set
from settings.errors import WebhookBufferError
from tests.first_deployment.assumptions import Outcome, Verdict
from webhook_buffer.laptop.gateway import MAX_BODY_BYTES, MAX_HEAD_BYTES
from webhook_buffer.live import aws, status
from webhook_buffer.operations import logs, template_limits
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.refusals import THROTTLED
from webhook_buffer.operations.send import Receipt, Sender, Webhook
from webhook_buffer.operations.smoke import Smoke

# Alarms that a report names at most.
_SHOWN = 5
TRIAL, ANYBODY, TOKEN_HEADER = "/first-deployment", "/anybody", "X-First-Deployment"


@dataclass(frozen=True)
class Place:
    """A deployed environment, and how long its steps wait.

    Attributes:
        templates: of its stacks, as synthesized.
        token: what the source at ``TRIAL`` asks for; its secret is under a key of the customer's.
        load_seconds, load_rate: of the load under which logs are followed; webhooks a second.
        metric_seconds: how long a metric is waited for.
    """

    target: Environment
    outputs: Mapping[str, str]
    templates: tuple[Mapping[str, Any], ...]
    catalog: Any
    token: str
    load_seconds: float = 120.0
    load_rate: float = 20.0
    metric_seconds: float = 900.0
    poll_seconds: float = 5.0
    sender: Sender = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sender", Sender(self.outputs["BufferedEndpoint"]))

    def post(self, body: bytes, path: str = ANYBODY, **headers: str) -> Receipt:
        """Sends a webhook in a group of its own; underscores in a header's name are hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.sender.post(Webhook(body=body, path=path, headers=named))


def judged(name: str, holds: bool, seen: str) -> Outcome:
    """An outcome of something that was seen either way."""
    return Outcome(name, Verdict.CONFIRMED if holds else Verdict.REFUTED, seen)


def smoke(place: Place) -> Iterator[Outcome]:
    """The stacks are deployed; the smoke tests are the proof that they work."""
    try:
        checks = list(
            Smoke(place.target, place.outputs).checks(
                failures=place.target.settings.testFlags, deliver=True
            )
        )
    except WebhookBufferError as error:
        yield Outcome("deploys", Verdict.REFUTED, str(error))
    else:
        yield Outcome("deploys", Verdict.CONFIRMED, f"{len(checks)} smoke tests passed")


def reserved_paths(place: Place) -> Iterator[Outcome]:
    """A POST to each reserved path at the root; only the buffer's own answer has a release."""
    answers = {path: place.post(b"{}", path) for path in ("/ping", "/sping")}
    seen = "; ".join(
        f"{path}: {answer.status}, {'from the buffer' if answer.release else 'not from the buffer'}"
        for path, answer in answers.items()
    )
    yield judged("reserved-paths", not any(answer.release for answer in answers.values()), seen)


def bodies(place: Place) -> Iterator[Outcome]:
    """Requests that API Gateway alters or refuses."""
    altered = place.post(b"\xff\xfe\x00 is not UTF-8", Content_Type="text/plain")
    yield judged("text-bodies", altered.status == 415, f"answered {altered.status}")
    large = place.post(b"x" * (MAX_BODY_BYTES + 1))
    seen = f"answered {large.status}, {'by' if large.release else 'not by'} the buffer"
    yield judged("body-size", (large.status, large.release) == (413, None), seen)
    head = place.post(b"{}", X_Long="x" * MAX_HEAD_BYTES)
    seen = f"answered {head.status}, {'by' if head.release else 'not by'} the buffer"
    yield judged("head-size", (head.status, head.release) == (431, None), seen)


def customer_key(place: Place) -> Iterator[Outcome]:
    """A source whose token is a secret under a customer's key lets in who has it, and only them."""
    known = place.post(b"{}", TRIAL, **{TOKEN_HEADER: place.token})
    stranger = place.post(b"{}", TRIAL, **{TOKEN_HEADER: "wrong"})
    seen = f"with the token {known.status}, with another {stranger.status}"
    yield judged("customer-key", known.accepted and stranger.status == 401, seen)


def references(place: Place) -> Iterator[Outcome]:
    """What functions' variables hold once deployed, beside what synth took it for."""
    short = []
    for template in place.templates:
        for resource in template["Resources"].values():
            properties = resource.get("Properties", {})
            if resource["Type"] != "AWS::Lambda::Function" or "FunctionName" not in properties:
                continue
            name = properties["FunctionName"]
            said = place.target.functions.get_function_configuration(FunctionName=name)
            now = said.get("Environment", {}).get("Variables", {})
            taken = properties.get("Environment", {}).get("Variables", {})
            short += [
                f"{key} of {name} has {len(now[key].encode())} bytes"
                for key, value in taken.items()
                if key in now and len(now[key].encode()) > template_limits.size(value)
            ]
    yield judged("reference-size", not short, "; ".join(short) or "no variable is longer")


def followed(place: Place) -> Iterator[Outcome]:
    """Logs followed while webhooks come in: calls, throttled ones, and how late lines are."""
    codes: list[str] = []

    def counted(parsed: Mapping[str, Any], **_: Any) -> None:
        codes.append(parsed.get("Error", {}).get("Code", ""))

    event = "after-call.cloudwatch-logs.FilterLogEvents"
    place.target.logs.meta.events.register(event, counted)
    started = time.time()
    until = started + place.load_seconds
    ended = threading.Event()
    with ThreadPoolExecutor() as pool:
        load = pool.submit(_load, place, ended)
        try:
            latest = max(
                (
                    time.time() - line.at / 1000
                    for line in logs.follow(
                        place.target, ["publish", "subscribe"], since=int(started * 1000),
                        stop=lambda: time.time() > until,
                    )
                ),
                default=None,
            )  # fmt: skip
        finally:
            ended.set()
            place.target.logs.meta.events.unregister(event, counted)
        sent = load.result()
    throttled = sum(code in THROTTLED for code in codes)
    minutes = (time.time() - started) / 60
    seen = f"{len(codes)} calls in {minutes:.1f} min beside {sent} webhooks, {throttled} throttled"
    yield judged("log-throttle", bool(codes) and not throttled, seen)
    for name, limit_ms in (("late-lines", logs.LATE_MS), ("console-lines", aws.LATE_MS)):
        if latest is None:
            yield Outcome(name, Verdict.UNKNOWN, "no line appeared")
        else:
            seen = f"the latest line appeared after {latest:.1f} s"
            yield judged(name, latest * 1000 <= limit_ms, seen)


def _load(place: Place, ended: threading.Event) -> int:
    """Sends until it has ended; how many."""
    for number in itertools.count():
        place.post(json.dumps({"group_id": f"load-{number % 20}"}).encode())
        if ended.wait(1 / place.load_rate):
            return number + 1
    raise AssertionError


def metric_delay(place: Place) -> Iterator[Outcome]:
    """How long after an invocation CloudWatch has its metric."""
    sent = time.time()
    place.post(b"{}")
    function = place.target.settings.function_name("publish")
    while time.time() - sent < place.metric_seconds:
        points = place.target.cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda", MetricName="Invocations", Statistics=["Sum"], Period=60,
            Dimensions=[{"Name": "FunctionName", "Value": function}],
            StartTime=datetime.fromtimestamp(sent - 60, UTC),
            EndTime=datetime.fromtimestamp(sent + 60, UTC),
        )["Datapoints"]  # fmt: skip
        if any(point["Timestamp"].timestamp() >= sent - 60 for point in points):
            minutes = (time.time() - sent) / 60
            yield judged("metric-delay", minutes <= 3, f"after {minutes:.1f} min")
            return
        time.sleep(place.poll_seconds)
    yield Outcome("metric-delay", Verdict.REFUTED, f"not within {place.metric_seconds:.0f} s")


def alarm_states(place: Place) -> Iterator[Outcome]:
    """CloudWatch's states beside our verdicts on the same metrics, once new alarms are judged."""
    alarms = alarm_set(place.target.settings, place.catalog)
    deadline = time.time() + place.metric_seconds
    while True:
        entries = status.of_aws(place.target, alarms)
        other = [
            f"{entry.name}: {entry.state}, ours {entry.ours}" for entry in entries if entry.ours
        ]
        if not other or time.time() > deadline:
            break
        time.sleep(place.poll_seconds)
    seen = f"{len(other)} of {len(entries)} alarms differ"
    yield judged("alarm-states", not other, "; ".join([seen, *other[:_SHOWN]]))


# What each step tries, in their order; the deployment itself comes before them.
STEPS: Mapping[tuple[str, ...], Callable[[Place], Iterator[Outcome]]] = {
    ("deploys",): smoke,
    ("reserved-paths",): reserved_paths,
    ("text-bodies", "body-size", "head-size"): bodies,
    ("customer-key",): customer_key,
    ("reference-size",): references,
    ("log-throttle", "late-lines", "console-lines"): followed,
    ("metric-delay",): metric_delay,
    ("alarm-states",): alarm_states,
}


def accepted_record(place: Place) -> str:
    """The id of a webhook once it is recorded."""
    answer = place.post(json.dumps({"group_id": uuid.uuid4().hex}).encode()).answer
    for _ in range(60):
        if recorded(place, answer["message_id"]):
            return answer["message_id"]
        time.sleep(place.poll_seconds / 5)
    raise WebhookBufferError("a webhook was not recorded; see the log of subscribe")


def recorded(place: Place, message_id: str) -> bool:
    """Whether the table has a webhook's record."""
    reply = place.target.dynamodb.get_item(
        TableName=place.outputs["DynamoDBTable"], Key={"id": {"S": message_id}}, ConsistentRead=True
    )
    return "Item" in reply
