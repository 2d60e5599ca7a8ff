"""Cases with a start, with expected values, with several intervals; and choosing among them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alarmproof import ascii_chart, runner
from alarmproof.base.definitions import Templates
from alarmproof.base.errors import InputError
from alarmproof.cases import load
from alarmproof.template import parse
from factories import run_case


def _stat(name: str, account: str = "") -> dict[str, Any]:
    metric = {"Namespace": "Shop", "MetricName": name}
    made = {"Id": name, "ReturnData": False,
            "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}  # fmt: skip
    return {**made, "AccountId": account} if account else made


BASE: dict[str, Any] = {
    "AlarmActions": ["x:page"], "EvaluationPeriods": 1, "Threshold": 5,
    "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching",
}  # fmt: skip
RESOURCES: dict[str, Any] = {
    "Ratio": {**BASE, "Metrics": [{"Id": "r", "Expression": "100 * e / n"}, _stat("e"),
                                  _stat("n")]},
    "Night": {**BASE, "Metrics": [{"Id": "r", "Expression": "IF(HOUR(e) >= 22, e, 0)"},
                                  _stat("e")]},
    "Quick": {**BASE, "Namespace": "Shop", "MetricName": "q", "Statistic": "Sum", "Period": 10},
    "Two": {**BASE, "Metrics": [{"Id": "s", "Expression": "a + b"}, _stat("a", "111"),
                                {**_stat("a", "222"), "Id": "b"}]},
    "Days": {**BASE, "Namespace": "Shop", "MetricName": "d", "Statistic": "Sum", "Period": 3600,
             "EvaluationWindow": {"WallClockWindow": {"Timezone": "+00:30"}}},
    "Never": {**BASE, "Namespace": "Shop", "MetricName": "d", "Statistic": "Sum", "Period": 60,
              "DatapointsToAlarm": 2},
}  # fmt: skip


@pytest.fixture(scope="module")
def shop() -> Templates:
    """Alarms of several kinds."""
    return parse({"Resources": {
        name: {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}
        for name, properties in RESOURCES.items()
    }}, "shop.json")  # fmt: skip


RATIO = '    series: [{metric: e, values: "2 _x3 3"}, {metric: n, values: "40x4"}]\n    expect:\n'


def test_values_of_expressions_are_expected(tmp_path: Path, shop: Templates) -> None:
    """What is compared, and each query's own value, with or without a state beside it."""
    body = RATIO + (
        "      - {at: 1m, value: 5, state: OK}\n"
        "      - {at: 2m, values: {e: _, n: 40}}\n"
        "      - {at: 5m, value: 7.5, values: {r: 7.5}, notifies: page}\n"
    )
    outcome = run_case(tmp_path, shop, "Ratio", body)
    assert outcome.failures == ()


@pytest.mark.parametrize(
    ("expect", "expected"),
    [
        ("value: 6", "at 1m Ratio should have the compared value at 6, but has 5"),
        ("values: {e: _}", "should have e at missing, but has 2"),
        ("values: {n: 41}", "should have n at 41, but has 40"),
    ],
)
def test_another_value_is_a_failure(
    tmp_path: Path, shop: Templates, expect: str, expected: str
) -> None:
    """With what it is."""
    outcome = run_case(tmp_path, shop, "Ratio", f"{RATIO}      - {{at: 1m, {expect}}}\n")
    assert expected in str(outcome.failures[0])
    assert "Ratio" in ascii_chart.failed(outcome)


@pytest.mark.parametrize(
    ("expect", "expected"),
    [
        ("{at: 1m}", "an expectation lacks 'state' (or 'value', or 'values')"),
        ("{at: 1m, value: high}", "'high' is not a number; write one, or _ for missing"),
        ("{at: 1m, value: nan}", "'nan' is not a number"),
        ("{at: 1m, values: {x: 1}}", "'Ratio' has no query 'x'; it has r, e, n"),
        ("{at: 15s, value: 1}", "'15s' is not a duration"),
    ],
)
def test_mistakes_of_expected_values(
    tmp_path: Path, shop: Templates, expect: str, expected: str
) -> None:
    """Each is named with its line."""
    with pytest.raises(InputError) as wrong:
        run_case(tmp_path, shop, "Ratio", f"{RATIO}      - {expect}\n")
    assert "a.yaml:6: " in str(wrong.value)
    assert expected in str(wrong.value)


