"""The hold on a received message, which is SQS's lock on its group.

SQS hands out no other message of a group while one is in flight. So an attempt keeps the order
only if the message stays in flight until the invocation is over, and it begins only then.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from lambdas.base import aws, observe

# A call to SQS is tried twice, each time this long at most.
_CALL_SECONDS = 0.5
# Between the invocation's end and the message's: for the event source, which deletes it after the
# function has returned, and for clocks that differ. Assumed; AWS promises no figure.
_MARGIN_SECONDS = 2.0


class LateError(Exception):
    """When the invocation comes so late that the message would not stay in flight to its end."""


class Received(NamedTuple):
    """A message as the event source hands it over.

    Attributes:
        id: SQS's, the same at every receive, and the webhook's id.
        receipt_handle: names this receive.
        receives: how often SQS handed the message out, this time included. Not the number of
            attempts: throttled invocations and put-backs raise it.
        first_received_at: milliseconds since the epoch; None where the event does not say it.
    """

    id: str
    group_id: str
    sequence_number: str
    receipt_handle: str
    receives: int
    first_received_at: int | None

    @classmethod
    def of(cls, record: dict[str, Any]) -> Received:
        """Source: Lambda developer guide, "Using Lambda with Amazon SQS", FIFO event."""
        attributes = record["attributes"]
        first = attributes.get("ApproximateFirstReceiveTimestamp")
        return cls(
            id=record["messageId"],
            group_id=attributes["MessageGroupId"],
            sequence_number=attributes["SequenceNumber"],
            receipt_handle=record["receiptHandle"],
            receives=int(attributes["ApproximateReceiveCount"]),
            first_received_at=int(first) if first else None,
        )


def hold(
    message: Received, *, queue_url: str, visibility: int, needed: float, within: float
) -> None:
    """Makes sure that a message stays in flight while its invocation may run.

    At the first receive the event says since when it is in flight, and no call is needed. Later
    ones carry no time, so the visibility timeout starts again, which SQS refuses once the message
    is anybody's again.

    Args:
        visibility: the queue's visibility timeout, seconds.
        needed: for how many seconds the invocation may still run.
        within: how long asking SQS may take, seconds.

    Raises:
        LateError: When the first receive was too long ago.
        AwsError: When SQS does not start the visibility timeout again.
    """
    if message.receives > 1 or message.first_received_at is None:
        _set_visibility(message, queue_url, visibility, within=within)
        return
    left = message.first_received_at / 1000 + visibility - time.time()
    if left < needed + _MARGIN_SECONDS:
        raise LateError


def put_back(message: Received, *, after: int, queue_url: str, within: float) -> bool:
    """Has SQS hand the message out again after some seconds.

    Returns:
        Whether SQS took it. If not, the visibility timeout brings the message back all the same.
    """
    try:
        _set_visibility(message, queue_url, after, within=within)
    except aws.AwsError as error:
        observe.log("WARNING", "visibility.failed", aws_error=error.code)
        return False
    return True


def _set_visibility(message: Received, queue_url: str, seconds: int, *, within: float) -> None:
    aws.SQS.call(
        "ChangeMessageVisibility",
        {
            "QueueUrl": queue_url,
            "ReceiptHandle": message.receipt_handle,
            "VisibilityTimeout": seconds,
        },
        seconds=_CALL_SECONDS,
        within=within,
    )
