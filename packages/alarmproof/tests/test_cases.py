"""Case files: what is expected, and what is wrong with a file."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from alarmproof import ascii_chart
from alarmproof.base.definitions import Templates
from alarmproof.base.errors import InputError
from alarmproof.cases import load
from alarmproof.junit import junit
from alarmproof.runner import run
from alarmproof.template import parse
from factories import run_case

TEMPLATE = {
    "Resources": {
        "Page": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "shop-page"}},
        "QueueAge": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmName": "shop-queue-age",
                "Namespace": "AWS/SQS",
                "MetricName": "ApproximateAgeOfOldestMessage",
                "Dimensions": [{"Name": "QueueName", "Value": "orders"}],
                "Statistic": "Maximum",
                "Period": 60,
                "EvaluationPeriods": 2,
                "Threshold": 100,
                "ComparisonOperator": "GreaterThanThreshold",
                "AlarmActions": [{"Ref": "Page"}],
                "OKActions": [{"Ref": "Page"}],
            },
        },
        "Errors": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmName": "shop-errors",
                "Namespace": "AWS/Lambda",
                "MetricName": "Errors",
                "Dimensions": [{"Name": "FunctionName", "Value": "worker"}],
                "Statistic": "Sum",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "TreatMissingData": "notBreaching",
            },
        },
        "Incident": {
            "Type": "AWS::CloudWatch::CompositeAlarm",
            "Properties": {
                "AlarmName": "shop-incident",
                "AlarmRule": 'ALARM("shop-queue-age") OR ALARM("shop-errors")',
                "AlarmActions": [{"Ref": "Page"}],
            },
        },
    }
}


@pytest.fixture
def shop() -> Templates:
    """Two alarms and their incident."""
    return parse(TEMPLATE, "shop.json")


AGE = '    series:\n      - {metric: ApproximateAgeOfOldestMessage, values: "%s"}\n'


def test_what_is_expected_is_checked(tmp_path: Path, shop: Templates) -> None:
    """States and who is notified, each at its time."""
    body = AGE % "0x4 200x9 0x4" + (
        "    initial: OK\n"
        "    expect:\n"
        "      - {at: 6m, state: OK, notifies: nobody}\n"
        "      - {at: 7m, state: ALARM, notifies: page}\n"
        "      - {at: 14m, state: ALARM, notifies: nobody}\n"
        "      - {at: 16m, state: OK, notifies: [page]}\n"
        "      - {at: 16m, state: OK, alarm: Incident}\n"
    )
    assert run_case(tmp_path, shop, "QueueAge", body).passed


@pytest.mark.parametrize(
    ("expect", "expected"),
    [
        ("{at: 6m, state: ALARM}", "at 6m shop-queue-age should be in ALARM, but is in OK"),
        ("{at: 8m, state: OK}", "should be in OK, but is in ALARM"),
        (
            "{at: 8m, state: ALARM, notifies: ticket}",
            "notified ticket, but notified shop-page",
        ),
        (
            "{at: 8m, state: ALARM, notifies: nobody}",
            "notified nobody, but notified shop-page",
        ),
        ("{at: 5m, state: OK, notifies: page}", "have notified page, but notified nobody"),
        ("{at: 8m, state: OK, alarm: Incident}", "shop-incident should be in OK, but is in ALARM"),
    ],
)
def test_what_is_not_met_is_reported_and_drawn(
    tmp_path: Path, shop: Templates, expect: str, expected: str
) -> None:
    """A failure says when, which alarm, what was expected and what was; with a drawing of it."""
    body = AGE % "0x4 200x9" + f"    initial: OK\n    expect:\n      - {expect}\n"
    outcome = run_case(tmp_path, shop, "QueueAge", body)
    assert expected in str(outcome.failures[0])
    drawn = ascii_chart.failed(outcome, width=80)
    assert all(len(line) <= 80 for line in drawn.replace(str(tmp_path), "").splitlines())
    assert "a.yaml:8" in drawn
    assert "┄" in drawn
    assert "→ ALARM: Threshold Crossed" in drawn


def test_nobody_is_nobody_at_all(tmp_path: Path, shop: Templates) -> None:
    """An alarm that came and went without an OK has notified all the same."""
    body = AGE % "0x4 200x4 0x4" + (
        "    initial: OK\n    expect:\n      - {at: 14m, state: OK, notifies: nobody}\n"
    )
    outcome = run_case(tmp_path, shop, "Incident", body)
    assert "should have notified nobody, but notified shop-page" in str(outcome.failures[0])


def test_an_alarm_without_actions_is_quiet_out_of_alarm(tmp_path: Path, shop: Templates) -> None:
    """Without actions, ``quiet`` is not trivially true."""
    series = '    series:\n      - {metric: Errors, values: "%s"}\n    quiet: true\n'
    assert run_case(tmp_path, shop, "Errors", series % "0x4").passed
    loud = run_case(tmp_path, shop, "Errors", series % "0 5 0x4")
    assert "shop-errors should never be in ALARM, but is at 2m" in str(loud.failures[0])


def test_a_quiet_case_notifies_nobody(tmp_path: Path, shop: Templates) -> None:
    """``quiet`` holds for all its time."""
    assert run_case(tmp_path, shop, "QueueAge", AGE % "0 200 0x9" + "    quiet: true\n").passed
    loud = run_case(tmp_path, shop, "QueueAge", AGE % "0 200x1 0x9" + "    quiet: true\n")
    assert "at any time shop-queue-age should never notify anybody" in str(loud.failures[0])


def test_a_composite_is_tested_through_its_parts(tmp_path: Path, shop: Templates) -> None:
    """A series of any part counts; the parts without one have no data."""
    body = '    series:\n      - {metric: AWS/Lambda Errors, values: "0x2 1x2 0x4"}\n'
    body += "    expect:\n      - {at: 4m, state: ALARM, notifies: page}\n"
    assert run_case(tmp_path, shop, "shop-incident", body).passed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cases: 5", "a.yaml:1: 'cases' is a list"),
        ("case: []", "a.yaml:1: the file has no key 'case'; did you mean 'cases'?"),
        ("cases:\n  - 5", "a.yaml:2: a case is a mapping"),
        ("cases:\n  - title: [\n", "a.yaml:3: not YAML"),
        ("cases:\n  - {title: t}", "a.yaml:2: a case lacks 'alarm'"),
        (
            "cases:\n  - title: t\n    alarm: a\n    serie: []",
            "a.yaml:4: a case has no key 'serie'; did you mean 'series'?",
        ),
        (
            "cases:\n  - title: t\n    alarm: a\n"
            "    series: [{metric: m, statistic: Foo, values: 1}]",
            "a.yaml:4: the statistic Foo is not supported. Supported are Sum, Average,",
        ),
        (
            "cases:\n  - title: t\n    alarm: a\n    series:\n      - {metric: m, values: 1+2}",
            "a.yaml:5: '1+2' is not a value",
        ),
        (
            "cases:\n  - title: t\n    alarm: a\n    series: [{metric: m, values: 1}]\n"
            "    expect:\n      - {at: 2m, state: OK}",
            "a.yaml:6: at 2m is after the last sample, which ends at 1m",
        ),
        (
            "cases:\n  - title: t\n    alarm: a\n    series: [{metric: m, values: 1}]\n"
            "    expect:\n      - {at: soon, state: FINE}",
            "a.yaml:6: state 'FINE' is not one of OK, ALARM, INSUFFICIENT_DATA",
        ),
        (
            "cases:\n  - title: t\n    alarm: a\n    series: [{metric: m, values: 1}]",
            "a.yaml:2: the case expects nothing",
        ),
        (
            "cases:\n  - title: t\n    alarm: a\n    series: [{metric: m, values: 1x9}]\n"
            "    expect:\n      - {at: 5m, state: OK}\n      - {at: 4m, state: OK}",
            "a.yaml:6: the expectations are not in chronological order",
        ),
        (
            "cases:\n  - title: t\n    alarm: a\n    series: []\n    quiet: true",
            "a.yaml:4: the list is empty; add at least one series",
        ),
        (
            "interval: 0m\ncases:\n  - title: t\n    alarm: a\n    interval: 0m\n"
            "    series: [{metric: m, values: 1}]\n    quiet: true",
            "a.yaml:1: the interval is zero; write 1m or more",
        ),
        (
            "cases:\n  - title: t\n    alarm: a\n    series: [{metric: m, values: 1}]\n"
            "    expect:\n      - {at: 1m, state: OK, notifies: [page, nobody]}",
            "a.yaml:6: write either 'nobody' or names",
        ),
        (
            "cases:\n  - title: t\n    alarm: a\n    series: [{metric: m, values: 1}]\n"
            "    expect:\n      - {at: 1m, state: OK, notifies: []}",
            "a.yaml:6: 'notifies' is empty; write names, or nobody",
        ),
    ],
)
def test_a_mistake_names_its_line(tmp_path: Path, text: str, expected: str) -> None:
    """Every mistake of a file is reported with file, line and remedy."""
    file = tmp_path / "a.yaml"
    file.write_text(text)
    with pytest.raises(InputError) as wrong:
        load([file])
    assert expected in str(wrong.value)


@pytest.mark.parametrize(
    ("alarm", "series", "expected"),
    [
        ("queue-ag", "{metric: Errors, values: 1}", "'queue-ag' is not an alarm here"),
        ("Errors", "{metric: Erors, values: 1}", "does not read 'Erors'. Did you mean"),
        (
            "Errors",
            "{metric: Errors, dimensions: {FunctionName: other}, values: 1}",
            "It has other dimensions: AWS/Lambda Errors {FunctionName=worker}",
        ),
    ],
)
def test_a_case_of_nothing_that_is_there(
    tmp_path: Path, shop: Templates, alarm: str, series: str, expected: str
) -> None:
    """An alarm, metric or dimension that does not exist is a mistake, not a silent test."""
    body = f"    series:\n      - {series}\n    quiet: true\n"
    with pytest.raises(InputError) as wrong:
        run_case(tmp_path, shop, alarm, body)
    assert expected in str(wrong.value)
    assert "a.yaml:" in str(wrong.value)


def test_a_series_is_given_once(tmp_path: Path, shop: Templates) -> None:
    """With two series of one metric and statistic, one would be lost."""
    series = "      - {metric: Errors, values: 1}\n"
    with pytest.raises(InputError, match=r"a\.yaml:6: 'Errors' has a series on line 5 already"):
        run_case(tmp_path, shop, "Errors", f"    series:\n{series}{series}    quiet: true\n")


def test_folders_hold_other_files_too(tmp_path: Path) -> None:
    """In a folder, files with cases are read; a misspelled one is not passed over."""
    (tmp_path / "a.yaml").write_text(
        'cases:\n  - {title: t, alarm: a, quiet: true, series: [{metric: m, values: "1"}]}\n'
    )
    (tmp_path / "template.yml").write_text("Resources:\n  A: !Ref B\n")
    assert [case.title for case in load([tmp_path])] == ["t"]
    (tmp_path / "typo.yaml").write_text("case: []\n")
    with pytest.raises(InputError, match=r"typo\.yaml:1: the file has no key 'case'"):
        load([tmp_path])


def test_titles_are_unique(tmp_path: Path) -> None:
    """Two cases with one title could not be distinguished in a report."""
    case = '  - {title: t, alarm: a, quiet: true, series: [{metric: m, values: "1"}]}\n'
    (tmp_path / "a.yaml").write_text(f"cases:\n{case}{case}")
    with pytest.raises(InputError, match=r"a\.yaml:3: the title 't' is also that of line 2"):
        load([tmp_path])


def test_without_cases_there_is_nothing_to_pass(tmp_path: Path) -> None:
    """An empty folder, or a missing file, is an error."""
    with pytest.raises(InputError, match="No cases in"):
        load([tmp_path])
    with pytest.raises(InputError, match="can't be read"):
        load([tmp_path / "gone.yaml"])


def test_junit(tmp_path: Path, shop: Templates) -> None:
    """The outcomes as continuous integration reads them."""
    failing = AGE % "0x4 200x9" + "    expect:\n      - {at: 2m, state: ALARM}\n"
    root = ElementTree.fromstring(junit([run_case(tmp_path, shop, "QueueAge", failing)]))  # noqa: S314 - ours
    assert (root.attrib["tests"], root.attrib["failures"]) == ("1", "1")
    [case] = root.iter("testcase")
    assert (case.attrib["classname"], case.attrib["name"]) == ("shop-queue-age", "one")
    assert "should be in ALARM" in (case.find("failure").text or "")  # type: ignore[union-attr]


def test_the_documented_example(tmp_path: Path) -> None:
    """The case that docs/test.md shows holds of the alarm it describes."""
    page = (Path(__file__).parents[1] / "docs" / "test.md").read_text("utf-8")
    file = tmp_path / "a.yaml"
    file.write_text(page.partition("```yaml\n")[2].partition("```")[0])
    age = {
        **TEMPLATE["Resources"]["QueueAge"]["Properties"],  # type: ignore[dict-item]
        "AlarmName": "orders-queue-age-page",
        "Dimensions": [{"Name": "QueueName", "Value": "orders.fifo"}],
        "EvaluationPeriods": 3,
        "Threshold": 900,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "AlarmActions": ["arn:aws:sns:eu-west-1:111122223333:orders-page"],
    }
    orders = parse(
        {"Resources": {"Age": {"Type": "AWS::CloudWatch::Alarm", "Properties": age}}}, ""
    )
    [outcome] = run(load([file]), orders)
    assert outcome.failures == ()


@pytest.mark.parametrize(
    ("series", "expect", "message"),
    [
        ("{metric: m, values: high}", "{at: 9m, state: OK}", "'high' is not a value"),
        (
            "{metric: m, interval: 1x, values: 1x5}",
            "{at: 9m, state: OK}",
            "'1x' is not a duration",
        ),
        (
            "{metric: m, values: 1x5}",
            "{at: 2m, state: OK}, {at: 1y, state: OK}",
            "'1y' is not a duration",
        ),
    ],
)
def test_a_mistake_has_no_further_ones(
    tmp_path: Path, series: str, expect: str, message: str
) -> None:
    """Times and order are not judged by values, or times, that can't be read."""
    file = tmp_path / "a.yaml"
    file.write_text(
        f"cases:\n  - title: t\n    alarm: a\n    series: [{series}]\n    expect: [{expect}]\n"
    )
    with pytest.raises(InputError) as wrong:
        load([file])
    [line] = str(wrong.value).splitlines()
    assert message in line
