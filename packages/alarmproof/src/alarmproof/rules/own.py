"""Whether something in the templates, or in the configuration, publishes a metric of one's own."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from alarmproof.base import metric_table
from alarmproof.base.alarms import AnyAlarm
from alarmproof.base.metric_data import MetricKey
from alarmproof.base.values import Unknown
from alarmproof.rules.context import Context, slip_key
from alarmproof.rules.dimensions import are_unknown, sets, shown
from alarmproof.rules.registry import ERROR, WARNING, Hit, rule

_Filtered = Mapping[tuple[str, str], frozenset[frozenset[str]]]


@rule(
    "metric-filter-differs",
    WARNING,
    finds="a metric that almost, but not quite, is that of a metric filter in the templates",
    why="It never has data, unless something else publishes it.",
    remedy="Use the filter's namespace, metric name and dimensions.",
)
def metric_filter_differs(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Names that differ in a few letters, and other dimensions than the filter has."""
    for metric in alarm.metrics:
        filtered = context.publishing.filtered_metrics
        if metric_table.published(metric) or isinstance(metric.name, Unknown):
            continue
        given = frozenset(name for name, _ in metric.dimensions)
        published = filtered.get((metric.namespace, metric.name))
        if published is not None:
            if given not in published and not are_unknown(metric):
                yield (
                    f"The metric filter publishes {metric.name} with the dimensions "
                    f"{sets(published)}, and here they are: {shown(given)}."
                )
            continue
        if context.publishing.covers(metric):
            continue
        for namespace, name in _meant(context, metric, filtered):
            yield (
                f"A metric filter publishes {namespace} {name}, "
                f"not {metric.namespace} {metric.name}."
            )


@rule(
    "refused-filter",
    ERROR,
    finds="a metric of a metric filter that CloudWatch Logs refuses",
    why="CloudFormation can't create the filter.",
    remedy="Leave the default value out, or the dimensions; take dimensions from a pattern of JSON "
    "({ $.level = ERROR }) or of fields ([time, level = ERROR]).",
)
def refused_filter(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Reported: https://github.com/aws/aws-cdk/pull/21654."""
    for metric in alarm.metrics:
        why = context.publishing.refused_filters.get((str(metric.namespace), str(metric.name)))
        if why:
            yield f"The metric filter of {metric.name} {why}."


def _meant(context: Context, metric: MetricKey, filtered: _Filtered) -> Iterator[tuple[str, str]]:
    """The filter's metric that was meant, if any."""
    here = [name for namespace, name in filtered if namespace == metric.namespace]
    near = difflib.get_close_matches(metric.name, here, n=1, cutoff=0.85)
    near = near or [name for name in here if _is_affixed(metric.name, name)]
    by_filter = context.publishing.metrics_of_filters.get(metric.name)
    if near:
        yield str(metric.namespace), near[0]
    elif by_filter:
        yield by_filter
    else:
        low = metric.name.lower()
        yield from [(space, name) for space, name in filtered if name.lower() == low][:1]


def _is_affixed(name: str, other: str) -> bool:
    """Whether one is the other with something before or behind it, set off by a sign."""
    long, short = sorted((name.lower(), other.lower()), key=len, reverse=True)
    before, _, behind = long.partition(short)
    return len(short) > 3 and long != before and (
        before[-1:] in ("", "-", "_", "/", ".") and behind[:1] in ("", "-", "_", "/", ".")
    )  # fmt: skip


@rule(
    "spelling-differs",
    WARNING,
    finds="a metric of your own that differs from the one of other alarms only in case, signs, or "
    "an s",
    why="One of the two never has data, if they are meant to be the same.",
    remedy="Write both alike, or declare both under [[metrics]] in alarmproof.toml.",
)
def spelling_differs(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """The spelling of most alarms counts as right, of equally many the first."""
    for metric in alarm.metrics:
        names = (metric.namespace, metric.name)
        spellings = context.spellings[slip_key(*names)]
        if len(spellings) < 2 or any(isinstance(name, Unknown) for name in names):
            continue
        if metric.namespace in context.own_metrics or context.publishing.covers(metric):
            continue
        usual, count = spellings.most_common(1)[0]
        if usual != names and not metric_table.names(metric.namespace):
            alarms = "another alarm reads" if count == 1 else f"{count} alarms read"
            yield f"It reads {' '.join(names)}; {alarms} {' '.join(usual)}."
