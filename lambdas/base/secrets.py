"""Secrets of sources, and of our signature: read from Secrets Manager, and kept for a while.

Where it does not answer, the last good one serves on for hours.

A secret is a text, or JSON: ``{"current": "…", "previous": "…"}`` while it is rotated. A refused
request has its secret read again, in case it was rotated, at most once a minute.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from lambdas.base import aws, observe
from lambdas.base.safe_json import json_object

# A secret that was withdrawn is no longer good after this long.
_FRESH_SECONDS = 15 * 60
# At most one read per secret and container in this time, however many requests are refused.
_PAUSE_SECONDS = 60
# The same where there is none yet, and so nothing can be verified.
FIRST_PAUSE_SECONDS = 5
# How long the last good one serves on where Secrets Manager does not answer.
_LAST_GOOD_SECONDS = 12 * 3600
_ATTEMPT_SECONDS = 1.5


class UnavailableError(Exception):
    """When a secret can't be read, and none that was read before is good any more."""


class _Kept:
    """What is known of a secret; times on the monotonic clock."""

    def __init__(self) -> None:
        self.values: dict[str, str] | None = None
        self.read_at = 0.0
        self.tried_at: float | None = None


class Secrets:
    """The secrets that a container has read.

    Args:
        clock: seconds on a monotonic clock.
        report: takes the error of a secret that can't be read.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        report: Callable[[str], None] | None = None,
    ) -> None:
        self._clock = clock
        self._report = report or unreadable
        self._kept: dict[str, _Kept] = {}

    def get(self, arn: str, *, within: float) -> dict[str, str]:
        """A secret's members: ``current``, and whatever else its JSON has.

        Args:
            within: seconds that reading it may take.

        Raises:
            UnavailableError: When there is none.
        """
        kept = self._kept.setdefault(arn, _Kept())
        if kept.values is None or self._clock() - kept.read_at > _FRESH_SECONDS:
            self._read(arn, kept, within)
        if kept.values is None or self._clock() - kept.read_at > _LAST_GOOD_SECONDS:
            raise UnavailableError
        return kept.values

    def refresh(self, arn: str, *, within: float) -> bool:
        """Reads a secret again, unless that was just done; whether it is another one now.

        Args:
            within: seconds that reading it may take.
        """
        kept = self._kept.setdefault(arn, _Kept())
        before = kept.values
        self._read(arn, kept, within)
        return kept.values != before

    def forget(self, arn: str) -> None:
        """Has a secret read again with the next request, because it was just written."""
        self._kept.pop(arn, None)

    def _read(self, arn: str, kept: _Kept, within: float) -> None:
        now = self._clock()
        has_none = kept.values is None or "current" not in kept.values
        pause = FIRST_PAUSE_SECONDS if has_none else _PAUSE_SECONDS
        if kept.tried_at is not None and now - kept.tried_at < pause:
            return
        kept.tried_at = now
        started = time.monotonic()
        try:
            reply = aws.SECRETS.call(
                "GetSecretValue", {"SecretId": arn}, seconds=_ATTEMPT_SECONDS, within=within
            )
            kept.values = members(reply.get("SecretString"))
        except (aws.AwsError, ValueError) as error:
            code = error.code if isinstance(error, aws.AwsError) else "NotASecret"
            self._report(code)
            return
        kept.read_at = now
        duration = round((time.monotonic() - started) * 1000, 1)
        observe.log("INFO", "secret.read", duration_ms=duration)


def unreadable(code: str) -> None:
    """Counts and reports a secret that can't be used.

    Args:
        code: AWS's error, or what is wrong with the secret.
    """
    observe.log("ERROR", "secret.unreadable", metrics={"SecretUnreadable": 1}, aws_error=code)
    observe.report(f"A source's secret can't be used: {code}")


def members(text: object) -> dict[str, str]:
    """The members of a secret's text: of its JSON, or the text itself as ``current``.

    Raises:
        ValueError: When there is none.
    """
    if not isinstance(text, str) or not text:
        raise ValueError("empty")
    document = json_object(text)
    named = {"current": text} if document is None else document
    return {name: value for name, value in named.items() if isinstance(value, str) and value}


def valid(members: dict[str, str]) -> list[str]:
    """The secrets that are valid at present, the current one first."""
    return [members[name] for name in ("current", "previous") if name in members]
