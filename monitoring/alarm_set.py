"""Signals become alarms: every name, dimension and number filled in for one environment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from monitoring import coverage, panel_checks, placeholders
from monitoring.deployed import deployed
from monitoring.model import checks
from monitoring.model.catalog import Catalog
from monitoring.model.dashboards import Dashboards
from monitoring.model.signals import (
    Composite,
    Evaluator,
    FailureMode,
    Severity,
    Signal,
    Threshold,
)
from monitoring.overrides import has_own_severity, has_own_threshold, impossible, overridden
from monitoring.references import signal_problems
from monitoring.resources import Measure, Resources
from monitoring.resources import resources as resources_of
from settings.errors import DefinitionError, SettingsError
from settings.paths import CDK_JSON, RUNBOOK
from settings.schema import Settings

# The alarm that the heartbeat sets off to see whether alerts arrive; it reads no metric.
PROBE = "alert-path-probe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A signal in one environment.

    Attributes:
        signal: with the environment's numbers in its texts.
        name: physical name.
        measures: by the id the expression uses.
        threshold: in ``signal.threshold.unit``.
        topics: the purposes of the topics that are notified.
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
        """The alarms during which a part does not count."""
        ids = {id_ for alarm in part for id_ in self.composite.unless.get(alarm.signal.id, ())}
        return tuple(alarm for alarm in self.explaining if alarm.signal.id in ids)


@dataclass(frozen=True, kw_only=True)
class AlarmSet:
    """All alarms of one environment.

    Attributes:
        catalog: the definitions they were made of.
        runbook: the file that the definitions' headings are in.
        left_out: signal id -> why it has no alarm here; monitors, too, where definitions are
            wrong.
        in_datadog: what Datadog evaluates instead of CloudWatch.
    """

    settings: Settings
    resources: Resources
    catalog: Catalog
    runbook: Path
    alarms: tuple[Alarm, ...]
    composites: tuple[CompositeAlarm, ...]
    left_out: Mapping[str, str]
    in_datadog: tuple[Alarm, ...] = ()

    @property
    def known(self) -> frozenset[str]:
        """The ids of the signals that it has, or leaves out."""
        here = (*self.alarms, *self.in_datadog)
        return frozenset({alarm.signal.id for alarm in here} | self.left_out.keys())

    def alarm(self, signal_id: str) -> Alarm | None:
        return next((alarm for alarm in self.alarms if alarm.signal.id == signal_id), None)

    def incident(self, signal_id: str) -> CompositeAlarm | None:
        """The incident that a signal is part of; None when it notifies by itself."""
        return next(
            (
                composite
                for composite in self.composites
                for part in composite.parts
                for alarm in part
                if alarm.signal.id == signal_id
            ),
            None,
        )


def alarm_set(
    settings: Settings,
    catalog: Catalog,
    resources: Resources | None = None,
    *,
    dashboards: Dashboards | None = None,
    runbook: Path = RUNBOOK,
) -> AlarmSet:
    """Resolves the signals for an environment.

    Args:
        resources: of the environment; default: those that the settings know.
        dashboards: are checked together with the signals whose thresholds they draw.
        runbook: the file that the definitions' headings are in.

    Raises:
        DefinitionError: When definitions can't work; it names all of them.
        SettingsError: When ``alarms`` names what is not a signal, or a number that can't work.
    """
    resources = resources or resources_of(settings)
    wrong = checks.problems(catalog, runbook)
    sound = checks.sound(catalog) if wrong else catalog
    candidates = coverage.candidates(settings, sound, resources)
    left_out = coverage.left_out(settings, sound, resources, candidates)
    signals = [signal for signal in candidates if signal.id not in left_out]
    known = {signal.id for signal in candidates} | left_out.keys()
    known |= {*checks.ids(catalog.signals)} - {*checks.ids(sound.signals)}
    _require(
        [
            *wrong,
            *coverage.problems(settings, candidates),
            *_of_signals(settings, signals, resources),
            *_of_dashboards(dashboards, settings, catalog, resources, known),
        ]
    )
    signals = overridden(settings, signals, catalog)
    never = [
        f"key 'alarms.{signal.id}.threshold': {problem}"
        for signal in signals
        if has_own_threshold(settings, signal.id)
        for problem in impossible(signal.threshold, signal.threshold.value, resources)
    ]
    if never:
        raise SettingsError(CDK_JSON, settings.environment, never)
    _require(_of_signals(settings, signals, resources))
    in_composites = _in_composites(settings, catalog, signals) if resources.ours else set()
    alarms = [_alarm(settings, resources, signal, in_composites) for signal in signals]
    here = tuple(alarm for alarm in alarms if alarm.signal.evaluated_by is not Evaluator.DATADOG)
    in_datadog = tuple(alarm for alarm in alarms if alarm.signal.evaluated_by is Evaluator.DATADOG)
    left_out |= {
        alarm.signal.id: "Datadog evaluates it instead of CloudWatch" for alarm in in_datadog
    }
    return AlarmSet(
        settings=settings,
        resources=resources,
        catalog=catalog,
        runbook=runbook,
        alarms=here,
        composites=_composites(settings, catalog, here) if resources.ours else (),
        left_out=left_out,
        in_datadog=in_datadog,
    )


def without_signals(settings: Settings, catalog: Catalog, *, runbook: Path = RUNBOOK) -> AlarmSet:
    """The set of an environment whose definitions are wrong, to find out what else is wrong."""
    resources = resources_of(settings)
    candidates = coverage.candidates(settings, checks.sound(catalog), resources)
    ids = [*checks.ids(catalog.signals), *(signal.id for signal in candidates)]
    return AlarmSet(
        settings=settings,
        resources=resources,
        catalog=catalog,
        runbook=runbook,
        alarms=(),
        composites=(),
        left_out=dict.fromkeys(ids, "definitions are wrong"),
    )


def resolved(threshold: Threshold, resources: Resources) -> float:
    """A threshold's number, in its unit."""
    if threshold.of is None:
        return threshold.value
    return round(threshold.value * resources.value(threshold.of, threshold.unit), 6)


