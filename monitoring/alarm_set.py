"""Signals become alarms: every name, dimension and number filled in for one environment."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import alarms as definitions
from monitoring import placeholders
from monitoring.model.signals import (
    Composite,
    Evaluator,
    FailureMode,
    Kind,
    Severity,
    Signal,
    SignalError,
    Threshold,
    period_problems,
)
from monitoring.resources import Measure, Resources, plain, resources
from settings.errors import SettingsError
from settings.paths import CDK_JSON
from settings.schema import Settings

# The alarm that the heartbeat sets off to see whether alerts arrive; it watches nothing.
PROBE = "alert-path-probe"

_NEEDS_OURS = "it needs what the buffer's own functions tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A signal in one environment.

    Attributes:
        signal: with the environment's numbers in its texts.
        name: physical name.
        measures: by the id the expression uses.
        threshold: in ``signal.threshold.unit``.
        topics: the purposes of the topics that are told.
        log_group: where more can be read, if anywhere.
    """

    signal: Signal
    name: str
    measures: Mapping[str, Measure]
    expression: str | None
    threshold: float
    period: int
    periods: int
    topics: tuple[str, ...]
    log_group: str | None

    @property
    def severity(self) -> Severity:
        return self.signal.severity

    @property
    def metric_count(self) -> int:
        """How many metrics it reads, which is what CloudWatch charges for."""
        return len(self.measures)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeAlarm:
    """A composite in one environment, with those of its parts that are deployed.

    Attributes:
        explaining: the alarms that ``unless`` names.
    """

    composite: Composite
    name: str
    parts: tuple[tuple[Alarm, ...], ...]
    explaining: tuple[Alarm, ...]

    @property
    def severity(self) -> Severity:
        return self.composite.severity

    @property
    def topics(self) -> tuple[str, ...]:
        return (self.severity.value,)

    def explained(self, part: tuple[Alarm, ...]) -> tuple[Alarm, ...]:
        """The alarms while one of which a part does not count."""
        ids = {other for one in part for other in self.composite.unless.get(one.signal.id, ())}
        return tuple(alarm for alarm in self.explaining if alarm.signal.id in ids)


@dataclass(frozen=True)
class AlarmSet:
    """All alarms of one environment.

    Attributes:
        elsewhere: what Datadog watches in CloudWatch's place.
        left_out: signal id -> why it has no alarm here.
    """

    settings: Settings
    resources: Resources
    alarms: tuple[Alarm, ...]
    composites: tuple[CompositeAlarm, ...]
    left_out: Mapping[str, str]
    elsewhere: tuple[Alarm, ...] = ()

    def alarm(self, signal_id: str) -> Alarm | None:
        return next((alarm for alarm in self.alarms if alarm.signal.id == signal_id), None)

    def incident(self, signal_id: str) -> CompositeAlarm | None:
        """What a signal is told as; None when it speaks for itself."""
        return next(
            (
                one
                for one in self.composites
                for part in one.parts
                for alarm in part
                if alarm.signal.id == signal_id
            ),
            None,
        )


def alarm_set(settings: Settings, watched: Resources | None = None) -> AlarmSet:
    """Resolves the signals for an environment.

    Args:
        watched: its resources; by default what the settings know of them.

    Raises:
        SettingsError: When ``alarms`` names what is no signal, or a number that can't work.
    """
    watched = watched or resources(settings)
    candidates = _candidates(watched)
    left_out = _left_out(settings, watched, candidates)
    changed = _changed(settings, [one for one in candidates if one.id not in left_out])
    told_together = {
        one.id
        for one in changed
        if one.evaluated_by is not Evaluator.DATADOG and not _own_severity(settings, one.id)
    }
    in_composites = {
        signal_id
        for composite in definitions.COMPOSITES
        for group in composite.groups
        for signal_id in group
        if watched.ours and told_together.issuperset(group)
    }
    found, problems = [], []
    for signal in changed:
        alarm = _alarm(settings, watched, signal, in_composites)
        problems += _impossible(watched, alarm)
        found.append(alarm)
    if problems:
        raise SettingsError(CDK_JSON, settings.environment, problems)
    here = tuple(one for one in found if one.signal.evaluated_by is not Evaluator.DATADOG)
    elsewhere = tuple(one for one in found if one.signal.evaluated_by is Evaluator.DATADOG)
    left_out |= {one.signal.id: "Datadog watches it in CloudWatch's place" for one in elsewhere}
    composites = _composites(settings, here) if watched.ours else ()
    return AlarmSet(settings, watched, here, composites, left_out, elsewhere)


def _candidates(watched: Resources) -> list[Signal]:
    if watched.ours:
        return list(definitions.SIGNALS)
    generic = [
        signal
        for resource in watched.by_role.values()
        if resource.role not in ("notify", "notify-dlq")
        for signal in definitions.existing(resource.role, resource.kind, resource.name)
    ]
    # Of the buffer's own signals those of notifications hold everywhere.
    return generic + [one for one in definitions.SIGNALS if one.roles <= {"notify", "notify-dlq"}]


def _left_out(
    settings: Settings, watched: Resources, candidates: Iterable[Signal]
) -> dict[str, str]:
    reasons = {}
    for signal in candidates:
        change = settings.alarms.get(signal.id)
        if change and not change.enabled:
            reasons[signal.id] = f"settings say so (alarms.{signal.id}.enabled)"
        elif signal.opt_in and getattr(settings, signal.opt_in) is None:
            reasons[signal.id] = f"it is opt-in: set '{signal.opt_in}' (docs/settings.md)"
        elif signal.needs_heartbeat and not watched.ours:
            reasons[signal.id] = "its probe comes with the buffer's heartbeat"
        elif signal.needs_heartbeat and not settings.sends_heartbeats:
            reasons[signal.id] = "heartbeat is 'off'"
    if not watched.ours:
        generic = {one.id for one in candidates}
        for signal in definitions.SIGNALS:
            if signal.id not in generic and _reads_ours(signal):
                reasons[signal.id] = _NEEDS_OURS
    return reasons


