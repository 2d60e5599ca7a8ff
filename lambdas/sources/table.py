"""An environment's sources as its functions get them: a file of JSON beside their code.

``settings.sources`` writes it at synth. It is a file because Lambda's environment variables hold
4 KB in all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lambdas import extract
from lambdas.backend_url import Backend
from lambdas.sources.networks import Network, parse

# Below ``lambdas/`` in the functions' asset.
FILE = "sources.json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a sender is answered once its webhook is queued, in a form of its own."""

    status: int
    body: str
    content_type: str


@dataclass(frozen=True, slots=True)
class Source:
    """A source.

    Attributes:
        paths: exact, or ending in ``/*`` for all below.
        methods: that are queued.
        group_id, deduplication_id: extractors of its own; None for the environment's.
        allowed: the networks its requests come from; empty for any.
        answer: None for the usual one.
    """

    name: str
    paths: tuple[str, ...]
    methods: tuple[str, ...]
    group_id: tuple[extract.Extractor, ...] | None = None
    deduplication_id: tuple[extract.Extractor, ...] | None = None
    allowed: tuple[Network, ...] = ()
    answer: Answer | None = None

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Source:
        """A source from its entry in the file."""
        return cls(
            name=entry["name"],
            paths=tuple(entry["paths"]),
            methods=tuple(entry["methods"]),
            group_id=_extractors(entry.get("groupId")),
            deduplication_id=_extractors(entry.get("deduplicationId")),
            allowed=tuple(parse(text) for text in entry.get("allowedIps", ())),
            answer=Answer(**entry["answer"]) if "answer" in entry else None,
        )


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
