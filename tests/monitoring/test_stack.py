"""The monitoring stack's template: every alarm can fire, is understood, and reaches somebody."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from lambdas.base import metrics
from monitoring.model.checks import headings
from monitoring.resources import resources
from settings import loader
from settings.paths import RUNBOOK
from tests.templates import Synthesized, Template, synthesize

pytestmark = [pytest.mark.xdist_group("synth"), pytest.mark.slow]

ALARMS = ("AWS::CloudWatch::Alarm", "Custom::Alarm")
COMPOSITES = ("AWS::CloudWatch::CompositeAlarm", "Custom::CompositeAlarm")


@pytest.fixture(scope="session")
def stacks(synthesized: dict[str, Synthesized]) -> dict[str, Template]:
    """The monitoring stack of every environment."""
    return {
        name: environment.monitoring
        for name, environment in synthesized.items()
        if environment.monitoring
    }


@pytest.fixture(scope="session")
def existing(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The monitoring stack alone, on resources that this app did not make."""
    overrides = {
        "create_faux_backend": None,
        "existing": {
            "queues": [{"name": "orders.fifo", "retentionDays": 4}],
            "functions": [{"name": "orders-worker", "role": "worker", "timeoutSeconds": 60}],
            "apis": [
                {"name": "abc123", "kind": "http"},
                {"name": "old", "kind": "rest", "role": "old"},
            ],
            "tables": [{"name": "orders"}],
        },
        "notifications": [
            {
                "kind": "slack",
                "secretArn": "arn:aws:secretsmanager:us-east-1:111111111111:secret:s-AbCdEf",
            }
        ],
    }
    environment = synthesize(
        loader.load("dev", overrides=overrides), tmp_path_factory.mktemp("existing")
    )
    assert environment.buffer is None
    assert environment.monitoring
    return environment.monitoring


def _alarms(*templates: Template) -> Iterator[tuple[Template, Mapping[str, Any]]]:
    for template in templates:
        for entry in template.resources(*ALARMS, *COMPOSITES).values():
            yield template, entry["Properties"]


