"""The record of a running drill, which ``notify`` reads to mark what the drill sets off.

It names alarms, each with the time within which it may fire because of the drill, and it expires.
``lambdas.drills`` reads it; both sides of the form stand there. There is one in an environment:
whoever overwrote another's would have what that drill sets off taken for real.
"""

from __future__ import annotations

import getpass
import platform
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from lambdas import drills
from settings.errors import InputError
from webhook_buffer.operations.environment import Environment, aws_errors

# Of this process, which runs one drill after the other.
_RUN = uuid.uuid4().hex
# DynamoDB shows what has expired until it deletes it, within days. Source: DynamoDB developer
# guide, "Working with expired items and time to live (TTL)", 2026-11-26.
_FREE = "attribute_not_exists(id) OR expires_at < :now OR #run = :run"


def write(
    target: Environment,
    drill: str,
    alarms: Mapping[str, tuple[float, float]],
    *,
    pagerduty: bool = False,
) -> None:
    """Announces a drill.

    Args:
        alarms: from when until when each may fire because of the drill, Unix seconds, by name.
        pagerduty: whether PagerDuty opens an incident for it, too.

    Raises:
        InputError: When the record of another drill has not expired.
        WebhookBufferError: When AWS can't be asked.
    """
    item = drills.item(drill, alarms, pagerduty=pagerduty, by=_operator(), run=_RUN)
    with aws_errors(target.settings):
        try:
            target.dynamodb.put_item(
                TableName=target.settings.incidents_table_name,
                Item=item,
                ConditionExpression=_FREE,
                ExpressionAttributeNames={"#run": "run"},
                ExpressionAttributeValues={
                    ":now": {"N": str(int(time.time()))},
                    ":run": {"S": _RUN},
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            # botocore puts what the error holds beside its code. Source: botocore, "DynamoDB.
            # Client.exceptions.ConditionalCheckFailedException".
            other: Mapping[str, Any] = dict(error.response).get("Item") or {}  # type: ignore[assignment]
            raise InputError(_taken(target.settings.environment, other)) from None


def remove(target: Environment) -> None:
    """Ends a drill: from now on everything is real."""
    with aws_errors(target.settings):
        target.dynamodb.delete_item(TableName=target.settings.incidents_table_name, Key=drills.KEY)


def _operator() -> str:
    """``ana@laptop``: a role's session would not tell the people apart who assume it."""
    try:
        return f"{getpass.getuser()}@{platform.node()}"
    except (KeyError, ImportError, OSError):  # a user without a name, as in a container
        return platform.node()


def _taken(environment: str, other: Mapping[str, Any]) -> str:
    name, by = (other.get(key, {}).get("S", "unknown") for key in ("drill", "by"))
    begun, until = (_clock(other.get(key, {}).get("N")) for key in ("begun", "expires_at"))
    return (
        f"A drill is under way in environment '{environment}': {name}, by {by}, since {begun}. "
        f"What it sets off is marked until {until}; a second drill would end that, and its pages "
        f"would look real. Begin yours after {until}."
    )


def _clock(seconds: str | None) -> str:
    return f"{datetime.fromtimestamp(int(seconds), UTC):%H:%M:%S} UTC" if seconds else "unknown"
