"""Alarms and mute rules as plain data, with what of them can't be evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from alarmproof.base.metric_data import MetricKey


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
