"""Which alarms are on: by live alarms, and by CloudWatch beside our own verdict.

No answer here was recorded on AWS: they are built by hand and hold to botocore's models, which the
stubber checks them against.
"""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from monitoring.cloudwatch.alarms import template
from monitoring.cost import PRICES
from settings.errors import NotDeployedError
from settings.loader import load
from tests.fake_aws import install
from webhook_buffer.cli import alarm_status
from webhook_buffer.composition import alarm_set
from webhook_buffer.laptop import laptop
from webhook_buffer.laptop.live_alarms import LiveAlarms
from webhook_buffer.live import status
from webhook_buffer.live.control import VERDICTS
from webhook_buffer.live.status import Entry
from webhook_buffer.operations.environment import Environment

_CHANGED = datetime(2026, 11, 26, 3, 11, tzinfo=UTC)


def _target(tmp_path: Path) -> Environment:
    return Environment(
        settings=load("prd"), folder=tmp_path, outputs_file=tmp_path / "o.json",
        endpoint_url="http://127.0.0.1:9",
    )  # fmt: skip


def _alarm(name: str, state: str, **more: Any) -> dict[str, Any]:
    return {
        "AlarmName": f"webhook-buffer-prd-{name}",
        "AlarmArn": f"arn:aws:cloudwatch:us-east-1:333333333333:alarm:webhook-buffer-prd-{name}",
        "StateValue": state,
        "StateReason": "Threshold Crossed: …",
        "StateUpdatedTimestamp": _CHANGED,
        "StateTransitionedTimestamp": _CHANGED,
        "ActionsEnabled": True,
        "AlarmActions": ["arn:aws:sns:us-east-1:333333333333:webhook-buffer-prd-page"],
        "OKActions": [],
        **more,
    }


def _metric(name: str, state: str, metric: str, threshold: float) -> dict[str, Any]:
    return _alarm(
        name, state, Namespace="WebhookBuffer", MetricName=metric, Statistic="Sum", Period=60,
        Dimensions=[{"Name": "service", "Value": "webhook-buffer"}], EvaluationPeriods=1,
        DatapointsToAlarm=1, Threshold=threshold, TreatMissingData="notBreaching",
        ComparisonOperator="GreaterThanOrEqualToThreshold",
    )  # fmt: skip


