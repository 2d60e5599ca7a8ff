"""The laptop's channels: what would go to Slack, PagerDuty, a URL or by mail, received here.

A channel's secret says where it goes. Usually that is the faux backend, which accepts it
silently; while an ``Inbox`` is open, it is the inbox.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from settings.errors import ProofFailedError
from settings.monitoring import Channel
from webhook_buffer.laptop.backend import ScriptedBackend
from webhook_buffer.operations.environment import Environment, aws_errors

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeNameType

_WAIT_SECONDS = 60.0
# Of a queue: what waits, and what is being delivered.
_MESSAGES: tuple[QueueAttributeNameType, ...] = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
)
# Of the right form, and no secret.
_ROUTING_KEY = "0" * 32


@dataclass(frozen=True)
class Received:
    """A notification as its channel got it: JSON, or a mail's subject and text."""

    channel: str
    content: Any

    @property
    def recovered(self) -> bool:
        """Whether it says that an incident is over, in its channel's form."""
        said = (self.content.get(name) for name in ("state", "event_action", "subject", "text"))
        first = str(next(filter(None, said), "")).lower()
        return first.startswith(("ok", "resolve", "recovered"))


class Inbox:
    """Receives for every channel of an environment on the laptop."""

    def __init__(self, target: Environment, backend: ScriptedBackend, mail_queues: dict[str, str]):
        self._target = target
        self._backend = backend
        self._mail_queues = mail_queues
        self._seen = 0

    def expect(self, channels: list[str], *, recovered: bool = False) -> list[Received]:
        """Waits until each of these channels got an alarm, or a recovery.

        Raises:
            ProofFailedError: When one did not within a minute.
        """
        found: dict[str, Received] = {}
        deadline = time.monotonic() + _WAIT_SECONDS
        while missing := [name for name in channels if name not in found]:
            if time.monotonic() > deadline:
                raise ProofFailedError(
                    f"No notification came to {', '.join(missing)} within {_WAIT_SECONDS:.0f} s. "
                    "See: webhook-buffer logs -f notify"
                )
            for one in self._new():
                if one.recovered is recovered:
                    found[one.channel] = one
            time.sleep(0.1)
        return [found[name] for name in channels]

    def settle(self) -> None:
        """Waits until earlier notifications have been delivered, and forgets them.

        Raises:
            ProofFailedError: When that takes more than a minute.
        """
        client, name = self._target.sqs, self._target.settings.notify_queue_name
        deadline = time.monotonic() + _WAIT_SECONDS
        with aws_errors(self._target.settings):
            url = client.get_queue_url(QueueName=name)["QueueUrl"]
            while any(
                int(value)
                for value in client.get_queue_attributes(
                    QueueUrl=url, AttributeNames=list(_MESSAGES)
                )["Attributes"].values()
            ):
                if time.monotonic() > deadline:
                    raise ProofFailedError(
                        f"Earlier notifications still wait in {name} after {_WAIT_SECONDS:.0f} s. "
                        "See: webhook-buffer logs -f notify"
                    )
                time.sleep(0.1)
        self.unread()

    def next_second(self) -> None:
        """Waits until it has begun: the emulator dates transitions by the second only, and two
        in one can't be put in order.
        """
        time.sleep(1 - time.time() % 1)

    def unread(self) -> list[Received]:
        """Notifications that nobody expected."""
        return list(self._new())

    def _new(self) -> Iterator[Received]:
        requests = list(self._backend.faux.received)
        for request in requests[self._seen :]:
            yield Received(request.target.strip("/"), json.loads(request.body))
        self._seen = len(requests)
        for channel, url in self._mail_queues.items():
            with aws_errors(self._target.settings):
                reply = self._target.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
                for message in reply.get("Messages", []):
                    self._target.sqs.delete_message(
                        QueueUrl=url, ReceiptHandle=message["ReceiptHandle"]
                    )
                    envelope = json.loads(message["Body"])
                    content = {"subject": envelope["Subject"], "text": envelope["Message"]}
                    yield Received(channel, content)


@contextmanager
def opened(target: Environment) -> Iterator[Inbox]:
    """An inbox that gets what the environment's channels would get, until it is closed."""
    settings = target.settings
    queues = {}
    with ScriptedBackend() as backend, aws_errors(settings):
        for channel in settings.notifications:
            if channel.secretArn:
                _point(target, channel, f"{backend.url}/{channel.id}")
            else:
                queues[channel.id] = _mail_queue(target, channel)
        try:
            yield Inbox(target, backend, queues)
        finally:
            for url in queues.values():
                target.sqs.delete_queue(QueueUrl=url)
            provide(target)


def provide(target: Environment) -> None:
    """Makes the secrets of the environment's channels, which lead to the faux backend."""
    settings = target.settings
    with aws_errors(settings):
        apis = target.apigateway.get_apis()["Items"]
        name = settings.function_name("faux-backend")
        url = next((api["ApiEndpoint"] for api in apis if api["Name"] == name), None)
        for channel in settings.notifications:
            if channel.secretArn and url:
                _point(target, channel, f"{url}/{channel.id}")


def _point(target: Environment, channel: Channel, url: str) -> None:
    """Sets a channel's destination."""
    assert channel.secretArn
    name = channel.secretArn.partition(":secret:")[2]
    secret = (
        json.dumps({"routing_key": _ROUTING_KEY, "url": url})
        if channel.kind == "pagerduty"
        else url
    )
    try:
        target.secrets.put_secret_value(SecretId=name, SecretString=secret)
    except target.secrets.exceptions.ResourceNotFoundException:
        target.secrets.create_secret(Name=name, SecretString=secret)


def _mail_queue(target: Environment, channel: Channel) -> str:
    """A queue that gets what SNS would send by mail."""
    settings = target.settings
    topic = settings.topic_name(f"mail-{channel.id}")
    arn = f"arn:aws:sns:{settings.awsRegion}:{settings.awsAccount}:{topic}"
    url = target.sqs.create_queue(QueueName=f"{topic}-inbox")["QueueUrl"]
    queue_arn = target.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    target.sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn["Attributes"]["QueueArn"])
    return url
