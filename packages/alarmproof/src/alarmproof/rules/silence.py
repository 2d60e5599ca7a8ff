"""What an alarm makes of periods without data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from alarmproof.base.alarms import AnyAlarm, MetricAlarm, Missing, Query
from alarmproof.base.expressions import Node, tree_of, walk
from alarmproof.base.metric_data import MetricKey
from alarmproof.base.metric_table import Silence, published
from alarmproof.rules.context import Context, fires_above, metric_queries, single_metric
from alarmproof.rules.registry import ERROR, WARNING, Hit, rule

DYNAMODB = "AWS/DynamoDB"
_PAUSES = (Silence.TRAFFIC, Silence.EVENT)
_GAPS = (*_PAUSES, Silence.UNKNOWN)
# What has no value where none of its arguments has: of each series, and of a list of them.
_OF_EACH = frozenset(("ABS", "CEIL", "FLOOR", "LOG", "LOG10"))
_OF_SEVERAL = frozenset(("AVG", "MAX", "MIN", "SUM"))
_ARITHMETIC = frozenset("+-*/^")
# Ends a walk through queries that name each other.
_DEEPEST = 20


def _single(alarm: AnyAlarm) -> tuple[MetricAlarm, Query, MetricKey] | None:
    """An alarm that compares one metric as it is with a number."""
    single = single_metric(alarm)
    return None if single is None or single[0].band else single


def _with_gaps(
    context: Context, alarm: AnyAlarm, kinds: tuple[Silence, ...]
) -> tuple[MetricAlarm, str] | None:
    """An alarm that treats missing data as missing, and what it compares that has gaps.

    Args:
        kinds: of silence, in a single metric. All terms of an expression have to pause, since what
            is missing beside what is there counts as 0.
    """
    if not isinstance(alarm, MetricAlarm) or alarm.band or alarm.missing is not Missing.MISSING:
        return None
    single = _single(alarm)
    if single is not None:
        metric = single[2]
        return (alarm, str(metric.name)) if _has_gaps(context, metric, kinds) else None
    queries = {query.id: query for query in alarm.queries}
    returned = queries.get(alarm.returned)
    if returned is None or not _Pauses(context, queries).of_query(returned, 0):
        return None
    return alarm, f"'{returned.expression or returned.id}'"


def _has_gaps(context: Context, metric: MetricKey, kinds: tuple[Silence, ...]) -> bool:
    """Whether periods without data are usual; DynamoDB's metrics have a rule of their own."""
    return context.publishing.silence_of(metric) in kinds and metric.namespace != DYNAMODB


@dataclass(frozen=True, slots=True)
class _Pauses:
    """Which queries have no data while nothing happens; each is judged once.

    Source: CloudWatch user guide, "Using math expressions with CloudWatch metrics": between two
    metrics, a missing value counts as 0 unless both are missing.
    """

    context: Context
    queries: Mapping[str, Query]
    _known: dict[str, bool] = field(default_factory=dict)

    def of_query(self, query: Query, depth: int) -> bool:
        """Args: depth: how many queries lead to this one."""
        if query.id not in self._known:
            self._known[query.id] = False
            if query.metric:
                self._known[query.id] = _has_gaps(self.context, query.metric, _PAUSES)
            elif depth < _DEEPEST:
                tree = tree_of(query.expression)
                self._known[query.id] = tree is not None and self._of_node(tree, depth)
        return self._known[query.id]

    def _of_node(self, node: Node, depth: int) -> bool:
        if node.kind == "name":
            query = self.queries.get(node.value)
            return query is not None and self.of_query(query, depth + 1)
        if not _keeps_gaps(node):
            return False
        series = [part for part in node.parts if any(inner.kind == "name" for inner in walk(part))]
        return bool(series) and all(self._of_node(part, depth) for part in series)


def _keeps_gaps(node: Node) -> bool:
    """Whether a part of an expression has no value where none of its series has one."""
    if node.kind == "call":
        of_list = bool(node.parts) and node.parts[0].kind == "list"
        return node.value in _OF_EACH or (node.value in _OF_SEVERAL and of_list)
    return node.kind == "list" or (node.kind == "operation" and node.value in _ARITHMETIC)