@pytest.mark.parametrize(("start", "state"), [("2026-05-01T21:30Z", "OK"), ("22:00", "ALARM")])
def test_a_case_has_a_start(tmp_path: Path, shop: Templates, start: str, state: str) -> None:
    """Times of expectations stay relative to it, and so does the drawing."""
    begins = start if "T" in start else f"2026-05-01T{start}"
    body = (
        f'    start: "{begins}"\n    initial: OK\n    series: [{{metric: e, values: "9x29"}}]\n'
        f"    expect: [{{at: 10m, state: {state}}}, {{at: 30m, state: {state}}}]\n"
    )
    outcome = run_case(tmp_path, shop, "Night", body)
    assert outcome.passed
    assert outcome.histories["Night"].end == 1800
    assert "30m" in ascii_chart.failed(outcome) or "20m" in ascii_chart.failed(outcome)


def test_a_start_that_is_none_is_a_mistake(tmp_path: Path, shop: Templates) -> None:
    """With its line."""
    with pytest.raises(InputError, match=r"a\.yaml:4: 'noon' is not a time"):
        run_case(tmp_path, shop, "Night", "    start: noon\n" + RATIO)


def test_intervals_below_a_minute_and_several_of_them(tmp_path: Path, shop: Templates) -> None:
    """Each series may have its own; times may be of ten seconds."""
    body = (
        '    interval: 10s\n    initial: OK\n    series: [{metric: q, values: "0x5 9 0x5"}]\n'
        "    expect: [{at: 1m, state: OK}, {at: 1m10s, state: ALARM, notifies: page},"
        " {at: 80s, state: OK}]\n"
    )
    assert run_case(tmp_path, shop, "Quick", body).failures == ()
    both = (
        '    series: [{metric: e, interval: 30s, values: "1x9"}, {metric: n, values: "10x4"}]\n'
        "    expect: [{at: 5m, value: 20, state: ALARM}]\n"
    )
    assert run_case(tmp_path, shop, "Ratio", both).failures == ()


def test_series_of_accounts(tmp_path: Path, shop: Templates) -> None:
    """Named, or the first one's, which is said; the other has no data."""
    named = (
        '    series: [{metric: a, account: "222", values: "4x3"},'
        ' {metric: a, account: "111", values: "3x3"}]\n'
        "    expect: [{at: 3m, value: 7, values: {a: 3, b: 4}}]\n"
    )
    outcome = run_case(tmp_path, shop, "Two", named)
    assert (outcome.failures, outcome.notes) == ((), ())
    bare = (
        '    series: [{metric: a, values: "4x3"}]\n    expect: [{at: 3m, values: {a: 4, b: _}}]\n'
    )
    outcome = run_case(tmp_path, shop, "Two", bare)
    assert outcome.failures == ()
    assert "is taken for that of account 111; 222 has no data" in outcome.notes[0]


def test_without_a_start_a_wall_clock_begins_a_minute_past_midnight(
    tmp_path: Path, shop: Templates
) -> None:
    """So the sample number N is that of minute N, and hours of +00:30 end at sample 30."""
    body = '    series: [{metric: d, values: "_x28 3 3 _x60"}]\n    expect: [{at: 90m, value: 3}]\n'
    assert run_case(tmp_path, shop, "Days", body).failures == ()


def test_more_datapoints_than_periods_is_said(tmp_path: Path, shop: Templates) -> None:
    """It is evaluated as it stands, though CloudWatch refuses it."""
    body = '    series: [{metric: d, values: "9x5"}]\n    quiet: true\n'
    outcome = run_case(tmp_path, shop, "Never", body)
    assert outcome.passed
    assert "Never never fires: 2 of 1 datapoints are impossible" in outcome.notes[0]


def test_cases_are_chosen_by_words(tmp_path: Path) -> None:
    """Words of the title or of the alarm choose cases; choosing none is a mistake."""
    file = tmp_path / "a.yaml"
    case = '  - {{title: {}, alarm: {}, quiet: true, series: [{{metric: e, values: "0"}}]}}\n'
    file.write_text("cases:\n" + case.format("calm", "Ratio") + case.format("Dark", "Night"))
    cases = load([file])
    assert [chosen.title for chosen in runner.selected(cases, "NIGHT")] == ["Dark"]
    assert [chosen.title for chosen in runner.selected(cases, "a")] == ["calm", "Dark"]
    with pytest.raises(InputError, match="-k 'x y': no case has this"):
        runner.selected(cases, "x y")
