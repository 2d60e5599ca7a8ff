"""Rules that join resources: a faulty form is named, and the forms that work are left alone."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from alarmproof.base.definitions import Templates
from alarmproof.template import parse, parse_all
from factories import lint

SUBSCRIBED = {"Type": "AWS::SNS::Topic", "Properties": {"Subscription": [{"Protocol": "email"}]}}


def alarm(namespace: str = "Shop", name: str = "Orders", /, **changes: Any) -> dict[str, Any]:
    """An alarm with nothing wrong."""
    dimensions = changes.pop("dimensions", {})
    properties = {
        "AlarmDescription": "Runbook: https://example.com", "Namespace": namespace,
        "MetricName": name, "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching", "AlarmActions": [{"Ref": "T"}], **changes,
    }  # fmt: skip
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}


def rules_found(**resources: Any) -> set[str]:
    """The rules that find something in a template with a subscribed topic."""
    template = {"Resources": {"T": SUBSCRIBED, **resources}}
    return {finding.rule for finding in lint(parse(template, "t.json"))}


def _of(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


USERS = [
    _of("AWS::Route53::HealthCheck", HealthCheckConfig={"AlarmIdentifier": {"Name": "orders"}}),
    _of("AWS::CodeDeploy::DeploymentGroup",
        AlarmConfiguration={"Alarms": [{"Name": {"Ref": "A"}}]}),
    _of("AWS::ECS::Service",
        DeploymentConfiguration={"Alarms": {"AlarmNames": ["orders"], "Enable": True}}),
    _of("AWS::AppConfig::Environment", Monitors=[{"AlarmArn": {"Fn::GetAtt": ["A", "Arn"]}}]),
    _of("AWS::CloudWatch::CompositeAlarm", AlarmRule="FALSE", AlarmDescription="a runbook",
        ActionsSuppressor={"Ref": "A"}, ActionsSuppressorWaitPeriod=60,
        ActionsSuppressorExtensionPeriod=60, AlarmActions=[{"Ref": "T"}]),
]  # fmt: skip


@pytest.mark.parametrize("user", USERS, ids=lambda user: user["Type"])
def test_an_alarm_that_something_uses_needs_no_action(user: dict[str, Any]) -> None:
    """By reference or by name; a dashboard only shows it."""
    silent = alarm(AlarmActions=[], AlarmName="orders")
    assert rules_found(A=silent, User=user) == set()
    board = _of("AWS::CloudWatch::Dashboard", DashboardBody={"Ref": "A"})
    assert rules_found(A=silent, User=board) == {"no-action"}


def test_a_topic_that_is_exported_may_be_subscribed_to_elsewhere() -> None:
    """A note, and a finding without the export."""
    resources = {"T": {"Type": "AWS::SNS::Topic"}, "A": alarm()}
    exporting = {"Resources": resources, "Outputs": {"Out": {"Value": {"Ref": "T"}}}}
    [note] = lint(parse(exporting, "t.json"))
    assert (note.rule, note.severity.value) == ("unsubscribed-topic", "note")
    [warning] = lint(parse({"Resources": resources}, "t.json"))
    assert warning.severity == "warning"


def test_a_subscription_in_another_stack_counts() -> None:
    """By the export that it imports."""
    publisher = {
        "Resources": {"T": {"Type": "AWS::SNS::Topic"}, "A": alarm()},
        "Outputs": {"Out": {"Value": {"Ref": "T"}, "Export": {"Name": "on-call"}}},
    }
    subscription = _of("AWS::SNS::Subscription", TopicArn={"Fn::ImportValue": "on-call"})
    other = {"Resources": {"S": subscription}}
    assert lint(parse_all([(publisher, "a.json"), (other, "b.json")])) == []


@pytest.mark.parametrize(
    ("statement", "works"),
    [
        ({"Principal": {"Service": "events.amazonaws.com"}}, False),
        ({"Principal": {"Service": ["events.amazonaws.com", "cloudwatch.amazonaws.com"]}}, True),
        ({"Principal": {"AWS": "*"},
          "Condition": {"StringEquals": {"AWS:SourceOwner": "1"}}}, True),
        ({"Principal": "*"}, True),
        ({"Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Subscribe"}, False),
        ({"Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "SNS:Publish"}, True),
    ],
)  # fmt: skip
def test_topic_policies(statement: dict[str, Any], works: bool) -> None:
    """A policy replaces the default one, so that it has to let CloudWatch publish."""
    allowed = {"Effect": "Allow", "Action": "sns:Publish", "Resource": "*", **statement}
    document = {"Statement": allowed}
    policy = _of("AWS::SNS::TopicPolicy", Topics=[{"Ref": "T"}], PolicyDocument=document)
    assert rules_found(A=alarm(), P=policy) == (set() if works else {"topic-policy-forbids"})


def test_a_deny_for_insecure_transport_is_no_fault() -> None:
    """Only what denies it in any case is."""
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": "*"}
    allow = {**deny, "Effect": "Allow"}
    insecure = {**deny, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    for statements, rules in (
        ([allow, insecure], set()),
        ([allow, deny], {"topic-policy-forbids"}),
    ):
        policy = _of("AWS::SNS::TopicPolicy", Topics=[{"Ref": "T"}],
                     PolicyDocument={"Statement": statements})  # fmt: skip
        assert rules_found(A=alarm(), P=policy) == rules


def _in_region(region: str, **resources: Any) -> Templates:
    """A template that is deployed to a region, as an assembly says it."""
    templates = parse({"Resources": resources}, "t.json")
    placed = [
        dataclasses.replace(alarm, environment=f"111122223333/{region}")
        for alarm in templates.alarms
    ]
    return dataclasses.replace(templates, alarms=tuple(placed))


def test_regions() -> None:
    """Actions elsewhere, and metrics that only us-east-1 has, where the region is known."""
    rate = alarm("AWS/CloudFront", "5xxErrorRate", Statistic="Average", Threshold=5,
                 dimensions={"DistributionId": "E1", "Region": "Global"},
                 AlarmActions=["arn:aws:sns:us-east-1:111122223333:on-call"])  # fmt: skip
    assert [finding.rule for finding in lint(_in_region("us-east-1", A=rate))] == []
    assert [finding.rule for finding in lint(_in_region("eu-west-1", A=rate))] == [
        "other-region", "metric-elsewhere",
    ]  # fmt: skip


def test_shares_have_a_largest_value() -> None:
    """Above it an alarm never fires, and with a lower limit beyond it always."""
    cpu = {"dimensions": {"InstanceId": "i-0"}, "Statistic": "Average"}
    assert rules_found(A=alarm("AWS/EC2", "CPUUtilization", Threshold=100, **cpu)) == {
        "out-of-range"
    }
    assert rules_found(A=alarm("AWS/EC2", "CPUUtilization", Threshold=99, **cpu)) == set()
    low = {"ComparisonOperator": "LessThanThreshold", **cpu}
    assert rules_found(A=alarm("AWS/EC2", "CPUUtilization", Threshold=101, **low)) == {
        "out-of-range"
    }


def test_a_group_by_name_may_be_the_one_that_is_referred_to() -> None:
    """Only another reference, or another name, is surely another group."""

    def policy(group: Any) -> dict[str, Any]:
        return _of("AWS::AutoScaling::ScalingPolicy", AutoScalingGroupName=group)

    def scaling(group: Any) -> dict[str, Any]:
        return alarm(
            "AWS/EC2", "CPUUtilization", Statistic="Average", Threshold=70,
            AlarmActions=[{"Ref": "P"}],
            Dimensions=[{"Name": "AutoScalingGroupName", "Value": group}],
        )  # fmt: skip

    group = _of("AWS::AutoScaling::AutoScalingGroup", AutoScalingGroupName="web")
    for watched, expected in (("web", set()), ({"Ref": "G"}, set()),
                              ({"Ref": "H"}, {"scales-on-others"})):  # fmt: skip
        made = {"A": scaling(watched), "P": policy({"Ref": "G"}), "G": group}
        made["H"] = _of("AWS::AutoScaling::AutoScalingGroup")
        assert rules_found(**made) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("OrdersDb", {"case-differs"}),
        ("ordersdb", set()),
        ("${self:custom.ordersDb}", set()),
        ({"Ref": "Named"}, {"case-differs"}),
        ({"Ref": "Unnamed"}, set()),
        ({"Fn::Sub": "${Unnamed}-reader"}, set()),
    ],
)
def test_identifiers_that_are_stored_in_lower_case(value: Any, expected: set[str]) -> None:
    """An alarm on one in upper case has no data, even where the resource is called so."""
    cpu = alarm("AWS/RDS", "CPUUtilization", Statistic="Average", Threshold=80,
                dimensions={"DBClusterIdentifier": value})  # fmt: skip
    named = _of("AWS::RDS::DBCluster", DBClusterIdentifier="OrdersDb")
    assert rules_found(A=cpu, Named=named, Unnamed=_of("AWS::RDS::DBCluster")) == expected


@pytest.mark.parametrize(
    ("kind", "attribute", "properties", "namespace"),
    [
        ("LoadBalancer", "LoadBalancer", {}, "AWS/ApplicationELB"),
        ("LoadBalancer", "LoadBalancer", {"Type": "network"}, "AWS/NetworkELB"),
        ("TargetGroup", "TargetGroup", {"Protocol": "HTTP"}, "AWS/ApplicationELB"),
        ("TargetGroup", "TargetGroup", {"Protocol": "TLS"}, "AWS/NetworkELB"),
        ("LoadBalancer", "LoadBalancer", {"Type": {"Ref": "Given"}}, None),
    ],
)
def test_load_balancers_publish_in_the_namespace_of_their_kind(
    kind: str, attribute: str, properties: dict[str, Any], namespace: str | None
) -> None:
    """Where the template says the kind; a parameter's is not judged."""
    balancer = _of(f"AWS::ElasticLoadBalancingV2::{kind}", **properties)
    for given in ("AWS/ApplicationELB", "AWS/NetworkELB"):
        unhealthy = alarm(
            given, "UnHealthyHostCount", Statistic="Maximum",
            dimensions={
                "LoadBalancer": {"Fn::ImportValue": "balancer"},
                "TargetGroup": {"Fn::ImportValue": "group"},
                attribute: {"Fn::GetAtt": ["B", f"{attribute}FullName"]},
            },
        )  # fmt: skip
        wrong = namespace not in (None, given)
        assert ("other-load-balancer" in rules_found(A=unhealthy, B=balancer)) is wrong


def test_a_disk_without_its_path() -> None:
    """The agent's configuration says whether it is aggregated; without it, nobody knows."""
    full = {"InstanceId": "i-0", "path": "/", "device": "nvme0n1p1", "fstype": "xfs"}

    def rules_of(configuration: str, *names: str) -> set[str]:
        disk = alarm("CWAgent", "disk_used_percent", Statistic="Maximum", Threshold=80,
                     dimensions={name: full[name] for name in names})  # fmt: skip
        return rules_found(A=disk, P=_of("AWS::SSM::Parameter", Value=configuration))

    plain = '{"metrics": {"metrics_collected": {"disk": {}}}}'
    aggregated = plain[:-2] + ', "aggregation_dimensions": [["InstanceId"]]}}'
    assert (
        rules_of(plain, "InstanceId")
        == rules_of(plain, "InstanceId", "path")
        == {"unknown-dimension"}
    )
    assert (
        rules_of(plain, *full)
        == rules_of(aggregated, "InstanceId")
        == rules_of("", "InstanceId")
        == set()
    )
