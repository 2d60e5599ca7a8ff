"""What each channel knows about an alarm, and whether it is notified of a change of state.

SQS may hand a message over twice and out of order, and hands it over again to a channel that
took it when another did not. A table holds what a channel was notified of, one item per channel and
alarm, so that it is notified of each change once; ``decide`` is the rule, without the table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from lambdas.alarm_events import ALARM, OK
from lambdas.base import aws

# An alarm that fires again this soon after its recovery is the same incident, milliseconds.
SAME_INCIDENT = 10 * 60 * 1000
_KEPT_SECONDS = 30 * 86_400
# The error of saving when the item has changed in the meantime.
CHANGED = "ConditionalCheckFailedException"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What is remembered about an alarm for a channel; times in milliseconds since the epoch.

    Attributes:
        notified: the newest state that the channel has been notified of.
        changed_at: when the newest change that has arrived here happened.
        notified_at: up to when the channel knows what happened; None before its first ALARM.
        since: the beginning of the incident; None when there was none, or it isn't known.
        count: how often the alarm has been on in this incident.
        drill: whether a drill set it off; then it is not part of any real incident.
        opened: whether the drill's incident was opened in PagerDuty, as was asked.
    """

    notified: str
    changed_at: int
    notified_at: int | None = None
    since: int | None = None
    count: int = 0
    drill: bool = False
    opened: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a transition.

    Attributes:
        incident: what is remembered once that is done.
        folded: why the channel is not notified; None when it is.
        recovered_at: the later recovery that has to be notified together with an ALARM.
    """

    incident: Incident
    folded: str | None = None
    recovered_at: int | None = None


def decide(known: Incident | None, state: str, at: int, *, drill: bool = False) -> Verdict:
    """Whether a channel is notified of a transition.

    Args:
        known: what is remembered; None if nothing is.
        state: ``ALARM`` or ``OK``.
        at: milliseconds since the epoch.
        drill: whether a drill set the alarm off.
    """
    if known is None:
        if state == OK:
            return Verdict(Incident(notified=OK, changed_at=at), "never-notified")
        return Verdict(_begun(at, drill=drill))
    if state == known.notified:
        return _repeated(known, at, drill=drill)
    if state == OK:
        return _recovered(known, at)
    return _fired(known, at, drill=drill)


def _repeated(known: Incident, at: int, *, drill: bool) -> Verdict:
    """The state that the channel was last notified of has come once more."""
    newest = max(at, known.changed_at)
    if known.notified == ALARM and at == newest:
        # A channel last notified of ALARM long ago has missed the recovery: a new incident.
        if known.notified_at is not None and at > known.notified_at + SAME_INCIDENT:
            return Verdict(_begun(at, drill=drill))
        # What a drill set off is on, and now it is real.
        if known.drill and not drill:
            return Verdict(_begun(at))
    return Verdict(replace(known, changed_at=newest), "already-notified")


def _recovered(known: Incident, at: int) -> Verdict:
    """OK, after an ALARM that the channel was notified of."""
    if at < known.changed_at:
        return Verdict(known, "outdated")
    return Verdict(replace(known, notified=OK, changed_at=at, notified_at=at))


def _fired(known: Incident, at: int, *, drill: bool) -> Verdict:
    """ALARM, after an OK."""
    if known.notified_at is not None and at < known.changed_at and at <= known.notified_at:
        return Verdict(known, "outdated")
    recovery = known.notified_at if known.since is not None else None
    again = recovery is not None and at - recovery <= SAME_INCIDENT
    again = again and not (drill or known.drill)
    begun = replace(known, count=known.count + 1) if again else _begun(at, drill=drill)
    if at >= known.changed_at:
        return Verdict(replace(begun, notified=ALARM, changed_at=at, notified_at=at))
    # It is over already: the channel is notified of both at once.
    recovered_at = known.changed_at
    over = replace(begun, notified=OK, changed_at=recovered_at, notified_at=recovered_at)
    return Verdict(over, recovered_at=recovered_at)


def decide_blindly(state: str, at: int, *, drill: bool = False) -> Verdict:
    """The verdict when what is remembered can't be read: better to notify twice than never."""
    if state == OK:
        return Verdict(Incident(notified=OK, changed_at=at, notified_at=at, drill=drill))
    return Verdict(_begun(at, drill=drill))


