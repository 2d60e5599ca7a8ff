"""What a deployment does to the order of webhooks that wait: they keep the groups they have."""

from __future__ import annotations

import json
from collections.abc import Mapping

from settings.errors import WebhookBufferError
from webhook_buffer.operations.deployment import waiting
from webhook_buffer.operations.environment import Environment, deployed_template

# Extractors by the settings key that has them.
GroupIds = Mapping[str, list[str]]


def change_of_groups(target: Environment) -> str | None:
    """What changes in the extractors of group ids, and how many webhooks wait meanwhile.

    Returns:
        None if nothing changes or the environment has no buffer. What AWS does not answer is said,
        for it need not stop a deployment.
    """
    if target.settings.existing:
        return None
    try:
        before = _deployed(target)
        if before is None:
            return "Nothing is deployed yet, so no webhooks wait."
        changes = _changes(before, target.settings.group_ids)
        return _described(changes, waiting(target) or 0) if changes else None
    except WebhookBufferError as error:
        return f"Whether 'groupId' changes while webhooks wait is unknown. {error}"


def _deployed(target: Environment) -> GroupIds | None:
    """The extractors that the deployed stack uses; None when there is no stack.

    Raises:
        WebhookBufferError: When AWS can't be asked, or the stack is not this buffer's.
    """
    template = deployed_template(target)
    if template is None:
        return None
    stated: GroupIds | None = template.get("Metadata", {}).get("GroupIds")
    if stated:
        return stated
    # Deployed by a release that did not state them.
    for resource in template.get("Resources", {}).values():
        environment = resource.get("Properties", {}).get("Environment", {}).get("Variables", {})
        if "GROUP_ID" in environment:
            return {"groupId": json.loads(environment["GROUP_ID"])}
    name = target.settings.main_stack_name
    raise WebhookBufferError(
        f"The template of stack {name} does not say how it finds group ids, so it may not be this "
        "buffer's. Look at it in CloudFormation's console."
    )


def _changes(before: GroupIds, after: GroupIds) -> list[str]:
    """One line for each key whose extractors change; a source without its own has the buffer's."""
    changes = []
    for key in {**before, **after}:
        old, new = (ids.get(key, ids["groupId"]) for ids in (before, after))
        if old != new:
            changes.append(f"'{key}' changes from {json.dumps(old)} to {json.dumps(new)}")
    return changes


def _described(changes: list[str], count: int) -> str:
    said = "; ".join(changes)
    if not count:
        return f"{said}. No webhooks wait, so the order is kept."
    wait = "1 webhook waits" if count == 1 else f"{count} webhooks wait"
    return (
        f"{said}, and about {wait}. Those keep their old groups: a later webhook of the same "
        "entity can overtake them. To keep the order, deploy while the queue is empty."
    )
