"""Composite alarms and what they refer to."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from alarmproof import composites
from alarmproof.alarms import AnyAlarm, CompositeAlarm
from alarmproof.rules.context import Context
from alarmproof.rules.registry import ERROR, WARNING, Hit, rule


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
    WARNING,
    finds="a composite alarm that refers to an alarm outside of the templates",
    why="If nothing else creates it, the deployment fails.",
    remedy="Correct the name, or also pass the template that has the alarm.",
)
def unknown_part(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Every name that no template has; an error where a template has one alike, or would."""
    if isinstance(alarm, CompositeAlarm):
        known = {*context.by_name, *(other.source.logical_id for other in context.by_name.values())}
        absent = {left.source.logical_id: left.condition for left in context.templates.absent}
        for name in sorted(composites.parts(alarm) - context.by_name.keys()):
            condition = absent.get(name)
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
            if condition is not None:
                yield Hit(
                    f"It refers to the alarm '{name}', which is not created, because the condition "
                    f"{condition} does not hold.",
                    ERROR,
                )
            elif near:
                yield Hit(
                    f"It refers to the alarm '{name}', which is not in any of the templates. Did "
                    f"you mean {near[0]}?",
                    ERROR,
                )
            else:
                yield f"It refers to the alarm '{name}', which is not in any of the templates."
