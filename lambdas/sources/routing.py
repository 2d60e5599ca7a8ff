"""Which source a request belongs to, by its path and method."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Generic, NamedTuple, Protocol, TypeVar

from lambdas.base.backend_url import climbs

# A path in settings: what needs no escape, and ``/*`` at its end for all that is below it.
PATH = re.compile(r"/(?!/)[A-Za-z0-9._~!$&'()+,;=:@/-]*\*?")
_WILDCARD = "*"


class Routed(Protocol):
    """What requests are routed to."""

    @property
    def name(self) -> str: ...

    @property
    def paths(self) -> Collection[str]: ...

    @property
    def methods(self) -> Collection[str]: ...


AnySource = TypeVar("AnySource", bound=Routed)


class WrongMethod(NamedTuple, Generic[AnySource]):
    """A request whose path's source does not take its method.

    Attributes:
        allowed: the methods that it takes.
    """

    source: AnySource
    allowed: tuple[str, ...]


def route(
    sources: Iterable[AnySource], method: str, path: str
) -> AnySource | WrongMethod[AnySource] | None:
    """The source with the longest path that matches; an exact path is longer than any prefix.

    None takes a path with dot segments: the backend would resolve them, perhaps out of the prefix
    that they begin with.

    Args:
        path: as the API handed it over, starting with ``/``.
    """
    matching = [
        (length, source)
        for source in sources
        for length in (_matched(pattern, path) for pattern in source.paths)
        if length is not None
    ]
    if not matching or climbs(path):
        return None
    _, best = max(matching, key=lambda pair: pair[0])
    return best if method in best.methods else WrongMethod(best, tuple(sorted(set(best.methods))))


def path_problem(pattern: str) -> str | None:
    """Why a path in settings can't be matched; None where it can."""
    if not PATH.fullmatch(pattern) or (_WILDCARD in pattern and not pattern.endswith("/*")):
        return (
            f"'{pattern}' is not a path; write '/github' for one path or '/github/*' for all "
            "below it, without escapes, query or '//' at its beginning"
        )
    if climbs(pattern):
        return f"'{pattern}' has dot segments, which requests must not have; remove them"
    return None


def _matched(pattern: str, path: str) -> tuple[int, int] | None:
    """How well a pattern matches, for comparing; None where it does not."""
    if pattern.endswith(_WILDCARD):
        prefix = pattern.removesuffix(_WILDCARD)
        return (0, len(prefix)) if path.startswith(prefix) else None
    return (1, len(pattern)) if path == pattern else None
