"""Recordings and replays: three forms, one answer; what changed thresholds would have changed."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from alarmproof.base.alarms import MetricAlarm, Query, Source
from alarmproof.base.definitions import Templates
from alarmproof.base.errors import InputError
from alarmproof.base.metric_data import MetricKey, Series
from alarmproof.evaluate import evaluate
from alarmproof.recordings import FORMS, Recorded, load, save
from alarmproof.replay import Change, Replay, parse_change, replay
from alarmproof.report import report
from alarmproof.runner import InMemory
from factories import alarm, composite
from hypothesis import HealthCheck, given, settings

METRIC = MetricKey.of("N", "m", {"D": "d", "E": "e;f=g"[:1]})
START = 1_760_000_400
HOUR = 3600


def _series(values: list[float | None], statistic: str | None = "Maximum") -> Series:
    array = np.array([math.nan if value is None else value for value in values], dtype=float)
    return Series(METRIC, statistic, START, 60, array)


def _alarm(**changes: Any) -> MetricAlarm:
    return alarm(queries=(Query("m1", METRIC, "Maximum", 60),), **changes)


@settings(
    max_examples=settings().max_examples // 4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    values=st.lists(
        st.one_of(st.none(), st.floats(-1e6, 1e6, width=32)), min_size=1, max_size=60
    ).filter(lambda some: some[0] is not None and some[-1] is not None),
    form=st.sampled_from(FORMS),
)
def test_a_replay_of_a_file_is_that_of_the_series(
    tmp_path: Path, values: list[float | None], form: str
) -> None:
    """What is saved and loaded, in any form, makes the same history as what was in memory."""
    metric_alarm, series = _alarm(threshold=0.0), _series(values)
    save(tmp_path / f"r{form}", [series])
    recording = load(tmp_path / f"r{form}")
    assert (recording.start, recording.end) == (series.start, series.end)
    direct = evaluate(
        [metric_alarm], InMemory({METRIC: [series]}), start=series.start, end=series.end
    )
    [replayed] = replay(
        Templates((metric_alarm,)), recording, start=recording.start, end=recording.end
    ).before
    assert replayed.history == direct["a"]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("r.txt", "", "unknown format; the name has to end in .json, .csv, .parquet"),
        ("r.json", "{", "not JSON"),
        ("r.json", "{}", "not a list of series"),
        ("r.json", "[]", "no series in it"),
        ("r.json", '[{"namespace": "N", "values": [1]}]', "series 1 lacks 'metric'"),
        (
            "r.json",
            '[{"namespace": "N", "metric": "m", "values": [1], "start": "soon"}]',
            "series 1: start 'soon' is not a time; write 2026-05-01T08:00Z or Unix seconds.",
        ),
        (
            "r.json",
            '[{"namespace": "N", "metric": "m", "values": [1], "start": 1e300}]',
            "series 1: start '1e+300' is not a time",
        ),
        (
            "r.json",
            '[{"namespace": "N", "metric": "m", "values": [1], "timestamps": [-60]}]',
            "series 1: timestamp '-60' is not a time",
        ),
        (
            "r.json",
            '[{"namespace": "N", "metric": "m", "values": [1], "start": 0, "period": 1e30}]',
            "series 1: period 1e+30 is not 1, 5,",
        ),
        (
            "r.json",
            '[{"namespace": "N", "metric": "m", "values": [1, 2], "timestamps": [60]}]',
            "1 timestamps for 2 values",
        ),
        (
            "r.json",
            '[{"namespace": "N", "metric": "m", "values": [1, 2], "timestamps": [60, 60]}]',
            "comes twice",
        ),
        (
            "r.json",
            '[{"namespace": "N", "metric": "m", "values": [1], "timestamps": [61]}]',
            "is not on a boundary of 60 s",
        ),
        (
            "r.json",
            '[{"namespace": "N", "metric": "m", "values": [1], "start": 0, "period": 45}]',
            "period 45 is not 1, 5, 10, 20, 30",
        ),
        ("r.jsonl", '{"a": 1}\nnot JSON', "line 1 is not of a metric stream: it lacks 'namespace'"),
        ("r.ndjson", "not JSON", "line 1 is not JSON: Expecting value"),
        ("r.csv", "time,value\n", "r.csv:1: lacks the column namespace"),
        (
            "r.csv",
            "time,namespace,metric,dimensions,statistic,period,value\n60,N,m,,Sum,60,high\n",
            "r.csv:2: could not convert",
        ),
        (
            "r.csv",
            "time,namespace,metric,dimensions,statistic,period,value\n60,N,m,broken,Sum,60,1\n",
            "r.csv:2: 'broken' are not dimensions",
        ),
        (
            "r.csv",
            f"time,namespace,metric,dimensions,statistic,period,value\n{'9' * 400},N,m,,Sum,60,1\n",
            "r.csv:2: time '9999999999",
        ),
        ("r.parquet", "no parquet", "not a recording in Parquet"),
    ],
)
def test_what_is_no_recording(tmp_path: Path, name: str, content: str, expected: str) -> None:
    """Each mistake is one error with the file and the place in it."""
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError) as wrong:
        load(tmp_path / name)
    assert name in str(wrong.value)
    assert expected in str(wrong.value)


def test_cloudwatch_s_own_shape_is_read(tmp_path: Path) -> None:
    """Timestamps in any order, dimensions as CloudWatch lists them; gaps are missing."""
    entry = {
        "namespace": "N", "metric": "m", "dimensions": [{"Name": "D", "Value": "d"}],
        "statistic": "Sum", "timestamps": ["2026-01-01T00:03:00Z", "2026-01-01T00:01:00+00:00"],
        "values": [3, 1],
    }  # fmt: skip
    (tmp_path / "r.json").write_text(json.dumps([entry]))
    [recorded] = load(tmp_path / "r.json").series(MetricKey.of("N", "m", {"D": "d"}))
    assert list(recorded.values) == pytest.approx([1, math.nan, 3], nan_ok=True)


def _outages(*minutes: int) -> list[float | None]:
    """Two hours of fine minutes with five bad ones at each of these."""
    values: list[float | None] = [0.0] * 300
    for minute in minutes:
        values[minute : minute + 5] = [9.0] * 5
    return values


def _replayed(values: list[float | None], *changes: str, **alarms: Any) -> Replay:
    metric_alarm = _alarm(**alarms)
    both = composite("both", "ALARM(a)")
    recording = Recorded.of([_series(values)])
    return replay(
        Templates((metric_alarm, both)), recording, start=recording.start, end=recording.end,
        changes=[parse_change(text) for text in changes],
    )  # fmt: skip


def test_what_a_replay_counts() -> None:
    """Times fired, who was notified, time in ALARM, the longest, and three times within an hour."""
    replayed = _replayed(_outages(30, 50, 70, 200))
    single, both = replayed.before
    assert len(single.incidents) == len(both.incidents) == 4
    assert single.notified == both.notified == {"page": 4}
    assert single.seconds_in_alarm == 4 * 5 * 60
    assert (single.longest, single.flapping) == (300, 1)
    assert replayed.notified(replayed.before) == "page 8"
    assert replayed.a_week(8) == "-"


def test_rates_a_week_need_a_day() -> None:
    """Two days have them; less than a day has only counts."""
    replayed = _replayed([*_outages(30), *[0.0] * (2 * 1440 - len(_outages(30)))])
    assert (replayed.end - replayed.start) == 2 * 86_400
    assert replayed.notified(replayed.before) == "page 2 (7.0 a week)"
    assert replayed.notified(()) == "nobody"


def test_a_changed_threshold_is_shown_beside_the_old_one() -> None:
    """Before and after, of the alarm and of the composites above it."""
    replayed = _replayed(_outages(30, 50), "a.threshold=10")
    assert [len(alarm.incidents) for alarm in replayed.before] == [2, 2]
    assert [len(alarm.incidents) for alarm in replayed.after] == [0, 0]
    slower = _replayed(_outages(30), "a.datapoints_to_alarm=3", "a.evaluation_periods=3")
    assert slower.after[0].incidents[0][0] == slower.before[0].incidents[0][0] + 60
    assert parse_change("a.b.threshold=5") == Change("a.b", "threshold", 5.0)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("a.threshold", "is not a change; write ALARM.KEY=VALUE, where KEY is threshold, period"),
        ("a.color=red", "is not a change"),
        ("a.threshold=high", "'high' is not a finite number"),
        ("a.threshold=inf", "'inf' is not a finite number"),
        ("a.period=1.5", "'1.5' is not a whole number"),
        ("a.period=7", "'a.period=7': t.json Alarm: a period of 7 s is not supported"),
        ("a.period=30", "'a.period=30': t.json Alarm: N m {D=d, E=e}: recorded every 60 s"),
        (
            "a.evaluation_periods=1000000",
            "1000000 periods of 60 s are not supported; together they are seven days at most",
        ),
        ("a.missing=maybe", "'maybe' is not one of"),
        ("b.threshold=1", "'b' is not an alarm here"),
        ("both.threshold=1", "a composite alarm has no threshold; change a part"),
        ("a.datapoints_to_alarm=5", "5 of 3 datapoints are impossible; change both"),
    ],
)
def test_what_can_t_be_changed(change: str, expected: str) -> None:
    """A change of nothing, or to nothing that can be, is one error."""
    with pytest.raises(InputError) as wrong:
        _replayed(_outages(), change)
    assert expected in str(wrong.value)


def test_a_band_has_no_threshold_to_change() -> None:
    """A change that the comparison would ignore is refused."""
    with pytest.raises(InputError, match="it compares with an anomaly band"):
        _replayed(_outages(), "a.threshold=1", band="b")


@pytest.mark.parametrize(
    ("alarms", "years", "expected"),
    [
        (1, 56, "to 2081-09-25T09:00:00Z, and a replay at most 1,527 days"),
        (400, 1, "525,600 minutes of 400 alarms are more than 200,000,000 evaluations"),
    ],
)  # fmt: skip
def test_a_replay_is_bounded(alarms: int, years: int, expected: str) -> None:
    """Two values decades apart are one error, and not minutes of work."""
    many = tuple(_alarm(name=f"a{number}") for number in range(alarms))
    with pytest.raises(InputError) as wrong:
        replay(Templates(many), Recorded.of([]), start=START, end=START + years * 365 * 86_400)
    assert expected in str(wrong.value)


def test_what_can_t_be_replayed_is_listed() -> None:
    """An alarm that is not supported stops no other; a composite of it says which part lacks."""
    odd = alarm(name="odd", period=45)
    unseen = alarm(name="unseen", queries=(Query("m1", MetricKey("N", "gone"), "Sum", 60),))
    wrong = alarm(name="wrong", queries=(Query("m1", MetricKey("N", "gone"), "Tm99", 60),))
    above = composite("above", "ALARM(odd) OR ALARM(unseen)")
    series = _series(_outages(30))
    replayed = replay(
        Templates((_alarm(), odd, unseen, wrong, above)), Recorded.of([series]),
        start=series.start, end=series.end,
    )  # fmt: skip
    fine, refused, dead, unsupported, over = replayed.before
    assert (fine.refused, len(fine.incidents)) == ("", 1)
    assert "a period of 45 s is not supported" in refused.refused
    assert (dead.refused, dead.unseen) == ("", True)
    assert "the statistic Tm99 is not supported" in unsupported.refused
    assert over.refused == "t.json above: it depends on odd."
    page = report(replayed, Recorded.of([series]), title="t")
    for text in ("Not evaluated: 3", "Without any data: dead, or not recorded: 1", "1 of 5 alarms"):
        assert text in page


def test_the_report_stands_alone() -> None:
    """One page with its charts, nothing fetched; names are escaped, changes are in it."""
    series = _series(_outages(30))
    metric_alarm = _alarm(name="<b>a</b>", source=Source("t", "A"))
    recording = Recorded.of([series])
    replayed = replay(
        Templates((metric_alarm,)), recording, start=series.start, end=series.end,
        changes=[Change("A", "threshold", 7.0)],
    )  # fmt: skip
    page = report(replayed, recording, title="A & B")
    assert "<title>A &amp; B</title>" in page
    assert "&lt;b&gt;a&lt;/b&gt;" in page
    assert "<b>a</b>" not in page
    assert "A.threshold=7.0" in page
    assert not re.search(r"<(script|link|img)", page)
    # On a phone each figure of the table has its heading beside it.
    headings = re.findall(r"<th>(.*?)</th>", page)
    assert re.findall(r"td:nth-child\(\d\)::before { content: \"(.*?)\"", page) == headings[1:]
    for words in (
        "Maximum of N m {D=d, E=e}, every 60 s",
        "threshold after the changes",
        "All alarms",
    ):
        assert words in page


def test_the_report_of_many_alarms_is_small() -> None:
    """Below a megabyte, whatever fires; links of descriptions are links."""
    series = _series([9.0, 1.0] * 40)
    many = tuple(
        _alarm(name=f"alarm {number}", source=Source("t", f"A{number}"), datapoints_to_alarm=1,
               evaluation_periods=1, description="Runbook: https://example.com/a?b=1&c=2.")
        for number in range(101)
    )  # fmt: skip
    recording = Recorded.of([series])
    result = replay(Templates(many), recording, start=series.start, end=series.end)
    page = report(result, recording, title="many")
    assert len(page.encode()) < 1_000_000
    assert page.count("<figure>") == 100
    assert "Drawn are the 100 alarms" in page
    assert '<a href="https://example.com/a?b=1&amp;c=2" rel="noreferrer">' in page


def test_without_time_there_is_no_replay() -> None:
    """An empty stretch is an error, not a quiet success."""
    with pytest.raises(InputError, match="The recording's end is not after"):
        replay(Templates(()), Recorded.of([]), start=0, end=0)


ANSWER = {
    "MetricDataQueries": [
        {"Id": "m", "AccountId": "111122223333", "MetricStat": {
            "Metric": {"Namespace": "N", "MetricName": "M",
                       "Dimensions": [{"Name": "D", "Value": "d"}]},
            "Period": 300, "Stat": "Sum", "Unit": "Count"}},
        {"Id": "e", "Expression": "m * 2"},
    ],
    "MetricDataResults": [
        {"Id": "m", "Label": "M", "Timestamps": ["2026-05-01T00:10:00+00:00",
                                                 "2026-05-01T00:00:00+00:00"], "Values": [3, 1]},
        {"Id": "e", "Label": "e", "Timestamps": [], "Values": []},
    ],
}  # fmt: skip


def test_answers_of_get_metric_data_are_read(tmp_path: Path) -> None:
    """With the request beside them, in any order of time, page after page; math is left out."""
    file = tmp_path / "answer.json"
    page = {"MetricDataResults": [{"Id": "m", "Timestamps": [1777593900], "Values": [7]}]}
    file.write_text(json.dumps([ANSWER, page]))
    [series] = list(load(file).every())
    assert str(series.metric) == "N M {D=d} of account 111122223333"
    assert (series.statistic, series.step, series.unit) == ("Sum", 300, "Count")
    assert list(series.values) == [1, 7, 3]
    file.write_text(json.dumps({"MetricDataResults": ANSWER["MetricDataResults"]}))
    with pytest.raises(InputError, match="nothing says which metric 'm' stands for"):
        load(file)


def test_metric_streams_are_read(tmp_path: Path) -> None:
    """A line a minute and metric becomes four series; a line of something else is an error."""
    file = tmp_path / "stream.jsonl"
    line = {"metric_stream_name": "s", "namespace": "AWS/SQS", "metric_name": "Sent",
            "dimensions": {"QueueName": "q"}, "unit": "Count", "timestamp": 1777593600000,
            "value": {"max": 3.0, "min": 1.0, "sum": 9.0, "count": 4.0, "p99": 2.9}}  # fmt: skip
    later = {**line, "timestamp": 1777593600000 + 120_000}
    file.write_text(f"{json.dumps(line)}\n\n{json.dumps(later)}\n")
    by_statistic = {recorded.statistic: recorded for recorded in load(file).every()}
    assert set(by_statistic) == {"Maximum", "Minimum", "Sum", "SampleCount", "p99"}
    assert [value for value in by_statistic["Sum"].values if value == value] == [9, 9]
    assert len(by_statistic["Sum"].values) == 3
    file.write_text(f"{json.dumps(line)}\n{{}}\n")
    with pytest.raises(InputError, match="line 2 is not of a metric stream"):
        load(file)
