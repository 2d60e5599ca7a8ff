"""Where notifications go: Slack, PagerDuty, any HTTPS receiver, and e-mail through SNS.

Each channel's address is its secret, or a topic. A secret is read when it is first needed, and
once more when a receiver says that it knows it no longer; it never stands in a log, nor in an
exception's text.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lambdas import aws, http
from lambdas.clock import iso
from lambdas.incidents import SEVERITIES
from lambdas.notification import Notification
from lambdas.parsing import json_object

# urllib3 warns of an answer's malformed headers with the whole URL, which is a secret here.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)

_SECRET_SECONDS = 2.0
# A thread may end so much later than its time, seconds; then it is left behind.
_GRACE_SECONDS = 0.25

# Source: Slack's Block Kit reference, header and section.
_SLACK_HEADER, _SLACK_SECTION = 150, 3000
# Source: PagerDuty developer documentation, "Events API v2", "Send an alert event".
_PAGERDUTY_URL = "https://events.pagerduty.com/v2/enqueue"
_PAGERDUTY_SUMMARY, _PAGERDUTY_KEY = 1024, 255
_PAGERDUTY_SEVERITIES = {"page": "critical", "ticket": "warning", "info": "info"}
# Source: SNS API reference, Publish: a subject has less than 100 characters.
_SUBJECT = 99

_LINKS = {
    "runbook": "Runbook",
    "logs": "Logs of the time",
    "dashboard": "Dashboard",
    "alarm": "Alarm",
}


class ChannelError(Exception):
    """When a channel did not take a notification.

    Attributes:
        reason: the class of the failure: ``HttpStatus``, ``SecretUnreadable``, ….
        status: the receiver's answer, if there was one.
        aws_error: AWS's error code, if a call of ours failed.
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
    """One way to tell people.

    Attributes:
        id: names it in logs and in the table.
        kind: ``slack``, ``pagerduty``, ``https`` or ``email``.
        severities: those it is told of.
        address: ARN of its secret; of ``email``, of the topic.
    """

    id: str
    kind: str
    severities: frozenset[str]
    address: str

    @classmethod
    def parse(cls, said: Mapping[str, Any]) -> Channel:
        """A channel from its setting.

        Raises:
            ValueError: When it is of no kind that exists, or lacks its address.
        """
        kind, severities = said.get("kind"), frozenset(said.get("severities", ()))
        name = said.get("id")
        if kind not in (*_POSTS, "email"):
            raise ValueError(f"CHANNELS, '{name}': no channel is of kind '{kind}'")
        if not name or not severities <= set(SEVERITIES):
            raise ValueError(f"CHANNELS, '{name}': needs an id and severities of {SEVERITIES}")
        member = "topic_arn" if kind == "email" else "secret_arn"
        if not said.get(member):
            raise ValueError(f"CHANNELS, '{name}': {member} is missing")
        return cls(id=name, kind=kind, severities=severities, address=said[member])


Outcomes = dict[Channel, ChannelError | None]


def tell_all(notifications: Mapping[Channel, Notification], *, seconds: float) -> Outcomes:
    """Tells every channel at once, so that none waits for another.

    Args:
        seconds: for each. One that takes longer, as name resolution may, is left behind, and
            counts as failed.

    Returns:
        Why each failed; None for those that took it.
    """
    found: Outcomes = {}

    def tell_one(channel: Channel, notification: Notification) -> None:
        try:
            _tell(channel, notification, seconds)
        except ChannelError as error:
            found[channel] = error
        except Exception as error:  # its text may hold the address
            found[channel] = ChannelError(type(error).__name__)
        else:
            found[channel] = None

    threads = [
        threading.Thread(target=tell_one, args=told, daemon=True) for told in notifications.items()
    ]
    deadline = time.monotonic() + seconds + _GRACE_SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return {channel: found.get(channel, ChannelError("NoAnswer")) for channel in notifications}


def _tell(channel: Channel, notification: Notification, seconds: float) -> None:
    """Tells one channel.

    Raises:
        ChannelError: When it did not take it.
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
        ChannelError: When no answer came, or the secret is none.
    """
    compose, taken = _POSTS[channel.kind]
    for url, document in compose(secret, notification):
        left = deadline - time.monotonic()
        if left <= 0:
            raise ChannelError("NoAnswer")
        body = json.dumps(document).encode()
        try:
            status, _ = http.post(url, body, {"Content-Type": "application/json"}, seconds=left)
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


def _url(secret: str) -> str:
    """The URL that a secret is, or has as its ``url``."""
    document = json_object(secret)
    url = secret if document is None else document.get("url")
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        raise ChannelError("SecretMalformed")
    return url


Posts = list[tuple[str, dict[str, Any]]]


def slack(secret: str, notification: Notification) -> Posts:
    """Source: Slack's reference, "Incoming webhooks" and "Formatting text"."""
    facts = "\n".join(f"*{label}:* {_slack(text)}" for label, text in notification.facts)
    steps = "\n".join(f"{at}. {_slack(step)}" for at, step in enumerate(notification.steps, 1))
    links: list[str] = []
    for label, target in _targets(notification):
        link = f"<{_slack(target)}|{label}>" if _is_url(target) else f"{label}: {_slack(target)}"
        if len("\n".join([*links, link])) <= _SLACK_SECTION:  # half a link is none
            links.append(link)
    texts = [
        _slack(notification.summary),
        facts,
        f"*First steps*\n{steps}" if steps else "",
        "\n".join(links),
    ]
    header = _clipped(_slack(notification.headline), _SLACK_HEADER)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": header}}
    ]
    blocks += [
        {"type": "section", "text": {"type": "mrkdwn", "text": _clipped(text, _SLACK_SECTION)}}
        for text in texts
        if text
    ]
    summary = _clipped(_slack(notification.summary), _SLACK_SECTION)
    return [(_url(secret), {"text": summary, "blocks": blocks})]


