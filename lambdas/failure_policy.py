"""Which failures are refusals, and when a webhook that keeps failing is parked. Pure.

``docs/decisions/0025-parking.md`` says why a refusal counts only while other groups are delivered.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from lambdas.attempts import History
from lambdas.delivery import Outcome


class Policy(NamedTuple):
    """An environment's ``failurePolicy``; times in seconds.

    Attributes:
        on_park: ``message`` sets a refused webhook aside, ``group`` holds its group.
        temporary: statuses below 500 that pass, as network errors and 5xx do.
        refusals: counted refusals after which a webhook is parked.
        refused_for: since the first of them, at least.
        alone_for: after how long of refusals that did not count it is parked.
        longest: the greatest age of a webhook that is still attempted.
        per_hour: parked refusals of one source in an hour, at most.
        keep: how long a parked webhook is kept.
        breaker: whether attempts pause while the backend fails for everybody; see
            ``lambdas.fairness``.
        retry_share: the share of a container's time, at most, for webhooks that failed before.
    """

    on_park: str
    temporary: frozenset[int]
    refusals: int
    refused_for: int
    alone_for: int
    longest: int
    per_hour: int
    keep: int
    breaker: bool
    retry_share: float

    @classmethod
    def of(cls, document: dict[str, Any]) -> Policy:
        """From the function's environment, where it is JSON."""
        return cls(**{**document, "temporary": frozenset(document["temporary"])})

    def refuses(self, outcome: Outcome) -> bool:
        """Whether an answer says that the backend does not want this webhook."""
        status = outcome.status
        return status is not None and 300 <= status < 500 and status not in self.temporary


def verdict(policy: Policy, history: History, *, received_at: int | None, now: int) -> str | None:
    """Why a webhook whose last attempt failed is parked; None while it is attempted again.

    Args:
        received_at: at the API, milliseconds since the epoch; None where its age does not matter.
        now: milliseconds since the epoch.

    Returns:
        ``age``, ``refused`` or ``alone`` (refused, while nothing of its source was delivered).
    """
    if received_at is not None and now - received_at >= 1000 * policy.longest:
        return "age"
    if history.refusing_since is None:
        return None
    counted = history.refusals >= policy.refusals
    if counted and now - (history.refused_since or now) >= 1000 * policy.refused_for:
        return "refused"
    return "alone" if now - history.refusing_since >= 1000 * policy.alone_for else None
