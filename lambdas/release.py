"""Releasing what is parked: what the holder of a token does.

A token is a message of the group that it releases. What was queued before it has been parked in
order by then, what was queued after it waits behind it in SQS: so what is held goes before what is
new. It is put back while the backend fails, and consumed once the group is open, once a webhook is
refused again, or when it is too old; then the group stays held.
"""

from __future__ import annotations

import time
from typing import Any

from lambdas import attempt, attempts, failure_policy, group_state, lease, parked_rows, parking
from lambdas.base import aws, observe
from lambdas.base.envelope import UnreadableError, received
from lambdas.config import SubscribeConfig
from lambdas.fairness import Container
from lambdas.put_back import Remaining, delay, put_back
from lambdas.tokens import Token

# How long a token waits for a backend that fails. Everything queued after it waits as well.
_LONGEST_SECONDS = 3600
# The share of an invocation's time in which another webhook is begun: so each has about the time
# that it would have alone.
_BEGIN_SHARE = 0.6
_READ_SECONDS = 0.5
_WITHIN_SECONDS = 1.0


def run(
    config: SubscribeConfig,
    container: Container,
    event: dict[str, Any],
    message: lease.Received,
    token: Token,
    remaining: Remaining,
) -> bool:
    """Releases what a token names; True when the token may leave the queue.

    Args:
        container: which runs this.
        event: the token's message as the event source handed it over.
        remaining: seconds until Lambda ends the invocation.
    """
    try:
        lease.hold(
            message,
            queue_url=config.queue_url,
            visibility=config.visibility,
            needed=remaining(),
            within=_WITHIN_SECONDS,
        )
    except (lease.LateError, aws.AwsError):
        return False
    sent_at = int(event["attributes"].get("SentTimestamp", time.time() * 1000))
    old = time.time() - sent_at / 1000
    release = _Release(config, container, message, remaining, old=old)
    try:
        return release.aside(token.row) if token.row else release.group(token.hold)
    except aws.AwsError as error:
        release.wait("AwsError", error.code)
        return False


class _Release:
    """One invocation with a token."""

    def __init__(
        self,
        config: SubscribeConfig,
        container: Container,
        message: lease.Received,
        remaining: Remaining,
        *,
        old: float,
    ) -> None:
        self._config, self._container = config, container
        self._message, self._remaining = message, remaining
        self._too_old = old >= _LONGEST_SECONDS

    def group(self, hold_id: str) -> bool:
        """Releases a group's held webhooks, the first one first."""
        hold = group_state.read(self._config.parking, self._message.group_id)
        if hold is None or hold.id != hold_id:
            observe.log("INFO", "release.void")
            return True
        begun = self._remaining()
        while self._remaining() >= _BEGIN_SHARE * begun:
            parked = parking.lowest(self._config, self._message.group_id)
            if parked is None:
                parking.open_group(self._config, self._message.group_id, hold)
                observe.log("INFO", "group.opened")
                return True
            done = self._deliver(parked, hold)
            if done is not None:
                return done
        put_back(self._config, self._message, 0, self._remaining)
        return False

    def aside(self, row: str) -> bool:
        """Releases a webhook that was set aside."""
        parked = parking.parked_row(self._config, self._message.group_id, row)
        if parked is None:
            observe.log("INFO", "release.void")
            return True
        done = self._deliver(parked, None)
        return True if done is None else done

    def wait(self, error: str, code: str | None = None, *, after: int | None = None) -> None:
        """Has the token come again later: after some seconds, or as its receives say."""
        if after is None:
            after = delay(self._config, self._message.receives)
        seconds = put_back(self._config, self._message, after, self._remaining)
        observe.log(
            "INFO",
            "release.waits",
            error=error,
            aws_error=code,
            receives=self._message.receives,
            retry_seconds=seconds,
        )

    def _deliver(self, parked: parked_rows.Parked, hold: group_state.Hold | None) -> bool | None:
        """Releases one webhook; None when it left the store, else whether the token may leave.

        Args:
            hold: of its group; None where it was set aside.
        """
        webhook_id = str(parked.message["messageId"])
        observe.about(message_id=webhook_id, group_id=self._message.group_id)
        before = attempts.read(
            self._config.table, webhook_id, seconds=_READ_SECONDS, within=_WITHIN_SECONDS
        )
        if before.delivered or before.settled == "dropped" or parked.dropped:
            parking.remove(self._config, self._message, parked)
            return None
        try:
            webhook = received(parked.message)
        except UnreadableError as error:
            observe.log("ERROR", "message.unreadable", error=str(error))
            return self._refused(parked, hold, "unreadable")
        signer = self._config.signer
        if signer and not signer.prepared(within=_WITHIN_SECONDS):
            self.wait("NoSecret")
            return False
        pause = self._container.pause(
            self._config, webhook.source, before, receives=self._message.receives, received_at=None
        )
        if pause:
            return self._waits(pause.reason, after=pause.seconds)
        identity = self._message._replace(id=webhook_id, sequence_number=parked.sequence_number)
        made = attempt.make(
            self._config, self._container, identity, webhook, before, self._remaining
        )
        if made.outcome.delivered:
            # At this point it may be repeated: the record is best effort, as everywhere.
            metrics = {**made.metrics, "Released": 1.0}
            observe.log("INFO", "webhook.delivered", metrics=metrics, **made.fields)
            parking.remove(self._config, self._message, parked)
            return None
        observe.log("WARNING", "webhook.failed", metrics=made.metrics, **made.fields)
        return self._failed(parked, hold, made, webhook.source, webhook.received_at)

    def _failed(
        self,
        parked: parked_rows.Parked,
        hold: group_state.Hold | None,
        made: attempt.Attempt,
        source: str,
        received_at: int,
    ) -> bool | None:
        policy, now = self._config.policy, round(time.time() * 1000)
        reason = failure_policy.verdict(policy, made.history, received_at=None, now=now)
        if hold and reason == "refused" and policy.on_park == "message":
            facts = parked_rows.Facts(source, received_at, reason, made.history)
            identity = self._message._replace(
                id=str(parked.message["messageId"]), sequence_number=parked.sequence_number
            )
            parking.move_aside(self._config, identity, parked, facts, hold)
            observe.log("WARNING", "webhook.parked", reason=reason, state="aside")
            return None
        if reason:
            return self._refused(parked, hold, reason)
        return self._waits("BackendFails")

    def _waits(self, error: str, *, after: int | None = None) -> bool:
        """Waits for the backend, or gives up; whether the token may leave the queue."""
        if self._too_old:
            observe.log("INFO", "release.gave-up", receives=self._message.receives)
            return True
        self.wait(error, after=after)
        return False

    def _refused(
        self, parked: parked_rows.Parked, hold: group_state.Hold | None, reason: str
    ) -> bool:
        """Keeps a webhook that is refused again, and its group held; the token may leave."""
        if hold:
            head = self._message._replace(id=str(parked.message["messageId"]))
            parking.hold_again(self._config, head, hold)
        observe.log("INFO", "release.refused", reason=reason)
        return True
