"""Resources that CloudFormation refuses: one finding each, with the line; the rest is judged."""

from __future__ import annotations

from pathlib import Path

import pytest
from alarmproof.lint import Finding, lint
from alarmproof.template import read

ALARM = (
    "Namespace: Shop, MetricName: Orders, Statistic: Sum, Period: 60, EvaluationPeriods: 1, "
    "Threshold: 5, ComparisonOperator: GreaterThanThreshold"
)


def _errors(tmp_path: Path, *lines: str) -> list[Finding]:
    file = tmp_path / "t.yaml"
    file.write_text("\n".join(["Resources:", *(f"  {line}" for line in lines)]))
    findings = lint(read([file]))
    return [finding for finding in findings if finding.severity == "error"]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("Empty:", "The resource 'Empty' is not an object with a Type."),
        ("Empty: {Properties: {}}", "The resource 'Empty' is not an object with a Type."),
        (
            "Empty: {Type: AWS::SNS::Topic, Properties: 3}",
            "Properties of 'Empty' is not an object.",
        ),
        (
            "Empty: {Type: AWS::CloudWatch::Alarm, Properties: x}",
            "Properties of 'Empty' is not an object.",
        ),
    ],
)  # fmt: skip
def test_a_malformed_resource_is_an_error_of_its_own(
    tmp_path: Path, entry: str, message: str
) -> None:
    """It has its line, and the alarms beside it are judged."""
    broken, other = _errors(
        tmp_path,
        f"A: {{Type: AWS::CloudWatch::Alarm, Properties: {{{ALARM}, Treshold: 1}}}}",
        entry,
    )[::-1]
    assert (broken.rule, broken.alarm, broken.line) == ("invalid-value", "Empty", 3)
    assert broken.message == message
    assert (other.rule, other.alarm) == ("unknown-property", "A")


@pytest.mark.parametrize(
    ("entry", "rule", "message"),
    [
        (
            f"A: {{Type: AWS::CloudWatch::Alarm, Properties: {{{ALARM}, "
            "Dimensions: [{Name: n, Value: v, Foo: 1}]}}",
            "unknown-property",
            "Dimensions[0].Foo is not a property that CloudFormation has.",
        ),
        (
            f"A: {{Type: AWS::CloudWatch::Alarm, DependOn: B, Properties: {{{ALARM}}}}}",
            "unknown-property",
            "DependOn is not an attribute of a resource (did you mean DependsOn?).",
        ),
        (
            "M: {Type: AWS::CloudWatch::AlarmMuteRule, Properties: {Name: x}}",
            "schema",
            "It has no Rule.",
        ),
        (
            "I: {Type: AWS::CloudWatch::InsightRule, Properties: {RuleNames: x, RuleName: n, "
            "RuleState: ENABLED, RuleBody: '{}'}}",
            "unknown-property",
            "RuleNames is not a property that CloudFormation has (did you mean RuleName?).",
        ),
        (
            "D: {Type: AWS::CloudWatch::AnomalyDetector, Properties: {SingleMetricAnomalyDetector: "
            "{Dimensions: [{Name: n, Value: v, Foo: 1}], MetricName: m, Namespace: x, Stat: Sum}}}",
            "unknown-property",
            "SingleMetricAnomalyDetector.Dimensions[0].Foo is not a property that CloudFormation "
            "has.",
        ),
    ],
)  # fmt: skip
def test_an_unknown_or_missing_property_is_named(
    tmp_path: Path, entry: str, rule: str, message: str
) -> None:
    """In dimensions, beside Properties, and in all other types of CloudWatch."""
    [error] = _errors(tmp_path, entry)
    assert (error.rule, error.message) == (rule, message)


def test_macros_may_make_resources(tmp_path: Path) -> None:
    """What a macro makes of a resource, or adds to it, is not known, and not an error."""
    macro = "Fn::Transform: {Name: Include}"
    entries = [
        macro,
        f"B: {{{macro}}}",
        f"C: {{Type: AWS::SNS::Topic, {macro}}}",
    ]
    assert _errors(tmp_path, *entries) == []
