"""Fetching recorded metrics: pages, limits, resolutions."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alarmproof.base.alarms import MetricAlarm, Query, Source
from alarmproof.base.metric_data import MetricKey

from settings.errors import InputError
from settings.loader import load
from webhook_buffer.operations import history
from webhook_buffer.operations.environment import Environment


class _CloudWatch:
    """GetMetricData as its reference has it: pages of at most so many datapoints, by NextToken."""

    def __init__(self, page: int) -> None:
        self.page, self.calls = page, 0

    def get_metric_data(self, **asked: Any) -> dict[str, Any]:
        self.calls += 1
        queries = asked["MetricDataQueries"]
        start, end = asked["StartTime"].timestamp(), asked["EndTime"].timestamp()
        period = queries[0]["MetricStat"]["Period"]
        assert len(queries) <= 500
        assert len(queries) * (end - start) / period <= 100_800
        first = int(asked.get("NextToken", "0"))
        times = np.arange(start, end, period)[first : first + self.page]
        results = [
            {
                "Id": query["Id"],
                "Timestamps": [datetime.fromtimestamp(at, UTC) for at in times],
                "Values": [at / 60 % 7 for at in times],
            }
            for query in queries
            if query["MetricStat"]["Metric"]["MetricName"] != "never"
        ]
        more = first + self.page < (end - start) / period
        return {
            "MetricDataResults": results,
            **({"NextToken": str(first + self.page)} if more else {}),
        }


def _target(tmp_path: Path, cloudwatch: _CloudWatch) -> Environment:
    target = Environment(settings=load("dev"), folder=tmp_path, outputs_file=tmp_path / "o.json")
    target.__dict__["cloudwatch"] = cloudwatch
    return target


def _alarm(name: str, statistic: str = "Maximum") -> MetricAlarm:
    return MetricAlarm(
        name=name, source=Source("t.json", name),
        queries=(Query("m", MetricKey("N", name), statistic, 60),), returned="m",
        comparison="GreaterThanThreshold", threshold=5.0, period=60, evaluation_periods=1,
        datapoints_to_alarm=1,
    )  # fmt: skip


def test_pages_are_put_together(tmp_path: Path) -> None:
    """All values arrive, whatever the pages; what was never published has no series."""
    cloudwatch = _CloudWatch(page=100)
    end = round(time.time()) // 60 * 60
    start = end - 3 * 3600
    series = history.fetch(
        _target(tmp_path, cloudwatch), [_alarm("a"), _alarm("never")], start=start, end=end
    )
    [recorded] = series
    assert (recorded.metric.name, recorded.start, recorded.step, len(recorded.values)) == (
        "a",
        start,
        60,
        180,
    )
    assert list(recorded.values) == [at / 60 % 7 for at in range(start, end, 60)]
    assert cloudwatch.calls == 2


def test_limits_of_a_call_are_kept(tmp_path: Path) -> None:
    """Many metrics over two weeks take several calls, none beyond the limits."""
    cloudwatch = _CloudWatch(page=50_000)
    end = round(time.time()) // 60 * 60
    some = [_alarm(f"m{number}") for number in range(12)]
    series = history.fetch(_target(tmp_path, cloudwatch), some, start=end - 14 * 86_400, end=end)
    assert len(series) == 12
    assert not any(np.isnan(recorded.values).any() for recorded in series)


def test_old_data_is_coarser() -> None:
    """Minutes for 15 days, five minutes for 63, hours for 455, then nothing."""
    day = 86_400
    assert [history.resolution(days * day) for days in (15, 16, 63, 64, 455)] == [
        60, 300, 300, 3600, 3600,
    ]  # fmt: skip
    with pytest.raises(InputError, match="keeps metrics for 455 days"):
        history.resolution(456 * day)


def test_shares_come_with_their_counts() -> None:
    """Averages and shares of longer periods are weighed by how many values they are of."""
    wanted = history.wanted([_alarm("a", "PR(:5)"), _alarm("b", "Sum"), _alarm("b", "Sum")])
    assert [(metric.name, statistic) for metric, statistic in wanted] == [
        ("a", "PR(:5)"), ("a", "SampleCount"), ("b", "Sum"),
    ]  # fmt: skip