def _entries(
    tmp_path: Path, values: list[float], reason_data: str | None = None
) -> dict[str, Entry]:
    """What is shown where the metrics of both alarms have these newest values."""
    target = _target(tmp_path)
    minute = int(time.time() // 60) * 60
    described = {
        "MetricAlarms": [
            _metric("record-failed", "OK", "RecordFailed", 1)
            | ({"StateReasonData": reason_data} if reason_data else {})
        ],
        "CompositeAlarms": [
            _alarm(
                "deliveries-degraded", "ALARM",
                AlarmRule='ALARM("webhook-buffer-prd-record-failed")',
                ActionsSuppressor="webhook-buffer-prd-deliveries-failing",
                ActionsSuppressorWaitPeriod=60, ActionsSuppressorExtensionPeriod=60,
                ActionsSuppressedBy="Alarm", ActionsSuppressedReason="Suppressed by …-failing",
            ),
            _alarm("deliveries-failing", "OK", AlarmRule="FALSE"),
        ],
    }  # fmt: skip
    times = [datetime.fromtimestamp(minute - 60 * at, UTC) for at in range(1, len(values) + 1)]
    data = {
        "MetricDataResults": [
            {"Id": "q0", "StatusCode": "Complete", "Timestamps": times, "Values": values}
        ]
    }
    with Stubber(target.cloudwatch) as stub:
        asked = {"AlarmNamePrefix": "webhook-buffer-prd-",
                 "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}  # fmt: skip
        stub.add_response("describe_alarms", described, asked)
        names = ("MetricDataQueries", "StartTime", "EndTime", "ScanBy", "MaxDatapoints")
        stub.add_response("get_metric_data", data, dict.fromkeys(names, ANY))
        entries = status.of_aws(target, alarm_set(target.settings))
    return {entry.id or entry.name: entry for entry in entries}


def test_our_verdict_stands_beside_a_state_that_differs(tmp_path: Path) -> None:
    """The metric is at its threshold for minutes and the alarm is OK: that is shown, and why."""
    entry = _entries(tmp_path, [2.0, 2.0, 2.0])["record-failed"]
    assert (entry.state, entry.ours, entry.threshold) == ("OK", "ALARM", "1")
    assert entry.since == _CHANGED.timestamp()


def test_what_agrees_has_no_second_verdict(tmp_path: Path) -> None:
    """Without failures both say OK; what is suppressed says by what."""
    by_id = _entries(tmp_path, [0.0])
    assert by_id["record-failed"].ours is None
    degraded = by_id["deliveries-degraded"]
    assert (degraded.state, degraded.suppressed) == ("ALARM", "Suppressed by …-failing")
    assert next(iter(by_id)) == "deliveries-degraded"


def test_an_environment_without_alarms_says_what_to_deploy(tmp_path: Path) -> None:
    """One error with its remedy."""
    target = _target(tmp_path)
    with Stubber(target.cloudwatch) as stub:
        stub.add_response("describe_alarms", {"MetricAlarms": [], "CompositeAlarms": []})
        with pytest.raises(NotDeployedError, match="make deploy ENV=prd"):
            status.of_aws(target, alarm_set(target.settings))


def test_live_verdicts_have_units() -> None:
    """Values and thresholds in words; what is on stands first; JSON dates are ISO."""
    alarms = alarm_set(load("local"))
    verdict = {"since": None, "reason": "", "suppressed": None, "notified": None}
    names = ("backend-slow", "backend-down")
    document = {
        "verdicts": [
            {**verdict, "alarm": f"webhook-buffer-local-{name}", "state": state, "value": value,
             "threshold": 50.0, "comparison": "GreaterThanOrEqualToThreshold", "since": since}
            for name, state, value, since in zip(
                names, ("OK", "ALARM"), (850.0, 62.0), (None, 1_760_000_400), strict=True
            )
        ]
    }  # fmt: skip
    first, second = status.of_laptop(alarms, document)
    assert (first.id, first.value, first.threshold) == (
        "backend-down",
        "62 % of the attempts failed",
        "50 %",
    )
    assert (second.id, second.value) == ("backend-slow", "850 ms")
    assert first.document()["since"] == "2025-10-09T09:00:00Z"


def _judged(signal: str, value: float, threshold: float, state: str = "ALARM") -> Entry:
    """What is shown of a verdict."""
    verdict = {
        "alarm": f"webhook-buffer-local-{signal}", "state": state, "value": value,
        "threshold": threshold, "comparison": "GreaterThanOrEqualToThreshold", "reason": "",
        "since": 1_760_000_400, "suppressed": None, "notified": None,
    }  # fmt: skip
    [entry] = status.of_laptop(alarm_set(load("local")), {"verdicts": [verdict]})
    return entry


def test_a_count_says_what_it_counts() -> None:
    """As notifications do."""
    assert _judged("record-failed", 1.0, 1.0).value == "1 record not written or read"


def test_an_alarm_whose_value_is_fine_again_says_until_when_it_is_on() -> None:
    """It looks back on minutes, most of which have to be fine; one that is not says nothing."""
    entry = _judged("backend-down", 0.0, 50.0)
    assert entry.until == "on until 4 of the last 5 minutes are within the threshold"
    assert entry.document()["until"] == entry.until
    longer = _judged("queue-age-ticket", 1.0, 300.0).until
    assert longer == "on until all of the last 17 minutes are within the threshold"
    assert _judged("backend-down", 70.0, 50.0).until is None
    assert _judged("backend-down", 0.0, 50.0, "OK").until is None


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ('{"evaluatedDatapoints": [{"timestamp": "2026-11-26T03:10:00.000+0000", "value": 2.0}, '
         '{"timestamp": "2026-11-26T03:11:00.000+0000", "value": 4.0}, '
         '{"timestamp": "2026-11-26T03:12:00.000+0000"}]}', "4 records not written or read"),
        ('{"evaluatedDatapoints": []}', None),
        ("by hand", None),
        (None, None),
    ],
)  # fmt: skip
def test_a_value_on_aws_is_that_of_the_last_change(
    tmp_path: Path, said: str | None, shown: str | None
) -> None:
    """The newest datapoint that CloudWatch evaluated then; a state set by hand has none."""
    assert _entries(tmp_path, [0.0], said)["record-failed"].value == shown


