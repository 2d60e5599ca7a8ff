"""Names that a first deployment takes: free, or of tables to adopt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from settings.schema import Settings
from webhook_buffer.operations.environment import Environment, stack
from webhook_buffer.operations.preflight.model import Problem

_BUFFER = {"publish", "subscribe", "faux-backend"}
_REMEDY = "Delete it if nothing uses it, or choose another 'service' or 'environment'."


def names(target: Environment) -> Iterator[Problem]:
    """No resource of a stack that does not exist yet has a name of ours."""
    settings = target.settings
    if settings.existing is None and _missing(target, settings.prefix):
        yield from _queue(target, settings.queue_name)
        yield from _functions(target, [name for name in settings.functions if name in _BUFFER])
        yield from _logs(
            target, settings.access_log_group_name(settings.prefix), _access_logs(settings)
        )
        yield from _table(target, settings.table_name, ["id"])
        yield from _table(target, settings.parking_table_name, ["partition", "row"])
    if settings.monitoring and _missing(target, settings.monitoring_stack_name):
        yield from _queue(target, settings.notify_queue_name)
        yield from _functions(target, [name for name in settings.functions if name not in _BUFFER])
        yield from _table_in_the_way(target, settings.incidents_table_name)


def _missing(target: Environment, name: str) -> bool:
    present = stack(target, name)
    return present is None or not present.was_created


def _queue(target: Environment, name: str) -> Iterator[Problem]:
    try:
        target.sqs.get_queue_url(QueueName=name)
    except ClientError as error:
        if "NonExistentQueue" not in error.response["Error"]["Code"]:
            raise
        return
    yield Problem(f"The queue {name} exists already, outside of our stacks.", _REMEDY)


def _functions(target: Environment, chosen: list[str]) -> Iterator[Problem]:
    """Functions, and their logs, which outlive functions that made them themselves."""
    settings = target.settings
    yield from _logs(
        target, settings.log_group_name(""), [settings.log_group_name(name) for name in chosen]
    )
    for name in chosen:
        function = settings.function_name(name)
        try:
            target.functions.get_function_configuration(FunctionName=function)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            continue
        yield Problem(f"The function {function} exists already, outside of our stacks.", _REMEDY)


def _logs(target: Environment, prefix: str, names: list[str]) -> Iterator[Problem]:
    """Log groups, all of which begin with the prefix."""
    pages = target.logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
    known = {group["logGroupName"] for page in pages for group in page["logGroups"]}
    for name in names:
        if name in known:
            yield Problem(f"The log group {name} exists already, outside of our stacks.", _REMEDY)


def _access_logs(settings: Settings) -> list[str]:
    apis = [settings.prefix]
    if settings.create_faux_backend:
        apis.append(settings.function_name("faux-backend"))
    return [settings.access_log_group_name(api) for api in apis]


def _table(target: Environment, name: str, keys: list[str]) -> Iterator[Problem]:
    """A table that an earlier stack left is adopted, if it is like ours.

    Args:
        keys: its partition key, and its sort key where it has one.
    """
    table = _described(target, name)
    if table is None:
        return
    present = [entry["AttributeName"] for entry in table.get("KeySchema", ())]
    if present != keys:
        yield Problem(
            f"The table {name} exists already, and its key is {', '.join(present)}, not "
            f"{', '.join(keys)}: it can't be adopted.",
            _REMEDY,
        )
    elif table["TableStatus"] not in ("ACTIVE", "UPDATING"):
        yield Problem(
            f"The table {name}, to be adopted, is in state {table['TableStatus']}.",
            "Wait until it is ACTIVE, or gone.",
        )


def _table_in_the_way(target: Environment, name: str) -> Iterator[Problem]:
    if _described(target, name):
        yield Problem(f"The table {name} exists already, outside of our stacks.", _REMEDY)


def _described(target: Environment, name: str) -> Any:
    """A table as DynamoDB describes it; None where there is none."""
    try:
        return target.dynamodb.describe_table(TableName=name)["Table"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return None
