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

from alarmproof.errors import UnknownAlarmError

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
    """

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(
        cls, namespace: str, name: str, dimensions: Mapping[str, str] | None = None
    ) -> MetricKey:
        """A key from dimensions in any order."""
        return cls(namespace, name, tuple(sorted((dimensions or {}).items())))

    def __str__(self) -> str:
        dimensions = ", ".join(f"{name}={value}" for name, value in self.dimensions)
        return f"{self.namespace} {self.name}" + (f" {{{dimensions}}}" if dimensions else "")


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Values of one metric at equal distances.

    Attributes:
        statistic: ``Sum``, ``p99``, … where each value is that statistic of its step; None
            where each value is one observation, of which any statistic can be made.
        start: of the first value; a multiple of 60.
        step: seconds; a multiple of 60.
    """

    metric: MetricKey
    statistic: str | None
    start: int
    step: int
    values: Values

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
    """

    id: str
    metric: MetricKey | None = None
    statistic: str | None = None
    period: int | None = None
    expression: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """The location of a definition.

    Attributes:
        file: as the user named it.
    """

    file: str
    logical_id: str

    def __str__(self) -> str:
        return f"{self.file} {self.logical_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Alarm:
    """What metric alarms and composite alarms have in common.

    Attributes:
        alarm_actions, ok_actions, insufficient_data_actions: each as a person would name it: a
            topic's name, or what an ARN ends with, or the logical id where no name is given.
    """

    name: str
    source: Source
    description: str = ""
    actions_enabled: bool = True
    alarm_actions: tuple[str, ...] = ()
    ok_actions: tuple[str, ...] = ()
    insufficient_data_actions: tuple[str, ...] = ()

    def actions(self, state: State) -> tuple[str, ...]:
        """Who is notified of the change to a state."""
        if not self.actions_enabled:
            return ()
        return {
            State.ALARM: self.alarm_actions,
            State.OK: self.ok_actions,
            State.INSUFFICIENT_DATA: self.insufficient_data_actions,
        }[state]


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

    @property
    def metrics(self) -> tuple[MetricKey, ...]:
        """The metrics it reads."""
        return tuple(query.metric for query in self.queries if query.metric)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeAlarm(_Alarm):
    """An ``AWS::CloudWatch::CompositeAlarm``.

    Attributes:
        rule: with the names of alarms in it.
        suppressor: the alarm during which actions wait; None without.
        wait, extension: seconds.
    """

    rule: str
    suppressor: str | None = None
    wait: int = 0
    extension: int = 0


AnyAlarm = MetricAlarm | CompositeAlarm


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
    """

    at: int
    alarm: str
    state: State
    action: str


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
class Templates:
    """The alarms of one template or more, and the other resources beside them.

    Attributes:
        alarms: in the order of the files.
        resources: all other resources, by (file, logical id).
    """

    alarms: tuple[AnyAlarm, ...]
    resources: Mapping[tuple[str, str], Resource] = field(default_factory=dict)

    def find(self, name: str) -> AnyAlarm:
        """An alarm by its name, its logical id, or what its name ends with after a hyphen.

        Raises:
            UnknownAlarmError: When there is none, or more than one.
        """
        exact = [alarm for alarm in self.alarms if name in (alarm.name, alarm.source.logical_id)]
        matching = exact or [alarm for alarm in self.alarms if alarm.name.endswith(f"-{name}")]
        if len(matching) == 1:
            return matching[0]
        candidates = [alarm.name for alarm in matching or self.alarms]
        raise UnknownAlarmError(name, candidates, ambiguous=bool(matching))
