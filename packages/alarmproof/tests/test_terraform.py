"""Plans and states of Terraform."""

from __future__ import annotations

import json
from pathlib import Path

from alarmproof.base.alarms import CompositeAlarm, MetricAlarm
from alarmproof.template import parse, parse_all, read
from factories import lint
from template_parts import PLAN, alarm, rules


def test_terraform_plans_are_read() -> None:
    """Queries, modules, suppressors; an action that is known after the apply is a reference."""
    templates = parse(PLAN, "plan.json")
    metric, both = templates.alarms
    assert isinstance(metric, MetricAlarm)
    assert isinstance(both, CompositeAlarm)
    assert (metric.name, metric.period, metric.threshold, metric.returned) == (
        "failures", 300, 3, "e",
    )  # fmt: skip
    assert [str(key) for key in metric.metrics] == ["Shop Failures {Stage=prod}"]
    assert metric.alarm_actions == ("page",)
    assert (both.suppressor, both.wait, both.extension) == ("failures", 60, 30)
    assert rules(templates) == [("unsubscribed-topic", "warning", "failures")]
    assert templates.find("module.m.aws_cloudwatch_composite_alarm.both") is both


def test_a_state_of_terraform_has_zeros_for_what_is_not_set(tmp_path: Path) -> None:
    """Beside and within queries, and for datapoints."""
    values = {
        "alarm_name": "a", "comparison_operator": "GreaterThanThreshold", "evaluation_periods": 2,
        "datapoints_to_alarm": 0, "threshold": 0, "period": 0, "metric_name": "", "metric_query": [
            {"id": "e", "expression": "m", "return_data": True, "period": 0, "metric": []},
            {"id": "m", "expression": "", "return_data": False, "period": 0, "metric": [{
                "metric_name": "NumberOfMessagesSent", "namespace": "AWS/SQS", "period": 60,
                "dimensions": {"QueueName": "q"}, "stat": "Sum", "unit": ""}]}]}  # fmt: skip
    resource = {"address": "aws_cloudwatch_metric_alarm.a", "type": "aws_cloudwatch_metric_alarm",
                "values": values}  # fmt: skip
    document = {"format_version": "1.0", "values": {"root_module": {"resources": [resource]}}}
    (tmp_path / "state.json").write_text(json.dumps(document), "utf-8")
    templates = read([tmp_path / "state.json"])
    assert [finding for finding in lint(templates) if finding.severity == "error"] == []
    [state] = templates.alarms
    assert isinstance(state, MetricAlarm)
    assert (state.threshold, state.datapoints_to_alarm) == (0, 2)


def test_a_region_is_known_by_parameter_and_by_terraform_s_provider(tmp_path: Path) -> None:
    """A resource's own region counts before that of its provider."""
    actions = ["arn:aws:sns:eu-west-1:111122223333:page"]
    here = alarm(AlarmActions=actions)
    templates = parse_all([({"Resources": {"A": here}}, "t.json")], {"AWS::Region": "us-east-1"})
    assert rules(templates) == [("other-region", "error", "A")]
    values = {"alarm_name": "a", "alarm_description": "runbook", "alarm_actions": actions,
              "namespace": "Shop", "metric_name": "m", "statistic": "Sum", "period": 60,
              "evaluation_periods": 1, "threshold": 1,
              "comparison_operator": "GreaterThanThreshold"}  # fmt: skip
    for own, expected in ((None, ["other-region"]), ("eu-west-1", [])):
        address = "aws_cloudwatch_metric_alarm.a"
        resource = {"address": address, "type": "aws_cloudwatch_metric_alarm",
                    "values": {**values, "region": own}}  # fmt: skip
        plan = {
            "format_version": "1.2", "planned_values": {"root_module": {"resources": [resource]}},
            "configuration": {
                "provider_config": {"aws": {"expressions": {"region": {
                    "constant_value": "us-east-1"}}}},
                "root_module": {"resources": [{"address": address, "provider_config_key": "aws"}]},
            },
        }  # fmt: skip
        (tmp_path / "plan.json").write_text(json.dumps(plan), "utf-8")
        assert [rule for rule, _, _ in rules(read([tmp_path / "plan.json"]))] == expected
