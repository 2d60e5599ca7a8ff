"""Names that a first deployment takes: free, or of a table to adopt."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError

from settings.schema import Settings
from webhook_buffer.operations.environment import Environment, stack
from webhook_buffer.operations.preflight.model import Problem

_BUFFER = {"publish", "subscribe", "faux-backend"}
_KEY = [{"AttributeName": "id", "KeyType": "HASH"}]
_REMEDY = "Delete it if nothing uses it, or choose another 'service' or 'environment'."


def names(target: Environment) -> Iterator[Problem]:
    """No resource of a stack that does not exist yet has a name of ours."""
    settings = target.settings
    if settings.existing is None and _missing(target, settings.prefix):
        yield from _queue(target, settings.queue_name)
        yield from _functions(target, [name for name in settings.functions if name in _BUFFER])
        yield from _table(target, settings)
    if settings.monitoring and _missing(target, settings.monitoring_stack_name):
        yield from _queue(target, settings.notify_queue_name)
        yield from _functions(target, [name for name in settings.functions if name not in _BUFFER])


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
    prefix = settings.log_group_name("")
    pages = target.logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
    logs = {group["logGroupName"] for page in pages for group in page["logGroups"]}
    for name in chosen:
        if settings.log_group_name(name) in logs:
            yield Problem(
                f"The log group {settings.log_group_name(name)} exists already, outside of our "
                "stacks.",
                _REMEDY,
            )
        function = settings.function_name(name)
        try:
            target.functions.get_function_configuration(FunctionName=function)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            continue
        yield Problem(f"The function {function} exists already, outside of our stacks.", _REMEDY)


def _table(target: Environment, settings: Settings) -> Iterator[Problem]:
    """A table that an earlier stack left is adopted, if it is like ours."""
    try:
        table = target.dynamodb.describe_table(TableName=settings.table_name)["Table"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return
    if table.get("KeySchema") != _KEY:
        keys = ", ".join(entry["AttributeName"] for entry in table.get("KeySchema", ()))
        yield Problem(
            f"The table {settings.table_name} exists already, and its key is {keys}, not id: it "
            "can't be adopted.",
            _REMEDY,
        )
    elif table["TableStatus"] not in ("ACTIVE", "UPDATING"):
        yield Problem(
            f"The table {settings.table_name}, to be adopted, is in state {table['TableStatus']}.",
            "Wait until it is ACTIVE, or gone.",
        )
