"""How each failure is really caused, and repaired. What is changed is in the journal before."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from webhook_buffer.laptop.drills.slow_sqs import HangingSqs
from webhook_buffer.laptop.drills.traffic import Sent, Traffic
from webhook_buffer.laptop.journal import Journal, release, take_out
from webhook_buffer.laptop.practice import Mode, PracticeBackend
from webhook_buffer.live.pace import REAL_TIME
from webhook_buffer.operations import parked
from webhook_buffer.operations.environment import Environment, aws_errors

_POISONED = 3
_GENUINE = 3
# Those parts of a failure policy that are times; see ``lambdas.failure_policy``.
_POLICY_TIMES = ("refused_for", "alone_for", "longest")
# Real seconds that a parked webhook is kept, as the audit has it, so that one soon nears its end.
_KEPT_SECONDS = 20
_VISIBILITY_LEAST = 2  # seconds


@dataclass
class Stage:
    """A buffer that runs, what sends to it, the backend it delivers to, and the journal.

    Attributes:
        pace: real seconds per minute.
        restarted: the function that restarts, and with it the failure.
    """

    target: Environment
    backend: PracticeBackend
    traffic: Traffic
    journal: Journal
    pace: float = REAL_TIME
    restarted: str | None = None
    _repairs: list[Callable[[], None]] = field(default_factory=list)

    def mode(self, mode: Mode) -> None:
        """Has the practice backend behave."""
        self.journal.note(kind="backend")
        self.backend.set(mode)
        self._repairs.append(lambda: self.backend.set(Mode()))

    def configure(self, function: str, **variables: str | None) -> None:
        """Changes a function's environment variables; None takes one away."""
        name, before = self.target.settings.function_name(function), self._variables(function)
        client = self.target.functions
        self.journal.note(kind="variables", function=name, variables=before)
        changed = {
            key: value for key, value in {**before, **variables}.items() if value is not None
        }
        with aws_errors(self.target.settings):
            client.update_function_configuration(
                FunctionName=name, Environment={"Variables": changed}
            )

        self.restarted = function

        def restore() -> None:
            with aws_errors(self.target.settings):
                client.update_function_configuration(
                    FunctionName=name, Environment={"Variables": before}
                )

        self._repairs.append(restore)

    def adjust_failure_policy(self, **members: Any) -> None:
        """Changes some of what ``subscribe`` knows of the failure policy."""
        changed = {**self._failure_policy(), **members}
        self.configure("subscribe", FAILURE_POLICY=json.dumps(changed))

    def scale_failure_policy(self) -> None:
        """Has ``subscribe`` park as much sooner as minutes are shorter."""
        policy = self._failure_policy()
        scaled = {name: math.ceil(policy[name] * self.pace / REAL_TIME) for name in _POLICY_TIMES}
        self.adjust_failure_policy(**scaled)

    def _failure_policy(self) -> dict[str, Any]:
        policy: dict[str, Any] = json.loads(self._variables("subscribe")["FAILURE_POLICY"])
        return policy

    def _variables(self, function: str) -> dict[str, str]:
        with aws_errors(self.target.settings):
            configuration = self.target.functions.get_function_configuration(
                FunctionName=self.target.settings.function_name(function)
            )
        return dict(configuration.get("Environment", {}).get("Variables", {}))

    def shorten_visibility(self) -> None:
        """Has what a crash leaves in flight come back as much sooner as minutes are shorter."""
        target = self.target
        usual = target.settings.visibility_seconds
        shorter = max(_VISIBILITY_LEAST, round(usual * self.pace / REAL_TIME))
        with aws_errors(target.settings):
            url = target.sqs.get_queue_url(QueueName=target.settings.queue_name)["QueueUrl"]

        def set_to(seconds: int) -> None:
            with aws_errors(target.settings):
                target.sqs.set_queue_attributes(
                    QueueUrl=url, Attributes={"VisibilityTimeout": str(seconds)}
                )

        self.journal.note(kind="visibility", url=url, seconds=usual)
        set_to(shorter)
        self._repairs.append(lambda: set_to(usual))

    def stop_consuming(self, function: str) -> None:
        """Disables a function's event source."""
        name = self.target.settings.function_name(function)
        client = self.target.functions
        with aws_errors(self.target.settings):
            listed = client.list_event_source_mappings(FunctionName=name)
        uuids = [source["UUID"] for source in listed["EventSourceMappings"]]

        def enable(*, enabled: bool) -> None:
            with aws_errors(self.target.settings):
                for uuid in uuids:
                    client.update_event_source_mapping(UUID=uuid, Enabled=enabled)

        for uuid in uuids:
            self.journal.note(kind="event-source", uuid=uuid)
        enable(enabled=False)
        self._repairs.append(lambda: enable(enabled=True))

    def set_traffic(self, **wanted: bool) -> None:
        """Changes what is sent; ends with the drill, so the journal has nothing of it."""
        for name, value in wanted.items():
            before = getattr(self.traffic, name)
            setattr(self.traffic, name, value)
            self._repairs.append(lambda name=name, before=before: setattr(  # type: ignore[misc]
                self.traffic, name, before))  # fmt: skip

    def on_repair(self, repair: Callable[[], None]) -> None:
        """What ``repair`` does besides."""
        self._repairs.append(repair)

    def repair(self) -> None:
        """Undoes what was caused, the last change first."""
        while self._repairs:
            self._repairs.pop()()


