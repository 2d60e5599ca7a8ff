"""What a rule is, and how it is declared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import ModuleType

from alarmproof.base.alarms import AnyAlarm
from alarmproof.rules.context import Context


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE


@dataclass(frozen=True, slots=True)
class Hit:
    """What a rule finds, where a sentence is not enough.

    Attributes:
        severity, remedy: in place of the rule's.
        shared: how the message begins for other alarms as well, and how it goes on for this one,
            so that text has one line for all; None where it stands alone.
    """

    message: str
    severity: Severity | None = None
    remedy: str | None = None
    shared: tuple[str, str] | None = None


Check = Callable[[Context, AnyAlarm], Iterator[str | Hit]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A check of one alarm at a time.

    Attributes:
        finds: for the table of rules.
        why: the consequence for such an alarm.
        remedy: what to do, in a sentence.
        everywhere: whether it is a finding only if it holds whatever unknown values turn out to be.
        strict: whether a note of it fails with ``--strict``.
        check: yields a sentence for every problem of an alarm.
    """

    id: str
    severity: Severity
    finds: str
    why: str
    remedy: str
    check: Check
    everywhere: bool = False
    strict: bool = True


def rule(
    name: str,
    severity: Severity,
    *,
    finds: str,
    why: str,
    remedy: str,
    everywhere: bool = False,
    strict: bool = True,
) -> Callable[[Check], Rule]:
    """Declares a function as the check of a rule."""

    def declared(check: Check) -> Rule:
        return Rule(name, severity, finds, why, remedy, check, everywhere, strict)

    return declared


def of_modules(*modules: ModuleType) -> tuple[Rule, ...]:
    """The rules that modules declare, in their order."""
    return tuple(
        value for module in modules for value in vars(module).values() if isinstance(value, Rule)
    )
