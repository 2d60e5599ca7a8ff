"""Templates and case files made to exhaust: one clear error each, in bounded time and memory."""

from __future__ import annotations

import copy
import json
import time
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from alarmproof import cases, template
from alarmproof.base import expressions
from alarmproof.base.composites import parse as parse_rule
from alarmproof.base.errors import InputError, NotSupportedError
from alarmproof.formats import as_json
from alarmproof.lint import lint
from alarmproof.reading import documents
from hypothesis import given, settings

_DEEP = 100_000
_LEVELS = "\n".join(f"L{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12))
ALIASES = f"L0: &a0 [x]\n{_LEVELS}\nResources: {{A: {{Type: *a11}}}}\n"
_MERGED = "\n".join(f"M{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 10)}]}}" for n in range(1, 12))
MERGES = f"M0: &m0 {{a: 1}}\n{_MERGED}\nResources: {{A: *m11}}\n"
_NAMES = {
    f"Q{n}": {
        "Type": "AWS::SQS::Queue",
        "Properties": {"QueueName": {"Fn::Join": ["", [{"Ref": f"Q{n + 1}"}] * 10]}},
    }
    for n in range(12)
}
CIRCLE = {
    "A": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "B"}}},
    "B": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "A"}}},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ALIASES, "more than 500,000 values"),
        (MERGES, "more than 500,000 values"),
        ("Resources: &a {A: *a}", "nested more than 100 levels deep, or an alias of itself"),
        ("[" * _DEEP, "t.yaml: neither JSON nor YAML"),
        ("a: " + "[" * _DEEP + "]" * _DEEP, "t.yaml: neither JSON nor YAML"),
        ('{"a":' + "[" * _DEEP, "t.yaml: neither JSON nor YAML"),
        ('{"a":' + "[" * _DEEP + "]" * _DEEP + "}", "t.yaml: neither JSON nor YAML"),
        ("? [a]\n: b", "t.yaml: neither JSON nor YAML"),
        ("a: !!python/object:os.system x", "t.yaml: neither JSON nor YAML"),
        ("x" * 4_000_001, "t.yaml: larger than 4 MB"),
        (
            json.dumps({"Resources": {**_NAMES, "Q12": {"Type": "AWS::SQS::Queue"}}}),
            "QueueName has more than 1024 characters",
        ),
        (json.dumps({"Resources": CIRCLE}), "its name refers to itself through other resources"),
    ],
    ids=lambda text: text[:20],
)
def test_templates_are_bounded(tmp_path: Path, text: str, expected: str) -> None:
    """Neither aliases nor merges, nesting, size or references grow without limit."""
    file = tmp_path / "t.yaml"
    file.write_text(text)
    started = time.process_time()
    with pytest.raises(InputError) as wrong:
        template.read([file])
    assert expected in str(wrong.value)
    assert len(str(wrong.value)) < 1000
    assert time.process_time() - started < 5


@pytest.mark.parametrize("text", [ALIASES, "[" * _DEEP, "a: " + "[" * 5000 + "]" * 5000])
def test_case_files_are_bounded(tmp_path: Path, text: str) -> None:
    """The same holds for case files."""
    file = tmp_path / "cases.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=r"cases\.yaml"):
        cases.load([file])


@pytest.mark.parametrize(
    "text", ["(" * 2000, "-" * 2000 + "1", "m+" * 2000 + "m", "IF(" * 600]
)  # fmt: skip
def test_expressions_are_bounded(text: str) -> None:
    """Long or deep expressions are refused by name."""
    with pytest.raises(NotSupportedError, match="expression '"):
        expressions.compile_expression(text)


@pytest.mark.parametrize("text", ["NOT " * 2500, "(" * 9000, "ALARM(a) OR " * 1000 + "ALARM(a)"])
def test_rules_are_bounded(text: str) -> None:
    """Long or deep rules are refused by name."""
    with pytest.raises(NotSupportedError, match="alarm rule '"):
        parse_rule(text)


def test_dates_are_text(tmp_path: Path) -> None:
    """CloudFormation knows no timestamps, so a policy's Version is what is written."""
    file = tmp_path / "t.yaml"
    file.write_text(
        "Resources: {T: {Type: 'AWS::SNS::Topic', Properties: {TopicName: 2012-10-17}}}"
    )
    [topic] = template.read([file]).resources.values()
    assert topic.resolved["TopicName"] == "2012-10-17"


