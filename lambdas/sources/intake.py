"""What ``publish`` asks of the sources: who sent this, and is it to be queued?

In this order: the path and the method, the sender's address, a handshake that is not signed, the
signature, a handshake that is. Each refusal is the last thing that a request costs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambdas.base import aws
from lambdas.base.envelope import Envelope
from lambdas.base.reply import Reply, refusal, unmatched
from lambdas.base.secrets import Secrets, UnavailableError
from lambdas.sources import routing, table
from lambdas.sources.handshakes import Facts, Handshake, is_signed_for_anybody
from lambdas.sources.schemes.reasons import Reason
from lambdas.sources.schemes.scheme import UnreachableError
from lambdas.sources.table import Source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lambdas.sources.verification import Verification


class Intake:
    """An environment's sources at work.

    Args:
        file: with its sources.
        secrets: those of the container.
    """

    def __init__(self, file: Path, secrets: Secrets | None = None) -> None:
        self._sources = table.read(file)
        self._secrets = secrets or Secrets()

    def route(self, webhook: Envelope) -> tuple[Source | None, Reply | None]:
        """The source that a request is meant for, and what it is answered if it is refused."""
        routed = routing.route(self._sources, webhook.method, webhook.path)
        if routed is None:
            return None, unmatched(_NO_SOURCE, "no-source")
        if isinstance(routed, routing.WrongMethod):
            return routed.source, _wrong_method(routed.source, routed.allowed)
        if routed.allowed and not _is_allowed(routed, webhook.address):
            return routed, _refused(routed, 403, _ADDRESS, "address")
        return routed, None

    def judge(self, source: Source, webhook: Envelope, *, seconds: float) -> Reply | None:
        """What a request of a source is answered instead of being queued; None to queue it.

        Args:
            seconds: how long it may take.
        """
        try:
            return self._judged(source, webhook, seconds)
        except (UnavailableError, UnreachableError, aws.AwsError):
            return _refused(source, 503, _UNVERIFIABLE, "unverifiable")

    def _judged(self, source: Source, webhook: Envelope, seconds: float) -> Reply | None:
        reply = self._handshake(source, webhook, seconds, verified=False)
        if reply:
            return reply
        signed = {handshake.method for handshake in source.handshakes if handshake.verified}
        if webhook.method not in {*source.queued, *signed}:
            return _wrong_method(source, source.queued)
        if source.verification:
            reason = self._reason(source, source.verification, webhook, seconds)
            if reason:
                challenge = f'{source.verification.authentication} realm="{source.name}"'
                headers = {"WWW-Authenticate": challenge}
                reply = _refused(source, 401, reason.words, reason, headers)
                return reply._replace(metrics={"SignatureRefused": 1})
        reply = self._handshake(source, webhook, seconds, verified=True)
        if reply is None and webhook.method not in source.queued:
            return _wrong_method(source, source.queued)
        return reply

    def _reason(
        self, source: Source, verification: Verification, webhook: Envelope, seconds: float
    ) -> Reason | None:
        """Why a request is refused; None for a genuine one."""
        if is_signed_for_anybody(source.handshakes, webhook.body):
            return Reason.MALFORMED
        return verification.check(webhook, self._secrets, within=seconds)

    def _handshake(
        self, source: Source, webhook: Envelope, seconds: float, *, verified: bool
    ) -> Reply | None:
        """The answer to a handshake; None where the request is none."""
        facts = Facts(webhook, {}, source.arn, seconds, source.topics, source.origins)
        for handshake in source.handshakes:
            if handshake.verified != verified or handshake.method != webhook.method:
                continue
            if not handshake.asks(facts):
                continue
            members = self._members(handshake, facts)
            reply = handshake.answer(facts._replace(members=members))
            if reply and "current" not in members and "enrollment" in handshake.needs:
                self._secrets.forget(source.arn)
            return reply or _refused(source, handshake.refused, _HANDSHAKE, "handshake")
        return None

    def _members(self, handshake: Handshake, facts: Facts) -> dict[str, str]:
        """The members of the source's secret, where the handshake needs it."""
        if not {"current", "verify_token", "enrollment"} & set(handshake.needs):
            return {}
        members = self._secrets.get(facts.arn, within=facts.within)
        if "enrollment" not in handshake.needs or "current" in members:
            return members
        # A window that was opened just now has to be seen.
        self._secrets.refresh(facts.arn, within=facts.within)
        return self._secrets.get(facts.arn, within=facts.within)


def _is_allowed(source: Source, address: str) -> bool:
    from lambdas.sources import networks

    return networks.contain(source.allowed, address)


def _refused(
    source: Source, status: int, error: str, reason: str, headers: Mapping[str, str] | None = None
) -> Reply:
    return refusal(status, error, headers, source=source.name, reason=str(reason))


def _wrong_method(source: Source, allowed: tuple[str, ...]) -> Reply:
    return _refused(source, 405, _METHOD, "method", {"Allow": ", ".join(allowed)})


_NO_SOURCE = "No source takes this path. Send to one that this environment's 'sources' names."
_METHOD = "The source at this path does not take this method. Send with one that Allow names."
_ADDRESS = (
    "The source at this path does not take requests from this address. "
    "Add the sender's network to the source's 'allowedIps' setting."
)
_HANDSHAKE = (
    "This handshake is not expected here. Compare its token, topic or origin with the source's "
    "settings and secret; a secret that comes with it is taken only during 'sources enroll'."
)
_UNVERIFIABLE = "The request can't be verified at present. Send it again."
