"""The laptop in use, end to end through the public command.

One emulator and one deployment serve the whole group; what a test stops, the next one starts.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from settings.loader import load
from tests.laptop import Laptop
from tests.templates import OUTPUTS
from tests.waiting import eventually
from webhook_buffer.composition import alarm_set
from webhook_buffer.laptop import inbox
from webhook_buffer.laptop.live_alarms import LiveAlarms
from webhook_buffer.operations.send import Sender, Webhook

pytestmark = [pytest.mark.xdist_group("laptop"), pytest.mark.emulator]


def test_outputs_file_is_the_contract(laptop: Laptop) -> None:
    """cdk.out.json holds the outputs that other programs read, and CloudFormation has the same."""
    assert laptop.outputs.keys() == OUTPUTS
    assert laptop.outputs["UsesFauxBackend"] == "true"
    assert json.loads(laptop.run("outputs"))["webhook-buffer-local"] == laptop.outputs


def test_curl_reaches_the_endpoint_as_printed(laptop: Laptop) -> None:
    """The printed endpoint works in curl, and the record says what became of the webhook."""
    endpoint = laptop.outputs["BufferedEndpoint"]
    command = [
        "curl",
        "--silent",
        "--show-error",
        "--data",
        '{"group_id":"c"}',
        f"{endpoint}/a?b=1",
    ]
    answer = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    record = eventually(lambda: laptop.record(answer["message_id"]))
    assert record["group_id"] == {"S": answer["group_id"]}
    assert record["backend_response_status_code"] == {"N": "200"}
    request = json.loads(record["request"]["S"])
    assert (request["path"], request["httpMethod"]) == ("/a", "POST")
    assert request["queryStringParameters"] == {"b": "1"}


def test_status_says_what_runs(laptop: Laptop) -> None:
    """Release, endpoint and backlog in one table, or as JSON."""
    output = laptop.run("status")
    assert laptop.outputs["Release"] in output
    assert laptop.outputs["BufferedEndpoint"] in output
    assert str(laptop.emulator["pid"]) in output
    status = json.loads(laptop.run("status", "--json"))
    assert status["endpoint"] == laptop.outputs["BufferedEndpoint"]
    assert status["emulator"]["pid"] == laptop.emulator["pid"]
    assert status["queued"] >= 0
    assert status["backend"] == "faux backend"


def test_smoke_with_failures(laptop: Laptop) -> None:
    """The smoke tests see the new release, order, and each forced failure in its record."""
    output = laptop.run("smoke", "--failures")
    assert "7 smoke tests passed" in output
    assert laptop.outputs["Release"] in output


def test_send_posts_a_folder(laptop: Laptop, tmp_path: Path) -> None:
    """Every file of a folder is sent and summed up; the logs show each delivery."""
    for number in range(3):
        (tmp_path / f"{number}.json").write_text(json.dumps({"group_id": "sent", "n": number}))
    output = laptop.run("send", str(tmp_path), "--repeat", "2", "--rate", "100", "--to", "/hook")
    assert re.search(r"Sent\s+│ 6", output)
    assert re.search(r"Accepted\s+│ 6", output)
    eventually(lambda: laptop.run("logs", "-f", "subscribe").count("group_id=sent") == 6)
    assert "publish" not in laptop.run("logs", "-f", "subscribe")


def test_other_groups_flow_past_a_failing_one(laptop: Laptop) -> None:
    """A webhook that fails stays at its group's head, while another group is delivered."""
    sender = Sender(laptop.outputs["BufferedEndpoint"])

    def post(group: str, **flags: Any) -> str:
        body = json.dumps({"group_id": group, **flags}).encode()
        receipt = sender.post(Webhook(body=body, headers={"Content-Type": "application/json"}))
        assert receipt.accepted
        return receipt.answer["message_id"]

    stuck = post("stuck", faux_backend_force_status_code=500)
    behind = post("stuck")
    flowing = post("flowing")
    eventually(lambda: laptop.record(flowing).get("delivered_timestamp"))
    row = f"{stuck}#attempts"
    eventually(lambda: len(laptop.record(row).get("recent", {}).get("L", [])) >= 2)
    assert laptop.record(behind) == {}
    statuses = {entry["M"]["status"]["N"] for entry in laptop.record(row)["recent"]["L"]}
    assert statuses == {"500"}
    laptop.client("sqs").purge_queue(QueueUrl=laptop.outputs["QueueUrl"])


def _text(received: inbox.Received) -> str:
    """What a notification says, whatever its channel: its own words as one text."""
    return json.dumps(received.content, ensure_ascii=False)


def _state(laptop: Laptop, signal: str, state: Any) -> None:
    """Forces a transition with CloudWatch's API."""
    reason = "Threshold Crossed: 2 datapoints [62.5 (24/11/26 03:11:00), 70.0 (24/11/26 03:10:00)]"
    laptop.client("cloudwatch").set_alarm_state(
        AlarmName=f"webhook-buffer-local-{signal}",
        StateValue=state,
        StateReason=f"{reason} were greater than or equal to the threshold (50.0).",
    )


