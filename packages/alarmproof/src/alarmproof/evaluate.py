"""What CloudWatch would have done: alarms on recorded series, their histories and notifications.

An alarm is evaluated at every full minute on the datapoints that end then; once an hour where
its periods together are more than a day. Source: CloudWatch user guide, "Alarm evaluation".
When a series begins late, everything before it is missing. The delay with which CloudWatch sees a
value is not modeled.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from alarmproof import states
from alarmproof.base import composites
from alarmproof.base.alarms import (
    Action,
    AnyAlarm,
    CompositeAlarm,
    MetricAlarm,
    Missing,
    MuteRule,
    OpaqueAlarm,
    State,
    WarmUp,
)
from alarmproof.base.arrays import Times, Values
from alarmproof.base.errors import InputError, NotSupportedError
from alarmproof.base.history import Change, History, Notification
from alarmproof.base.metric_data import Recording
from alarmproof.muting import muted
from alarmproof.plan import Plan, evaluated_every, refuse
from alarmproof.reasons import reason

_MINUTE, _DAY = 60, 86_400
_BANDS = {
    "LessThanLowerOrGreaterThanUpperThreshold": (True, True),
    "LessThanLowerThreshold": (True, False),
    "GreaterThanUpperThreshold": (False, True),
}
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?)")


def evaluate(
    alarms: Sequence[AnyAlarm],
    recording: Recording,
    *,
    start: int,
    end: int,
    initial: Mapping[str, State] | None = None,
    mute_rules: Sequence[MuteRule] = (),
) -> dict[str, History]:
    """The history of each alarm between two times, by the alarm's name.

    Args:
        start: Unix seconds, a multiple of 10; the first evaluation is a minute later (10 seconds
            where a period is below a minute).
        end: of the last evaluation.
        initial: states at ``start``; an alarm without one is created then, in INSUFFICIENT_DATA.
        mute_rules: that may name the alarms.

    Raises:
        NotSupportedError: When an alarm uses something unsupported.
        InputError: When a composite names an alarm that is not among ``alarms``.
    """
    initial = initial or {}
    _require_times(start, end)
    evaluated: dict[str, History] = {}
    for alarm in alarms:
        if isinstance(alarm, OpaqueAlarm):
            refuse(alarm)
        if isinstance(alarm, MetricAlarm):
            evaluated[alarm.name] = _history(alarm, recording, start, end, initial.get(alarm.name))
    evaluated |= composites.histories(
        [alarm for alarm in alarms if isinstance(alarm, CompositeAlarm)],
        evaluated,
        start=start,
        end=end,
        initial=initial,
    )
    return {alarm.name: muted(evaluated[alarm.name], mute_rules) for alarm in alarms}


def datapoints(alarm: MetricAlarm, recording: Recording, *, start: int, end: int) -> Values:
    """What is compared with the threshold at each evaluation after ``start``, up to ``end``.

    Raises:
        NotSupportedError: When the alarm uses something unsupported.
    """
    _require_times(start, end)
    plan = Plan.of(alarm, recording)
    times = _times(alarm, start, end, every=True)
    if plan.overlaps:
        return plan.along(int(times[0]), len(times)) if len(times) else np.empty(0)
    return np.concatenate([values[:, -1] for _, values in plan.windows(times)] or [np.empty(0)])


def _require_times(start: int, end: int) -> None:
    if start % 10 or end % 10 or end < start:
        raise InputError(f"{start} to {end}: not multiples of 10 s in Unix seconds, in order.")


def _times(alarm: MetricAlarm, start: int, end: int, *, every: bool = False) -> Times:
    """When an alarm is evaluated."""
    seldom = alarm.period * alarm.evaluation_periods > _DAY and not every
    step = 3600 if seldom else evaluated_every(alarm)
    return np.arange(-(-(start + 1) // step) * step, end + 1, step)


def _history(
    alarm: MetricAlarm, recording: Recording, start: int, end: int, initial: State | None
) -> History:
    plan = Plan.of(alarm, recording)
    times = _times(alarm, start, end)
    missing = alarm.missing
    if any(metric.namespace == "AWS/DynamoDB" for metric in alarm.metrics):
        # Source: CloudWatch API reference, PutMetricAlarm, TreatMissingData.
        missing = Missing.IGNORE
    changes: list[Change] = []
    begun = state = initial or State.INSUFFICIENT_DATA
    warming = alarm.warm_up if initial is None else None
    for some, tallies, window in _tallied(plan, times):
        codes = _codes(plan, some, tallies, missing)
        if warming is not None:
            codes, warming = _warmed_up(warming, start, some, tallies.whole, codes)
        reached = states.states(codes, state)
        for index in np.flatnonzero(np.diff(reached)):
            at, state = int(some[index]), states.STATES[int(reached[index + 1])]
            changes.append(Change(at, state, reason(alarm, at, state, window(int(index)))))
    return History(alarm, start, end, begun, tuple(changes), tuple(_performed(alarm, changes, end)))


def _tallied(
    plan: Plan, times: Times
) -> Iterator[tuple[Times, states.Tally, Callable[[int], Values]]]:
    """Times, what their evaluation ranges hold, and what gives the datapoints of one of these."""
    n = plan.alarm.evaluation_periods
    if plan.overlaps:
        for line in plan.lines(times):
            band = partial(plan.band, line.first, len(line.values))
            tallies = states.sliding_tally(
                ~np.isnan(line.values), _breaching(plan.alarm, line.values, band), n,
                ends=line.ends, stride=line.stride, width=line.width,
            )  # fmt: skip
            yield line.times, tallies, line.window
        return
    for some, values in plan.windows(times):
        breaching = _breaching(plan.alarm, values, partial(plan.bands, some))
        tallies = states.tally(~np.isnan(values)[:, ::-1], breaching[:, ::-1], n)
        yield some, tallies, values.__getitem__


def _warmed_up(
    warm_up: WarmUp, start: int, times: Times, whole: states.Flags, codes: states.Codes
) -> tuple[states.Codes, WarmUp | None]:
    """Verdicts of a new alarm, which keeps its state until it is warm; and whether that goes on.

    Source: CloudWatch user guide, "Alarm warm-up periods".
    """
    warm = times >= start + warm_up.seconds
    if not warm_up.whole:
        warm = warm | np.maximum.accumulate(whole)
    kept = np.where(warm, codes, states.KEEP).astype(np.int8)
    return kept, None if warm[-1] else warm_up


def _performed(alarm: MetricAlarm, changes: Sequence[Change], end: int) -> Iterator[Notification]:
    """The actions of changes; Auto Scaling's are repeated each minute as long as the state lasts.

    Source: CloudWatch user guide, "Alarm actions".
    """
    ends = [*(change.at - _MINUTE for change in changes[1:]), end]
    for change, last in zip(changes, ends, strict=False):
        for action in alarm.actions(change.state):
            scales = isinstance(action, Action) and action.kind == "autoscaling"
            until = max(last, change.at) if scales else None
            yield Notification(change.at, alarm.name, change.state, action, until)


def _codes(plan: Plan, times: Times, tallies: states.Tally, missing: Missing) -> states.Codes:
    alarm = plan.alarm
    codes = states.verdicts(tallies, alarm.datapoints_to_alarm, alarm.evaluation_periods, missing)
    few = _too_few(plan, times)
    return codes if few is None else np.where(few, states.KEEP, codes).astype(np.int8)


def _breaching(
    alarm: MetricAlarm, values: Values, band: Callable[[], tuple[Values, Values]]
) -> states.Flags:
    """Which datapoints breach; none that is missing, because NaN is neither less nor greater.

    Args:
        band: lower and upper end of the anomaly band, of the values' shape.
    """
    with np.errstate(invalid="ignore"):
        if alarm.comparison in _BANDS:
            below, above = _BANDS[alarm.comparison]
            lower, upper = band()
            return (below & (values < lower)) | (above & (values > upper))
        if alarm.comparison not in states.COMPARISONS or alarm.threshold is None:
            raise NotSupportedError(
                f"{alarm.source}: the comparison '{alarm.comparison}' is not supported."
            )
        return states.COMPARISONS[alarm.comparison](values, alarm.threshold)


def _too_few(plan: Plan, times: Times) -> states.Flags | None:
    """Where a percentile has too few samples to be evaluated; None where that does not matter.

    Source: CloudWatch user guide, "Percentile-based alarms and low data samples".
    """
    alarm = plan.alarm
    query = alarm.queries[0]
    match = _PERCENTILE.fullmatch(query.statistic or "")
    if alarm.low_samples != "ignore" or not match:
        return None
    share = float(match[1]) / 100
    least = 10 / (1 - share) if share >= 0.5 else 10 / share if share else np.inf
    few: states.Flags = np.nan_to_num(plan.sample_counts(times)) < least
    return few