def _begun(at: int, *, drill: bool = False) -> Incident:
    return Incident(notified=ALARM, changed_at=at, notified_at=at, since=at, count=1, drill=drill)


def load(table: str, channel: str, alarm: str, *, seconds: float, within: float) -> Incident | None:
    """What is remembered; None if nothing is.

    Raises:
        AwsError: When the table, or the item in it, can't be read.
    """
    reply = aws.DYNAMODB.call(
        "GetItem",
        {"TableName": table, "Key": _key(channel, alarm), "ConsistentRead": True},
        seconds=seconds,
        within=within,
    )
    item = reply.get("Item")
    if not item:
        return None
    try:
        return Incident(
            notified=item["notified"]["S"],
            changed_at=int(item["changed_at"]["N"]),
            notified_at=int(item["notified_at"]["N"]) if "notified_at" in item else None,
            since=int(item["since"]["N"]) if "since" in item else None,
            count=int(item["count"]["N"]),
            drill=_flag(item, "drill"),
            opened=_flag(item, "opened"),
        )
    except (KeyError, TypeError, ValueError):
        raise aws.AwsError("DamagedItem", retryable=False) from None


def save(
    table: str, channel: str, alarm: str, incident: Incident, *, over: Incident | None,
    blindly: bool, now: int, seconds: float, within: float,
) -> None:  # fmt: skip
    """Remembers what a channel was notified of, unless somebody else did in the meantime.

    Args:
        over: what was remembered before.
        blindly: whether that could not be read; then only what is older is written over.
        now: milliseconds since the epoch.

    Raises:
        AwsError: When DynamoDB does not take it, or, with the code ``CHANGED``, when the item has
            changed in the meantime.
    """
    values: dict[str, Any] = {
        "notified": {"S": incident.notified},
        "changed_at": {"N": str(incident.changed_at)},
        "count": {"N": str(incident.count)},
        "expires_at": {"N": str(now // 1000 + _KEPT_SECONDS)},
    }
    for flag in ("drill", "opened"):
        if getattr(incident, flag):
            values[flag] = {"BOOL": True}
    for name in ("notified_at", "since"):
        if (at := getattr(incident, name)) is not None:
            values[name] = {"N": str(at)}
    aws.DYNAMODB.call(
        "PutItem",
        {
            "TableName": table,
            "Item": {**_key(channel, alarm), **values},
            **_condition(incident, over, blindly),
        },
        seconds=seconds,
        within=within,
    )


def _flag(item: dict[str, Any], name: str) -> bool:
    return name in item and bool(item[name]["BOOL"])


def _condition(incident: Incident, over: Incident | None, blindly: bool) -> dict[str, Any]:
    if blindly:
        return {
            "ConditionExpression": "attribute_not_exists(id) OR changed_at <= :changed_at",
            "ExpressionAttributeValues": {":changed_at": {"N": str(incident.changed_at)}},
        }
    if over is None:
        return {"ConditionExpression": "attribute_not_exists(id)"}
    return {
        # "count" is a reserved word of DynamoDB's.
        "ConditionExpression": (
            "notified = :notified AND changed_at = :changed_at AND #count = :count"
        ),
        "ExpressionAttributeNames": {"#count": "count"},
        "ExpressionAttributeValues": {
            ":notified": {"S": over.notified},
            ":changed_at": {"N": str(over.changed_at)},
            ":count": {"N": str(over.count)},
        },
    }


def _key(channel: str, alarm: str) -> dict[str, Any]:
    return {"id": {"S": f"{channel}|{alarm}"}}
