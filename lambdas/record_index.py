"""The record's indexes: by group, by time and by the sender's delivery id; data, and no calls.

Each has the keys alone, which never change once they are written. So it takes one write unit when
a webhook is recorded first, and none when an attempt is added.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

HOUR_MS = 3_600_000
# Source: DynamoDB developer guide, "Partition key design": a partition takes 1,000 write units a
# second, and an index that is behind throttles its table.
SHARDS = 4
# Source: DynamoDB quotas: an index's partition key has up to 2,048 bytes. Ids are shorter.
_LONGEST_DELIVERY = 256


class Index(NamedTuple):
    """An index over the record, sorted by ``received_timestamp``.

    Attributes:
        partition: the attribute that it is found by; webhooks without it are not in it.
        finds: what it finds, in words.
    """

    name: str
    partition: str
    finds: str


GROUP = Index("by-group", "group_id", "webhooks of a group")
TIME = Index("by-time", "hour_shard", "webhooks of a time")
DELIVERY = Index("by-delivery", "delivery_id", "a webhook by its sender's delivery id")
# In the order in which an existing table gets them.
INDEXES = (GROUP, DELIVERY, TIME)
SORT = "received_timestamp"

# Header names, and where they are documented; the first that a webhook has counts.
DELIVERY_HEADERS: dict[str, str] = {
    "x-github-delivery": "docs.github.com, Webhook events and payloads, Delivery headers",
    "webhook-id": "standardwebhooks.com, specification",
    "svix-id": "docs.svix.com, Verifying payloads",
    "x-shopify-webhook-id": "hookbase.app, webhook headers cheat sheet, 2026-04",
    "paypal-transmission-id": "hookbase.app, as above",
    "x-razorpay-event-id": "hookbase.app, as above",
    "x-request-uuid": "Bitbucket Cloud; hookbase.app, as above",
    "idempotency-key": "GitLab, merge request 160952",
    "x-contentful-idempotency-key": "contentful.com, developers changelog",
    "x-gr4vy-webhook-id": "docs.gr4vy.com, Webhook signatures",
    "x-shoplazza-deduplication-id": "shoplazza.dev, Webhook properties",
}


def delivery_id(headers: Sequence[tuple[str, str]]) -> str | None:
    """The sender's own id of a webhook; None where no header has one that is usable."""
    values = {name.lower(): value for name, value in reversed(headers)}
    for name in DELIVERY_HEADERS:
        value = values.get(name, "")
        if 0 < len(value) <= _LONGEST_DELIVERY and value.isascii() and value.isprintable():
            return value
    return None


def hour_shard(received_at: int, message_id: str) -> str:
    """The partition of the index by time: the hour in UTC, and a share of it by the webhook's id.

    Args:
        received_at: milliseconds since the epoch.
    """
    return _partition(received_at, zlib.crc32(message_id.encode()) % SHARDS)


def hour_shards(since: int, until: int) -> Iterator[list[str]]:
    """The partitions of each hour from a time to another, the latest hour first.

    Args:
        since, until: milliseconds since the epoch.
    """
    for hour in range(until // HOUR_MS, since // HOUR_MS - 1, -1):
        yield [_partition(hour * HOUR_MS, shard) for shard in range(SHARDS)]


def _partition(at: int, shard: int) -> str:
    return f"{datetime.fromtimestamp(at // 1000, UTC):%Y-%m-%dT%H}#{shard}"