ALARM: dict[str, Any] = {
    "AlarmName": "a", "AlarmActions": [{"Ref": "T"}], "Namespace": "AWS/SQS", "MetricName": "m",
    "Dimensions": [{"Name": "QueueName", "Value": "q"}], "Statistic": "p99", "Period": 60,
    "EvaluationPeriods": 1, "DatapointsToAlarm": 1, "Threshold": 1,
    "ComparisonOperator": "GreaterThanThreshold", "AlarmDescription": "d", "ActionsEnabled": True,
    "TreatMissingData": "missing", "ThresholdMetricId": None, "OKActions": [],
    "Metrics": [{"Id": "m", "MetricStat": {
        "Metric": {"Namespace": "N", "MetricName": "m", "Dimensions": []}, "Period": 60,
        "Stat": "Sum"}}],
}  # fmt: skip
OTHERS: dict[str, dict[str, Any]] = {
    "AWS::SNS::Topic": {"TopicName": "t", "KmsMasterKeyId": {"Ref": "K"}, "Subscription": []},
    "AWS::KMS::Key": {"KeyPolicy": {"Statement": [{
        "Effect": "Allow", "Principal": {"Service": ["a"]}, "Action": ["kms:Decrypt"]}]}},
    "AWS::Lambda::Function": {"FunctionName": "f", "Timeout": 3},
    "AWS::SQS::Queue": {"QueueName": "q", "MessageRetentionPeriod": 60},
    "AWS::Lambda::EventSourceMapping": {"FunctionName": "f", "EventSourceArn": "q"},
    "AWS::SNS::Subscription": {"TopicArn": {"Ref": "T"}},
    "AWS::CloudWatch::CompositeAlarm": {"AlarmRule": "ALARM(a)", "ActionsSuppressor": "a"},
}  # fmt: skip
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 0, 1e308, 10**400, "", "x", "%", [], [None], [[]], {}, {"a": 1}, {"Ref": 5},
     {"Fn::Join": 3}, {"Fn::Sub": []}, {"Fn::Select": ["x", []]}, {"Fn::GetAtt": [1]},
     {"Fn::If": []}, {"Fn::FindInMap": ["a", "b", "c"]}, {"Ref": []}, [{"Name": {}}], [{}],
     {"Fn::Split": ["", "a"]}, {"Fn::GetAtt": ""}, [{"Id": 1, "Expression": {}}]]
)  # fmt: skip


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every container with a key in it."""
    places = []
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        places.append((value, key))
        if isinstance(inner, dict | list):
            places += _places(inner)
    return places


@settings(deadline=None)
@given(data=st.data())
def test_odd_values_are_one_error_or_are_judged(data: st.DataObject) -> None:
    """Whatever stands in a property's place, lint answers, or says which resource is malformed."""
    given_alarm = dict(ALARM)
    if data.draw(st.booleans()):
        del given_alarm["Metrics"]
    resources: dict[str, Any] = {"A": {"Type": "AWS::CloudWatch::Alarm", "Properties": given_alarm}}
    for number, (kind, properties) in enumerate(OTHERS.items()):
        name = {"AWS::SNS::Topic": "T", "AWS::KMS::Key": "K"}.get(kind, f"R{number}")
        resources[name] = {"Type": kind, "Properties": properties}
    document = json.loads(json.dumps({"Resources": resources, "Parameters": {}, "Outputs": {}}))
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(_places(document)))
        if container is not document and key != "Type":
            container[key] = copy.deepcopy(data.draw(ODD))
    try:
        as_json(lint(template.parse(document, "t.json")))
    except InputError as error:
        assert "t.json" in str(error)  # noqa: PT017 - either is fine


def test_the_number_of_alarms_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all files together, and of one before it is parsed; below it, time grows with it."""
    monkeypatch.setattr(documents, "MOST_ALARMS", 3)
    alarms = {name: {"Type": "AWS::CloudWatch::Alarm"} for name in "abcd"}
    two = {name: alarms[name] for name in "ab"}
    files = [({"Resources": two}, f"{name}.json") for name in "xy"]
    assert len(template.parse_all(files[:1]).alarms) == 2
    with pytest.raises(InputError, match="4 alarms are more than the 3 that are read together"):
        template.parse_all(files)
    file = tmp_path / "many.json"
    file.write_text(json.dumps({"Resources": alarms})[:-1])
    with pytest.raises(InputError, match=r"many\.json: 4 alarms are more than the 3"):
        documents.read(file)
