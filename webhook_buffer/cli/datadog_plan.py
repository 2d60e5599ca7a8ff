"""How a plan and drift are shown in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape

from webhook_buffer.cli.terminal import console, show_change

if TYPE_CHECKING:
    from monitoring.datadog.sync.diff import Change
    from monitoring.datadog.sync.plan import Plan, Step

_SIGNS = {"create": "[green]+[/]", "update": "[yellow]~[/]", "delete": "[red]-[/]"}
GONE = "no longer defined"


def show_plan(plan: Plan, of_deletion: str = f"{GONE}; --prune deletes it") -> None:
    """Prints a plan's changes.

    Args:
        of_deletion: the remark on what would be deleted.
    """
    for step in plan.changing():
        remark = of_deletion if step.action == "delete" else _remark(step)
        remark = "a duplicate, made by two applies at once" if step.duplicate else remark
        shown = f"  [dim]{escape(remark)}[/]" if remark else ""
        console.print(f"{_SIGNS[step.action]} {step.name}{shown}", soft_wrap=True)
        for change in step.changes:
            _show_change(change)
    show_others(plan)


def show_drift(changed: Sequence[Step], gone: Sequence[Step]) -> None:
    """Prints what was changed by hand, field by field, and what is missing."""
    for step in changed:
        console.print(
            f"[yellow]~[/] {step.name} was changed by hand; it differs in:", soft_wrap=True
        )
        for change in step.changes:
            _show_change(change, drift=True)
    for step in gone:
        console.print(f"[red]-[/] {step.name} is missing: deleted, or not published yet")


def _remark(step: Step) -> str:
    if step.by_hand:
        return "was changed by hand"
    body = step.definition.body if step.action == "create" and step.definition else {}
    return str(body.get("name") or body.get("title") or "")


def show_others(plan: Plan) -> None:
    """Prints who is muted, and what looks like ours and is left alone."""
    for mute in plan.mutes:
        console.print(f"[dim]·[/] {escape(str(mute))}", soft_wrap=True)
    for kind, key, id_ in plan.copies:
        console.print(
            f"[yellow]![/] {kind} {id_} is a copy of {key} made by hand: it carries its marker. It "
            f"is left alone, and {key} is not deleted; take the marker's line out of the copy.",
            soft_wrap=True,
        )
    for kind, key, id_ in plan.unmarked:
        console.print(
            f"[yellow]![/] {kind} {id_} has our tags, but {key}'s marker was taken out of its "
            "text. It is left alone and not created again. Remove the tag managed-by, or put the "
            f"line back: {plan.line(key)}",
            soft_wrap=True,
        )


def _show_change(change: Change, *, drift: bool = False) -> None:
    """A field that differs: a plan shows it from present to defined, drift the other way round."""
    before, after = change.before, change.after
    if drift:
        before, after = after, before
    show_change(change.path, before, after)


def summary(plan: Plan) -> str:
    """``1 to create, …``."""
    from monitoring.datadog.sync.plan import Action

    create, update, delete, same = (plan.count(action) for action in Action)
    return f"{create} to create, {update} to update, {delete} to delete, {same} unchanged."
