"""What of an alarm on metrics can be evaluated, and why the rest can't."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alarmproof import clock, series
from alarmproof.base.alarms import MetricAlarm, Query
from alarmproof.base.errors import NotSupportedError
from alarmproof.base.expressions import NOT_COMPARED, Expression, kind_of
from alarmproof.base.metric_data import Series

_MINUTE = 60
# Source: CloudWatch API reference, PutMetricAlarm, Period.
_HIGH_RESOLUTION = (10, 20, 30)
# Source: CloudWatch API reference, PutMetricAlarm, Period: at most seven days in all; with periods
# below an hour, one day.
_LONGEST_RANGE, _DAY, _HOUR = 604_800, 86_400, 3_600


def require_series(alarm: MetricAlarm, expressions: Mapping[str, Expression]) -> None:
    """Refuses what CloudWatch refuses: an alarm on anything but one series."""
    returned = expressions.get(alarm.returned)
    kind = kind_of(returned.tree, {}) if returned else "series"
    if returned and kind in NOT_COMPARED:
        raise NotSupportedError(f"the expression '{returned.text}' {NOT_COMPARED[kind]}.")


def require_periods(alarm: MetricAlarm, used: set[str]) -> None:
    """Refuses periods that CloudWatch does not have or that differ."""
    period, n = alarm.period, alarm.evaluation_periods
    if period not in _HIGH_RESOLUTION and (period < _MINUTE or period % _MINUTE):
        raise NotSupportedError(
            f"a period of {period} s is not supported; it is 10, 20, 30 or full minutes."
        )
    if n < 1 or period * n > (_LONGEST_RANGE if period >= _HOUR else _DAY):
        raise NotSupportedError(
            f"{n} periods of {period} s are not supported; together they are seven days at most, "
            "with periods below an hour one day."
        )
    for query in alarm.queries:
        if query.id in used and query.period is not None and query.period != period:
            raise NotSupportedError(
                f"query '{query.id}' has another period ({query.period} s) than the alarm "
                f"({period} s). AWS requires the same period of all metrics in an alarm's math."
            )
    if alarm.wall_clock is not None and period not in clock.WALL_CLOCK_PERIODS:
        allowed = ", ".join(map(str, clock.WALL_CLOCK_PERIODS))
        raise NotSupportedError(
            f"a wall clock window of {period} s is not supported; AWS has {allowed} s."
        )


def require_statistics(alarm: MetricAlarm, metrics: Mapping[str, Sequence[Series]]) -> None:
    """Refuses what no values can be made of, also where nothing was recorded."""
    for query in alarm.queries:
        recorded = {single.statistic for single in metrics.get(query.id, ())}
        if query.id in metrics and query.statistic not in recorded:
            why = series.refusal(query.statistic or "")
            if why:
                raise NotSupportedError(f"{query.metric}: {why}")


def of_unit(query: Query, series: Sequence[Series]) -> list[Series]:
    """The series that a query reads: those of its unit; one without a unit has it.

    Raises:
        NotSupportedError: When there are several units and the alarm names none.
    """
    if query.unit is not None:
        return [single for single in series if single.unit in (None, query.unit)]
    units = sorted({single.unit for single in series if single.unit is not None})
    if len(units) > 1:
        raise NotSupportedError(
            f"{query.metric} is published in {' and '.join(units)}, and the alarm has no Unit; "
            "AWS calls what it does then undefined."
        )
    return list(series)
