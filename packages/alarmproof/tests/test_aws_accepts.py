"""The extracted schema is the one that cfn-lint has, and is applied as a whole."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from alarmproof.base import schema
from alarmproof.lint import lint
from alarmproof.template import parse

TOOL = Path(__file__).parents[1] / "tools" / "extract_schema.py"
DATA = Path(schema.__file__).parents[1] / "data" / "alarm_schema.json"


def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("extract_schema", TOOL)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_the_schema_is_current() -> None:
    """What the package has is what the command extracts from the installed cfn-lint."""
    pytest.importorskip("cfnlint")
    assert DATA.read_text("utf-8") == _tool().text()


def _keywords(node: Any, *, names: bool = False) -> set[str]:
    if isinstance(node, list):
        return {keyword for inner in node for keyword in _keywords(inner)}
    if not isinstance(node, dict):
        return set()
    own = set() if names else set(node)
    inner_names = ("properties", "definitions", "dependentExcluded")
    below = [
        _keywords(inner, names=not names and key in inner_names) for key, inner in node.items()
    ]
    return own.union(*below)


def test_every_keyword_of_the_schema_is_applied() -> None:
    """A new kind of constraint can't be extracted without being checked."""
    data = json.loads(DATA.read_text("utf-8"))
    keywords = {keyword for kind in data.values() for keyword in _keywords(kind)}
    assert keywords - {"definitions"} <= schema.APPLIED


PROPERTIES = {
    "Namespace": "Shop", "MetricName": "Orders", "Statistic": "Sum", "Period": 60,
    "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold",
}  # fmt: skip


def _violations(**changes: Any) -> list[str]:
    given = {**PROPERTIES, **changes}
    kept = {name: value for name, value in given.items() if value is not None}
    return [sentence for _, sentence in schema.violations("AWS::CloudWatch::Alarm", kept)]


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"AlarmName": "x" * 256}, "at most 255"),
        ({"Namespace": ":x"}, "does not match"),
        ({"EvaluationPeriods": 0}, "at least 1"),
        ({"EvaluationInterval": 5000}, "at most 3600"),
        ({"AlarmActions": ["a"] * 6}, "at most 5"),
        ({"Dimensions": [{"Name": "a"}]}, "has no Value"),
        ({"Dimensions": [{"Name": "a", "Value": ""}]}, "is empty"),
        ({"ComparisonOperator": "Greater"}, "is not one of"),
        ({"Statistic": "Sum", "ExtendedStatistic": "p99"}, "exclude each other"),
        ({"MetricName": None}, "Exactly one of"),
        ({"EvaluationWindow": {}}, "Exactly one of"),
        ({"Threshold": "high"}, "is not a number"),
        ({"Tags": [{"Key": "a", "Value": "b"}] * 2}, "twice"),
    ],
)
def test_what_cloudformation_refuses(changes: dict[str, Any], part: str) -> None:
    """Each kind of constraint is named with the property."""
    [sentence] = _violations(**changes)
    assert part in sentence


MATH = {"Metrics": [{"Id": "e", "Expression": "1"}], "Dimensions": [], "MetricName": None,
        "Namespace": None, "Statistic": None, "Period": None}  # fmt: skip


@pytest.mark.parametrize("changes", [{}, {"Threshold": "1"}, {"ActionsEnabled": "true"}, MATH])
def test_what_cloudformation_accepts(changes: dict[str, Any]) -> None:
    """Numbers and truth values may be written as text; an empty list excludes nothing."""
    assert _violations(**changes) == []


FAULTS: list[dict[str, Any]] = [
    {"Unit": "Miles"}, {"EvaluationPeriods": 0}, {"ComparisonOperator": "Over"},
]  # fmt: skip


@pytest.mark.slow
def test_cfn_lint_finds_the_same_faults() -> None:
    """Each alarm in which cfn-lint finds an error is found here, and no other."""
    api = pytest.importorskip("cfnlint.api")
    alarms = {
        f"A{number}": {"Type": "AWS::CloudWatch::Alarm", "Properties": {**PROPERTIES, **changes}}
        for number, changes in enumerate(({}, *FAULTS))
    }
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": alarms}
    theirs = {
        match.path[1] for match in api.lint_all(json.dumps(template)) if match.rule.id[0] == "E"
    }
    ours = {
        finding.alarm for finding in lint(parse(template, "t.json")) if finding.severity == "error"
    }
    assert theirs == ours == {"A1", "A2", "A3"}
