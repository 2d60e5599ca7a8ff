"""An environment's sources as its functions get them: a file of JSON beside their code.

``settings.sources`` writes it at synth. It is a file because Lambda's environment variables hold
4 KB in all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from lambdas.base import extract
from lambdas.base.backend_url import Backend

if TYPE_CHECKING:
    from pathlib import Path

    from lambdas.sources.handshakes import Handshake
    from lambdas.sources.networks import Network
    from lambdas.sources.verification import Verification

# Below ``lambdas/`` in the functions' asset.
FILE = "sources.json"


class Answer(NamedTuple):
    """What a sender is answered once its webhook is queued, in a form of its own."""

    status: int
    body: str
    content_type: str


class Source(NamedTuple):
    """A source.

    Attributes:
        paths: exact, or ending in ``/*`` for all below.
        methods: that are answered: those of webhooks, and of its handshakes.
        queued: those of webhooks.
        verification: None where anybody may send.
        handshakes: that are answered instead of being queued.
        arn: of its secret; empty where it has none.
        topics, origins: what its handshakes are for.
        group_id, deduplication_id: extractors of its own; None for the environment's.
        by_id_alone: whether a deduplication id counts whatever the body is.
        allowed: the networks its requests come from; empty for any.
        is_open: whether anybody can send, so that its webhooks have groups of their own.
        answer: None for the usual one.
        bodiless: whether no answer may have a body.
    """

    name: str
    paths: tuple[str, ...]
    methods: tuple[str, ...]
    queued: tuple[str, ...]
    verification: Verification | None = None
    handshakes: tuple[Handshake, ...] = ()
    arn: str = ""
    topics: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    group_id: tuple[extract.Extractor, ...] | None = None
    deduplication_id: tuple[extract.Extractor, ...] | None = None
    by_id_alone: bool = False
    allowed: tuple[Network, ...] = ()
    is_open: bool = False
    answer: Answer | None = None
    bodiless: bool = False

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Source:
        """A source from its entry in the file."""
        verify = entry.get("verify", {})
        handshakes = _handshakes(entry.get("handshakes", ()))
        return cls(
            name=entry["name"],
            paths=tuple(entry["paths"]),
            methods=(*entry["methods"], *(handshake.method for handshake in handshakes)),
            queued=tuple(entry["methods"]),
            verification=_verification(verify) if verify else None,
            handshakes=handshakes,
            arn=verify.get("secretArn", ""),
            topics=tuple(entry.get("topics", ())),
            origins=tuple(entry.get("origins", ())),
            group_id=_extractors(entry.get("groupId")),
            deduplication_id=_extractors(entry.get("deduplicationId")),
            by_id_alone=entry.get("deduplicateBy") == "id",
            allowed=_networks(entry.get("allowedIps", ())),
            is_open=entry.get("open", False),
            answer=Answer(**entry["answer"]) if "answer" in entry else None,
            bodiless=entry.get("bodiless", False),
        )


def _networks(texts: Sequence[str]) -> tuple[Network, ...]:
    if not texts:
        return ()
    from lambdas.sources import networks

    return tuple(networks.parse(text) for text in texts)


def _verification(spec: Mapping[str, Any]) -> Verification:
    from lambdas.sources.verification import Verification

    return Verification.of(spec)


def _handshakes(names: Sequence[str]) -> tuple[Handshake, ...]:
    if not names:
        return ()
    from lambdas.sources.handshakes import HANDSHAKES

    return tuple(HANDSHAKES[name] for name in names)


def read(file: Path) -> tuple[Source, ...]:
    """The sources in a file, in its order."""
    return tuple(Source.of(entry) for entry in _entries(file))


def backends(file: Path) -> Mapping[str, Backend]:
    """The backends of the sources that have one of their own, by source."""
    return {
        entry["name"]: Backend.parse(entry["backend_url"])
        for entry in _entries(file)
        if "backend_url" in entry
    }


def _entries(file: Path) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(file.read_bytes())
    return entries


def _extractors(lines: list[str] | None) -> tuple[extract.Extractor, ...] | None:
    return None if lines is None else tuple(extract.parse(line) for line in lines)
