"""Prints which share of the metrics that alarms refer to is judged: known, or known to be wrong.

``python tools/judged_share.py [--config FILE] PATH…`` reads templates and folders as ``alarmproof
lint`` does. A metric of one's own is judged where something in the templates publishes it, or where
an ``alarmproof.toml`` declares its namespace.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from alarmproof.base import metric_table
from alarmproof.base.errors import AlarmproofError
from alarmproof.base.metric_data import MetricKey
from alarmproof.base.own_metrics import OwnMetrics
from alarmproof.base.values import Unknown
from alarmproof.config import load
from alarmproof.lint import lint
from alarmproof.rules.context import Context
from alarmproof.template import read_usable

_WRONG = (
    "metric-filter-differs", "other-api-kind", "spelling-differs", "unknown-dimension",
    "unknown-metric", "unknown-namespace", "wrong-value",
)  # fmt: skip


def answers(path: Path, own: Sequence[OwnMetrics]) -> Iterator[tuple[str, MetricKey]]:
    """An answer for each reference: known, wrong, not known, own, or open (a parameter's)."""
    templates = read_usable([path]).templates
    wrong = {
        finding.alarm
        for finding in lint(templates, own_metrics=own)
        if finding.rule in _WRONG and finding.severity != "note"
    }
    publishing = Context(templates, declared=own).publishing
    for alarm in templates.alarms:
        for metric in alarm.metrics:
            if alarm.name in wrong:
                yield "wrong", metric
            elif metric_table.published(metric) or publishing.covers(metric):
                yield "known", metric
            elif isinstance(metric.name, Unknown) or isinstance(metric.namespace, Unknown):
                yield "open", metric
            else:
                yield "not known" if metric.namespace.startswith("AWS/") else "own", metric


def summary(what: str, counts: Counter[str]) -> str:
    """How many of which answer, and the shares."""
    judged = counts["known"] + counts["wrong"]
    of_services = judged + counts["not known"]
    return (
        f"{counts.total()} {what}: {counts['known']} known, {counts['wrong']} wrong, "
        f"{counts['not known']} of AWS's services not known, {counts['own']} of one's own not "
        f"known, {counts['open']} that a parameter decides. Judged: "
        f"{judged / max(of_services, 1):.0%} of AWS's, "
        f"{judged / max(counts.total(), 1):.0%} of all."
    )


def main(*paths: str) -> None:
    """Prints a line for each metric of a service that is not known, and the shares.

    The second line counts a metric with the same answer once, however many alarms read it.
    """
    own: Sequence[OwnMetrics] = ()
    if paths[:1] == ("--config",):
        own, paths = load(Path(paths[1])).own_metrics, paths[2:]
    counts: Counter[str] = Counter()
    metrics: set[tuple[str, str, str]] = set()
    for path in paths:
        try:
            for answer, metric in answers(Path(path), own):
                counts[answer] += 1
                metrics.add((answer, metric.namespace, metric.name))
        except AlarmproofError as error:
            print(f"left out: {error}")
    for answer, namespace, name in sorted(metrics):
        if answer == "not known":
            print(f"not known: {namespace} {name}")
    print(summary("references", counts))
    print(summary("different metrics", Counter(answer for answer, _, _ in metrics)))


if __name__ == "__main__":
    main(*sys.argv[1:])
