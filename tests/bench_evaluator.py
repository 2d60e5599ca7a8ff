"""How fast alarms are evaluated, how much memory that takes, and beside promtool; ``make bench``.

All series are random, one sample a minute; the alarms are of the kinds that ours are.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from alarmproof.base.alarms import MetricAlarm, Missing, Query, Source
from alarmproof.base.metric_data import MetricKey, Series
from alarmproof.evaluate import evaluate

ALARMS, DAY = 40, 1440
_KINDS = (
    # period, M, N, threshold, expression
    (60, 3, 3, 11.0, None),
    (60, 2, 10, 11.0, "IF(q >= 2, FILL(m, REPEAT), 0)"),
    (60, 3, 5, 350.0, "IF(q >= 3, 100 * m / q, 0)"),
    (300, 1, 1, 40.0, None),
    (3600, 1, 1, 260.0, None),
)


class _Random:
    """Series made when they are asked for, as a file would be read."""

    def __init__(self, minutes: int) -> None:
        self._minutes = minutes

    def series(self, metric: MetricKey) -> Sequence[Series]:
        random = np.random.default_rng(int(metric.name[1:]))
        values = random.gamma(2.0, 2.0, self._minutes)
        if metric.name[0] == "m":
            values[random.random(self._minutes) < 0.3] = np.nan
        return [Series(metric, name, 0, 60, values) for name in ("Sum", "Maximum")]


def alarms() -> list[MetricAlarm]:
    """Forty alarms of the kinds that ours are, which go on now and then."""
    generated = []
    for number in range(ALARMS):
        period, m, n, threshold, expression = _KINDS[number % len(_KINDS)]
        main = Query("m", MetricKey("B", f"m{number}"), "Sum", period)
        queries: tuple[Query, ...] = (main,)
        if expression:
            other = Query("q", MetricKey("B", f"q{number}"), "Maximum", period)
            queries = (Query("r", expression=expression), main, other)
        generated.append(
            MetricAlarm(
                name=f"a{number}",
                source=Source("bench", str(number)),
                queries=queries,
                returned=queries[0].id,
                comparison="GreaterThanThreshold",
                threshold=threshold,
                period=period,
                evaluation_periods=n,
                datapoints_to_alarm=m,
                missing=list(Missing)[number % 4],
                alarm_actions=("page",),
            )
        )
    return generated


def seconds(days: int) -> float:
    """What the evaluation of all alarms over some days takes."""
    started = time.perf_counter()
    evaluate(alarms(), _Random(days * DAY), start=0, end=days * DAY * 60)
    return time.perf_counter() - started


def _promtool(days: int) -> float | None:
    """What promtool takes for as many rules over as many samples; None where it is not."""
    promtool = shutil.which("promtool")
    if not promtool:
        return None
    minutes = days * DAY
    rules, series = [], []
    for number in range(ALARMS):
        random = np.random.default_rng(number)
        values = " ".join(f"{value:.2f}" for value in random.gamma(2.0, 2.0, minutes))
        series.append(f"      - series: 'm{number}'\n        values: '{values}'")
        window = (3, 5, 60)[number % 3]
        rules.append(
            f"      - alert: A{number}\n        expr: avg_over_time(m{number}[{window}m]) > 6\n"
            "        for: 2m"
        )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "rules.yml").write_text(
            "groups:\n  - name: g\n    interval: 1m\n    rules:\n" + "\n".join(rules) + "\n"
        )
        Path(folder, "test.yml").write_text(
            "rule_files: [rules.yml]\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n"
            "    input_series:\n" + "\n".join(series) + "\n    promql_expr_test:\n"
            f"      - expr: vector(1)\n        eval_time: {minutes - 1}m\n"
            "        exp_samples: [{labels: '{}', value: 1}]\n"
        )
        started = time.perf_counter()
        subprocess.run(
            [promtool, "test", "rules", "test.yml"], cwd=folder, check=True, capture_output=True
        )
        return time.perf_counter() - started


def main() -> None:
    """Prints times, their ratios, and the peak memory of a year."""
    if sys.argv[1:] == ["year"]:
        seconds(365)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
        return
    seconds(1)
    month, two = seconds(30), seconds(60)
    print(f"evaluate {ALARMS} alarms x 30 days of minutes: {month:.2f} s")
    print(f"60 days / 30 days: {two / month:.2f}")
    year = subprocess.run(
        [sys.executable, "-m", "tests.bench_evaluator", "year"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    print(f"peak memory of {ALARMS} alarms x a year: {year.stdout.strip()} MB")
    theirs = _promtool(3)
    if theirs is None:
        print("promtool is not installed (Debian package prometheus): not compared")
        return
    ours = min(seconds(3) for _ in range(3))
    print(
        f"{ALARMS} rules x 3 days: ours {ours:.2f} s, promtool {theirs:.2f} s, "
        f"ratio {ours / theirs:.2f}"
    )


if __name__ == "__main__":
    main()
