"""Mail addresses that SNS may write to: each confirms by a link that SNS sends it."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError

from settings.monitoring import Channel
from settings.schema import Settings
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.preflight.model import Level, Problem

# What stands in place of an ARN. Source: SNS API reference, Subscribe and
# ListSubscriptionsByTopic.
_PENDING = "PendingConfirmation"


def has_mail(settings: Settings) -> bool:
    """Whether anybody is notified by mail."""
    return settings.monitoring and any(channel.addresses for channel in settings.notifications)


def confirmed(target: Environment) -> Iterator[Problem]:
    """Every address has confirmed; topics that are not deployed yet are passed over."""
    settings = target.settings
    for channel in settings.notifications:
        if channel.addresses:
            yield from _channel(target, channel)


def _channel(target: Environment, channel: Channel) -> Iterator[Problem]:
    arn = target.settings.topic_arn(channel.mail_topic)
    try:
        pages = target.sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
        known = {
            subscription["Endpoint"]: subscription["SubscriptionArn"]
            for page in pages
            for subscription in page["Subscriptions"]
            if subscription["Protocol"] == "email"
        }
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NotFound", "NotFoundException"):
            raise
        return
    for address in channel.addresses:
        yield from _address(address, channel.mail_topic, known.get(address))


def _address(address: str, purpose: str, subscription: str | None) -> Iterator[Problem]:
    if subscription == _PENDING:
        yield Problem(
            f"{address} has not confirmed its subscription to {purpose}; SNS sends nothing to it.",
            "Follow the link in the mail from AWS Notifications; it is valid for 3 days.",
            Level.TODO,
        )
    elif subscription in (None, "Deleted"):
        yield Problem(
            f"{address} is no longer subscribed to {purpose}: the link at the end of a mail was "
            "followed, or the confirmation expired.",
            f"Subscribe it again: aws sns subscribe --protocol email --notification-endpoint "
            f"{address} --topic-arn (the topic that ends in {purpose})",
            Level.TODO,
        )
