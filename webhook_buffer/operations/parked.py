"""Parked webhooks and held groups: listed, read whole, released, dropped."""

from __future__ import annotations

import base64
import shlex
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from lambdas import attempts, group_state, parked_index, parked_rows, tokens
from lambdas.base import envelope
from settings.errors import InputError, NotDeployedError
from webhook_buffer.operations.environment import Environment, aws_errors


@dataclass(frozen=True, kw_only=True)
class ParkedWebhook:
    """A parked message, as the index lists it; times in milliseconds since the epoch.

    Attributes:
        kind: ``held`` or ``aside``.
        row: its sort key in the table.
        reason: why it was parked; see ``lambdas.parked_rows.Facts``.
        expires_at: seconds since the epoch, when DynamoDB may delete it.
    """

    kind: str
    row: str
    id: str
    group_id: str
    source: str
    reason: str
    received_at: int
    parked_at: int
    attempts: int
    expires_at: int
    dropped: bool


@dataclass(frozen=True, kw_only=True)
class HeldGroup:
    """A group whose webhooks are parked until it is released.

    Attributes:
        head: the id of the webhook that it was held for.
        since: milliseconds since the epoch.
    """

    group_id: str
    hold_id: str
    head: str
    since: int


@dataclass(frozen=True, kw_only=True)
class Store:
    """All that is parked; the oldest first, and a held group's in the order of its release."""

    groups: list[HeldGroup]
    webhooks: list[ParkedWebhook]

    def of_group(self, group_id: str) -> list[ParkedWebhook]:
        """What a group's release would deliver, in order."""
        held = [
            webhook
            for webhook in self.webhooks
            if webhook.kind == "held" and webhook.group_id == group_id
        ]
        return sorted(
            (webhook for webhook in held if not webhook.dropped), key=lambda webhook: webhook.row
        )

    def aside_of_group(self, group_id: str) -> list[ParkedWebhook]:
        """What was set aside of a group, the oldest first."""
        return [
            webhook
            for webhook in self.webhooks
            if webhook.kind == "aside" and webhook.group_id == group_id
        ]

    def group(self, name: str) -> HeldGroup | None:
        """A held group by its id, or by that id as a notification shows it."""
        held = {group.group_id: group for group in self.groups}
        return held.get(name) or held.get(unquote(name))

    def webhook(self, message_id: str) -> ParkedWebhook:
        """A parked webhook by its id.

        Raises:
            InputError: When there is none.
        """
        webhook = self.find(message_id)
        if webhook is None:
            raise InputError(
                f"'{message_id}' is not a parked webhook; `webhook-buffer webhooks parked` lists "
                "them."
            )
        return webhook

    def find(self, message_id: str) -> ParkedWebhook | None:
        return next((webhook for webhook in self.webhooks if webhook.id == message_id), None)


def release_command(environment: str, name: str) -> str:
    """What releases a group or a webhook, for a shell: whoever sends may name a group."""
    return shlex.join(["webhook-buffer", "webhooks", "release", "--env", environment, "--", name])


def store(target: Environment) -> Store:
    """Reads everything that the index lists.

    Raises:
        NotDeployedError: When the environment has no parking store.
    """
    rows = {kind: list(_listed(target, kind)) for kind in parked_index.KINDS}
    groups = [
        HeldGroup(
            group_id=row["group_id"]["S"],
            hold_id=row["hold_id"]["S"],
            head=row["id"]["S"],
            since=int(row["since"]["N"]),
        )
        for row in rows["state"]
    ]
    webhooks = [_webhook(row) for kind in ("held", "aside") for row in rows[kind]]
    return Store(groups=groups, webhooks=sorted(webhooks, key=lambda webhook: webhook.parked_at))


def dropped(target: Environment) -> set[str]:
    """The ids of what somebody dropped, as far as it is kept.

    Raises:
        WebhookBufferError: When AWS can't be asked.
    """
    rows = (row for kind in ("held", "aside") for row in _listed(target, kind))
    return {row["id"]["S"] for row in rows if "dropped_at" in row}


