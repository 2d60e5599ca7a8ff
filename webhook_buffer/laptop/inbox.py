"""The laptop's inbox: what would go to Slack, PagerDuty, a URL or by mail, received by a program.

A channel's secret says where it goes: here. Everything received is an entry of ``inbox.jsonl`` in
the inbox's folder, as its channel got it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from settings.errors import NotDeployedError, ProofFailedError
from settings.monitoring import Channel
from settings.paths import ROOT
from webhook_buffer.laptop.practice import entries
from webhook_buffer.laptop.programs.process import Background, Running, listens_itself, usable_port
from webhook_buffer.operations.environment import Environment, aws_errors
from webhook_buffer.operations.files import private_folder

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeNameType

DEFAULT_PORT = 4569
# Notifications, and Sentry's events apart from them: nobody is paged by one.
FILE, SENTRY_FILE = "inbox.jsonl", "sentry.jsonl"
_WAIT_SECONDS = 60.0
# A queue's counts: what waits, and what is being delivered.
_MESSAGES: tuple[QueueAttributeNameType, ...] = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
)
# Valid in form, and not a secret.
_ROUTING_KEY = "0" * 32
# The path of what SNS sends, and what alarms count as that write to people directly.
MAIL, ALERT_PATH = "mail", "alert-path"


@dataclass(frozen=True)
class Received:
    """A notification as its channel got it: JSON, or a mail's subject and text.

    Attributes:
        at: Unix seconds.
    """

    channel: str
    content: Any
    at: float = 0.0

    @property
    def recovered(self) -> bool:
        """Whether it says that an incident is over, in its channel's form."""
        said = (self.content.get(name) for name in ("state", "event_action", "subject", "text"))
        first = str(next(filter(None, said), "")).lower()
        return first.removeprefix("drill").lstrip(": ").startswith(("ok", "resolve", "recovered"))

    @property
    def text(self) -> str:
        """What a person reads: a mail's text, else the document."""
        if "subject" in self.content:
            return f"{self.content['subject']}\n\n{self.content['text']}"
        return json.dumps(self.content, indent=2, ensure_ascii=False)


class InboxProcess(Background):
    """The program, as commands see it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "inbox")

    def start(self, port: int | None = None) -> Running:
        """Starts it where it is not running.

        Args:
            port: on 127.0.0.1; taken only if it is free.

        Raises:
            ToolError: When it does not come up.
        """
        known = self.running()
        if known:
            return known
        private_folder(self.folder)
        port = usable_port(self.last_port(), port)
        process, running = self._spawn(
            "webhook_buffer.laptop.inbox_server", "--port", str(port), "--folder", str(self.folder),
            port=port, cwd=ROOT, environ={},
        )  # fmt: skip
        self._await(process, "The inbox", lambda: listens_itself(running))
        return running


def received(folder: Path, since: float = 0.0) -> Iterator[Received]:
    """What an inbox received since a moment (Unix seconds), in order."""
    for entry in entries(folder / FILE):
        if entry["at"] >= since and "content" in entry:
            yield Received(entry["channel"], entry["content"], entry["at"])


def folder_of(target: Environment) -> Path:
    """The folder of the inbox that stands beside an environment on the laptop."""
    return target.folder.parent / "inbox"


class Inbox:
    """What every channel of an environment on the laptop receives from now on."""

    def __init__(self, target: Environment) -> None:
        self._target = target
        self._folder = folder_of(target)
        self._seen = len(list(entries(self._folder / FILE)))

    def expect(self, channels: list[str], *, recovered: bool = False) -> list[Received]:
        """Waits until each of these channels got an alarm, or a recovery.

        Raises:
            ProofFailedError: When one did not within a minute.
        """
        by_channel: dict[str, Received] = {}
        deadline = time.monotonic() + _WAIT_SECONDS
        while missing := [name for name in channels if name not in by_channel]:
            if time.monotonic() > deadline:
                raise ProofFailedError(
                    f"No notification arrived at {', '.join(missing)} within {_WAIT_SECONDS:.0f} "
                    "s. See: webhook-buffer logs -f notify"
                )
            for notification in self._new():
                if notification.recovered is recovered:
                    by_channel[notification.channel] = notification
            time.sleep(0.1)
        return [by_channel[name] for name in channels]

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
        requests = list(entries(self._folder / FILE))
        for entry in requests[self._seen :]:
            if "content" in entry:
                yield Received(entry["channel"], entry["content"], entry["at"])
        self._seen = len(requests)


@contextmanager
def opened(target: Environment) -> Iterator[Inbox]:
    """What arrives from now on; at the end every channel leads here again, whatever was tried."""
    try:
        yield Inbox(target)
    finally:
        provide(target)


def provide(target: Environment) -> None:
    """Has the environment's channels, and the mail of its topics, lead to the inbox.

    Raises:
        NotDeployedError: When the inbox is not running.
        ProofFailedError: When SNS does not confirm a subscription.
    """
    settings = target.settings
    folder = folder_of(target)
    running = InboxProcess(folder).running()
    if running is None:
        raise NotDeployedError("The inbox is not running. To start it: webhook-buffer up")
    url = running.endpoint_url
    if not settings.monitoring:
        return
    with aws_errors(settings):
        for channel in settings.notifications:
            if channel.secretArn:
                _point(target, channel, f"{url}/{channel.id}")
            else:
                _mail(target, folder, url, channel)


def _mail(target: Environment, folder: Path, url: str, channel: Channel) -> None:
    """Subscribes the inbox to a channel's topic, and confirms that, in place of people's mail."""
    settings = target.settings
    topic = settings.topic_arn(channel.mail_topic)
    endpoint = f"{url}/{MAIL}/{channel.id}"
    pages = target.sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    known = [subscription for page in pages for subscription in page["Subscriptions"]]
    for subscription in known:
        if subscription["Protocol"] == "http" and subscription["Endpoint"] != endpoint:
            target.sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    if any(subscription["Endpoint"] == endpoint for subscription in known):
        return
    since = time.time()
    target.sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint)
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        tokens = [
            entry["token"]
            for entry in entries(folder / FILE)
            if entry["at"] >= since and entry.get("topic") == topic
        ]
        if tokens:
            target.sns.confirm_subscription(TopicArn=topic, Token=tokens[-1])
            return
        if time.monotonic() > deadline:
            raise ProofFailedError(f"The inbox got no confirmation of its subscription to {topic}.")
        time.sleep(0.05)


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
