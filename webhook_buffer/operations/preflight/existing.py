"""Resources that an environment only monitors: the alarms of one that is not there are mute."""

from __future__ import annotations

from collections.abc import Callable, Iterator

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


def monitors_others(settings: Settings) -> bool:
    """Whether an environment has nothing of its own."""
    return settings.existing is not None


def known(target: Environment) -> Iterator[Problem]:
    """Each of them exists. REST APIs are known by names that can't be asked for one by one."""
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


def _asked(
    target: Environment, key: str, name: str, ask: Callable[[str], object]
) -> Iterator[Problem]:
    try:
        ask(name)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _UNKNOWN:
            raise
        settings = target.settings
        yield Problem(
            f"'{name}' of existing.{key} does not exist in {settings.awsAccount}, "
            f"{settings.awsRegion}: its alarms would never have data.",
            "Correct its name in cdk.json.",
        )
