"""What of an alarm can't be used as it stands."""

from __future__ import annotations

from collections.abc import Iterator

from alarmproof.base.alarms import AnyAlarm, ProblemKind
from alarmproof.rules.context import Context
from alarmproof.rules.registry import ERROR, NOTE, Hit, rule


@rule(
    "not-evaluated",
    NOTE,
    finds="a value that is known only after the deployment, or something that alarmproof does not "
    "evaluate",
    why="`alarmproof test` and `replay` can't evaluate it; all rules that don't need it are "
    "applied.",
    remedy="Give the value with --parameter NAME=VALUE or --parameters FILE where it is a "
    "parameter's.",
)
def not_evaluated(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Each value once: one sentence, and why."""
    kinds = (ProblemKind.UNRESOLVED, ProblemKind.UNSUPPORTED)
    for problem in alarm.problems:
        if problem.kind in kinds:
            unsupported = problem.kind is ProblemKind.UNSUPPORTED
            remedy = "Nothing has to change: AWS accepts it." if unsupported else None
            why, semicolon, own = problem.why.partition("; give ")
            if semicolon:
                remedy = f"Give {own}."
            yield Hit(f"It is not evaluated, because {why}.", remedy=remedy)


@rule(
    "unknown-property",
    ERROR,
    finds="a property that CloudFormation does not have",
    why="CloudFormation refuses the template.",
    remedy="Correct the name. If CloudFormation has it by now, allow this finding with a reason.",
)
def unknown_property(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Every property is known or refused by name."""
    for problem in alarm.problems:
        if problem.kind is ProblemKind.UNKNOWN_PROPERTY:
            yield f"{problem.why}."


@rule(
    "invalid-value",
    ERROR,
    finds="a value that is not of its property's type",
    why="CloudFormation refuses the template.",
    remedy="Correct the value.",
)
def invalid_value(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Texts in place of numbers, objects in place of texts, words that are not in the list."""
    for problem in alarm.problems:
        if problem.kind is ProblemKind.INVALID:
            yield f"{problem.why}."
