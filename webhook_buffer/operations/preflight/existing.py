"""Resources that an environment only monitors: the alarms of one that is not there are mute."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from botocore.exceptions import ClientError

from settings.schema import Settings
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.preflight.model import Problem

# What AWS says of a name that it does not know, by service.
_UNKNOWN = {
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
    "NotFoundException",
}
_CORRECT = "Correct its name in cdk.json."
# The most that one answer lists. Source: API Gateway API reference, GetRestApis.
_PAGE = 500


def monitors_others(settings: Settings) -> bool:
    """Whether an environment has nothing of its own."""
    return settings.existing is not None


def known(target: Environment) -> Iterator[Problem]:
    """Each of them exists."""
    existing = target.settings.existing
    assert existing
    for queue in existing.queues:
        yield from _asked(
            target, "queues", queue.name, lambda name: target.sqs.get_queue_url(QueueName=name)
        )
    for function in existing.functions:
        yield from _asked(
            target,
            "functions",
            function.name,
            lambda name: target.functions.get_function_configuration(FunctionName=name),
        )
    for table in existing.tables:
        yield from _asked(
            target,
            "tables",
            table.name,
            lambda name: target.dynamodb.describe_table(TableName=name),
        )
    for api in existing.apis:
        if api.kind == "http":
            yield from _asked(
                target, "apis", api.name, lambda name: target.apigateway.get_api(ApiId=name)
            )
    yield from _rest_apis(target, [api.name for api in existing.apis if api.kind == "rest"])


def _rest_apis(target: Environment, names: Sequence[str]) -> Iterator[Problem]:
    """REST APIs, which AWS can be asked for by id alone, and whose metrics are under their names.

    Source: API Gateway developer guide, "Amazon API Gateway dimensions and metrics": ApiName.
    """
    if not names:
        return
    pages = target.rest_apis.get_paginator("get_rest_apis").paginate(
        PaginationConfig={"PageSize": _PAGE}
    )
    by_id = {api["id"]: api["name"] for page in pages for api in page.get("items", ())}
    for name in names:
        if name not in by_id.values():
            yield _missing(
                target,
                "apis",
                name,
                f"Set its name to '{by_id[name]}' in cdk.json: '{name}' is its id."
                if name in by_id
                else _CORRECT,
            )


def _asked(
    target: Environment, key: str, name: str, ask: Callable[[str], object]
) -> Iterator[Problem]:
    try:
        ask(name)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _UNKNOWN:
            raise
        yield _missing(target, key, name, _CORRECT)


def _missing(target: Environment, key: str, name: str, remedy: str) -> Problem:
    settings = target.settings
    return Problem(
        f"'{name}' of existing.{key} does not exist in {settings.awsAccount}, "
        f"{settings.awsRegion}: its alarms would never have data.",
        remedy,
    )