def pagerduty(secret: str, notification: Notification) -> Posts:
    """Source: PagerDuty developer documentation, "Events API v2"."""
    document = json_object(secret)
    said = {"routing_key": secret} if document is None else document
    key, url = said.get("routing_key"), said.get("url", _PAGERDUTY_URL)
    if not isinstance(key, str) or not key.isalnum() or not isinstance(url, str):
        raise ChannelError("SecretMalformed")
    event = {"routing_key": key, "dedup_key": notification.alarm[:_PAGERDUTY_KEY]}
    resolve = (url, {**event, "event_action": "resolve"})
    if notification.recovered:
        return [resolve]
    trigger = {
        **event,
        "event_action": "trigger",
        "client": f"{notification.service} {notification.environment}",
        "client_url": notification.links["dashboard"],
        "payload": {
            "summary": _clipped(notification.summary, _PAGERDUTY_SUMMARY),
            "severity": _PAGERDUTY_SEVERITIES[notification.severity],
            "source": f"{notification.service}-{notification.environment}",
            "timestamp": iso(notification.changed_at),
            "component": notification.signal or notification.alarm,
            "group": notification.service,
            "custom_details": {
                **dict(notification.facts),
                "First steps": list(notification.steps),
                **{label: target for label, target in _targets(notification) if label == "Runbook"},
            },
        },
        "links": [
            {"href": target, "text": label}
            for label, target in _targets(notification)
            if _is_url(target)
        ],
    }
    # What is over already must not stay open: its recovery came, and is not told again.
    return [(url, trigger)] + ([] if notification.recovered_at is None else [resolve])


def https(secret: str, notification: Notification) -> Posts:
    """Our own document. Members without a value are null; times are ISO 8601, UTC.

    ``since`` is the incident's beginning, in ALARM and OK alike; ``value`` and ``threshold``
    are words with their unit; ``lasted_seconds`` stands in an OK only.
    """
    document: dict[str, Any] = {
        "version": 1,
        "state": notification.state,
        "severity": notification.severity,
        "alarm": notification.alarm,
        "signal": notification.signal,
        "title": notification.title,
        "summary": notification.summary,
        "impact": notification.impact,
        "environment": notification.environment,
        "service": notification.service,
        "since": None if notification.since is None else iso(notification.since),
        "value": notification.value,
        "threshold": notification.threshold,
        "steps": list(notification.steps),
        "links": {name: notification.links.get(name) for name in _LINKS},
    }
    if notification.recovered:
        document["lasted_seconds"] = notification.lasted_seconds
    return [(_url(secret), document)]


# By kind: what is sent, and which answers say that it was taken.
_POSTS: Mapping[str, tuple[Callable[[str, Notification], Posts], range]] = {
    "slack": (slack, range(200, 201)),
    # PagerDuty itself answers 202; what stands in its place on the laptop 200.
    "pagerduty": (pagerduty, range(200, 300)),
    "https": (https, range(200, 300)),
}


def email(notification: Notification) -> tuple[str, str]:
    """Subject and text of a mail that a person can act on."""
    line = " ".join(notification.headline.split())
    subject = line.encode("ascii", "replace").decode()[:_SUBJECT]
    steps = [f"{at}. {step}" for at, step in enumerate(notification.steps, 1)]
    parts = [
        notification.summary,
        "\n".join(f"{label}: {text}" for label, text in notification.facts),
        "\n".join(["First steps:", *steps]) if steps else "",
        "\n\n".join(f"{label}:\n{target}" for label, target in _targets(notification)),
    ]
    return subject, "\n\n".join(filter(None, parts)) + "\n"


def _publish(topic_arn: str, notification: Notification, seconds: float) -> None:
    subject, text = email(notification)
    message = {"TopicArn": topic_arn, "Subject": subject, "Message": text}
    try:
        aws.SNS.call("Publish", message, seconds=seconds, within=seconds)
    except aws.AwsError as error:
        raise ChannelError("PublishRefused", aws_error=error.code) from None


def _targets(notification: Notification) -> list[tuple[str, str]]:
    """Label and address of each link there is, the most useful first."""
    links = notification.links
    return [(label, links[name]) for name, label in _LINKS.items() if name in links]


def _is_url(target: str) -> bool:
    """A runbook may be a path in the repository instead."""
    return target.startswith(("https://", "http://"))


def _slack(text: str) -> str:
    """Source: Slack's reference, "Formatting text": these three would begin a command."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clipped(text: str, most: int) -> str:
    """The text's beginning, which ends in no half of an escape."""
    if len(text) <= most:
        return text
    kept = text[: most - 1]
    begun = kept.rfind("&", len(kept) - len("&amp;") + 1)
    return (kept if begun < 0 or ";" in kept[begun:] else kept[:begun]) + "…"
