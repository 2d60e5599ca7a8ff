"""Datadog: its keys, and the rights of its AWS integration."""

from __future__ import annotations

from collections.abc import Iterator

from settings.errors import DatadogError, InputError
from settings.schema import Settings
from webhook_buffer.operations import integration_role
from webhook_buffer.operations.credentials import keys
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.preflight.model import Level, Problem


def uses_datadog(settings: Settings) -> bool:
    """Whether anything is published to Datadog."""
    return settings.datadog is not None


def accepted(target: Environment) -> Iterator[Problem]:
    """Keys that Datadog's site accepts."""
    from monitoring.datadog.sync.api import Api  # its client takes a second to load

    try:
        Api(keys(target)).check_keys()
    except DatadogError as error:
        what, _, remedy = str(error).partition(". ")
        yield Problem(f"{what}.", remedy)


def integration(target: Environment) -> Iterator[Problem]:
    """An integration role that may read what monitors and dashboards rest on."""
    try:
        missing = integration_role.missing(target)
    except InputError as error:
        what, _, remedy = str(error).partition(". ")
        yield Problem(f"{what}.", remedy, Level.TODO)
        return
    for action, lacking in missing.items():
        yield Problem(
            f"Datadog's integration role may not use {action}; lacking: {lacking}.",
            f"Allow {action} in the policy of {integration_role.DEFAULT_ROLE}.",
            Level.TODO,
        )
