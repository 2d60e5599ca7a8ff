"""What runs on the laptop: its log lines and the depths of its queues, poll by poll."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from alarmproof import template
from alarmproof.base.alarms import AnyAlarm

from monitoring.resources import resources
from settings.schema import Settings
from webhook_buffer.live.observations import FUNCTIONS
from webhook_buffer.live.session import Event, read_event
from webhook_buffer.live.values import Depth, Limits
from webhook_buffer.operations import logs
from webhook_buffer.operations.environment import Environment, aws_errors
from webhook_buffer.operations.logs import Line

# A line appears this much later than its time says, at most; seconds.
_LATE = 1.0
_LINE_MEMORY = 60_000


class LaptopSource:
    """Reads a running buffer.

    Args:
        since: real time, Unix seconds; of what is older nothing is read.
    """

    def __init__(self, target: Environment, *, since: float) -> None:
        self._target = target
        self._functions = [
            function for function in FUNCTIONS if function in target.settings.functions
        ]
        self._since = since
        self._seen: dict[tuple[int, str, str], None] = {}
        self._queues = {
            "queue": target.settings.queue_name,
            "notify-dlq": target.settings.notify_dlq_name,
        }
        self._urls: dict[str, str] = {}

    def poll(self) -> Event:
        """What is new since the last poll."""
        until = time.time()
        read = logs.read(
            self._target, self._functions, since=round(1000 * self._since), runtime=True
        )
        lines = list(self._new(read))
        self._since = max(self._since, until - _LATE)
        return read_event(lines, self._depths(), until)

    def skip(self, lines: Iterable[Line]) -> None:
        """Takes lines as read already."""
        for line in lines:
            self._seen[line.at, line.function, line.text] = None

    def _new(self, lines: Iterable[Line]) -> Iterable[Line]:
        for line in lines:
            key = (line.at, line.function, line.text)
            if key not in self._seen:
                self._seen[key] = None
                yield line
        while len(self._seen) > _LINE_MEMORY:
            del self._seen[next(iter(self._seen))]

    def _depths(self) -> Iterable[Depth]:
        """Depths are of a moment after the lines were read: the reader holds them back."""
        with aws_errors(self._target.settings):
            for role, name in self._queues.items():
                if role not in self._urls:
                    self._urls[role] = self._target.sqs.get_queue_url(QueueName=name)["QueueUrl"]
                attributes = self._target.sqs.get_queue_attributes(
                    QueueUrl=self._urls[role],
                    AttributeNames=[
                        "ApproximateNumberOfMessages",
                        "ApproximateNumberOfMessagesNotVisible",
                    ],
                )["Attributes"]
                yield Depth(
                    time.time(),
                    int(attributes["ApproximateNumberOfMessages"]),
                    int(attributes["ApproximateNumberOfMessagesNotVisible"]),
                    role,
                )


def roles_of(settings: Settings) -> dict[str, str]:
    """Role of each resource, by its physical name, and by the role itself."""
    known = resources(settings).by_role.values()
    return {resource.role: resource.role for resource in known} | {
        resource.name: resource.role for resource in known
    }


def deployed_alarms(target: Environment) -> list[AnyAlarm]:
    """The alarms of the deployed monitoring stack, as its template has them.

    Raises:
        WebhookBufferError: When the stack can't be read.
    """
    name = target.settings.monitoring_stack_name
    with aws_errors(target.settings):
        body = target.cloudformation.get_template(StackName=name)["TemplateBody"]
    document: Mapping[str, object] = body if isinstance(body, dict) else _document(body)
    return list(template.parse(document, name).alarms)


def deployed_limits(target: Environment) -> Limits:
    """From when on the deployed ``subscribe`` counts a group as blocked."""
    name = target.settings.function_name("subscribe")
    with aws_errors(target.settings):
        configuration = target.functions.get_function_configuration(FunctionName=name)
    variables = configuration.get("Environment", {}).get("Variables", {})
    return Limits(int(variables["BLOCKED_ATTEMPTS"]), float(variables["BLOCKED_SECONDS"]))


def _document(body: object) -> Mapping[str, object]:
    import json

    document = json.loads(str(body))
    assert isinstance(document, dict)
    return document
