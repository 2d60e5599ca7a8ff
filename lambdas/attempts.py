"""What the record keeps of a webhook's attempts: bounded, and in a row apart from the request.

The row's key is the webhook's id and ``#attempts``. It stays within 1 KB, so that an attempt costs
one write unit whatever the webhook's body and however many attempts there were before. A webhook
that is delivered at its first attempt has no such row.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from lambdas.base import aws
from lambdas.delivery import Outcome

# How many of the latest attempts are kept beside the first. Source: DynamoDB developer guide, "Read
# and write operations": a write unit is 1 KB. An attempt takes about 50 bytes.
RECENT = 10

Attributes = dict[str, Any]


class History(NamedTuple):
    """What a record says of a webhook's earlier attempts.

    Attributes:
        attempts: how many there were.
        delivered: whether one of them delivered it.
        answered: whether the backend answered any of them.
        first, recent: the first and the latest ones, as ``described`` has them.
        outcomes: how many there were by status class (``4xx``) or error.
        refusals: refusals that counted; see ``lambdas.failure_policy``.
        refused_since: the first of them, milliseconds since the epoch.
        refusing_since: since when every attempt was a refusal, counted or not.
        settled: ``parked`` or ``dropped``, if it is.
    """

    attempts: int
    delivered: bool
    answered: bool = False
    first: Attributes | None = None
    recent: tuple[Attributes, ...] = ()
    outcomes: Mapping[str, int] = {}
    refusals: int = 0
    refused_since: int | None = None
    refusing_since: int | None = None
    settled: str = ""

    @property
    def last_at(self) -> int | None:
        """When the latest attempt began, milliseconds since the epoch."""
        return int(self.recent[-1]["M"]["at"]["N"]) if self.recent else None

    def after(self, outcome: Outcome, *, refusal: bool = False, counts: bool = False) -> History:
        """The history with one more attempt.

        Args:
            refusal: whether the backend refused the webhook.
            counts: whether that refusal counts.
        """
        number = self.attempts + 1
        attempt = described(number, outcome)
        kind = f"{outcome.status // 100}xx" if outcome.status else str(outcome.error)
        return self._replace(
            attempts=number,
            delivered=self.delivered or outcome.delivered,
            answered=self.answered or outcome.status is not None,
            first=self.first or attempt,
            recent=(*self.recent, attempt)[-RECENT:],
            outcomes={**self.outcomes, kind: self.outcomes.get(kind, 0) + 1},
            refusals=self.refusals + counts,
            refused_since=self.refused_since or (outcome.started_at if counts else None),
            refusing_since=(self.refusing_since or outcome.started_at) if refusal else None,
        )

    def listed(self) -> list[Attributes]:
        """The first attempt and the latest ones; empty where an older item lists the first."""
        if not self.first or self.first["M"]["number"] != {"N": "1"}:
            return []
        return [self.first, *(attempt for attempt in self.recent if attempt != self.first)]


NONE = History(0, delivered=False)


def described(number: int, outcome: Outcome) -> Attributes:
    """An attempt as DynamoDB has it: ``number``, ``at``, ``duration_ms``, ``status`` or ``error``.

    Args:
        number: counted from 1.
    """
    attempt: Attributes = {
        "number": {"N": str(number)},
        "at": {"N": str(outcome.started_at)},
        "duration_ms": {"N": str(outcome.duration_ms)},
    }
    if outcome.status is not None:
        attempt["status"] = {"N": str(outcome.status)}
    else:
        attempt["error"] = {"S": outcome.error}
    return {"M": attempt}


def key(message_id: str) -> str:
    """The id of the row of a webhook's attempts."""
    return f"{message_id}#attempts"


def read(table: str, message_id: str, *, seconds: float, within: float) -> History:
    """A webhook's earlier attempts, read consistently.

    Args:
        seconds: how long one try at reading may take.
        within: how long all of it may take.

    Raises:
        AwsError: When DynamoDB does not give it, or it is not what the record writes.
    """
    deadline = time.monotonic() + within
    try:
        row = _read(table, key(message_id), None, seconds=seconds, within=within)
        if row is not None:
            return _history(row)
        # Delivered at the first attempt, never attempted, or from before there were such rows.
        wanted = "id, attempt_count, delivered_timestamp, backend_response_status_code"
        left = deadline - time.monotonic()
        item = _read(table, message_id, wanted, seconds=seconds, within=left)
        if item is None:
            return NONE
        if "attempt_count" in item:
            attempts = int(item["attempt_count"]["N"])
        else:
            # Written before attempts were counted. The list is read apart: it may have 400 KB.
            left = deadline - time.monotonic()
            counted = _read(table, message_id, "attempts", seconds=seconds, within=left) or {}
            attempts = len(counted["attempts"]["L"]) if "attempts" in counted else 0
    except (KeyError, TypeError, ValueError):
        raise aws.AwsError("UnreadableRecord", retryable=False) from None
    return History(
        attempts,
        delivered="delivered_timestamp" in item,
        answered="backend_response_status_code" in item,
    )


def attributes(history: History) -> Attributes:
    """The row's attributes, less its key, as ``read`` reads them."""
    values: Attributes = {
        "attempt_count": {"N": str(history.attempts)},
        "recent": {"L": list(history.recent)},
        "outcomes": {"M": {kind: {"N": str(n)} for kind, n in history.outcomes.items()}},
        "answered": {"BOOL": history.answered},
    }
    if history.first:
        values["first"] = history.first
    if history.refusals:
        values["refusals"] = {"N": str(history.refusals)}
        values["refused_since"] = {"N": str(history.refused_since)}
    values["refusing_since"] = (
        {"N": str(history.refusing_since)} if history.refusing_since else {"NULL": True}
    )
    return values


def _number(row: Attributes, name: str) -> int | None:
    return int(row[name]["N"]) if "N" in row.get(name, {}) else None


def _history(row: Attributes) -> History:
    return History(
        attempts=int(row["attempt_count"]["N"]),
        delivered="delivered_timestamp" in row,
        answered=bool(row.get("answered", {}).get("BOOL")),
        first=row.get("first"),
        recent=tuple(row.get("recent", {"L": []})["L"]),
        outcomes={kind: int(n["N"]) for kind, n in row.get("outcomes", {"M": {}})["M"].items()},
        refusals=_number(row, "refusals") or 0,
        refused_since=_number(row, "refused_since"),
        refusing_since=_number(row, "refusing_since"),
        settled="dropped" if "dropped_at" in row else "parked" if "parked_at" in row else "",
    )


def _read(
    table: str, row_id: str, wanted: str | None, *, seconds: float, within: float
) -> Attributes | None:
    """An item, or some of its attributes; None if there is no such item."""
    request: dict[str, Any] = {
        "TableName": table,
        "Key": {"id": {"S": row_id}},
        "ConsistentRead": True,
    }
    if wanted:
        request["ProjectionExpression"] = wanted
    reply = aws.DYNAMODB.call("GetItem", request, seconds=seconds, within=within)
    item = reply.get("Item")
    if item is not None and not isinstance(item, dict):
        raise TypeError
    return item
