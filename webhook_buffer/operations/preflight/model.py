"""The form of a check, and of what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from settings.schema import Settings
from webhook_buffer.operations.environment import Environment

NAME_TAKEN = (
    "Delete it if nothing uses it, or choose another 'service' or 'environment' in cdk.json."
)


class Level(StrEnum):
    """What a problem means for a deployment."""

    BLOCKS = "blocks"
    TODO = "todo"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Problem:
    """Something that is not as it must be.

    Attributes:
        what: a sentence.
        remedy: what to do about it, as a sentence.
    """

    what: str
    remedy: str
    level: Level = Level.BLOCKS


def _always(_: Settings) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Check:
    """Something that is looked at.

    Attributes:
        id: for programs.
        title: what is so when it finds nothing.
        find: yields its problems; it may raise botocore's errors.
        applies: whether an environment's settings give it anything to look at.
        on_laptop: whether the emulator has what it asks for.
    """

    id: str
    title: str
    find: Callable[[Environment], Iterable[Problem]]
    applies: Callable[[Settings], bool] = _always
    on_laptop: bool = False


@dataclass(frozen=True)
class Finding:
    """A check that was made, and its problems."""

    check: Check
    problems: tuple[Problem, ...]

    @property
    def blocks(self) -> bool:
        return any(problem.level is Level.BLOCKS for problem in self.problems)
