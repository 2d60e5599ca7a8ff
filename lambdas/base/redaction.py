"""What of a request is kept out of the record and the log: its credentials.

The delivery still has them; here is only what people and other programs read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import NamedTuple

from lambdas.base.envelope import Envelope

REDACTED = "(redacted)"

# A segment of a path that is as good as a password, such as Slack's and Discord's webhook URLs
# have: long, and with digits or both cases, which words don't have.
_SEGMENT = re.compile(r"[^/?#\s]{20,}")
# Linear in its length, which a stranger chooses.
_TOKEN = re.compile(r"[^0-9]*[0-9]|(?=[^a-z]*[a-z])[^A-Z]*[A-Z]")


class Redaction(NamedTuple):
    """The names whose values are credentials, in lower case.

    Attributes:
        headers: of headers.
        parameters: of query parameters.
    """

    headers: frozenset[str] = frozenset()
    parameters: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str) -> Redaction:
        """Both from JSON: ``{"headers": […], "parameters": […]}``."""
        return cls.of(**json.loads(text))

    @classmethod
    def of(cls, headers: Collection[str], parameters: Collection[str]) -> Redaction:
        """From names in any case."""
        return cls(_lowered(headers), _lowered(parameters))

    def applied(self, webhook: Envelope) -> Envelope:
        """A webhook without its credentials."""
        headers = tuple(
            (name, REDACTED if name.lower() in self.headers else value)
            for name, value in webhook.headers
        )
        return webhook._replace(headers=headers, query=self._query(webhook.query))

    def _query(self, query: str) -> str:
        if not query or not self.parameters:
            return query
        from urllib.parse import unquote_plus

        parts = []
        for part in query.split("&"):
            name, equals, _ = part.partition("=")
            hidden = equals and unquote_plus(name).lower() in self.parameters
            parts.append(f"{name}={REDACTED}" if hidden else part)
        return "&".join(parts)


def _lowered(names: Collection[str]) -> frozenset[str]:
    return frozenset(name.lower() for name in names)


def masked(path: str) -> str:
    """A path, or a text with one in it, without segments that look like tokens."""
    return _SEGMENT.sub(lambda segment: _mask(segment[0]), path)


def _mask(segment: str) -> str:
    return REDACTED if _TOKEN.match(segment) else segment
