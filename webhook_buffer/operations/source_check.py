"""Checks whether a source would accept a captured request, without sending anything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from lambdas.base.envelope import Envelope
from lambdas.base.secrets import UnavailableError, valid
from lambdas.sources import networks, routing, table
from lambdas.sources.handshakes import HANDSHAKES, Facts, is_signed_for_anybody
from lambdas.sources.schemes.reasons import Reason
from lambdas.sources.schemes.scheme import UnreachableError
from settings.errors import InputError
from settings.schema import Settings
from settings.sources import entries


@dataclass(frozen=True)
class Captured:
    """A request that somebody captured.

    Attributes:
        path: None for the source's own first path.
        address: of its sender; None where it does not matter.
        at: seconds since the epoch at which it came.
    """

    method: str
    path: str | None
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    address: str | None
    at: float


@dataclass(frozen=True)
class Verdict:
    """What would become of a request.

    Attributes:
        status: that it would be answered.
        words: what happens, or what is wrong.
        hints: what would make it pass.
    """

    status: int
    words: str
    hints: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        return self.status < 400


def sources_of(settings: Settings) -> list[table.Source]:
    """An environment's sources, as its functions have them.

    Raises:
        InputError: When it has none.
    """
    if not settings.sources:
        raise InputError(
            f"Environment '{settings.environment}' has no sources: anybody can send. Name them in "
            "'sources' in cdk.json; docs/sources.md explains them."
        )
    return [table.Source.of(entry) for entry in entries(settings.sources, url=settings.public_url)]


def source_of(settings: Settings, name: str) -> table.Source:
    """One of them by its name.

    Raises:
        InputError: When there is none.
    """
    sources = sources_of(settings)
    for source in sources:
        if source.name == name:
            return source
    known = ", ".join(source.name for source in sources)
    raise InputError(
        f"Environment '{settings.environment}' has no source '{name}'; it has {known}."
    )


def check(
    settings: Settings, source: table.Source, request: Captured, members: Mapping[str, str]
) -> Verdict:
    """What would become of a request.

    Args:
        members: of the source's secret; empty where it has none.
    """
    webhook = _webhook(source, request)
    routed = routing.route(sources_of(settings), webhook.method, webhook.path)
    handshake = _handshake(source, webhook)
    if routed is None:
        return Verdict(404, _NO_SOURCE)
    owner = routed.source if isinstance(routed, routing.WrongMethod) else routed
    if owner.name != source.name:
        return Verdict(404, f"The path belongs to the source '{owner.name}', not to this one.")
    if isinstance(routed, routing.WrongMethod):
        return Verdict(405, _METHOD)
    if source.allowed and request.address is None:
        return Verdict(403, "This source takes some addresses only. Give the sender's: --address.")
    if source.allowed and not networks.contain(source.allowed, request.address or ""):
        return Verdict(403, f"The address {request.address} is not in allowedIps.")
    if _is_altered(webhook):
        return Verdict(415, _ALTERED)
    if handshake and not HANDSHAKES[handshake].verified:
        return _answered(source, webhook, handshake, members)
    if not handshake and webhook.method not in source.queued:
        return Verdict(405, _METHOD)
    reason = _reason(source, webhook, members, request.at)
    if reason:
        hints = tuple(_hints(source, request, members)) if reason is Reason.WRONG else ()
        return Verdict(401, f"{reason}: {reason.words}", hints)
    if handshake:
        return _answered(source, webhook, handshake, members)
    how = (
        "Verified, and queued." if source.verification else "Queued; this source verifies nothing."
    )
    return Verdict(source.answer.status if source.answer else 200, how)


def _webhook(source: table.Source, request: Captured) -> Envelope:
    path = request.path or source.paths[0].removesuffix("*")
    headers = tuple((name.lower(), value) for name, value in request.headers)
    return Envelope(request.method, path, request.query, headers, request.body, 0)


def _handshake(source: table.Source, webhook: Envelope) -> str | None:
    """The name of the handshake that a request is."""
    facts = Facts(webhook, topics=source.topics, origins=source.origins)
    for name, handshake in HANDSHAKES.items():
        is_possible = handshake in source.handshakes and handshake.method == webhook.method
        if is_possible and handshake.asks(facts):
            return name
    return None


def _answered(
    source: table.Source, webhook: Envelope, name: str, members: Mapping[str, str]
) -> Verdict:
    """What a handshake would be answered; what answering would fetch or store is left out."""
    handshake = HANDSHAKES[name]
    verified = "verified, " if handshake.verified else ""
    if handshake.acts:
        return Verdict(200, f"The handshake {name}: {verified}and not queued. {_ACTS[name]}")
    reply = handshake.answer(Facts(webhook, members, topics=source.topics, origins=source.origins))
    if reply is None:
        return Verdict(handshake.refused, f"The handshake {name} is refused. {_HANDSHAKE}")
    return Verdict(reply.status, f"The handshake {name}: {verified}answered, and not queued.")


def _is_altered(webhook: Envelope) -> bool:
    """Whether API Gateway would take a body for text that it is not."""
    kind = dict(webhook.headers).get("content-type", "").partition(";")[0].strip().lower()
    try:
        webhook.body.decode()
    except ValueError:
        return _TEXT.fullmatch(kind) is not None
    return False


def _reason(
    source: table.Source, webhook: Envelope, members: Mapping[str, str], at: float
) -> Reason | None:
    verification = source.verification
    if verification is None:
        return None
    if is_signed_for_anybody(source.handshakes, webhook.body):
        return Reason.MALFORMED
    values = valid(dict(members)) if verification.arn else list(verification.public)
    try:
        return verification.checked_with(values, webhook, at)
    except UnavailableError:
        raise InputError(
            "The secret does not have the form that this source's scheme needs; compare "
            "docs/sources.md."
        ) from None
    except UnreachableError:
        raise InputError(
            "Amazon's certificate can't be fetched, so nothing can be verified; try again "
            "with a connection to the internet."
        ) from None


def _hints(source: table.Source, request: Captured, members: Mapping[str, str]) -> Iterator[str]:
    """Changes of what files often get on the way that would make a request pass."""

    def passes(other: Captured) -> bool:
        return _reason(source, _webhook(source, other), members, other.at) is None

    for words, body in (
        ("without the newline at its end", request.body.removesuffix(b"\n")),
        ("with a newline at its end", request.body + b"\n"),
        ("with Windows' ends of lines", request.body.replace(b"\n", b"\r\n")),
        ("without Windows' ends of lines", request.body.replace(b"\r\n", b"\n")),
    ):
        if body != request.body and passes(replace(request, body=body)):
            yield f"The payload would pass {words}: the file is not what was sent."


# Source: docs/contracts.md, "Limits of API Gateway".
_TEXT = re.compile(r"text/.*|application/(json|xml|javascript)")
_NO_SOURCE = "No source takes this path. See the sources' paths; pathPrefix is left out here."
_METHOD = "The source does not accept this method."
_ALTERED = (
    "The body is not UTF-8, but its Content-Type says text, so API Gateway would alter it. Send it "
    "with Content-Type: application/octet-stream."
)
_HANDSHAKE = (
    "Compare its token, topic or origin with the source's settings, and verify_token with the "
    "member of the secret."
)
_ACTS = {
    "sns": "The subscription is confirmed, if its URL is one of Amazon's.",
    "asana": "Its secret is taken while 'sources enroll' waits, or if it is the one stored.",
}
