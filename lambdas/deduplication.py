"""Which webhooks SQS takes for repeats of each other: those with the same id and the same body.

A sender that gives one id to two bodies, by mistake or to have another's webhook dropped, has sent
two webhooks. It is counted where one container sees both.
"""

from __future__ import annotations

import base64
import hashlib
from typing import NamedTuple

from lambdas import extract

# Ids that a container remembers, of a few hundred bytes each.
_REMEMBERED = 1_000


def mark(deduplication_id: str) -> str:
    """What a log line has of a deduplication id: the audit looks for repeats by it."""
    digest = hashlib.sha256(deduplication_id.encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


class Repeats:
    """The ids that a container has seen, with what came under them."""

    def __init__(self) -> None:
        self._digests: dict[Key, bytes] = {}

    def other_body(self, key: Key, body: bytes) -> bool:
        """Whether an id came with another body before; it is remembered with this one."""
        digest = hashlib.sha256(body).digest()
        before = self._digests.pop(key, digest)
        self._digests[key] = digest
        if len(self._digests) > _REMEMBERED:
            del self._digests[next(iter(self._digests))]
        return before != digest


class Key(NamedTuple):
    """Whose id, in which group."""

    source: str
    group: str
    id: str

    def for_sqs(self, body: bytes | None) -> str:
        """The deduplication id that SQS gets; it compares those of one group only.

        Args:
            body: None where the id alone decides.
        """
        if body is None:
            return extract.allowed(f"{self.source}:{self.id}")
        told_apart = f"{self.source}\0{self.id}\0".encode("utf-8", "surrogatepass")
        return "sha256:" + hashlib.sha256(told_apart + body).hexdigest()