def _measures(alarm: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The metrics an alarm reads."""
    if "MetricName" in alarm:
        yield alarm
    for entry in alarm.get("Metrics", []):
        if "MetricStat" in entry:
            yield entry["MetricStat"]["Metric"]


def test_every_alarm_says_what_and_notifies_somebody(
    stacks: dict[str, Template], existing: Template
) -> None:
    """Each has a description with a link to a heading of the runbook, and actions both ways."""
    for template, alarm in _alarms(*stacks.values(), existing):
        link = re.search(r"Runbook: (\S+)#(\S+)$", alarm["AlarmDescription"])
        assert link, alarm["AlarmName"]
        assert link[1] == template.settings.runbookUrl
        assert link[2] in headings(RUNBOOK)
        assert len(alarm["AlarmDescription"]) <= 1024
        if not alarm["AlarmName"].endswith("alert-path-probe"):
            assert alarm["OKActions"] == alarm["AlarmActions"]
        topics = template.resources("AWS::SNS::Topic")
        assert alarm["AlarmActions"]
        assert all(action["Ref"] in topics for action in alarm["AlarmActions"])


def test_missing_data_is_explicit(stacks: dict[str, Template], existing: Template) -> None:
    """No metric alarm leaves it to CloudWatch what a gap means."""
    for template in (*stacks.values(), existing):
        for entry in template.resources(*ALARMS).values():
            treatment = entry["Properties"]["TreatMissingData"]
            assert treatment in ("breaching", "notBreaching", "ignore")


def test_dimensions_name_what_exists(
    stacks: dict[str, Template], synthesized: dict[str, Synthesized], existing: Template
) -> None:
    """Every dimension names a resource of the stacks, or one that settings name."""
    for name, template in {**stacks, "existing": existing}.items():
        buffer = synthesized[name].buffer if name in synthesized else None
        known = {
            json.dumps(value)
            for stack in (buffer, template)
            if stack
            for entry in stack.template["Resources"].values()
            for key, value in entry.get("Properties", {}).items()
            if key in ("QueueName", "FunctionName", "TableName")
        }
        if name == "existing":
            watched = resources(existing.settings).by_role.values()
            known |= {
                json.dumps(resource.name) for resource in watched if resource.role != "notify"
            }
        else:
            known |= {
                json.dumps({"Fn::ImportValue": template.settings.api_id_export}),
                json.dumps(template.settings.service),
                json.dumps(template.settings.environment),
                json.dumps("UpdateItem"),
            }
        for _, alarm in _alarms(template):
            for measure in _measures(alarm):
                for dimension in measure.get("Dimensions", []):
                    assert json.dumps(dimension["Value"]) in known, alarm["AlarmName"]


def test_api_id_is_exported_where_it_is_imported(
    stacks: dict[str, Template], synthesized: dict[str, Synthesized]
) -> None:
    """What the monitoring stack imports, the buffer's stack exports."""
    for name, template in stacks.items():
        imported = set(re.findall(r'"Fn::ImportValue": "([^"]+)"', json.dumps(template.template)))
        buffer = synthesized[name].buffer
        assert buffer
        outputs = buffer.template["Outputs"].values()
        exported = {output["Export"]["Name"] for output in outputs if "Export" in output}
        own = {template.settings.endpoint_export} if template.settings.domain_name else set()
        assert imported == exported - own


def test_our_metrics_are_emitted_ones(stacks: dict[str, Template]) -> None:
    """Every metric of ours that an alarm reads is one the functions emit, or a filter counts."""
    for template in stacks.values():
        counted = {
            (transformation["MetricNamespace"], transformation["MetricName"])
            for entry in template.resources("AWS::Logs::MetricFilter").values()
            for transformation in entry["Properties"]["MetricTransformations"]
        }
        emitted = {(metrics.NAMESPACE, name) for name in metrics.UNITS}
        read = {
            (measure["Namespace"], measure["MetricName"])
            for _, alarm in _alarms(template)
            for measure in _measures(alarm)
        }
        ours = {name for name in read if name[0].startswith(metrics.NAMESPACE)}
        assert len(ours) > 10
        assert ours <= emitted | counted
        assert counted <= read


def test_every_log_filter_reads_a_log_of_ours(
    stacks: dict[str, Template], synthesized: dict[str, Synthesized]
) -> None:
    """A filter on a log group that nobody has would make the deployment fail."""
    for name, template in stacks.items():
        buffer = synthesized[name].buffer
        assert buffer
        groups, own = (
            {
                entry["Properties"]["LogGroupName"]: logical_id
                for logical_id, entry in stack.resources("AWS::Logs::LogGroup").items()
            }
            for stack in (buffer, template)
        )
        for entry in template.resources("AWS::Logs::MetricFilter").values():
            group = entry["Properties"]["LogGroupName"]
            assert group in groups or own[group] in entry["DependsOn"]


def test_topics_have_a_channel_or_a_warning(
    stacks: dict[str, Template], existing: Template
) -> None:
    """A severity without a channel is warned of, and the warning names the setting."""
    for template in (*stacks.values(), existing):
        takers = {
            s for notification in template.settings.notifications for s in notification.severities
        }
        for severity in ("page", "ticket"):
            warned = [text for text in template.warnings if f"'{severity}'" in text]
            assert bool(warned) is (severity not in takers)
            assert all('"notifications"' in text for text in warned)
        subscribed = {
            entry["Properties"]["TopicArn"]["Ref"]
            for entry in template.resources("AWS::SNS::Subscription").values()
        }
        for name, topic in template.resources("AWS::SNS::Topic").items():
            assert name in subscribed, topic["Properties"]["TopicName"]


def test_cloudwatch_may_use_the_key(stacks: dict[str, Template], existing: Template) -> None:
    """The topics' key lets CloudWatch encrypt, without which alarms notify nobody, silently."""
    for template in (*stacks.values(), existing):
        [(key, entry)] = template.resources("AWS::KMS::Key").items()
        granted = [
            statement
            for statement in entry["Properties"]["KeyPolicy"]["Statement"]
            if statement["Principal"].get("Service") == "cloudwatch.amazonaws.com"
        ]
        assert [statement["Action"] for statement in granted] == [
            ["kms:Decrypt", "kms:GenerateDataKey*"]
        ]
        account = template.settings.awsAccount
        assert granted[0]["Condition"]["StringEquals"] == {"aws:SourceAccount": account}
        for topic in template.resources("AWS::SNS::Topic").values():
            name = topic["Properties"]["TopicName"]
            encrypted = topic["Properties"].get("KmsMasterKeyId")
            if "-mail-" in name:
                assert encrypted is None, "a broken key must not silence the news of it"
            else:
                assert encrypted == {"Fn::GetAtt": [key, "Arn"]}


def test_cloudwatch_may_publish_to_each_topic(stacks: dict[str, Template]) -> None:
    """Each alarm topic's policy lets alarms of this environment publish."""
    template = stacks["prd"]
    allowed = {
        statement["Resource"]["Ref"]
        for entry in template.resources("AWS::SNS::TopicPolicy").values()
        for statement in entry["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
        and statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    }
    targets = {action["Ref"] for _, alarm in _alarms(template) for action in alarm["AlarmActions"]}
    assert targets == allowed


def test_alert_path_is_notified_past_itself(stacks: dict[str, Template]) -> None:
    """Alarms on the alert path are also mailed directly, without key, queue or notify, by the one
    topic that each address has to confirm.
    """
    template = stacks["local"]
    mail = [
        entry["Properties"]
        for entry in template.resources("AWS::SNS::Subscription").values()
        if entry["Properties"]["Protocol"] == "email"
    ]
    addresses = [subscription["Endpoint"] for subscription in mail]
    assert len(addresses) == len(set(addresses)) >= 1
    direct = {subscription["TopicArn"]["Ref"] for subscription in mail}
    for signal in ("alert-path-broken", "notifications-undelivered"):
        [alarm] = [
            entry["Properties"]
            for entry in template.resources(*ALARMS).values()
            if entry["Properties"]["AlarmName"] == f"webhook-buffer-local-{signal}"
        ]
        assert direct & {action["Ref"] for action in alarm["AlarmActions"]}


def test_parts_of_an_incident_page_nobody(stacks: dict[str, Template]) -> None:
    """What a composite notifies of, its parts report as information only: one page per incident."""
    template = stacks["prd"]
    topics = {
        name: entry["Properties"]["TopicName"].rpartition("-")[2]
        for name, entry in template.resources("AWS::SNS::Topic").items()
    }
    parts: set[str] = set()
    for entry in template.resources(*COMPOSITES).values():
        parts |= set(re.findall(r'(?<!NOT )ALARM\("([^"]+)"\)', entry["Properties"]["AlarmRule"]))
    metric_alarms = {
        entry["Properties"]["AlarmName"]: entry["Properties"]
        for entry in template.resources(*ALARMS).values()
    }
    checked = parts & metric_alarms.keys()
    assert len(checked) > 20
    for name in checked:
        assert {topics[a["Ref"]] for a in metric_alarms[name]["AlarmActions"]} == {"info"}


def test_composites_name_alarms_that_are_there(stacks: dict[str, Template]) -> None:
    """Rules and suppressors name alarms of the same stack, which are made before them."""
    for template in stacks.values():
        names = {alarm["AlarmName"]: None for _, alarm in _alarms(template)}
        logical = {
            entry["Properties"]["AlarmName"]: name
            for name, entry in template.resources(*ALARMS, *COMPOSITES).items()
        }
        composites = template.resources(*COMPOSITES)
        assert len(composites) == 4
        for entry in composites.values():
            properties = entry["Properties"]
            named = set(re.findall(r'ALARM\("([^"]+)"\)', properties["AlarmRule"]))
            if "ActionsSuppressor" in properties:
                named.add(properties["ActionsSuppressor"])
            assert named
            assert named <= names.keys()
            depends = entry["DependsOn"]
            assert {logical[name] for name in named} <= set(
                [depends] if isinstance(depends, str) else depends
            )


def test_laptop_stands_in_only_where_it_must(stacks: dict[str, Template]) -> None:
    """Metric math and composites are made by a function on the laptop, and nowhere else."""
    for name, template in stacks.items():
        stand_ins = template.resources("Custom::Alarm", "Custom::CompositeAlarm")
        assert bool(stand_ins) is (name == "local")
    plain = stacks["local"].resources("AWS::CloudWatch::Alarm").values()
    assert all("Metrics" not in entry["Properties"] for entry in plain)
    theirs = {alarm["AlarmName"].replace("-prd-", "-local-") for _, alarm in _alarms(stacks["prd"])}
    assert theirs <= {alarm["AlarmName"] for _, alarm in _alarms(stacks["local"])}


def test_notify_may_read_only_its_channels(existing: Template) -> None:
    """Secrets are granted by their exact ARNs, and stand nowhere as values."""
    granted = [
        statement["Resource"]
        for entry in existing.resources("AWS::IAM::Policy").values()
        for statement in entry["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "secretsmanager:GetSecretValue"
    ]
    assert granted == [existing.settings.notifications[0].secretArn]


def test_undelivered_notifications_are_kept(stacks: dict[str, Template]) -> None:
    """A notification that fails five times goes to a queue that an alarm watches."""
    template = stacks["prd"]
    queue = template.properties("AWS::SQS::Queue", QueueName="webhook-buffer-prd-notifications")
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 5
    kept = "webhook-buffer-prd-notifications-undelivered"
    [target] = [
        name
        for name, entry in template.resources("AWS::SQS::Queue").items()
        if entry["Properties"]["QueueName"] == kept
    ]
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": [target, "Arn"]}
    name = "webhook-buffer-prd-notifications-undelivered"
    alarm = template.properties("AWS::CloudWatch::Alarm", AlarmName=name)
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": kept}]


def test_dashboard_is_in_the_stack(stacks: dict[str, Template], existing: Template) -> None:
    """The dashboard's body is JSON once CloudFormation has filled in the API's id."""
    for template in (*stacks.values(), existing):
        [dashboard] = template.resources("AWS::CloudWatch::Dashboard").values()
        body = dashboard["Properties"]["DashboardBody"]
        if not isinstance(body, str):
            [separator, pieces] = body["Fn::Join"]
            body = separator.join(piece if isinstance(piece, str) else "abc123" for piece in pieces)
        assert json.loads(body)["widgets"]


def test_monitoring_can_be_left_out(tmp_path: Path) -> None:
    """With monitoring false the buffer stands alone."""
    environment = synthesize(loader.load("dev", overrides={"monitoring": False}), tmp_path)
    assert environment.buffer
    assert environment.monitoring is None


def test_without_heartbeat_nothing_waits_for_one(tmp_path: Path) -> None:
    """With heartbeat off neither it, its probe nor their alarms are there."""
    environment = synthesize(loader.load("dev", overrides={"heartbeat": "off"}), tmp_path)
    assert environment.monitoring
    names = {alarm["AlarmName"] for _, alarm in _alarms(environment.monitoring)}
    assert not {name for name in names if "heartbeat" in name or "alert-path" in name}
    functions = environment.monitoring.resources("AWS::Lambda::Function")
    assert not [name for name in functions if name.startswith("Heartbeat")]


def test_the_longest_names_fit(tmp_path: Path) -> None:
    """With the longest service and environment no name is longer than its service takes."""
    longest = {"service": "s" * 32, "environment": "e" * 16, "awsAccount": "000000000000"}
    environment = synthesize(loader.load("dev").model_copy(update=longest), tmp_path)
    # Source: each service's quotas.
    limits = {"FunctionName": 64, "QueueName": 80, "TableName": 255, "AlarmName": 255, "Name": 64}
    for stack in environment.stacks:
        for entry in stack.template["Resources"].values():
            for key, limit in limits.items():
                name = entry.get("Properties", {}).get(key, "")
                assert not isinstance(name, str) or len(name) <= limit, (entry["Type"], name)


def test_functions_may_do_what_they_do(stacks: dict[str, Template]) -> None:
    """Each function's role allows the calls its code makes."""
    wanted = {
        "Notify": {"dynamodb:GetItem", "dynamodb:PutItem", "cloudwatch:DescribeAlarms",
                   "secretsmanager:GetSecretValue", "sns:Publish", "dynamodb:Query",
                   "logs:FilterLogEvents"},
        "Heartbeat": {"cloudwatch:SetAlarmState"},
        "Audit": {"logs:FilterLogEvents", "dynamodb:BatchGetItem", "dynamodb:PutItem"},
    }  # fmt: skip
    for function, actions in wanted.items():
        allowed: set[str] = set()
        for name, entry in stacks["local"].resources("AWS::IAM::Policy").items():
            if f"{function}Role" in name:
                for statement in entry["Properties"]["PolicyDocument"]["Statement"]:
                    said = statement["Action"]
                    allowed |= {said} if isinstance(said, str) else set(said)
        assert actions <= allowed, function


def test_what_fails_comes_again(stacks: dict[str, Template]) -> None:
    """notify answers with what failed, SNS keeps what it can't hand over, runs are scheduled."""
    template = stacks["prd"]
    [mapping] = template.resources("AWS::Lambda::EventSourceMapping").values()
    assert mapping["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    for entry in template.resources("AWS::SNS::Subscription").values():
        assert entry["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]
    rules = template.resources("AWS::Events::Rule").values()
    rates = {entry["Properties"]["ScheduleExpression"] for entry in rules}
    assert rates == {"rate(5 minutes)", "rate(30 minutes)"}