def _of_signals(
    settings: Settings, signals: Iterable[Signal], resources: Resources
) -> Iterator[str]:
    for signal in signals:
        problems = signal_problems(signal, resources)
        yield from problems
        threshold = signal.threshold
        own = not has_own_threshold(settings, signal.id)
        if own and not problems and not any(checks.threshold_problems(threshold)):
            for problem in impossible(threshold, resolved(threshold, resources), resources):
                yield f"signal '{signal.id}': threshold: {problem}"


def _of_dashboards(
    dashboards: Dashboards | None,
    settings: Settings,
    catalog: Catalog,
    resources: Resources,
    known: set[str],
) -> list[str]:
    if dashboards is None:
        return []
    return panel_checks.of_dashboards(dashboards, deployed(settings), catalog, resources, known)


def _require(problems: Iterable[str]) -> None:
    distinct = list(dict.fromkeys(problems))
    if distinct:
        raise DefinitionError(distinct)


def _in_composites(settings: Settings, catalog: Catalog, signals: Iterable[Signal]) -> set[str]:
    """The signals that an incident notifies of, so that they do not by themselves."""
    together = {
        signal.id
        for signal in signals
        if signal.evaluated_by is not Evaluator.DATADOG
        and not has_own_severity(settings, signal.id)
    }
    return {
        signal_id
        for composite in catalog.composites
        for group in composite.groups
        for signal_id in group
        if together.issuperset(group)
    }


def _alarm(
    settings: Settings, resources: Resources, signal: Signal, in_composites: set[str]
) -> Alarm:
    notified = Severity.INFO if signal.id in in_composites else signal.severity
    # Signals of the alert path itself take a second way, too, where there is one: mail.
    of_alert_path = FailureMode.ALERT_PATH_BROKEN in signal.covers
    mail = [channel.mail_topic for channel in settings.notifications if channel.addresses]
    second_way = mail if of_alert_path else []
    logged = resources.by_role.get(signal.log or "")
    period, periods = resources.number(signal.period), resources.number(signal.periods)
    threshold = resolved(signal.threshold, resources)
    numbers = placeholders.of_signal(signal, threshold, period, periods)
    return Alarm(
        signal=placeholders.filled(signal, numbers, resources),
        name=settings.alarm_name(signal.id),
        measures={name: resources.measure(query) for name, query in signal.queries.items()},
        expression=resources.filled(signal.expression) if signal.expression else None,
        threshold=threshold,
        period=period,
        periods=periods,
        topics=(notified.value, *second_way),
        log_group=logged.log_groups[0] if logged and logged.log_groups else None,
    )


def _composites(
    settings: Settings, catalog: Catalog, alarms: Iterable[Alarm]
) -> tuple[CompositeAlarm, ...]:
    """Composites over the existing alarms; composites without any are left out."""
    every = {alarm.signal.id: alarm for alarm in alarms}
    by_id = {
        id_: composite for id_, composite in every.items() if not has_own_severity(settings, id_)
    }
    composites = []
    for composite in catalog.composites:
        parts = tuple(
            tuple(by_id[signal_id] for signal_id in group)
            for group in composite.groups
            if by_id.keys() >= set(group)
        )
        explaining = dict.fromkeys(sum(composite.unless.values(), ()))
        if parts:
            composites.append(
                CompositeAlarm(
                    composite=composite,
                    name=settings.alarm_name(composite.id),
                    parts=parts,
                    explaining=tuple(every[name] for name in explaining if name in every),
                )
            )
    return tuple(composites)
