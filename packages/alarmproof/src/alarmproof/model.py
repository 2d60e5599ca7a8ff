"""What is evaluated and what comes out: series, alarms and their histories, as plain data.

This package stands alone: it works on the alarms of any CloudFormation template and needs neither
the CDK nor AWS. Times are Unix seconds, UTC; a value at time ``t`` with
step ``s`` was measured in ``[t, t + s)``; NaN is a missing value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from alarmproof.errors import AbsentAlarmError, UnknownAlarmError

if TYPE_CHECKING:
    # Linting works without numpy.
    from alarmproof.arrays import Values


class State(StrEnum):
    """An alarm's state."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class Missing(StrEnum):
    """What a period without data counts as (``TreatMissingData``)."""

    MISSING = "missing"
    IGNORE = "ignore"
    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"


@dataclass(frozen=True, slots=True, order=True)
class MetricKey:
    """A metric, as CloudWatch identifies it.

    Attributes:
        dimensions: (name, value), sorted by name.
        account: that has it, where an alarm names another than its own; empty otherwise.
    """

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()
    account: str = ""

    @classmethod
    def of(
        cls,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str] | None = None,
        account: str = "",
    ) -> MetricKey:
        """A key from dimensions in any order."""
        return cls(namespace, name, tuple(sorted((dimensions or {}).items())), account)

    def __str__(self) -> str:
        dimensions = ", ".join(f"{name}={value}" for name, value in self.dimensions)
        return (
            f"{self.namespace} {self.name}"
            + (f" {{{dimensions}}}" if dimensions else "")
            + (f" of account {self.account}" if self.account else "")
        )


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Values of one metric at equal distances.

    Attributes:
        statistic: ``Sum``, ``p99``, … where each value is that statistic of its step; None
            where each value is one observation, of which any statistic can be made.
        start: of the first value; a multiple of the step, or of 60.
        step: seconds; 1, 5, 10, 20, 30, or a multiple of 60.
        unit: that the values were published with; None where it is that which the alarm asks for.
    """

    metric: MetricKey
    statistic: str | None
    start: int
    step: int
    values: Values
    unit: str | None = None

    @property
    def end(self) -> int:
        """Where the last value's step ends."""
        return self.start + self.step * len(self.values)


class Recording(Protocol):
    """Where series come from: a test case, a file, AWS."""

    def series(self, metric: MetricKey) -> Sequence[Series]:
        """All series of one metric: its observations, or one for each recorded statistic.

        Empty when the metric was never seen: every period of it is then missing.
        """
        ...


@dataclass(frozen=True, slots=True)
class Query:
    """One line of an alarm's ``Metrics``: a metric with its statistic, or an expression.

    Attributes:
        metric, statistic, period: None with an expression.
        expression: metric math over the ids of the others; None with a metric.
        unit: only data published with it counts; None for any.
    """

    id: str
    metric: MetricKey | None = None
    statistic: str | None = None
    period: int | None = None
    expression: str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """The location of a definition.

    Attributes:
        file: as the user named it.
        logical_id: in a template; a resource's address in a Terraform plan; else a name.
        line: counted from 1.
        stack: the stack's name; empty outside of stacks.
    """

    file: str
    logical_id: str
    line: int = 1
    stack: str = ""

    def __str__(self) -> str:
        return f"{self.file} {self.logical_id}"


class ProblemKind(StrEnum):
    """What a problem means for the alarm."""

    UNRESOLVED = "unresolved"
    """A value is not known before the deployment."""
    UNSUPPORTED = "unsupported"
    """AWS accepts it; alarmproof does not evaluate it."""
    UNKNOWN_PROPERTY = "unknown property"
    """CloudFormation has no such property."""
    INVALID = "invalid"
    """The value is not of the property's type."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a part of an alarm can't be used as it stands; the rest of it can.

    Attributes:
        property: as the template calls it.
        why: as the end of "not evaluated, because …"; without a full stop.
        blocks: whether the alarm can't be evaluated for it.
    """

    kind: ProblemKind
    property: str
    why: str
    blocks: bool = True


class Action(str):
    """An action of an alarm, as a person would name it: a topic's name, or what an ARN ends with.

    Attributes:
        given: the ARN, or the reference to the resource, as the template has it.
        kind: ``sns``, ``autoscaling``, ``ec2``, ``lambda``, ``ssm`` or the ARN's service; empty
            where nothing says it.
    """

    given: str
    kind: str

    def __new__(cls, name: str, given: str = "", kind: str = "") -> Action:
        """An action with what it was written as."""
        made = super().__new__(cls, name)
        made.given, made.kind = given or name, kind
        return made


