"""What templates define: the alarms, the resources beside them, and what can't be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from alarmproof.base.alarms import AnyAlarm, MuteRule, Source
from alarmproof.base.errors import AbsentAlarmError, UnknownAlarmError


@dataclass(frozen=True, slots=True)
class Resource:
    """Anything else of a template that the checks look at.

    Attributes:
        properties: with intrinsics as they are written.
        resolved: the same with intrinsics resolved as far as a template allows.
        depends_on: logical ids; None where a template can't say it.
    """

    type: str
    properties: Mapping[str, Any]
    source: Source
    resolved: Mapping[str, Any]
    metadata: Mapping[str, Any]
    depends_on: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """An alarm that the values of the parameters leave out.

    Attributes:
        condition: that does not hold.
    """

    source: Source
    condition: str


@dataclass(frozen=True, slots=True)
class Unread:
    """Something of CloudWatch in a template that is not read, with its reason.

    Attributes:
        kind: the resource's type, or ``Fn::ForEach``.
        known: whether CloudFormation has it.
    """

    source: Source
    kind: str
    why: str
    known: bool
    remedy: str = "Give the value with --parameter NAME=VALUE."


@dataclass(frozen=True, slots=True)
class Fault:
    """What CloudFormation refuses of a resource that can't be, or is not, an alarm.

    Attributes:
        rule: the id of the rule that it breaks.
        why: a sentence.
    """

    source: Source
    rule: str
    why: str


@dataclass(frozen=True, slots=True)
class Templates:
    """The alarms of one template or more, and the other resources beside them.

    Attributes:
        alarms: in the order of the files.
        resources: all resources, by (stack, logical id).
        absent: alarms that are left out by conditions.
        unread: what is not read.
        outputs: the values of the stacks' outputs.
        faults: of resources beside the alarms.
    """

    alarms: tuple[AnyAlarm, ...]
    resources: Mapping[tuple[str, str], Resource] = field(default_factory=dict)
    absent: tuple[Absent, ...] = ()
    unread: tuple[Unread, ...] = ()
    mute_rules: tuple[MuteRule, ...] = ()
    outputs: tuple[object, ...] = ()
    faults: tuple[Fault, ...] = ()

    def resource_of(self, alarm: AnyAlarm) -> Resource | None:
        """The resource that an alarm was read from; None where it is not from a template."""
        return self.resources.get((alarm.source.stack, alarm.source.logical_id))

    def find(self, name: str) -> AnyAlarm:
        """An alarm by its name, its logical id, or what its name ends with after a hyphen.

        Each may have the stack's name and a slash before it.

        Raises:
            UnknownAlarmError: When there is none, or more than one.
        """
        for matches in (_is_name, _is_end_of_name):
            matching = [alarm for alarm in self.alarms if matches(name, alarm)]
            if len(matching) == 1:
                return matching[0]
            if matching:
                raise UnknownAlarmError(
                    name, [identity(alarm) for alarm in matching], ambiguous=True
                )
        for absent in self.absent:
            source = absent.source
            if name in (source.logical_id, f"{source.stack}/{source.logical_id}"):
                raise AbsentAlarmError(name, absent.condition)
        raise UnknownAlarmError(name, [alarm.name for alarm in self.alarms], ambiguous=False)


def is_called(name: str, alarm: AnyAlarm) -> bool:
    """Whether a name may mean an alarm, as in ``Templates.find``."""
    return _is_name(name, alarm) or _is_end_of_name(name, alarm)


def identity(alarm: AnyAlarm) -> str:
    """What tells an alarm apart from all others: its stack and logical id."""
    source = alarm.source
    return f"{source.stack}/{source.logical_id}" if source.stack else source.logical_id


def _is_name(name: str, alarm: AnyAlarm) -> bool:
    source = alarm.source
    names = {alarm.name, source.logical_id, alarm.declared_name}
    return name in names or name in {f"{source.stack}/{known}" for known in names if known}


def _is_end_of_name(name: str, alarm: AnyAlarm) -> bool:
    stack, slash, end = name.rpartition("/")
    if slash and stack != alarm.source.stack:
        return False
    return (alarm.declared_name or alarm.name).endswith(f"-{end}")
