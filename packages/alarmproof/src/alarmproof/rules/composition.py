"""Composite alarms and what they refer to."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any

from alarmproof.base import composites
from alarmproof.base.alarms import AnyAlarm, CompositeAlarm
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
    if not isinstance(alarm, CompositeAlarm):
        return
    unknown = composites.parts(alarm) - context.by_name.keys()
    if unknown:
        known = {*context.by_name, *(other.source.logical_id for other in context.by_name.values())}
        absent = {left.source.logical_id: left.condition for left in context.templates.absent}
        for name in sorted(unknown):
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


@rule(
    "created-too-early",
    WARNING,
    finds="a composite alarm that names another alarm of its template, and does not depend on it",
    why="CloudFormation may create it first, and then fails: the alarms in the rule do not exist.",
    remedy="Refer to the other alarm (Ref, Fn::Sub), or name it in DependsOn.",
)
def created_too_early(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Source: https://github.com/awsdocs/aws-cloudformation-user-guide/issues/911."""
    entry = context.templates.resource_of(alarm)
    if not isinstance(alarm, CompositeAlarm) or entry is None or entry.depends_on is None:
        return
    referred = set(_referred(entry.properties)) | entry.depends_on
    for name in sorted(composites.written_names(alarm)):
        for other in context.by_declared_name.get(name, ()):
            source = other.source
            if source.stack == alarm.source.stack and source.logical_id not in referred:
                yield f"It names '{name}', and nothing says that '{source.logical_id}' comes first."


def _referred(value: Any) -> Iterator[str]:
    """The logical ids that a property refers to, as it is written."""
    if isinstance(value, list):
        for part in value:
            yield from _referred(part)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                yield str(inner)
            elif key == "Fn::GetAtt":
                yield str(inner[0] if isinstance(inner, list) and inner else inner).split(".")[0]
            elif key == "Fn::Sub":
                text = inner[0] if isinstance(inner, list) and inner else inner
                yield from _SUBSTITUTED.findall(str(text))
            yield from _referred(inner)


_SUBSTITUTED = re.compile(r"\$\{\s*([A-Za-z0-9]+)")
