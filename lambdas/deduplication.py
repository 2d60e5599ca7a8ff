"""Which webhooks SQS takes for repeats of each other: those with the same id and the same request.

A sender that gives one id to two requests, by mistake or to have another's webhook dropped, has
sent two webhooks. It is counted where one container sees both.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import NamedTuple

from lambdas.base import extract
from lambdas.base.envelope import Envelope

# Ids that a container remembers, of a few hundred bytes each.
_REMEMBERED = 1_000


def mark(deduplication_id: str) -> str:
    """What a log line has of a deduplication id: the audit looks for repeats by it."""
    digest = hashlib.sha256(deduplication_id.encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


class Repeats:
    """The ids that a container has seen, with what came under them."""

    def __init__(self) -> None:
        self._seen: dict[Key, str] = {}

    def is_reused(self, key: Key, request: str) -> bool:
        """Whether an id came with another request before; it is remembered with this one.

        Args:
            request: the id with its request, as ``Key.with_request`` gives it.
        """
        before = self._seen.pop(key, request)
        self._seen[key] = request
        if len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return before != request


class Key(NamedTuple):
    """Whose id, in which group."""

    source: str
    group: str
    id: str

    @property
    def alone(self) -> str:
        """The deduplication id where the sender's id alone decides.

        SQS compares those of one group only.
        """
        return extract.allowed(f"{self.source}:{self.id}")

    def with_request(self, webhook: Envelope) -> str:
        """The deduplication id where another method, path, query or body is another webhook."""
        # JSON, because a path can have any character, so that none would keep them apart.
        texts = json.dumps([self.source, self.id, webhook.method, webhook.path, webhook.query])
        return "sha256:" + hashlib.sha256(texts.encode() + webhook.body).hexdigest()
