"""What the audit remembers from one run to the next: which webhooks it follows, and up to when it
has read.

The webhooks are in rows of one generation, which the row ``audit#state`` names: a run that ends
halfway leaves the generation before in force.
"""

from __future__ import annotations

import base64
import json
import os
import time
import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from lambdas.audit_verdicts import Followed
from lambdas.base import aws

# Begins every key, so that a policy can grant these rows alone.
PREFIX = "audit#"
# Webhooks of one row, and of all. A row has 400 KB; a webhook takes 250 bytes at most before it is
# deflated. Source: DynamoDB quotas.
_IN_ROW = 1_500
MOST = 60_000

_CALL_SECONDS = 5.0
# After which an audit that no longer runs leaves nothing behind.
_KEPT_SECONDS = 15 * 86_400


class Ledger(NamedTuple):
    """What a run finds.

    Attributes:
        until: up to when accepted webhooks were read, milliseconds since the epoch; 0 before the
            first run.
        generation: which rows have the webhooks; empty before the first run.
    """

    until: int = 0
    followed: tuple[Followed, ...] = ()
    generation: str = ""
    rows: int = 0


def read(table: str, *, within: float) -> Ledger:
    """What the run before left.

    Raises:
        AwsError: When it can't be read, or is not what ``write`` wrote.
    """
    deadline = time.monotonic() + within
    state = _get(table, f"{PREFIX}state", deadline)
    if state is None:
        return Ledger()
    try:
        generation, rows = state["generation"]["S"], int(state["rows"]["N"])
        followed: list[Followed] = []
        for number in range(rows):
            row = _get(table, _key(generation, number), deadline)
            packed = base64.b64decode((row or {})["followed"]["B"])
            followed += [Followed(*entry) for entry in json.loads(zlib.decompress(packed))]
        return Ledger(int(state["until"]["N"]), tuple(followed), generation, rows)
    except (KeyError, TypeError, ValueError, zlib.error):
        raise aws.AwsError("UnreadableLedger", retryable=False) from None


def write(
    table: str, before: Ledger, *, until: int, followed: Sequence[Followed], within: float
) -> None:
    """Replaces what ``read`` returned.

    Raises:
        AwsError: When it can't be written, or another run was faster; then that one's is in force.
    """
    deadline = time.monotonic() + within
    generation = os.urandom(8).hex()
    expires_at = {"N": str(int(time.time()) + _KEPT_SECONDS)}
    parts = [followed[at : at + _IN_ROW] for at in range(0, len(followed), _IN_ROW)]
    for number, part in enumerate(parts):
        packed = base64.b64encode(zlib.compress(json.dumps(part).encode(), 6)).decode()
        row = {"id": {"S": _key(generation, number)}, "followed": {"B": packed}}
        item = {**row, "expires_at": expires_at}
        _call("PutItem", {"TableName": table, "Item": item}, deadline)
    state: dict[str, Any] = {
        "id": {"S": f"{PREFIX}state"},
        "until": {"N": str(until)},
        "generation": {"S": generation},
        "rows": {"N": str(len(parts))},
        "expires_at": expires_at,
    }
    request: dict[str, Any] = {"TableName": table, "Item": state}
    if before.generation:
        request["ConditionExpression"] = "generation = :before"
        request["ExpressionAttributeValues"] = {":before": {"S": before.generation}}
    else:
        request["ConditionExpression"] = "attribute_not_exists(generation)"
    _call("PutItem", request, deadline)
    for number in range(before.rows):
        key = {"id": {"S": _key(before.generation, number)}}
        _call("DeleteItem", {"TableName": table, "Key": key}, deadline)


def _key(generation: str, number: int) -> str:
    return f"{PREFIX}{generation}#{number}"


def _get(table: str, key: str, deadline: float) -> dict[str, Any] | None:
    request = {"TableName": table, "Key": {"id": {"S": key}}, "ConsistentRead": True}
    item: dict[str, Any] | None = _call("GetItem", request, deadline).get("Item")
    return item


def _call(action: str, request: dict[str, Any], deadline: float) -> dict[str, Any]:
    left = deadline - time.monotonic()
    return aws.DYNAMODB.call(action, request, seconds=_CALL_SECONDS, within=left)