def _publish(folder: Path, monkeypatch: pytest.MonkeyPatch, **more: Any) -> None:
    """Live alarms have judged a minute."""
    live = LiveAlarms(folder / "alarms")
    live.folder.mkdir()
    document = {
        "environment": "local", "judged": 1_760_000_400, "real": time.time(), "ahead": 770.4,
        "pace": 60.0, "verdicts": [], **more,
    }  # fmt: skip
    (live.folder / VERDICTS).write_text(json.dumps(document))
    monkeypatch.setattr(laptop, "environment", lambda _: None)
    monkeypatch.setattr(laptop, "live_alarms", lambda: live)
    monkeypatch.setattr(LiveAlarms, "running", lambda _: True)


def test_json_has_dates_and_says_how_far_they_are_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Times are ISO 8601 of the session's clock; the difference to the wall clock in seconds."""
    _publish(tmp_path, monkeypatch)
    alarm_status.status("local", as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert said == {
        "environment": "local", "judged": "2025-10-09T09:00:00Z", "pace": 60.0,
        "ahead_seconds": 770, "alarms": [],
    }  # fmt: skip


def test_verdicts_on_what_can_not_be_read_are_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The emulator was reset, so that nothing is deployed: that is said, not what was judged."""
    _publish(tmp_path, monkeypatch, problem="Environment 'local' is not deployed.")
    with pytest.raises(
        NotDeployedError, match=r"can't read the running buffer. .* is not deployed"
    ):
        alarm_status.status("local")


def test_it_has_a_price(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With every alarm, all is asked in at most five calls, for what the help says."""
    alarms = alarm_set(load("prd"))
    described: dict[str, list[dict[str, Any]]] = {"MetricAlarms": [], "CompositeAlarms": []}
    for resource in template(alarms)["Resources"].values():
        kind = "CompositeAlarms" if "AlarmRule" in resource["Properties"] else "MetricAlarms"
        described[kind].append({**resource["Properties"], "StateValue": "OK"})
    queries: list[int] = []

    def read(given: dict[str, Any]) -> dict[str, Any]:
        queries.append(len(given["MetricDataQueries"]))
        return {"MetricDataResults": []}

    fake = install(
        monkeypatch, "333333333333", cloudwatch_DescribeAlarms=described,
        cloudwatch_GetMetricData=read,
    )  # fmt: skip
    target = Environment(settings=load("prd"), folder=tmp_path, outputs_file=tmp_path / "o.json")
    assert len(status.of_aws(target, alarms)) == sum(map(len, described.values()))
    assert fake.names.count("cloudwatch.DescribeAlarms") == 1
    assert len(queries) <= 4
    price = PRICES["metric read"]
    dollars = sum(queries) * price.amount / price.units
    (said,) = re.findall(r"about \$(0\.\d+)", alarm_status.status.__doc__ or "")
    assert dollars == pytest.approx(float(said), rel=0.25)


def test_throttled_it_backs_off(tmp_path: Path) -> None:
    """Calls that AWS throttles are repeated by boto3, three times in all, with growing pauses.

    Source: boto3 developer guide, "Retries", standard mode.
    """
    client: Any = _target(tmp_path).cloudwatch
    assert client.meta.config.retries == {"mode": "standard"}


def test_times_ahead_of_the_wall_clock_are_said_to_be() -> None:
    """After a faster session, and not for the minute that is being judged."""
    assert "13 min ahead of the wall clock" in alarm_status.ahead(770)
    assert [alarm_status.ahead(seconds) for seconds in (-60, 0, 20)] == ["", "", ""]