@rule(
    "ends-in-insufficient-data",
    WARNING,
    finds="a metric or an expression without data while nothing happens, with "
    "`TreatMissingData: missing`",
    why="After a breach and silence the alarm goes to INSUFFICIENT_DATA instead of OK.",
    remedy="Set TreatMissingData to notBreaching.",
)
def ends_in_insufficient_data(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Only metrics of which it is known that they pause."""
    gappy = _with_gaps(context, alarm, _PAUSES)
    if gappy and fires_above(gappy[0]):
        yield (
            f"{gappy[1]} has no data while nothing happens, so the alarm leaves ALARM for "
            "INSUFFICIENT_DATA."
        )


@rule(
    "gap-completes-breach",
    WARNING,
    finds="several datapoints required of a metric or an expression with gaps, with "
    "`TreatMissingData: missing`",
    why="One breaching datapoint among gaps is enough: CloudWatch looks only at the data it has.",
    remedy="Set TreatMissingData to notBreaching, or use FILL(metric, 0).",
)
def gap_completes_breach(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Source: CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data"."""
    gappy = _with_gaps(context, alarm, _GAPS)
    if gappy and gappy[0].datapoints_to_alarm > 1:
        yield (
            f"It asks for {gappy[0].datapoints_to_alarm} datapoints, but a single breach followed "
            f"by periods without data sets it off as well ({gappy[1]} can have gaps)."
        )


@rule(
    "ok-after-gap",
    WARNING,
    finds="OK actions on a metric or an expression with gaps, with `TreatMissingData: missing`",
    why="After every gap, and after it is created, the alarm goes from INSUFFICIENT_DATA to OK and "
    "notifies.",
    remedy="Set TreatMissingData to notBreaching or ignore; for the time after it is created, set "
    "WarmUpConfiguration.",
)
def ok_after_gap(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Whoever is notified of OK was notified of no ALARM before."""
    gappy = _with_gaps(context, alarm, _GAPS)
    if gappy and gappy[0].ok_actions and gappy[0].actions_enabled:
        yield f"It notifies of OK after every gap in {gappy[1]}, without an ALARM before."


@rule(
    "silence-not-low",
    ERROR,
    finds="a lower limit that silence never crosses",
    why="When everything stops there is no data, and the alarm does not fire.",
    remedy="Set TreatMissingData to breaching, or compare FILL(metric, 0).",
)
def silence_not_low(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """An error where only zero would breach, and zero is never published; else a warning."""
    single = _single(alarm)
    if single is None or not single[0].comparison.startswith("LessThan"):
        return
    alarm, query, metric = single
    counts = query.statistic in ("Sum", "SampleCount")
    if (
        context.publishing.silence_of(metric) not in _PAUSES
        or not counts
        or alarm.threshold is None
    ):
        return
    seen = alarm.missing is Missing.BREACHING or (
        alarm.missing is Missing.MISSING and alarm.insufficient_data_actions
    )
    if seen:
        return
    counted = published(metric)
    least = counted.least if counted else 0
    inclusive = alarm.comparison == "LessThanOrEqualToThreshold"
    never = least > alarm.threshold if inclusive else least >= alarm.threshold > 0
    if never:
        yield (
            f"{metric.name} is never published as 0: with nothing to count there is no data, which "
            f"is treated as {alarm.missing.value}, so the alarm never fires."
        )
    else:
        yield Hit(
            f"With nothing to count {metric.name} has no data, which is treated as "
            f"{alarm.missing.value}: a complete stop does not set the alarm off.",
            WARNING,
        )


@rule(
    "fires-while-well",
    WARNING,
    finds="a lower limit on a metric that counts failures",
    why="It is in ALARM while all is well.",
    remedy="Turn the comparison around.",
)
def fires_while_well(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Silence counts as well where missing data is breaching."""
    single = _single(alarm)
    if single is None or not single[0].comparison.startswith("LessThan"):
        return
    alarm, _, metric = single
    entry = published(metric)
    if entry is None or not entry.failure or alarm.threshold is None:
        return
    inclusive = alarm.comparison == "LessThanOrEqualToThreshold"
    zero_breaches = alarm.threshold >= 0 if inclusive else alarm.threshold > 0
    if zero_breaches:
        yield f"{metric.name} counts failures, and having none of them breaches."


@rule(
    "dynamodb-missing",
    WARNING,
    finds="an alarm on a DynamoDB metric that relies on how missing data is treated",
    why="Two pages of AWS contradict each other, and only one can be right.",
    remedy="Don't rely on it: compare FILL(metric, 0), or a metric that is always there.",
)
def dynamodb_missing(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Source: the two pages that the message names."""
    single = _single(alarm)
    if single is None:
        return
    alarm, _, metric = single
    event = metric.namespace == DYNAMODB and context.publishing.silence_of(metric) is Silence.EVENT
    if event and fires_above(alarm):
        yield (
            f"{metric.name} has no data while nothing happens. The API reference "
            "(PutMetricAlarm, TreatMissingData) says that alarms on AWS/DynamoDB always ignore "
            "missing data, so that the alarm would stay in ALARM; the user guide (Configuring how "
            "CloudWatch alarms treat missing data) advises notBreaching for ThrottledRequests."
        )


@rule(
    "daily-metric",
    ERROR,
    finds="a metric that is published once or twice a day, with a shorter period",
    why="Almost every period is without data.",
    remedy="Set the period to that of the metric.",
)
def daily_metric(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """In expressions as well."""
    for query, metric in metric_queries(alarm):
        entry = published(metric)
        if entry and entry.every and (query.period or 0) < entry.every:
            ignored = isinstance(alarm, MetricAlarm) and alarm.missing is Missing.IGNORE
            yield Hit(
                f"{metric.name} is published every {entry.every} s, and the period is "
                f"{query.period} s.",
                WARNING if ignored else None,
                f"Set the period to {entry.every}.",
            )