def test_alarms_are_deployed(laptop: Laptop) -> None:
    """Every alarm and incident of the environment is there, and so are the dashboard and topics."""
    alarms = alarm_set(load("local"))
    client = laptop.client("cloudwatch")
    pages = client.get_paginator("describe_alarms").paginate(
        AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    deployed = {
        alarm["AlarmName"]: alarm
        for page in pages
        for alarm in (*page.get("MetricAlarms", []), *page.get("CompositeAlarms", []))
    }
    expected = {alarm.name for alarm in alarms.alarms} | {
        composite.name for composite in alarms.composites
    }
    assert deployed.keys() == expected | {"webhook-buffer-local-alert-path-probe"}
    assert all(alarm["AlarmActions"] for alarm in deployed.values())
    [board] = client.list_dashboards()["DashboardEntries"]
    assert board["DashboardName"] == "webhook-buffer-local"
    outputs = json.loads(laptop.run("outputs"))["webhook-buffer-local-monitoring"]
    assert outputs["PageTopic"].endswith(":webhook-buffer-local-page")


@pytest.fixture
def by_hand(laptop: Laptop) -> Iterator[Laptop]:
    """The laptop without live alarms, so that only a test sets states."""
    live = LiveAlarms(laptop.state / "alarms")
    live.stop()
    yield laptop
    live.start()


def test_one_incident_reaches_every_channel_once(by_hand: Laptop) -> None:
    """A backend outage pages each kind of channel once; what follows from it notifies nobody."""
    laptop = by_hand
    with inbox.opened(laptop.target) as received:
        _state(laptop, "backend-down", "ALARM")
        pages = received.expect(["slack", "pagerduty", "https", "email"])
        for page in pages:
            text = _text(page)
            assert "The backend does not accept webhooks" in text, page.channel
            assert "62.5 % of the attempts failed, threshold 50 %" in text
            assert "Webhooks wait in the queue" in text
            assert "docs/runbook.md#backend-down" in text
            assert "webhook-buffer logs --env local" in text
        for follower in ("queue-age-page", "queue-age-ticket", "subscribe-duration"):
            _state(laptop, follower, "ALARM")
        received.next_second()
        for follower in ("queue-age-page", "queue-age-ticket", "subscribe-duration"):
            _state(laptop, follower, "OK")
        _state(laptop, "backend-down", "OK")
        since: list[inbox.Received] = []

        def all_notified() -> bool:
            since.extend(received.unread())
            return len(since) >= 4

        eventually(all_notified, seconds=60)
        # Had a consequence been notified, it would stand before the recoveries.
        assert {delivery.channel for delivery in since} == {"slack", "pagerduty", "https", "email"}
        assert len(since) == 4
        for recovery in since:
            assert recovery.recovered, recovery.channel
            assert "resolve" in _text(recovery) or "It lasted" in _text(recovery)


def test_a_drill_shows_what_arrives(laptop: Laptop) -> None:
    """The drill prints each channel's notification, and the recovery."""
    assert "RECOVERED" in laptop.run("alarms", "drill", "backend-down").upper()
    output = laptop.run("alarms", "drill", "blocked-group")
    assert "blocked-group → ALARM" in output
    assert "TICKET webhook-buffer local: A group is blocked by its first webhook" in output
    assert "blocked-group → OK" in output
    assert "RECOVERED" in output.upper()
    assert "pagerduty" not in output.partition("→ ALARM")[2]  # it takes pages only


def test_what_a_channel_does_not_take_is_kept(by_hand: Laptop) -> None:
    """A channel that fails is tried again, then kept in a queue; the others are notified once."""
    laptop = by_hand
    sqs = laptop.client("sqs")
    queue = sqs.get_queue_url(QueueName="webhook-buffer-local-notifications")["QueueUrl"]
    kept = sqs.get_queue_url(QueueName="webhook-buffer-local-notifications-undelivered")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1"})

    def waiting() -> int:
        names = ["ApproximateNumberOfMessages"]
        reply = sqs.get_queue_attributes(QueueUrl=kept, AttributeNames=names)
        return int(reply["Attributes"]["ApproximateNumberOfMessages"])

    try:
        with inbox.opened(laptop.target) as received:
            laptop.client("secretsmanager").put_secret_value(
                SecretId="webhook-buffer-local/https", SecretString="http://127.0.0.1:9/closed"
            )
            _state(laptop, "record-failed", "ALARM")
            received.expect(["slack", "email"])
            eventually(lambda: waiting() == 1, seconds=60)
            assert received.unread() == []
        _state(laptop, "record-failed", "OK")
    finally:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "60"})
        sqs.purge_queue(QueueUrl=kept)
    assert "127.0.0.1:9" not in laptop.run("logs", "-f", "notify")


def test_heartbeat_proves_both_ways(laptop: Laptop) -> None:
    """One heartbeat comes through API, queue and backend, and its probe through the alert path."""
    client = laptop.client("lambda")
    invoked = client.invoke(FunctionName="webhook-buffer-local-heartbeat", Payload=b"{}")
    assert "FunctionError" not in invoked, invoked["Payload"].read()
    eventually(lambda: "alert-path.arrived" in laptop.run("logs", "-f", "notify"))
    eventually(lambda: "webhook.delivered" in _heartbeats(laptop))


def _heartbeats(laptop: Laptop) -> str:
    lines = laptop.run("logs", "-f", "subscribe").splitlines()
    return "\n".join(line for line in lines if "group_id=webhook-buffer-heartbeat" in line)


def test_logs_name_an_unknown_function(laptop: Laptop) -> None:
    """An unknown function is reported with the known ones."""
    output = laptop.run("logs", "-f", "consume", code=2)
    assert (
        "Environment 'local' has no function 'consume'; it has publish, subscribe, faux-backend,"
        in output
    )


def test_a_taken_port_is_named(tmp_path: Path, laptop: Laptop) -> None:
    """Another laptop's emulator on the same port is an error with a remedy, and no traceback."""
    other = Laptop(tmp_path)
    output = other.run("up", "--port", str(laptop.emulator["port"]), code=2)
    assert f"Port {laptop.emulator['port']} on 127.0.0.1 is in use" in output