def _reads_ours(signal: Signal) -> bool:
    return any(query.metric.kind is Kind.BUFFER for query in signal.queries.values())


def _changed(settings: Settings, signals: Iterable[Signal]) -> list[Signal]:
    """The signals with what ``alarms`` changes in them."""
    signals = list(signals)
    known = {one.id for one in definitions.SIGNALS} | {one.id for one in signals}
    known |= {one.id for one in definitions.MONITORS}
    unknown = sorted(settings.alarms.keys() - known)
    if unknown:
        raise SettingsError(
            CDK_JSON,
            settings.environment,
            [
                f"key 'alarms.{name}': no signal is called so{_meant(name, known)}; all of them: "
                f"webhook-buffer alarms list --env {settings.environment}, and those of Datadog: "
                "docs/datadog-objects.md"
                for name in unknown
            ],
        )
    found = []
    for signal in signals:
        change = settings.alarms.get(signal.id)
        if change and change.threshold is not None:
            threshold = replace(
                signal.threshold, value=change.threshold, of=None, reason="Set in cdk.json."
            )
            signal = replace(signal, threshold=threshold)
        if change and change.severity is not None:
            signal = replace(signal, severity=Severity(change.severity))
        if change and change.evaluatedBy is not None:
            signal = replace(signal, evaluated_by=_watcher(settings, signal.id, change.evaluatedBy))
        found.append(signal)
    return found


def _meant(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def _watcher(settings: Settings, signal_id: str, name: str) -> Evaluator:
    watcher = Evaluator(name)
    if watcher is not Evaluator.CLOUDWATCH and settings.datadog is None:
        problem = f"key 'alarms.{signal_id}.evaluatedBy': {name} without 'datadog'; add its block"
        raise SettingsError(CDK_JSON, settings.environment, [problem])
    return watcher


def _alarm(
    settings: Settings, watched: Resources, signal: Signal, in_composites: set[str]
) -> Alarm:
    period, periods = watched.number(signal.period), watched.number(signal.periods)
    problems = period_problems(period, signal.datapoints, periods)
    if problems:
        raise SignalError(f"signal '{signal.id}': {problems[0]}")
    told = Severity.INFO if signal.id in in_composites else signal.severity
    mailed = any(channel.addresses for channel in settings.notifications)
    # Signals of the alert path itself are told by a second way, too, where there is one: mail.
    of_alert_path = FailureMode.ALERT_PATH_BROKEN in signal.covers
    second_way = ("alert-path",) if mailed and of_alert_path else ()
    logged = watched.by_role.get(signal.log or "")
    threshold = resolved(signal.threshold, watched)
    numbers = placeholders.numbers(signal.threshold, threshold, period, signal.datapoints, periods)
    return Alarm(
        signal=placeholders.filled(signal, numbers, watched),
        name=settings.alarm_name(signal.id),
        measures={name: watched.measure(query) for name, query in signal.queries.items()},
        expression=watched.filled(signal.expression) if signal.expression else None,
        threshold=threshold,
        period=period,
        periods=periods,
        topics=(told.value, *second_way),
        log_group=logged.log_groups[0] if logged and logged.log_groups else None,
    )


def resolved(threshold: Threshold, watched: Resources) -> float:
    """A threshold's number, in its unit."""
    if threshold.of is None:
        return threshold.value
    return round(threshold.value * watched.value(threshold.of, threshold.unit), 6)


def _impossible(watched: Resources, alarm: Alarm) -> list[str]:
    """Why its threshold could never be crossed, if that is so."""
    threshold, key = alarm.signal.threshold, f"alarms.{alarm.signal.id}.threshold"
    if alarm.threshold <= 0:
        return [f"key '{key}': {plain(alarm.threshold)} must be more than 0"]
    if threshold.unit == "Percent" and alarm.threshold > 100:
        return [f"key '{key}': {plain(alarm.threshold)} % is more than 100 %; lower it"]
    if threshold.at_most is None:
        return []
    most = watched.value(threshold.at_most, threshold.unit)
    if alarm.threshold <= most:
        return []
    return [
        f"key '{key}': {plain(alarm.threshold)} {threshold.unit.lower()} is more than "
        f"{threshold.at_most} ({plain(most)}), so the alarm could never fire; lower it"
    ]


def _own_severity(settings: Settings, signal_id: str) -> bool:
    """Whether the settings give a signal a severity; then it speaks for itself."""
    change = settings.alarms.get(signal_id)
    return change is not None and change.severity is not None


def _composites(settings: Settings, found: Iterable[Alarm]) -> tuple[CompositeAlarm, ...]:
    """Composites over the alarms that are there; one without any is left out."""
    every = {alarm.signal.id: alarm for alarm in found}
    by_id = {id_: one for id_, one in every.items() if not _own_severity(settings, id_)}
    composites = []
    for composite in definitions.COMPOSITES:
        parts = [
            tuple(by_id[one] for one in group)
            for group in composite.groups
            if by_id.keys() >= set(group)
        ]
        if parts:
            composites.append(
                CompositeAlarm(
                    composite=composite,
                    name=settings.alarm_name(composite.id),
                    parts=tuple(parts),
                    explaining=tuple(
                        every[one]
                        for one in dict.fromkeys(sum(composite.unless.values(), ()))
                        if one in every
                    ),
                )
            )
    return tuple(composites)
