"""Secrets that are sent as they are: tokens, API keys, and HTTP's basic authentication.

They say who sent a request, not that it is unaltered.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from lambdas.base import extract
from lambdas.base.envelope import Envelope
from lambdas.sources.schemes.reasons import Reason

# A list's tokens have to match each; Microsoft sends some hundred notifications at most at once.
_MOST_TOKENS = 1_000
# The most commas in a body that is searched before anything about it is known: millions of values
# in 6 MB take seconds and hundreds of megabytes. A thousand notifications have some ten thousand.
_MOST_COMMAS = 50_000


class Token(NamedTuple):
    """A token at a place in the request.

    Attributes:
        find: the place, as an extractor; a list's elements have to match all.
        prefix: before the token (``Bearer ``).
        in_json: whether the place is in a JSON body.
    """

    find: extract.Extractor
    prefix: str
    in_json: bool = False

    def check(self, request: Envelope, secrets: Sequence[str], now: float) -> Reason | None:  # noqa: ARG002 - a scheme's signature
        """Why a request is refused; see ``Scheme``."""
        if self.in_json and request.body.count(b",") > _MOST_COMMAS:
            return Reason.MALFORMED
        facts = extract.RequestFacts(
            path=request.path, query=request.query, headers=request.headers, body=request.body
        )
        matched = self.find(facts)
        # JMESPath leaves out what is null in a list, but not in a list of lists.
        tokens = [
            token
            for item in (matched if isinstance(matched, list) else [matched])
            for token in (item if isinstance(item, list) else [item])
        ]
        if not tokens or any(token in (None, "") for token in tokens):
            return Reason.MISSING
        if len(tokens) > _MOST_TOKENS or not all(isinstance(token, str) for token in tokens):
            return Reason.MALFORMED
        return None if all(self._is_valid(token, secrets) for token in tokens) else Reason.WRONG

    def _is_valid(self, token: str, secrets: Sequence[str]) -> bool:
        return _is_one_of(token, [self.prefix + secret for secret in secrets])


class Basic:
    """HTTP's basic authentication; a secret is ``user:password``."""

    def check(self, request: Envelope, secrets: Sequence[str], now: float) -> Reason | None:  # noqa: ARG002 - a scheme's signature
        """Why a request is refused; see ``Scheme``."""
        value = dict(request.headers).get("authorization", "")
        kind, _, credentials = value.partition(" ")
        if not value:
            return Reason.MISSING
        if kind.lower() != "basic":
            return Reason.MALFORMED
        expected = [base64.b64encode(secret.encode()).decode() for secret in secrets]
        return None if _is_one_of(credentials, expected) else Reason.WRONG


def build(scheme: str, options: Mapping[str, Any]) -> Token | Basic:
    """A scheme from its specification.

    Raises:
        ValueError: When it can't work; the text begins with the member.
    """
    if scheme == "basic":
        return Basic()
    try:
        find = extract.parse(options["token"])
    except ValueError as error:
        raise ValueError(f"token: {error}") from None
    return Token(find, options.get("prefix", ""), options["token"].startswith("json:"))


def _is_one_of(given: str, expected: Sequence[str]) -> bool:
    raw = given.encode("utf-8", "surrogatepass")
    # All are compared, so that the time says nothing about which is right.
    matching = [hmac.compare_digest(raw, secret.encode()) for secret in expected]
    return any(matching)
