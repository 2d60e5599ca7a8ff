"""Faults of public reports, written again in ``reported.yaml``: lint names each for what it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alarmproof.base import bounded_yaml
from alarmproof.lint import Finding, lint
from alarmproof.template import parse_all

REPORTS = bounded_yaml.load((Path(__file__).parent / "reported.yaml").read_text("utf-8"))
TOPIC = {
    "Type": "AWS::SNS::Topic",
    "Properties": {"Subscription": [{"Protocol": "email", "Endpoint": "a@example.com"}]},
}
ALARM: dict[str, Any] = {
    "AlarmDescription": "https://example.com/runbook", "AlarmActions": [{"Ref": "Topic"}],
    "Namespace": "Shop", "MetricName": "m", "Statistic": "Sum", "Period": 60,
    "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "TreatMissingData": "notBreaching",
}  # fmt: skip


def _template(report: dict[str, Any], mended: bool = False) -> dict[str, Any]:
    if "plan" in report:
        planned = [
            {"address": f"{kind}.it", "mode": "managed", "type": kind, "name": "it",
             "values": {"alarm_description": "https://example.com/runbook",
                        "alarm_actions": ["arn:aws:sns:us-east-1:111122223333:page"], **values}}
            for kind, values in report["plan"].items()
        ]  # fmt: skip
        return {
            "format_version": "1.2",
            "planned_values": {"root_module": {"resources": planned}},
        }
    given = {**ALARM, **report.get("alarm", {}), **(report.get("mended", {}) if mended else {})}
    alarm = {key: value for key, value in given.items() if value is not None}
    resources = {"Topic": TOPIC, "A": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm}}
    resources |= report.get("resources", {})
    return {"Resources": resources | (report.get("mended_resources", {}) if mended else {})}


def _findings(report: dict[str, Any], mended: bool = False) -> list[Finding]:
    file = "plan.json" if "plan" in report else "template.json"
    region = report.get("mended_region" if mended else "region", report.get("region"))
    given = {"AWS::Region": region} if region else {}
    return lint(parse_all([(_template(report, mended), file)], given))


@pytest.mark.parametrize("report", REPORTS, ids=[report["says"] for report in REPORTS])
def test_lint_names_a_reported_fault(report: dict[str, Any]) -> None:
    """With the rule's name, and as more than a note."""
    findings = _findings(report)
    assert report["rule"] in {finding.rule for finding in findings if finding.severity != "note"}, (
        findings
    )


MENDED = [report for report in REPORTS if any(key.startswith("mended") for key in report)]


@pytest.mark.parametrize("report", MENDED, ids=[report["says"] for report in MENDED])
def test_a_mended_fault_is_not_found_any_more(report: dict[str, Any]) -> None:
    """Nor anything else that is wrong."""
    findings = _findings(report, mended=True)
    assert report["rule"] not in {finding.rule for finding in findings}
    assert {finding.rule for finding in findings if finding.severity != "note"} <= {
        "slow-reaction"
    }, findings
