"""The record of a running drill, which ``notify`` reads to mark what the drill sets off.

It names alarms, each with the time within which it may fire because of the drill, and it expires.
``lambdas.drills`` reads it; both sides of the form stand there.
"""

from __future__ import annotations

from collections.abc import Mapping

from lambdas import drills
from webhook_buffer.operations.environment import Environment, aws_errors


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
    """
    item = drills.item(drill, alarms, pagerduty=pagerduty)
    with aws_errors(target.settings):
        target.dynamodb.put_item(TableName=target.settings.incidents_table_name, Item=item)


def remove(target: Environment) -> None:
    """Ends a drill: from now on everything is real."""
    with aws_errors(target.settings):
        target.dynamodb.delete_item(TableName=target.settings.incidents_table_name, Key=drills.KEY)
