"""A message deleted behind the buffer's back: real handlers and lines on the emulator's AWS."""

from __future__ import annotations

import json
import time
from typing import Any

import boto3
import pytest

from tests.emulated_aws import Aws
from tests.function_events import context
from tests.function_modules import AUDIT_ENVIRON, Functions
from tests.lambdas.test_parking import Buffer
from webhook_buffer.laptop.backend import ScriptedBackend
from webhook_buffer.laptop.programs.process import Running


class Logs:
    """The functions' logs on the emulator."""

    def __init__(self, emulator: Running, prefix: str, capsys: pytest.CaptureFixture[str]) -> None:
        self._client = boto3.client(
            "logs",
            endpoint_url=emulator.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        self._capsys = capsys
        self.names = {name: f"{prefix}-{name}" for name in ("publish", "subscribe")}
        for name in self.names.values():
            self._client.create_log_group(logGroupName=name)
            self._client.create_log_stream(logGroupName=name, logStreamName="all")

    def keep(self, function: str) -> None:
        """Puts what a function printed since the last call into its log."""
        lines = [json.loads(line) for line in self._capsys.readouterr().out.splitlines()]
        if lines:
            self._client.put_log_events(
                logGroupName=self.names[function],
                logStreamName="all",
                logEvents=[
                    {"timestamp": line["at"], "message": json.dumps(line)} for line in lines
                ],
            )


def test_a_deleted_message_is_found(
    functions: Functions,
    aws: Aws,
    backend: ScriptedBackend,
    emulator: Running,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is lost at the second look; what was delivered, parked, set aside, fails or waits is not,
    and neither is a delivery whose line is missing.
    """
    logs = Logs(emulator, aws.table, capsys)
    ledger = f"{aws.table}-ledger"
    aws.dynamodb.create_table(
        TableName=ledger,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    buffer = Buffer(functions, aws, backend)

    lost = buffer.accept("deleted", n=0)
    [message] = aws.received(seconds=3)
    aws.delete(message)
    buffer.accept("unlogged", n=1)
    logs.keep("publish")
    assert buffer.handle(200)
    capsys.readouterr()  # its line is lost, its record is not
    for number in range(5):
        buffer.accept(f"g{number}", n=number)
        logs.keep("publish")
        assert buffer.handle(200)
        logs.keep("subscribe")
    buffer.accept("aside", n=2)
    logs.keep("publish")
    buffer.refused()
    logs.keep("subscribe")
    buffer.accept("fails", n=3)
    buffer.accept("fails", n=4)
    logs.keep("publish")
    assert not buffer.handle(500)
    logs.keep("subscribe")

    variables = {**AUDIT_ENVIRON, "SETTLE_SECONDS": "600", "PAUSE_SECONDS": "7200"}
    variables |= {"PUBLISH_LOG": logs.names["publish"], "SUBSCRIBE_LOG": logs.names["subscribe"]}
    variables |= {"TABLE": aws.table, "LEDGER_TABLE": ledger, "PARKING_TABLE": aws.parking}
    variables["QUEUE_NAME"] = aws.queue_url.rpartition("/")[2]
    audit = functions.load("lambdas.audit", variables)

    def looked(minutes: int) -> dict[str, dict[str, Any]]:
        monkeypatch.setattr(time, "time", lambda: now + 60 * minutes)
        audit.handler({}, context(seconds=60))
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return {line["event"]: line for line in lines}

    now = time.time()
    first, second = looked(11), looked(22)
    assert first["audit.balanced"].items() >= {
        "accepted": 10, "queued": 2, "uncertain": 1, "unaccounted": 0
    }.items()  # fmt: skip
    assert second["webhook.lost"].items() >= {"message_id": lost, "group_id": "deleted"}.items()
    assert second["audit.unaccounted"].items() >= {
        "queued": 2, "uncertain": 0, "unaccounted": 1, "Unaccounted": 1
    }.items()  # fmt: skip