def message(target: Environment, webhook: ParkedWebhook) -> dict[str, Any]:
    """A parked message as the queue had it.

    Raises:
        InputError: When it is not there any more, or not readable.
    """
    key = {
        "partition": {"S": group_state.partition(webhook.group_id)},
        "row": {"S": webhook.row},
    }
    more: dict[str, Any] = {
        "KeyConditionExpression": "#partition = :partition AND begins_with(#row, :row)",
        "ExpressionAttributeNames": {"#partition": "partition", "#row": "row"},
        "ExpressionAttributeValues": {
            ":partition": key["partition"],
            ":row": {"S": parked_rows.part(webhook.row, "")},
        },
        "ConsistentRead": True,
    }
    table = target.settings.parking_table_name
    with aws_errors(target.settings):
        own: Any = target.dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)
        rest = list(_queried(target, more))
    try:
        return parked_rows.unpacked(_as_json(own["Item"]), [_as_json(row) for row in rest])
    except (KeyError, ValueError):
        raise InputError(f"'{webhook.id}' is no longer parked.") from None


def request(raw: Mapping[str, Any]) -> envelope.Envelope | None:
    """The webhook of a parked message; None where it is not an envelope."""
    try:
        return envelope.received(raw)
    except envelope.UnreadableError:
        return None


def release_group(target: Environment, group: HeldGroup) -> None:
    """Sends the token that has a group's webhooks delivered in order."""
    _send(target, group.group_id, tokens.Token(hold=group.hold_id))


def release_webhook(target: Environment, webhook: ParkedWebhook) -> None:
    """Sends the token that has a webhook delivered that was set aside."""
    _send(target, webhook.group_id, tokens.Token(row=webhook.row))


def drop(target: Environment, webhook: ParkedWebhook, reason: str) -> None:
    """Marks a parked webhook, so that no release delivers it; it is kept until it expires.

    Raises:
        InputError: When it was delivered or left the store meanwhile.
    """
    values: Any = {":now": {"N": str(round(time.time() * 1000))}, ":reason": {"S": reason}}
    change = "SET dropped_at = :now, dropped_reason = :reason"
    with aws_errors(target.settings):
        try:
            # A release heeds the record; said again, the command finishes what was half done.
            target.dynamodb.update_item(
                TableName=target.settings.table_name,
                Key={"id": {"S": attempts.key(webhook.id)}},
                UpdateExpression=change,
                ConditionExpression="attribute_not_exists(delivered_timestamp)",
                ExpressionAttributeValues=values,
            )
            target.dynamodb.update_item(
                TableName=target.settings.parking_table_name,
                Key={
                    "partition": {"S": group_state.partition(webhook.group_id)},
                    "row": {"S": webhook.row},
                },
                UpdateExpression=change,
                ConditionExpression="attribute_exists(reason)",
                ExpressionAttributeValues=values,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                raise InputError(f"'{webhook.id}' has been delivered in the meantime.") from None
            raise


def _queried(target: Environment, request: dict[str, Any]) -> Iterator[Mapping[str, Any]]:
    table = target.settings.parking_table_name
    for page in target.dynamodb.get_paginator("query").paginate(TableName=table, **request):
        yield from page["Items"]


def _listed(target: Environment, kind: str) -> Iterator[Mapping[str, Any]]:
    settings = target.settings
    request: dict[str, Any] = {
        "IndexName": parked_index.NAME,
        "KeyConditionExpression": "kind = :kind",
        "ExpressionAttributeValues": {":kind": {"S": kind}},
    }
    with aws_errors(settings):
        try:
            yield from _queried(target, request)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                raise NotDeployedError(
                    f"Environment '{settings.environment}' has no table "
                    f"{settings.parking_table_name}: deploy it, or choose another with --env."
                ) from None
            raise


def _webhook(row: Mapping[str, Any]) -> ParkedWebhook:
    return ParkedWebhook(
        kind=row["kind"]["S"],
        row=row["row"]["S"],
        id=row["id"]["S"],
        group_id=row["group_id"]["S"],
        source=row["source"]["S"],
        reason=row["reason"]["S"],
        received_at=int(row["received_at"]["N"]),
        parked_at=int(row["parked_at"]["N"]),
        attempts=int(row["attempt_count"]["N"]),
        expires_at=int(row["expires_at"]["N"]),
        dropped="dropped_at" in row,
    )


def _as_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row's message as DynamoDB's own JSON has it; boto3 decodes it."""
    return {"message": {"B": base64.b64encode(row["message"]["B"]).decode()}}


def _send(target: Environment, group_id: str, token: tokens.Token) -> None:
    with aws_errors(target.settings):
        url = target.sqs.get_queue_url(QueueName=target.settings.queue_name)["QueueUrl"]
        target.sqs.send_message(
            QueueUrl=url,
            MessageBody=token.text(),
            MessageGroupId=group_id,
            # Each release is one of its own: a token whose hold is over does nothing.
            MessageDeduplicationId=uuid.uuid4().hex,
        )
