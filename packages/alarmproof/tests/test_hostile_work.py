"""Small files that stand for much: what they make is bounded, and so is what they say."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from alarmproof import recordings, template
from alarmproof.base.errors import InputError
from alarmproof.lint import lint

ALARM: dict[str, Any] = {
    "Type": "AWS::CloudWatch::Alarm",
    "Properties": {
        "Namespace": "N", "MetricName": "M", "Statistic": "Sum", "Period": 60, "Threshold": 1,
        "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold",
    },
}  # fmt: skip
LIST = {"P": {"Type": "CommaDelimitedList", "Default": ",".join(["xx"] * 100_000)}}


def _described(value: Any) -> dict[str, Any]:
    properties = {**ALARM["Properties"], "AlarmDescription": value}
    return {**ALARM, "Properties": properties}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (
            {"Parameters": LIST, "Resources": {"A": _described({"Fn::Sub": "${P}" * 9999})}},
            "its functions make more than 10,000,000 characters",
        ),
        (
            {
                "Parameters": LIST,
                "Resources": {
                    "A": _described({"Fn::Join": ["", [{"Fn::Join": ["", {"Ref": "P"}]}] * 999]})
                },
            },
            "its functions make more than 10,000,000 characters",
        ),
        (
            {
                "Resources": {
                    "Fn::ForEach::A": [
                        "X", [str(number) for number in range(999)],
                        {"Fn::ForEach::B": ["Y", [str(number) for number in range(999)],
                                            {"A${X}x${Y}": ALARM}]},
                    ]
                }
            },
            "makes more than 20,000 entries",
        ),
        (
            {
                "Resources": {
                    f"Q{number}": {
                        "Type": "AWS::SQS::Queue",
                        "Properties": {"QueueName": {"Fn::Sub": f"${{Q{number + 1}}}x"}},
                    }
                    for number in range(3000)
                }
            },
            "its name is made of other names, more than 100 deep",
        ),
    ],
    ids=["sub", "join", "foreach", "names"],
)  # fmt: skip
def test_functions_make_no_more_than_a_template_holds(
    tmp_path: Path, document: Any, expected: str
) -> None:
    """One error, in seconds, whatever the functions would multiply."""
    file = tmp_path / "t.json"
    file.write_text(json.dumps(document))
    started = time.process_time()
    with pytest.raises(InputError) as wrong:
        template.read([file])
    assert expected in str(wrong.value)
    assert time.process_time() - started < 5


def test_a_stack_that_contains_itself_is_an_error(tmp_path: Path) -> None:
    """Directly, or through another one."""
    for name, other in (("a", "b"), ("b", "a")):
        nested = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": other}}
        (tmp_path / f"{name}.json").write_text(json.dumps({"Resources": {"S": nested}}))
    with pytest.raises(InputError, match="nested in each other in a circle"):
        template.read([tmp_path / "a.json"])


def test_a_nested_stack_is_never_read_from_elsewhere(tmp_path: Path) -> None:
    """A template can't make alarmproof read files outside of its folder."""
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "secret.json").write_text(json.dumps({"Resources": {"Secret": ALARM}}))
    nested = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "../secret.json"}}
    (inside / "t.json").write_text(json.dumps({"Resources": {"S": nested, "A": ALARM}}))
    assert [alarm.name for alarm in template.read([inside / "t.json"]).alarms] == ["A"]


def test_many_alarms_alike_are_judged_in_time() -> None:
    """Neither one name for all nor composites of composites make the work quadratic."""
    same = {**ALARM, "Properties": {**ALARM["Properties"], "AlarmName": "same"}}
    resources: dict[str, Any] = {f"A{number}": same for number in range(1000)}
    for number in range(200):
        before = " OR ".join(f"ALARM(C{index})" for index in range(max(0, number - 20), number))
        resources[f"C{number}"] = {
            "Type": "AWS::CloudWatch::CompositeAlarm",
            "Properties": {"AlarmRule": before or "ALARM(A1)"},
        }
    started = time.process_time()
    findings = lint(template.parse({"Resources": resources}, "t.json"))
    assert time.process_time() - started < 2.5
    assert sum(finding.rule == "duplicate-name" for finding in findings) == 1000


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"count": [10**9]}, "has to be 1 to"),
        ({"count": [7]}, "says that it has 7 finite values, and has 3"),
        ({"period": [0]}, "period 0 is not"),
        ({"period": [-60]}, "period -60 is not"),
        ({"start": [-(10**15)]}, "is not a time"),
        ({"values": [[1.0, float("inf"), 2.0]]}, "or infinite ones"),
        ({"values": [None]}, "series 1"),
        ({"dimensions": ["x"]}, "are not dimensions"),
    ],
    ids=str,
)
def test_parquet_that_lies_is_an_error(
    tmp_path: Path, changes: dict[str, Any], expected: str
) -> None:
    """What a file says of itself is compared with what it has."""
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns: dict[str, Any] = {
        "namespace": ["N"], "metric": ["M"], "dimensions": [""], "statistic": ["Sum"],
        "start": [0], "period": [60], "count": [3], "values": [[1.0, 2.0, 3.0]], **changes,
    }  # fmt: skip
    file = tmp_path / "r.parquet"
    parquet.write_table(pyarrow.table(columns), file)
    with pytest.raises(InputError, match=r"r\.parquet") as wrong:
        list(recordings.load(file).every())
    assert expected in str(wrong.value)


def test_damaged_parquet_is_an_error(tmp_path: Path) -> None:
    """Not a traceback of its library."""
    pytest.importorskip("pyarrow")
    file = tmp_path / "r.parquet"
    for content in (b"", b"PAR1", b"PAR1" + b"\xff" * 64 + b"PAR1"):
        file.write_bytes(content)
        with pytest.raises(InputError, match=r"r\.parquet"):
            recordings.load(file)
