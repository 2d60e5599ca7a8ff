"""Rows that complete the generated table have a source, or are not judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alarmproof.base import metric_table
from alarmproof.base.metric_data import MetricKey
from alarmproof.base.metric_rows import COMPLETE, NAMES, SOURCED
from alarmproof.base.metric_rows import UNVERIFIED as UNVERIFIED_ROWS
from alarmproof.base.metric_traits import MOST, READ_MOST, READ_TRAITS, TRAITS
from alarmproof.lint import lint
from alarmproof.metric_pages import refreshed
from alarmproof.template import parse

LISTED = metric_table.listed()
UNVERIFIED = [(space, name) for space, names in UNVERIFIED_ROWS.items() for name in names.split()]


def _findings(namespace: str, name: str, **dimensions: str) -> dict[str, str]:
    """Severity by rule, of what is said about the metric of an alarm."""
    properties: dict[str, Any] = {
        "Namespace": namespace, "MetricName": name, "Statistic": "Sum", "Period": 60,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold",
    }  # fmt: skip
    resource = {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}
    about = ("unknown-metric", "unknown-namespace", "unknown-dimension", "metric-not-judged")
    findings = lint(parse({"Resources": {"A": resource}}, "t.json"))
    return {finding.rule: str(finding.severity) for finding in findings if finding.rule in about}


@pytest.mark.parametrize(("namespace", "name"), UNVERIFIED)
def test_an_unverified_metric_gets_a_note_at_most(namespace: str, name: str) -> None:
    """Also in a complete namespace, and also where a known name is near."""
    assert _findings(namespace, name) == {"metric-not-judged": "note"}


def test_another_name_is_an_error_only_where_a_page_lists_all() -> None:
    """Step Functions' page was read whole, that of Firehose was not."""
    assert {"AWS/States"} == COMPLETE
    assert _findings("AWS/States", "SomethingElse") == {"unknown-metric": "error"}
    other = _findings("AWS/Firehose", "SomethingElse", DeliveryStreamName="s")
    assert other == {"metric-not-judged": "note"}


@pytest.mark.parametrize(
    ("namespace", "name"),
    [("AWS/States", "AliasCount"), ("AWS/States", "VersionCount"), ("AWS/Usage", "ThrottleCount"),
     ("AWS/States", "LambdaFunctionsHeartbeatTimedOut"),
     ("AWS/CertificateManager", "CertificateIssuanceFailed"),
     ("AWS/Bedrock", "InvocationThrottles"),
     ("AWS/Backup", "NumberOfBackupJobsFailed"), ("Glue", "glue.driver.aggregate.numFailedTasks"),
     ("AWS/AmazonMQ", "MessageReadyCount"), ("AWS/DX", "ConnectionState"),
     ("AWS/NetworkFirewall", "DroppedPackets"),
     ("AWS/KinesisAnalytics", "numberOfFailedCheckpoints"),
     ("AmazonMWAA", "SchedulerHeartbeat"), ("AWS/RUM", "JsErrorCount"), ("AWS/AOSS", "5xx")],
)  # fmt: skip
def test_names_that_a_page_lists_are_known(namespace: str, name: str) -> None:
    """Those that rows from memory left out."""
    assert _findings(namespace, name) == {}


def test_a_slip_in_a_name_that_only_the_list_has_is_a_warning() -> None:
    """A metric's and a dimension's misspelling is a warning; another name is a note."""
    wrong = _findings("AWS/Backup", "NumberOfBackupJobFailed")
    assert wrong == {"unknown-metric": "warning"}
    assert _findings("AWS/Backup", "NumberOfCats") == {"metric-not-judged": "note"}
    wrong = _findings("Glue", "glue.error.ALL", Jobname="etl")
    assert wrong == {"unknown-dimension": "warning"}
    assert _findings("Glue", "glue.error.ALL", JobName="etl", Other="x") == {}


def test_dimensions_that_a_configuration_decides_are_not_judged() -> None:
    """The agent's; and SNS counts messages to phone numbers by themselves."""
    dimensions = {"InstanceId": "i-1", "path": "/", "device": "nvme0n1p1", "fstype": "xfs"}
    assert _findings("CWAgent", "disk_used_percent", **dimensions) == {}
    assert _findings("AWS/SNS", "NumberOfNotificationsFailed", PhoneNumber="x") == {}


def test_dimensions_that_are_enough_are_known() -> None:
    """Service Connect's, which the generated table lacks; a service without its cluster is not."""
    assert _findings("AWS/ECS", "TargetResponseTime", TargetDiscoveryName="orders") == {}
    assert _findings("AWS/ECS", "CPUUtilization", ServiceName="orders") == {
        "unknown-dimension": "warning"
    }


def test_started_executions_can_be_zero() -> None:
    """Step Functions publishes a second ExecutionsStarted, of 0, when an execution ends."""
    entry = metric_table.published(MetricKey("AWS/States", "ExecutionsStarted", ()))
    assert entry is not None
    assert (entry.least, entry.sample) == (0, 1)


def test_a_row_is_there_once_and_has_a_page() -> None:
    """No row repeats the generated table or another row, and each names a page and its address."""
    rows = [(page.namespace, name) for page in SOURCED for name in page.names.split()]
    rows += [(space, name) for space, entry in LISTED.items() for name in entry["names"]]
    assert len(set(rows)) == len(rows)
    assert not set(rows) & set(UNVERIFIED)
    generated = metric_table._generated()
    assert not [row for row in rows if row[1] in generated.get(row[0], {})]
    assert all(page.title and page.address.startswith("https://") for page in SOURCED)
    assert not [name for space, name in UNVERIFIED if name in NAMES.get(space, ())]
    assert set(TRAITS) >= READ_TRAITS
    assert set(MOST) >= READ_MOST


def test_the_page_counts_as_the_data_does() -> None:
    """docs/metrics.md says how many rows are verified, and which are not."""
    page = (Path(__file__).parents[1] / "docs" / "metrics.md").read_text("utf-8")
    assert "<!-- generated: sources -->" in page
    assert refreshed(page) == page


def test_a_metric_in_decibels_may_be_compared_with_a_negative_number() -> None:
    """A fiber's light level, unlike a count."""
    for name, negative in (("ConnectionLightLevelRx", True), ("ConnectionErrorCount", False)):
        entry = metric_table.published(MetricKey("AWS/DX", name))
        assert entry is not None
        assert entry.negative is negative
