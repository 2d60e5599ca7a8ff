"""Alarms and series that several tests use."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from alarmproof import lint as linting
from alarmproof.base.alarms import CompositeAlarm, MetricAlarm, Query, Source
from alarmproof.base.definitions import Templates
from alarmproof.base.metric_data import MetricKey, Series
from alarmproof.cases import load
from alarmproof.runner import InMemory, Outcome, run

METRIC = MetricKey.of("N", "m", {"D": "d"})
SOURCE = Source("t.json", "Alarm")


def alarm(**changes: Any) -> MetricAlarm:
    """An alarm on METRIC: more than 5 in 2 of 3 minutes."""
    statistic = changes.pop("statistic", "Maximum")
    period = changes.pop("period", 60)
    defaults: dict[str, Any] = {
        "name": "a",
        "source": SOURCE,
        "queries": (Query("m1", METRIC, statistic, period),),
        "returned": "m1",
        "comparison": "GreaterThanThreshold",
        "threshold": 5.0,
        "period": period,
        "evaluation_periods": 3,
        "datapoints_to_alarm": 2,
        "alarm_actions": ("page",),
        "ok_actions": ("page",),
    }
    return MetricAlarm(**{**defaults, **changes})


def lint(templates: Templates, **options: Any) -> list[linting.Finding]:
    """All findings but the note that nothing publishes the metrics of the tests' namespaces."""
    return [
        finding for finding in linting.lint(templates, **options)
        if finding.rule != "metric-not-judged" or "Nothing in these" not in finding.message
    ]  # fmt: skip


def recorded(
    values: Any, statistic: str | None = None, *, start: int = 0, step: int = 60
) -> InMemory:
    """One series of METRIC; None is missing."""
    array = np.array([math.nan if value is None else value for value in values], dtype=float)
    return InMemory({METRIC: [Series(METRIC, statistic, start, step, array)]})


def composite(name: str, rule: str, **changes: Any) -> CompositeAlarm:
    """A composite alarm that notifies ``page``."""
    return CompositeAlarm(
        name=name, source=Source("t.json", name), rule=rule, alarm_actions=("page",),
        ok_actions=("page",), **changes,
    )  # fmt: skip


def run_case(folder: Path, templates: Templates, alarm: str, body: str) -> Outcome:
    """What becomes of a case of an alarm, given as the rest of its YAML."""
    file = folder / "a.yaml"
    file.write_text(f"cases:\n  - title: one\n    alarm: {alarm}\n{body}")
    [outcome] = run(load([file]), templates)
    return outcome
