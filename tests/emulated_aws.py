"""What a test has on an emulator of AWS: a queue, tables, a bucket, and clients for them."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3

from lambdas import parked_index, record_index
from settings.loader import load
from settings.schema import Settings
from webhook_buffer.laptop.programs.process import Running
from webhook_buffer.operations.environment import Environment


@cache  # boto3 takes long to make one; it may be shared, also among threads
def client(endpoint_url: str, service: Any) -> Any:
    """A boto3 client of an emulator's service."""
    return boto3.client(
        service,
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


@dataclass(frozen=True)
class Aws:
    """A queue, tables and a bucket of a test's own on the emulator, and clients for them."""

    queue_url: str
    table: str
    parking: str
    bodies: str
    sqs: Any
    dynamodb: Any
    s3: Any

    def record(self, message_id: str) -> dict[str, Any] | None:
        """A webhook's record, or None."""
        reply = self.dynamodb.get_item(TableName=self.table, Key={"id": {"S": message_id}})
        item: dict[str, Any] | None = reply.get("Item")
        return item

    def attempts(self, message_id: str) -> dict[str, Any] | None:
        """The row of a webhook's attempts, or None."""
        return self.record(f"{message_id}#attempts")

    def attempted(self, record: dict[str, Any], attempts: int) -> None:
        """Makes a received message the next receive after some attempts."""
        record["attributes"]["ApproximateReceiveCount"] = str(attempts + 1)
        item = {"id": {"S": record["messageId"]}, "attempt_count": {"N": str(attempts)}}
        self.dynamodb.put_item(TableName=self.table, Item=item)

    def received(self, *, seconds: int = 0) -> list[dict[str, Any]]:
        """What ReceiveMessage hands out now, as records of a Lambda event."""
        reply = self.sqs.receive_message(
            QueueUrl=self.queue_url,
            MaxNumberOfMessages=1,
            WaitTimeSeconds=seconds,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return [_as_event(message) for message in reply.get("Messages", [])]

    def waiting(self) -> int:
        """How many messages the queue holds, visible or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        reply = self.sqs.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=names)
        return sum(int(value) for value in reply["Attributes"].values())

    def delete(self, record: Mapping[str, Any]) -> None:
        self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=record["receiptHandle"])


def _as_event(message: dict[str, Any]) -> dict[str, Any]:
    """A received message in the shape Lambda's event source gives it."""
    attributes = {
        name: {"dataType": "Binary", "binaryValue": base64.b64encode(value["BinaryValue"]).decode()}
        for name, value in message.get("MessageAttributes", {}).items()
    }
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": attributes,
        "eventSource": "aws:sqs",
    }


def made_aws(emulator: Running, *, queue: str, table: str, parking: str, bodies: str) -> Aws:
    """A queue, tables and a bucket of these names."""
    sqs, dynamodb, s3 = (client(emulator.endpoint_url, name) for name in ("sqs", "dynamodb", "s3"))
    s3.create_bucket(Bucket=bodies)
    attributes: Any = {
        "FifoQueue": "true",
        "DeduplicationScope": "messageGroup",
        "FifoThroughputLimit": "perMessageGroupId",
        # Longer than any test waits for a message that is put back.
        "VisibilityTimeout": "60",
    }
    url = sqs.create_queue(QueueName=queue, Attributes=attributes)["QueueUrl"]
    dynamodb.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": record_index.SORT, "AttributeType": "N"},
            *(
                {"AttributeName": index.partition, "AttributeType": "S"}
                for index in record_index.INDEXES
            ),
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": index.name,
                "KeySchema": [
                    {"AttributeName": index.partition, "KeyType": "HASH"},
                    {"AttributeName": record_index.SORT, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
            for index in record_index.INDEXES
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.create_table(
        TableName=parking,
        KeySchema=[
            {"AttributeName": "partition", "KeyType": "HASH"},
            {"AttributeName": "row", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "partition", "AttributeType": "S"},
            {"AttributeName": "row", "AttributeType": "S"},
            {"AttributeName": "kind", "AttributeType": "S"},
            {"AttributeName": "parked_at", "AttributeType": "N"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": parked_index.NAME,
                "KeySchema": [
                    {"AttributeName": "kind", "KeyType": "HASH"},
                    {"AttributeName": "parked_at", "KeyType": "RANGE"},
                ],
                "Projection": {
                    "ProjectionType": "INCLUDE",
                    "NonKeyAttributes": list(parked_index.LISTED),
                },
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return Aws(url, table, parking, bodies, sqs, dynamodb, s3)


def made_environment(emulator: Running, folder: Path) -> tuple[Environment, Aws]:
    """An environment of its own name, whose queue, tables and bucket are there and empty."""
    settings = load("local", overrides={"service": f"t{uuid.uuid4().hex[:12]}"})
    aws = made_aws(
        emulator,
        queue=settings.queue_name,
        table=settings.table_name,
        parking=settings.parking_table_name,
        bodies=settings.bodies_bucket_name,
    )
    return emulated_environment(emulator, folder, settings), aws


def emulated_environment(emulator: Running, folder: Path, settings: Settings) -> Environment:
    """An environment on the emulator, its files in a folder."""
    return Environment(
        settings=settings,
        folder=folder,
        outputs_file=folder / "outputs.json",
        endpoint_url=emulator.endpoint_url,
    )