@dataclass(frozen=True, slots=True, kw_only=True)
class _Alarm:
    """What metric alarms and composite alarms have in common.

    Attributes:
        name: unique among the alarms read together: ``AlarmName``, or else the logical id; with
            the stack before it where two stacks share it.
        declared_name: ``AlarmName`` as it stands; None where CloudFormation makes one.
        alarm_actions, ok_actions, insufficient_data_actions: each as a person would name it: a
            topic's name, or what an ARN ends with, or the logical id where no name is given. Those
            that a template has are ``Action``.
        problems: what of it can't be used as it stands.
        variants: the alarm in the other worlds, where conditions that depend on unknown values
            make it another one.
        worlds: of its stack, in which it exists.
        world: what holds in this one, as ``Stage=prod``; empty where nothing is unknown.
        conditional: the properties that ``Fn::If`` chooses by a parameter.
        environment: ``account/region`` where it is known; empty otherwise.
    """

    name: str
    source: Source
    declared_name: str | None = None
    description: str = ""
    actions_enabled: bool = True
    alarm_actions: tuple[str, ...] = ()
    ok_actions: tuple[str, ...] = ()
    insufficient_data_actions: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    variants: tuple[AnyAlarm, ...] = ()
    worlds: frozenset[int] = frozenset({0})
    world: str = ""
    conditional: frozenset[str] = frozenset()
    environment: str = ""

    @property
    def metrics(self) -> tuple[MetricKey, ...]:
        """The metrics it reads itself; none where it is not on metrics."""
        return ()

    @property
    def refusal(self) -> str:
        """Why it can't be evaluated; empty where it can."""
        blocking = [problem.why for problem in self.problems if problem.blocks]
        if blocking:
            return "; ".join(dict.fromkeys(blocking))
        if self.variants:
            names = [part.partition("=")[0] for part in self.world.split(", ")]
            given = " ".join(f"--parameter {name}=VALUE" for name in names)
            return f"it differs by values that are not known; give {given}"
        return ""

    def actions(self, state: State) -> tuple[str, ...]:
        """Who is notified of the change to a state."""
        if not self.actions_enabled:
            return ()
        return {
            State.ALARM: self.alarm_actions,
            State.OK: self.ok_actions,
            State.INSUFFICIENT_DATA: self.insufficient_data_actions,
        }[state]


