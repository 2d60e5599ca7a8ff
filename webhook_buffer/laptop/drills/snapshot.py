"""What a drill may change of what is deployed, to see that nothing of it is left."""

from __future__ import annotations

from typing import Any

from webhook_buffer.laptop.drills.seen import Place
from webhook_buffer.operations.environment import aws_errors

BACKEND = "the faux backend"
_FUNCTIONS = ("publish", "subscribe", "notify", "audit")


def snapshot(place: Place) -> dict[str, Any]:
    """Variables and event sources of functions, the queue's attributes, the backend's behavior."""
    target, settings = place.target, place.target.settings
    state: dict[str, Any] = {BACKEND: place.backend.mode.words}
    with aws_errors(settings):
        for function in _FUNCTIONS:
            name = settings.function_name(function)
            configured = target.functions.get_function_configuration(FunctionName=name)
            variables = configured.get("Environment", {}).get("Variables", {})
            state[f"{function}'s variables"] = dict(variables)
            listed = target.functions.list_event_source_mappings(FunctionName=name)
            sources = listed["EventSourceMappings"]
            state[f"{function}'s event sources"] = sorted(
                (source["UUID"], source["State"]) for source in sources
            )
        url = target.sqs.get_queue_url(QueueName=settings.queue_name)["QueueUrl"]
        asked = target.sqs.get_queue_attributes(
            QueueUrl=url, AttributeNames=["VisibilityTimeout"]
        )  # fmt: skip
        state["the queue's attributes"] = asked["Attributes"]["VisibilityTimeout"]
    return state


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What differs, and how to restore it; values of functions may be secrets, and are not said."""
    left = [name for name in before if before[name] != after.get(name)]
    return [
        f'{name} now "{after.get(name)}", before "{before[name]}"; set it: webhook-buffer backend'
        if name == BACKEND
        else f"{name} differ from before; to deploy afresh: webhook-buffer down, then up"
        for name in left
    ]
