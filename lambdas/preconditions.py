"""What has to hold before an attempt, asked in this order: the message, its group, the record, our
signature, the time.

At a message's first receive only the group's state takes a call, so that a delivery without
failures costs one read unit beside its record.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from lambdas import attempts, group_state, lease, record
from lambdas.base import aws
from lambdas.config import SubscribeConfig

# For holding the message, and for reading the record: for each try, and for both tries.
_READ_SECONDS = 0.5
_CALLS_SECONDS = 1.0
# With less time for the backend an attempt would say nothing about it.
_LEAST_ATTEMPT_SECONDS = 0.1


class Standing(NamedTuple):
    """What an attempt has to know.

    Attributes:
        hold: of the group; None while it is open.
    """

    history: attempts.History
    hold: group_state.Hold | None


class UnattemptedError(Exception):
    """When no attempt may be made.

    Attributes:
        reason: ``Late``, ``NotHeld``, ``NoState``, ``NoRecord``, ``NoSecret`` or ``NoTime``.
        code: the AWS error behind it, if any.
    """

    def __init__(self, reason: str, code: str | None = None) -> None:
        super().__init__(reason)
        self.reason, self.code = reason, code


def check(
    config: SubscribeConfig,
    message: lease.Received,
    *,
    remaining: Callable[[], float],
    reserve: float,
) -> Standing:
    """Holds the message, and reads the state of its group and what happened to its webhook before.

    Args:
        remaining: seconds until Lambda ends the invocation.
        reserve: seconds of it that are needed after the attempt.

    Raises:
        UnattemptedError: When the message is not held, the state of its group or its record can't
            be read, or too little time is left for an attempt; or where it can't be signed.
    """
    try:
        lease.hold(
            message,
            queue_url=config.queue_url,
            visibility=config.visibility,
            needed=remaining(),
            within=_CALLS_SECONDS,
        )
    except lease.LateError:
        raise UnattemptedError("Late") from None
    except aws.AwsError as error:
        raise UnattemptedError("NotHeld", error.code) from None
    try:
        hold = group_state.read(config.parking, message.group_id)
    except aws.AwsError as error:
        record.report_failure("read", error.code)
        raise UnattemptedError("NoState", error.code) from None
    history = attempts.NONE
    if message.receives > 1:
        try:
            history = attempts.read(
                config.table, message.id, seconds=_READ_SECONDS, within=_CALLS_SECONDS
            )
        except aws.AwsError as error:
            record.report_failure("read", error.code)
            raise UnattemptedError("NoRecord", error.code) from None
    if config.signer and not config.signer.prepared(within=_CALLS_SECONDS):
        raise UnattemptedError("NoSecret")
    if remaining() - reserve < _LEAST_ATTEMPT_SECONDS:
        raise UnattemptedError("NoTime")
    return Standing(history, hold)