@dataclass(frozen=True, slots=True)
class WarmUp:
    """``WarmUpConfiguration``.

    Attributes:
        seconds: that it lasts at most.
        whole: whether it lasts so long even if there is enough data before.
    """

    seconds: int
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricAlarm(_Alarm):
    """An ``AWS::CloudWatch::Alarm``.

    Attributes:
        queries: at least one; of an alarm on one metric that one.
        returned: the id of the query that is compared.
        band: with an anomaly operator the id of the query that gives the band, which comes as
            two recorded series (see ``alarmproof.series``); None otherwise.
        comparison: CloudWatch's operator.
        threshold: None with a band.
        period: seconds, of every datapoint.
        low_samples: ``EvaluateLowSampleCountPercentile``: ``evaluate`` or ``ignore``.
        wall_clock: the time zone whose clock the periods follow; None for a sliding window.
    """

    queries: tuple[Query, ...]
    returned: str
    comparison: str
    threshold: float | None
    period: int
    evaluation_periods: int
    datapoints_to_alarm: int
    missing: Missing = Missing.MISSING
    band: str | None = None
    low_samples: str = "evaluate"
    wall_clock: str | None = None
    warm_up: WarmUp | None = None

    @property
    def metrics(self) -> tuple[MetricKey, ...]:
        return tuple(query.metric for query in self.queries if query.metric)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeAlarm(_Alarm):
    """An ``AWS::CloudWatch::CompositeAlarm``.

    Attributes:
        rule: with the names of alarms in it.
        parts: what a name in the rule, or the suppressor, stands for where it is not that name.
        suppressor: the alarm during which actions wait; None without.
        wait, extension: seconds.
    """

    rule: str
    suppressor: str | None = None
    wait: int = 0
    extension: int = 0
    parts: Mapping[str, str] = field(default_factory=dict)

    def part(self, name: str) -> str:
        """The alarm's name that a name in its rule stands for."""
        return self.parts.get(name, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpaqueAlarm(_Alarm):
    """An alarm on something else than metrics, which is named but not evaluated.

    Attributes:
        kind: ``log alarm`` or ``PromQL alarm``.
    """

    kind: str


AnyAlarm = MetricAlarm | CompositeAlarm | OpaqueAlarm


@dataclass(frozen=True, slots=True)
class MuteRule:
    """An ``AWS::CloudWatch::AlarmMuteRule``: when actions of alarms are not performed.

    Attributes:
        alarms: names of alarms, as in ``_Alarm.name``.
        expression: ``cron(…)`` or ``at(…)``.
        seconds: that it lasts each time.
        zone: an IANA name.
        begins, expires: ISO 8601; None without.
    """

    name: str
    source: Source
    alarms: tuple[str, ...]
    expression: str
    seconds: int
    zone: str = "UTC"
    begins: str | None = None
    expires: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A transition, with its reason in CloudWatch's manner."""

    at: int
    state: State
    reason: str


@dataclass(frozen=True, slots=True)
class Notification:
    """An action that was performed.

    Attributes:
        state: the state it announces.
        action: who is notified.
        until: of an action that is repeated each minute, when it ends; None for one that is
            performed once.
    """

    at: int
    alarm: str
    state: State
    action: str
    until: int | None = None

    def within(self, begin: int, end: int) -> bool:
        """Whether it is performed after ``begin`` and up to ``end``."""
        if self.until is None or self.at > begin:
            return begin < self.at <= end
        following = self.at + 60 * ((begin - self.at) // 60 + 1)
        return following <= min(end, self.until)


@dataclass(frozen=True, slots=True)
class History:
    """An alarm's history between two times.

    Attributes:
        initial: its state at ``start``.
        changes: in the order of time.
        notifications: of its changes; fewer where actions were suppressed.
    """

    alarm: AnyAlarm
    start: int
    end: int
    initial: State
    changes: tuple[Change, ...] = ()
    notifications: tuple[Notification, ...] = ()

    def state(self, at: int) -> State:
        """Its state at a time; a change at that very time counts."""
        before = [change.state for change in self.changes if change.at <= at]
        return before[-1] if before else self.initial

    def in_alarm(self) -> tuple[tuple[int, int], ...]:
        """The stretches of time ``[from, to)`` that it was in ALARM."""
        stretches: list[tuple[int, int]] = []
        state, since = self.initial, self.start
        for change in (*self.changes, Change(self.end, State.OK, "")):
            if state is State.ALARM and change.at > since:
                stretches.append((since, change.at))
            state, since = change.state, change.at
        return tuple(stretches)


@dataclass(frozen=True, slots=True)
class Resource:
    """Anything else of a template that the checks look at.

    Attributes:
        properties: with intrinsics as they are written.
        resolved: the same with intrinsics resolved as far as a template allows.
    """

    type: str
    properties: Mapping[str, Any]
    source: Source
    resolved: Mapping[str, Any]
    metadata: Mapping[str, Any]


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


@dataclass(frozen=True, slots=True)
class Templates:
    """The alarms of one template or more, and the other resources beside them.

    Attributes:
        alarms: in the order of the files.
        resources: all resources, by (stack, logical id).
        absent: alarms that are left out by conditions.
        unread: what is not read.
        outputs: the values of the stacks' outputs.
    """

    alarms: tuple[AnyAlarm, ...]
    resources: Mapping[tuple[str, str], Resource] = field(default_factory=dict)
    absent: tuple[Absent, ...] = ()
    unread: tuple[Unread, ...] = ()
    mute_rules: tuple[MuteRule, ...] = ()
    outputs: tuple[object, ...] = ()

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
                raise UnknownAlarmError(name, [identity(one) for one in matching], ambiguous=True)
        for one in self.absent:
            if name in (one.source.logical_id, f"{one.source.stack}/{one.source.logical_id}"):
                raise AbsentAlarmError(name, one.condition)
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
    return name in names or name in {f"{source.stack}/{one}" for one in names if one}


def _is_end_of_name(name: str, alarm: AnyAlarm) -> bool:
    stack, slash, end = name.rpartition("/")
    if slash and stack != alarm.source.stack:
        return False
    return (alarm.declared_name or alarm.name).endswith(f"-{end}")
