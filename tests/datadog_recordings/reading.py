"""Recorded conversations with Datadog's API, read from a file that nobody vouches for."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from settings.errors import InputError

KINDS = ("monitor", "slo", "dashboard", "downtime")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# A file of 282 conversations holds 4 MB; a line of it at most 0.2.
_MOST_BYTES, _LONGEST_LINE, _DEEPEST = 64 * 2**20, 4 * 2**20, 64
_MOST_CALLS = 20_000
_ID = re.compile(r"\d{5,20}|[0-9a-z]{3}-[0-9a-z]{3}-[0-9a-z]{3}|[0-9a-f-]{32,36}")


@dataclass(frozen=True, slots=True)
class Call:
    """A request and what Datadog answered."""

    kind: str
    method: str
    path: str
    query: dict[str, str]
    body: Any
    status: int
    reply: Any

    @property
    def name(self) -> str:
        return f"{self.method} {self.path[:120]}"

    @property
    def accepted(self) -> bool:
        return 200 <= self.status < 300

    @property
    def of_objects(self) -> bool:
        """Whether it is about objects of its kind, not about what belongs to them."""
        return self.path in PATHS.values() or self.id is not None

    @property
    def id(self) -> str | None:
        """The id in its path; None where it names no object."""
        last = self.path.removeprefix(f"{PATHS[self.kind]}/")
        return last if _ID.fullmatch(last) else None

    @property
    def object(self) -> dict[str, Any] | None:
        """The object in its answer."""
        return object_in(self.kind, self.reply) if self.accepted else None

    @property
    def sent(self) -> dict[str, Any] | None:
        """The object in its request."""
        return object_in(self.kind, self.body)


@dataclass(frozen=True, slots=True)
class Conversation:
    """Calls in their order, of one test of Datadog's own."""

    name: str
    calls: tuple[Call, ...]


PATHS = {kind: f"/api/v1/{kind}" for kind in KINDS} | {"downtime": "/api/v2/downtime"}


def object_in(kind: str, document: Any) -> dict[str, Any] | None:
    """The object that a request or an answer holds, with its id; None where there is none."""
    inner = document
    if kind in ("slo", "downtime") and isinstance(document, dict) and "data" in document:
        inner = document["data"]
        inner = inner[0] if isinstance(inner, list) and inner else inner
        if kind == "downtime" and isinstance(inner, dict):
            attributes = inner.get("attributes")
            inner = {**attributes, "id": inner.get("id")} if isinstance(attributes, dict) else None
    return inner if isinstance(inner, dict) else None


def is_id(value: object) -> bool:
    """Whether a value has the form of an object's id."""
    return bool(_ID.fullmatch(str(value)))


def made_at(document: dict[str, Any] | None) -> datetime | None:
    """When an object was changed last, or else made."""
    for name in ("modified", "modified_at", "created", "created_at"):
        value = (document or {}).get(name)
        try:
            if isinstance(value, int) and not isinstance(value, bool):
                return datetime.fromtimestamp(value / 1000 if value > 10**11 else value, UTC)
            if isinstance(value, str):
                moment = datetime.fromisoformat(value)
                return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (OSError, OverflowError, ValueError):
            continue
    return None


def read(file: Path) -> list[Conversation]:
    """The conversations of a file, one JSON object a line, gzipped.

    Raises:
        InputError: When it is not such a file, or larger than any that was recorded.
    """
    conversations: list[Conversation] = []
    calls = 0
    try:
        for number, line in _lines(file):
            conversations.append(_conversation(f"{file}, line {number}", line))
            calls += len(conversations[-1].calls)
            if calls > _MOST_CALLS:
                raise InputError(f"{file}, line {number}: more than {_MOST_CALLS} calls")
        return conversations
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{file}: can't be read as a gzipped file: {reason}") from None


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    total = number = 0
    with gzip.open(file) as lines:
        while line := lines.readline(_LONGEST_LINE + 1):
            number += 1
            total += len(line)
            if len(line) > _LONGEST_LINE or total > _MOST_BYTES:
                most = f"{_LONGEST_LINE >> 20} MB a line, {_MOST_BYTES >> 20} MB in all"
                raise InputError(f"{file}, line {number}: too large; {most}")
            if line.strip():
                yield number, line


def _conversation(where: str, line: bytes) -> Conversation:
    try:
        document = json.loads(line)
        name, calls = document["name"], document["calls"]
        if not isinstance(name, str) or not isinstance(calls, list):
            raise TypeError
        if not _shallow(document):
            raise InputError(f"{where}: nested deeper than {_DEEPEST}")
        return Conversation(name, tuple(_call(call) for call in calls))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not valid JSON: {type(error).__name__}") from None
    except (KeyError, TypeError):
        raise InputError(
            f"{where}: not a conversation: wants 'name' and 'calls', each of those with 'kind', "
            "'method', 'path', 'query', 'body', 'status' and 'reply'"
        ) from None


def _call(document: Any) -> Call:
    call = Call(
        document["kind"], document["method"], document["path"], document["query"] or {},
        document["body"], document["status"], document["reply"],
    )  # fmt: skip
    known = call.kind in KINDS and call.method in METHODS and isinstance(call.path, str)
    if not known or type(call.status) is not int or not isinstance(call.query, dict):
        raise TypeError
    return call


def _shallow(document: Any) -> bool:
    level = [document]
    for _ in range(_DEEPEST):
        level = [
            inner
            for container in level
            if isinstance(container, dict | list)
            for inner in (container.values() if isinstance(container, dict) else container)
        ]
    return not level
