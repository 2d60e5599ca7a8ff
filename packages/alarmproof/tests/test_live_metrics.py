"""--live asks about what nobody knows; on documented shapes, for it was not run on AWS."""

from __future__ import annotations

from typing import Any

import pytest
from alarmproof.base.definitions import Templates
from alarmproof.base.errors import InputError
from alarmproof.live_metrics import findings
from alarmproof.template import parse


def _alarm(namespace: str, name: str, value: Any = "a") -> dict[str, Any]:
    properties = {
        "Namespace": namespace, "MetricName": name, "Statistic": "Sum", "Period": 60,
        "Dimensions": [{"Name": "Shop", "Value": value}], "EvaluationPeriods": 1, "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold",
    }  # fmt: skip
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}


def _templates(**resources: Any) -> Templates:
    return parse({"Resources": resources}, "t.json")


class _CloudWatch:
    """Answers as the API reference documents ListMetrics, a metric to a page."""

    def __init__(self, *metrics: tuple[str, str, str]) -> None:
        self._metrics = metrics
        self.asked: list[tuple[str, str]] = []

    def list_metrics(self, **parameters: Any) -> dict[str, Any]:
        name = parameters["Namespace"], parameters["MetricName"]
        self.asked.append(name)
        matching = [metric for metric in self._metrics if metric[:2] == name]
        at = int(parameters.get("NextToken", 0))
        page: dict[str, Any] = {
            "Metrics": [
                {"Namespace": namespace, "MetricName": metric,
                 "Dimensions": [{"Name": "Shop", "Value": value}]}
                for namespace, metric, value in matching[at : at + 1]
            ]
        }  # fmt: skip
        return {**page, "NextToken": str(at + 1)} if at + 1 < len(matching) else page


def test_only_what_nobody_knows_is_asked_for() -> None:
    """Not what the table has, a metric filter publishes, or a deployment decides."""
    cloudwatch = _CloudWatch(("Shop", "Orders", "b"), ("Shop", "Orders", "a"))
    made = {"MetricNamespace": "Shop", "MetricName": "Errors", "MetricValue": "1"}
    templates = _templates(
        Known=_alarm("AWS/Lambda", "Errors"),
        Filtered=_alarm("Shop", "Errors"),
        Later=_alarm("Shop", "Orders", {"Ref": "Filter"}),
        There=_alarm("Shop", "Orders"),
        Filter={"Type": "AWS::Logs::MetricFilter", "Properties": {"MetricTransformations": [made]}},
    )
    assert findings(templates, cloudwatch) == []
    assert cloudwatch.asked == [("Shop", "Orders")] * 2


def test_what_is_not_there_is_a_warning() -> None:
    """With other dimensions, or not at all; asked once for several alarms."""
    cloudwatch = _CloudWatch(("Shop", "Orders", "b"))
    templates = _templates(
        A=_alarm("Shop", "Orders"), B=_alarm("Shop", "Refunds"), C=_alarm("Shop", "Refunds")
    )
    warnings = findings(templates, cloudwatch)
    assert [(warning.alarm, warning.severity.value) for warning in warnings] == [
        ("A", "warning"), ("B", "warning"), ("C", "warning"),
    ]  # fmt: skip
    assert "not with these dimensions" in warnings[0].message
    assert "has not seen Shop Refunds" in warnings[1].message
    assert len(cloudwatch.asked) == 2


def test_without_credentials_it_is_one_error() -> None:
    """With what is needed."""

    class Refusing:
        def list_metrics(self, **_: Any) -> dict[str, Any]:
            raise RuntimeError("Unable to locate credentials")

    with pytest.raises(InputError, match="cloudwatch:ListMetrics"):
        findings(_templates(A=_alarm("Shop", "Orders")), Refusing())


def test_the_shape_is_botocore_s() -> None:
    """Parameters and answers fit the model of the API that botocore has."""
    boto3 = pytest.importorskip("boto3")
    stub = pytest.importorskip("botocore.stub")
    cloudwatch = boto3.client(
        "cloudwatch", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    with stub.Stubber(cloudwatch) as stubber:
        stubber.add_response(
            "list_metrics",
            {"Metrics": [{"Namespace": "Shop", "MetricName": "Orders",
                          "Dimensions": [{"Name": "Shop", "Value": "a"}]}]},
            {"Namespace": "Shop", "MetricName": "Orders"},
        )  # fmt: skip
        assert findings(_templates(A=_alarm("Shop", "Orders")), cloudwatch) == []
