"""The alarms of several stacks together, each under a name that no other has."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

from alarmproof.base import composites
from alarmproof.base.alarms import AnyAlarm, CompositeAlarm, MuteRule
from alarmproof.base.definitions import Resource, Templates


def joined(parts: Sequence[Templates]) -> Templates:
    """All of them, with a name for each alarm that no other has."""
    alarms = [alarm for part in parts for alarm in part.alarms]
    names = _Names(alarms)
    resources: dict[tuple[str, str], Resource] = {}
    for part in parts:
        resources |= part.resources
    return Templates(
        tuple(map(names.renamed, alarms)),
        resources,
        tuple(absent for part in parts for absent in part.absent),
        tuple(unread for part in parts for unread in part.unread),
        tuple(names.retargeted(rule) for part in parts for rule in part.mute_rules),
        tuple(output for part in parts for output in part.outputs),
        tuple(fault for part in parts for fault in part.faults),
    )


class _Names:
    """Unique names: of alarms that share one, each gets its stack's before it."""

    def __init__(self, alarms: Sequence[AnyAlarm]) -> None:
        counts = Counter(alarm.name for alarm in alarms)
        in_stack = Counter((alarm.source.stack, alarm.name) for alarm in alarms)
        self._by_source: dict[tuple[str, str], str] = {}
        # What a name means within a stack, where that is another alarm's elsewhere.
        self._by_name: dict[tuple[str, str], str] = {}
        for alarm in alarms:
            stack, name = alarm.source.stack, alarm.name
            if counts[name] == 1:
                continue
            own = name if in_stack[stack, name] == 1 else alarm.source.logical_id
            unique = f"{stack}/{own}" if stack else own
            self._by_source[stack, alarm.source.logical_id] = unique
            self._by_name.setdefault((stack, name), unique)

    def renamed(self, alarm: AnyAlarm) -> AnyAlarm:
        """An alarm under its unique name, and with those of its parts."""
        if not self._by_source:
            return alarm
        stack = alarm.source.stack
        name = self._by_source.get((stack, alarm.source.logical_id), alarm.name)
        variants = tuple(map(self.renamed, alarm.variants))
        if not isinstance(alarm, CompositeAlarm):
            return dataclasses.replace(alarm, name=name, variants=variants)
        parts = {
            part: self._by_name[stack, part]
            for part in composites.written_names(alarm)
            if (stack, part) in self._by_name
        }
        return dataclasses.replace(alarm, name=name, variants=variants, parts=parts)

    def retargeted(self, rule: MuteRule) -> MuteRule:
        """A mute rule with the unique names of its alarms."""
        stack = rule.source.stack
        names = tuple(self._by_name.get((stack, name), name) for name in rule.alarms)
        return dataclasses.replace(rule, alarms=names)
