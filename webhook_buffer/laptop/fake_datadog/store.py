"""What the fake Datadog holds, and how an endpoint is asked and answers."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

KINDS = ("monitor", "slo", "dashboard", "downtime", "event")
# Kept, and shown on no list of their own.
_BESIDE = ("deleted dashboard", "slo correction")
ORG_ID = 321813
AUTHOR = {"name": "Fake", "handle": "fake@example.com", "email": "fake@example.com"}
AUTHOR_ID = 1445416
_FIRST_NUMBER = 100_000_000

Body = dict[str, Any]


class RefusedError(Exception):
    """An answer other than success.

    Args:
        status: of the answer.
        errors: what is wrong, in Datadog's usual form.
        body: instead of that form.
    """

    def __init__(self, status: int, *errors: str, body: Any = None) -> None:
        super().__init__(status, *errors)
        self.status = status
        self.body = {"errors": list(errors)} if body is None else body


class Store:
    """Objects by kind and id, kept in a file if there is one."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self._objects: dict[str, dict[str, Body]] = {kind: {} for kind in (*KINDS, *_BESIDE)}
        self._last_number = _FIRST_NUMBER
        if file and file.exists():
            kept = json.loads(file.read_text())
            self._objects |= kept["objects"]
            self._last_number = kept["last_number"]

    def __getitem__(self, kind: str) -> dict[str, Body]:
        return self._objects[kind]

    def number(self) -> int:
        """One that was never given before."""
        self._last_number += 1
        return self._last_number

    def timestamp(self) -> str:
        return self.clock().isoformat(timespec="microseconds")

    def epoch(self) -> int:
        return int(self.clock().timestamp())

    def save(self) -> None:
        """Writes the file, whole or not at all."""
        if self._file:
            kept = {"last_number": self._last_number, "objects": self._objects}
            self._file.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._file.with_suffix(f".{os.getpid()}.tmp")
            fresh.write_text(json.dumps(kept, indent=1))
            fresh.replace(self._file)


def only(names: Iterable[str], body: Body) -> Body:
    """Some fields of a body."""
    return {name: body[name] for name in names if name in body}


@dataclass(frozen=True)
class Call:
    """A request as an endpoint sees it."""

    store: Store
    query: Mapping[str, str] = field(default_factory=dict)
    id: str = ""
    body: Any = None

    @property
    def forced(self) -> bool:
        return self.query.get("force") == "true"

    def number(self, name: str, default: int) -> int:
        """A parameter of the query that is a whole number.

        Raises:
            RefusedError: When it is none.
        """
        given = self.query.get(name, str(default))
        if not given.isdigit():
            raise RefusedError(400, f"The value provided for parameter '{name}' is invalid")
        return int(given)

    @property
    def fields(self) -> Body:
        """The body.

        Raises:
            RefusedError: When it is not a JSON object.
        """
        if not isinstance(self.body, dict):
            raise RefusedError(400, "The request's body must be a JSON object")
        return self.body


@dataclass(frozen=True)
class Route:
    """An endpoint.

    Args:
        path: a regular expression of all of it; its group ``id`` is the call's.
        permission: what an application key needs, which is also the name of its rate limit.
        answer: makes the answer's body; with None the answer is 204.
    """

    method: str
    path: str
    permission: str
    answer: Callable[[Call], Any]
