"""What alarms are called, what they say, and which say the same."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from alarmproof.base.alarms import AnyAlarm, MetricAlarm
from alarmproof.base.definitions import identity
from alarmproof.rules.context import Context, condition
from alarmproof.rules.registry import ERROR, WARNING, Hit, rule


@rule(
    "duplicate-name",
    ERROR,
    finds="two alarms with the same `AlarmName`",
    why="One overwrites the other.",
    remedy="Give each its own name.",
)
def duplicate_name(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Only where both can exist: not under conditions that exclude each other."""
    if alarm.declared_name is None:
        return
    meeting = (
        other
        for other in context.by_declared_name[alarm.declared_name]
        if other.source != alarm.source and _meet(alarm, other)
    )
    others = list(itertools.islice(meeting, 3))
    if not others:
        return
    listed = ", ".join(f"{identity(other)} ({other.source.file})" for other in others)
    message = f"{listed} has the AlarmName '{alarm.declared_name}' as well."
    if all(other.source.stack != alarm.source.stack for other in others):
        # Stacks of one app may be meant for different accounts or regions; nothing says so here.
        yield Hit(f"{message} In one account and region, one overwrites the other.", WARNING)
    else:
        yield f"{message} One overwrites the other."


def _meet(alarm: AnyAlarm, other: AnyAlarm) -> bool:
    """Whether both can exist at the same time in the same account and region."""
    if alarm.source.stack == other.source.stack:
        return bool(alarm.worlds & other.worlds)
    places = {alarm.environment, other.environment}
    return "" in places or len(places) == 1


@rule(
    "same-alarm",
    WARNING,
    finds="two alarms with the same condition",
    why="Everything is notified twice.",
    remedy="Remove one.",
)
def same_alarm(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Within a stack; two stacks of one class are alike on purpose."""
    if not isinstance(alarm, MetricAlarm) or alarm.problems:
        return
    for other in context.by_condition.get(condition(alarm), ()):
        if other.source == alarm.source:
            return
        if other.source.stack == alarm.source.stack and alarm.worlds & other.worlds:
            yield f"It is the same alarm as '{other.name}', so everything is notified twice."
            return


@rule(
    "no-description",
    WARNING,
    finds="no description",
    why="Whoever is notified does not know what it means.",
    remedy="Describe what is wrong, who is affected, and what to do.",
)
def no_description(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """An empty one counts as none."""
    if not alarm.description.strip():
        yield "It has no description."


@rule(
    "no-runbook",
    WARNING,
    finds="a description without a link to a runbook",
    why="Whoever is notified does not know what to do.",
    remedy="Add the link.",
)
def no_runbook(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """The word or a link is enough."""
    text = alarm.description.lower()
    if text.strip() and "runbook" not in text and "http" not in text:
        yield "Its description does not link to a runbook."


@rule(
    "name-pattern",
    WARNING,
    finds="an `AlarmName` that does not match `patterns.name` of `alarmproof.toml`",
    why="Whoever looks for it by the project's scheme does not find it.",
    remedy="Name it as the pattern asks.",
)
def name_pattern(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Names that CloudFormation makes are not judged."""
    pattern = context.patterns.get("name")
    name = alarm.declared_name
    if pattern and name is not None and not pattern.search(name):
        yield f"The name '{name}' does not match {pattern.pattern}."


_LINK = re.compile(r"https?://[^\s<>\"')\]]+")


@rule(
    "runbook-pattern",
    WARNING,
    finds="a description without a link that matches `patterns.runbook` of `alarmproof.toml`",
    why="Whoever is notified does not find the runbook where the others are.",
    remedy="Link to the runbook where the pattern asks.",
)
def runbook_pattern(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """One such link is enough."""
    pattern = context.patterns.get("runbook")
    if pattern and not any(map(pattern.search, links(alarm))):
        yield f"No link in its description matches {pattern.pattern}."


def links(alarm: AnyAlarm) -> list[str]:
    """The links of an alarm's description."""
    return [link.rstrip(".,;:") for link in _LINK.findall(alarm.description)]
