"""A notification in each receiver's own format: pure; ``lambdas.channels`` sends it."""

from __future__ import annotations

import re
from typing import Any

from lambdas.base.safe_json import json_object
from lambdas.blocking import MOST
from lambdas.notification import Notification
from lambdas.timestamps import iso

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
    "logs": "Logs",
    "dashboard": "Dashboard",
    "alarm": "Alarm",
}

# URL and JSON document of each request, in order.
Posts = list[tuple[str, dict[str, Any]]]


class MalformedSecretError(Exception):
    """When a secret does not have the form that its channel needs."""


def slack(secret: str, notification: Notification) -> Posts:
    """Source: Slack's reference, "Incoming webhooks", "Formatting text", and "Text object":
    ``verbatim`` keeps texts from becoming links and mentions that nobody wrote.
    """
    facts = "\n".join(f"*{label}:* {_slack(text)}" for label, text in notification.facts)
    steps = "\n".join(f"{at}. {_slack(step)}" for at, step in enumerate(notification.steps, 1))
    links: list[str] = []
    for label, target in _targets(notification):
        link = f"<{_slack(target)}|{label}>" if _is_url(target) else f"{label}: {_slack(target)}"
        if len("\n".join([*links, link])) <= _SLACK_SECTION:  # half a link is useless
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
        {
            "type": "section",
            "text": {"type": "mrkdwn", "verbatim": True, "text": _clipped(text, _SLACK_SECTION)},
        }
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
        raise MalformedSecretError
    event = {"routing_key": key, "dedup_key": notification.alarm[:_PAGERDUTY_KEY]}
    resolve = (url, {**event, "event_action": "resolve"})
    if notification.recovered:
        return [resolve]
    trigger = {
        **event,
        "event_action": "trigger",
        "client": f"{notification.service} {notification.environment}",
        "client_url": notification.links.get("dashboard"),
        "payload": {
            "summary": _clipped(notification.summary, _PAGERDUTY_SUMMARY),
            "severity": _PAGERDUTY_SEVERITIES[notification.severity],
            "source": f"{notification.service}-{notification.environment}",
            "timestamp": iso(notification.changed_at),
            "component": notification.signal or notification.alarm,
            "group": notification.service,
            "custom_details": {
                **({"Drill": "true"} if notification.drill else {}),
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
    # An incident that is over must not stay open: its recovery is not sent again.
    return [(url, trigger)] + ([] if notification.recovered_at is None else [resolve])


def https(secret: str, notification: Notification) -> Posts:
    """Our own JSON document. Members without a value are null; times are ISO 8601, UTC.

    ``title`` begins with ``Recovered`` in an OK; ``since`` is the start of the incident, in ALARM
    and OK alike; ``value`` and ``threshold``
    are texts with their unit; commands in ``steps`` stand in backticks; ids in ``webhooks`` are
    as they are, with what their senders chose; ``lasted_seconds`` is in an OK only.
    """
    document: dict[str, Any] = {
        "version": 1,
        "state": notification.state,
        "severity": notification.severity,
        "alarm": notification.alarm,
        "signal": notification.signal,
        "title": notification.named,
        "summary": notification.summary,
        "impact": notification.impact,
        "environment": notification.environment,
        "service": notification.service,
        "since": None if notification.since is None else iso(notification.since),
        "value": notification.value,
        "threshold": notification.threshold,
        "steps": list(notification.steps),
        "links": {name: notification.links.get(name) for name in _LINKS},
        "log_command": notification.log_command,
        "webhooks": [
            {
                "group_id": webhook.group_id,
                "message_id": webhook.message_id,
                "since": None if webhook.since is None else iso(webhook.since),
            }
            for webhook in notification.webhooks[:MOST]
        ],
        "drill": notification.drill,
    }
    if notification.recovered:
        document["lasted_seconds"] = notification.lasted_seconds
    return [(_url(secret), document)]


def email(notification: Notification) -> tuple[str, str]:
    """Subject and text of an email that a person can act on."""
    line = " ".join(notification.headline.split())
    subject = line.encode("ascii", "replace").decode()[:_SUBJECT]
    steps = [f"{at}. {mail_step(step)}" for at, step in enumerate(notification.steps, 1)]
    parts = [
        notification.summary,
        "\n".join(f"{label}: {text}" for label, text in notification.facts),
        "\n".join(["First steps:", *steps]) if steps else "",
        "\n\n".join(f"{label}:\n{target}" for label, target in _targets(notification)),
    ]
    return subject, "\n\n".join(filter(None, parts)) + "\n"


def _url(secret: str) -> str:
    """The URL that a secret is, or has as its ``url``."""
    document = json_object(secret)
    url = secret if document is None else document.get("url")
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        raise MalformedSecretError
    return url


def _targets(notification: Notification) -> list[tuple[str, str]]:
    """Label and address of each link, the most useful first."""
    links = notification.links
    return [(label, links[name]) for name, label in _LINKS.items() if name in links]


def mail_step(step: str) -> str:
    """A step whose command, where it stands last, has a line for itself: to be copied as it is."""
    return re.sub(r": `([^`]+)`$", r":\n     \1", step)


def _is_url(target: str) -> bool:
    """A runbook may be a path in the repository instead."""
    return target.startswith(("https://", "http://"))


def _slack(text: str) -> str:
    """Source: Slack's reference, "Formatting text": these three would begin a command."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clipped(text: str, most: int) -> str:
    """The beginning of the text, without half an escape at its end."""
    if len(text) <= most:
        return text
    kept = text[: most - 1]
    begun = kept.rfind("&", len(kept) - len("&amp;") + 1)
    return (kept if begun < 0 or ";" in kept[begun:] else kept[:begun]) + "…"