def _unreadable(stage: Stage) -> None:
    """Puts a message into the queue that is not a webhook's; it is taken out again."""
    target, group = stage.target, stage.traffic.group(99)
    stage.journal.note(kind="message", group=group)
    with aws_errors(target.settings):
        url = target.sqs.get_queue_url(QueueName=target.settings.queue_name)["QueueUrl"]
        target.sqs.send_message(
            QueueUrl=url, MessageBody="a drill's message that can't be read",
            MessageGroupId=group, MessageDeduplicationId=group,
        )  # fmt: skip

    stage.on_repair(lambda: take_out(target, group))


def _crashing(stage: Stage) -> None:
    stage.shorten_visibility()
    stage.configure("subscribe", TABLE=None)


def _poisoned(stage: Stage) -> None:
    """One group is refused, and has a webhook to be refused."""
    stage.mode(Mode(refused_group=stage.traffic.group(_POISONED)))
    stage.traffic.send_to(_POISONED)


def _held(stage: Stage) -> None:
    """One group is refused, and held from its first counted refusal on; the repair releases it."""
    _parking(stage, on_park="group")
    _poisoned(stage)
    stage.traffic.send_to(_POISONED)


def _parking(stage: Stage, *, on_park: str) -> None:
    """What one group is refused is parked soon; the repair releases it."""
    group = stage.traffic.group(_POISONED)
    stage.journal.note(kind="parked", group=group)
    stage.on_repair(lambda: release(stage.target, group))
    stage.adjust_failure_policy(on_park=on_park, refusals=1, refused_for=0)


def _aside(stage: Stage, *, status: int, dropped: bool = False) -> None:
    """One webhook is refused, and three genuine ones come behind it in its group.

    Args:
        dropped: whether a person drops it before the repair.
    """
    _parking(stage, on_park="message")
    number = stage.traffic.number

    def refuse(sent: Sent) -> None:
        if dropped:
            stage.traffic.ledger.dropped.add(sent.number)
        stage.mode(Mode(refused_number=number(sent), refusal=status))

    refused = stage.traffic.send_aside(_POISONED, refuse)
    if dropped:
        stage.on_repair(lambda: _drop(stage.target, refused))
    for _ in range(_GENUINE):
        stage.traffic.send_to(_POISONED)


def _drop(target: Environment, sent: Sent) -> None:
    """Drops a webhook that was set aside; its release then only clears it away."""
    assert sent.receipt
    webhook = parked.store(target).find(sent.receipt.answer["message_id"])
    if webhook:
        parked.drop(target, webhook, "a drill's forged webhook")


def _expiring(stage: Stage) -> None:
    """A webhook goes aside, which the audit takes for one near the end of its time."""
    stage.configure("audit", PARKING_KEEP_SECONDS=str(_KEPT_SECONDS))
    _aside(stage, status=422)


def _refusing_everything(stage: Stage) -> None:
    stage.scale_failure_policy()
    stage.mode(Mode(status=404))


def _hanging_sqs(stage: Stage) -> None:
    assert stage.target.endpoint_url
    proxy = HangingSqs(stage.target.endpoint_url)
    stage.on_repair(proxy.close)
    stage.configure("publish", AWS_ENDPOINT_URL=proxy.url, QUEUE_URL=proxy.queue_url(stage.target))


Cause = Callable[[Stage], None]


def _mode(**wanted: Any) -> Cause:
    return lambda stage: stage.mode(Mode(**wanted))


def _configured(function: str, **variables: str | None) -> Cause:
    return lambda stage: stage.configure(function, **variables)


def _sending(**wanted: bool) -> Cause:
    return lambda stage: stage.set_traffic(**wanted)


CAUSES: Mapping[str, Cause] = {
    "backend-down": _mode(listens=False),
    "backend-503": _mode(status=503),
    "backend-302": _mode(status=302),
    "backend-slow": _mode(slow=(5.7, 6.8)),
    # A third of the attempts time out.
    "backend-slow-timeouts": _mode(slow=(5.6, 7.6)),
    "backend-refuses-group": _poisoned,
    "backend-refuses-held": _held,
    "backend-refuses-webhook": lambda stage: _aside(stage, status=422),
    "backend-refuses-forged": lambda stage: _aside(stage, status=401, dropped=True),
    "parked-for-long": _expiring,
    "backend-404": _refusing_everything,
    "subscribe-without-table": _crashing,
    "subscribe-with-missing-table": _configured("subscribe", TABLE="gone"),
    "subscribe-disabled": lambda stage: stage.stop_consuming("subscribe"),
    "notify-disabled": lambda stage: stage.stop_consuming("notify"),
    "publish-without-queue": _configured(
        "publish", QUEUE_URL="http://127.0.0.1/000000000000/gone.fifo"
    ),
    "sqs-hangs": _hanging_sqs,
    "unreadable-message": _unreadable,
    "traffic-off": _sending(flowing=False),
    "repeats": _sending(repeats=True),
    "invalid": _sending(invalid=True),
}
