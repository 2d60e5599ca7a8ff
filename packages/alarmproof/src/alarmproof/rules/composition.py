"""Composite alarms and what they refer to."""

from __future__ import annotations

from collections.abc import Iterator

from alarmproof import composites
from alarmproof.alarms import AnyAlarm, CompositeAlarm
from alarmproof.rules.context import Context
from alarmproof.rules.registry import ERROR, Hit, rule


@rule(
    "circle",
    ERROR,
    finds="composite alarms that refer to each other in a circle",
    why="CloudWatch rejects it, or its state is stuck.",
    remedy="Break the circle.",
)
def circle(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Directly, or through other composite alarms and suppressors."""
    if alarm.name in context.in_circles:
        yield "Its rule leads back to itself, through other composite alarms."


@rule(
    "unknown-part",
    ERROR,
    finds="a composite alarm of an alarm that is not in the templates",
    why="The deployment fails, or the part is missing.",
    remedy="Correct the name, or add the template that has it.",
)
def unknown_part(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Every name that no template has."""
    if isinstance(alarm, CompositeAlarm):
        absent = {left.source.logical_id: left.condition for left in context.templates.absent}
        for name in sorted(composites.parts(alarm) - context.by_name.keys()):
            condition = absent.get(name)
            if condition is None:
                yield f"It refers to the alarm '{name}', which is not in any of the templates."
            else:
                yield (
                    f"It refers to the alarm '{name}', which is not created, because the condition "
                    f"{condition} does not hold."
                )
