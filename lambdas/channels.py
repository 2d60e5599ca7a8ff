"""Where notifications go: Slack, PagerDuty, any HTTPS receiver, and e-mail through SNS.

Each channel's address is its secret, or a topic. A secret is read for each notification; it
never stands in a log, nor in an exception's text.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lambdas import messages
from lambdas.alarm_events import SEVERITIES
from lambdas.base import aws, http
from lambdas.notification import Notification

_JSON = {"Content-Type": "application/json"}
_SECRET_SECONDS = 2.0
# Seconds by which a thread may exceed its time before it is left behind.
_GRACE_SECONDS = 0.25

# By kind: what is sent, and which answers mean that it was accepted.
_POSTS: Mapping[str, tuple[Callable[[str, Notification], messages.Posts], range]] = {
    "slack": (messages.slack, range(200, 201)),
    # PagerDuty itself answers 202; what stands in its place on the laptop 200.
    "pagerduty": (messages.pagerduty, range(200, 300)),
    "https": (messages.https, range(200, 300)),
}


class ChannelError(Exception):
    """When a channel did not accept a notification.

    Attributes:
        reason: the class of the failure: ``HttpStatus``, ``SecretUnreadable``, ….
        status: the receiver's answer, if there was one.
        aws_error: AWS's error code, if one of our calls failed.
    """

    def __init__(
        self, reason: str, *, status: int | None = None, aws_error: str | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.aws_error = aws_error


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One way to notify people.

    Attributes:
        id: names it in logs and in the table.
        kind: ``slack``, ``pagerduty``, ``https`` or ``email``.
        severities: those it is notified of.
        address: ARN of its secret; of ``email``, of the topic.
        https_only: whether a URL without TLS is refused.
    """

    id: str
    kind: str
    severities: frozenset[str]
    address: str
    https_only: bool = False

    @classmethod
    def parse(cls, said: Mapping[str, Any]) -> Channel:
        """A channel from its setting.

        Raises:
            ValueError: When its kind is unknown, or it lacks its address.
        """
        kind, severities = said.get("kind"), frozenset(said.get("severities", ()))
        name = said.get("id")
        if kind not in (*_POSTS, "email"):
            raise ValueError(f"CHANNELS, '{name}': unknown channel kind '{kind}'")
        if not name or not severities <= set(SEVERITIES):
            raise ValueError(f"CHANNELS, '{name}': needs an id and severities of {SEVERITIES}")
        member = "topic_arn" if kind == "email" else "secret_arn"
        if not said.get(member):
            raise ValueError(f"CHANNELS, '{name}': {member} is missing")
        return cls(
            id=name,
            kind=kind,
            severities=severities,
            address=said[member],
            https_only=said.get("https_only") is True,
        )


Outcomes = dict[Channel, ChannelError | None]


def notify_all(notifications: Mapping[Channel, Notification], *, seconds: float) -> Outcomes:
    """Notifies every channel at once, so that none waits for another.

    Args:
        seconds: for each. One that takes longer, as name resolution may, is left behind, and
            counts as failed.

    Returns:
        Why each failed; None for those that accepted it.
    """
    outcomes: Outcomes = {}

    def tell_one(channel: Channel, notification: Notification) -> None:
        try:
            _notify(channel, notification, seconds)
        except ChannelError as error:
            outcomes[channel] = error
        except Exception as error:  # its text may hold the address
            outcomes[channel] = ChannelError(type(error).__name__)
        else:
            outcomes[channel] = None

    threads = [
        threading.Thread(target=tell_one, args=addressed, daemon=True)
        for addressed in notifications.items()
    ]
    deadline = time.monotonic() + seconds + _GRACE_SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return {channel: outcomes.get(channel, ChannelError("NoAnswer")) for channel in notifications}


def _notify(channel: Channel, notification: Notification, seconds: float) -> None:
    """Notifies one channel.

    Raises:
        ChannelError: When it did not accept the notification.
    """
    deadline = time.monotonic() + seconds
    if channel.kind == "email":
        _publish(channel.address, notification, seconds)
        return
    # Read each time: a rotated secret holds at once, and notifications are rare.
    secret = _read_secret(channel.address, deadline)
    status = _posted(channel, notification, secret, deadline)
    if status is not None:
        raise ChannelError("HttpStatus", status=status)


def _posted(
    channel: Channel, notification: Notification, secret: str, deadline: float
) -> int | None:
    """Sends all that the channel wants to be sent; the first answer that is a refusal.

    Raises:
        ChannelError: When no answer came, or the secret is unusable.
    """
    compose, taken = _POSTS[channel.kind]
    try:
        posts = compose(secret, notification)
    except messages.MalformedSecretError:
        raise ChannelError("SecretMalformed") from None
    for url, document in posts:
        left = deadline - time.monotonic()
        if left <= 0:
            raise ChannelError("NoAnswer")
        if channel.https_only and not url.startswith("https://"):
            raise ChannelError("PlainHttp")
        body = json.dumps(document).encode()
        try:
            status, _ = http.send("POST", url, body, _JSON, seconds=left)
        except http.HttpError as error:
            raise ChannelError(str(error)) from None
        if status not in taken:
            return status
    return None


def _read_secret(arn: str, deadline: float) -> str:
    # Half of the time that is left: there is something to send, too.
    within = (deadline - time.monotonic()) / 2
    seconds = max(0.05, min(_SECRET_SECONDS, within))
    try:
        reply = aws.SECRETS.call(
            "GetSecretValue", {"SecretId": arn}, seconds=seconds, within=within
        )
    except aws.AwsError as error:
        raise ChannelError("SecretUnreadable", aws_error=error.code) from None
    secret = reply.get("SecretString")
    if not isinstance(secret, str) or not secret.strip():
        raise ChannelError("SecretMalformed")
    return secret.strip()


def _publish(topic_arn: str, notification: Notification, seconds: float) -> None:
    subject, text = messages.email(notification)
    message = {"TopicArn": topic_arn, "Subject": subject, "Message": text}
    try:
        aws.SNS.call("Publish", message, seconds=seconds, within=seconds)
    except aws.AwsError as error:
        raise ChannelError("PublishRefused", aws_error=error.code) from None
