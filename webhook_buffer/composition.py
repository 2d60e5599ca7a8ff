"""Connects this project's definitions to the generic code, for the command and the laptop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from alarms import CATALOG
from dashboards import DASHBOARDS
from monitoring import alarm_set as machinery
from settings.errors import DefinitionError, WebhookBufferError
from settings.schema import Settings

__all__ = ["CATALOG", "DASHBOARDS", "alarm_set", "definitions", "refused"]

if TYPE_CHECKING:
    from monitoring.datadog.definition import Definition


def alarm_set(settings: Settings) -> machinery.AlarmSet:
    """The alarms of an environment, made of this project's definitions.

    Raises:
        DefinitionError: When definitions can't work; it names all of them, Datadog's too.
        SettingsError: When ``alarms`` changes something that can't be changed.
    """
    try:
        return machinery.alarm_set(settings, CATALOG, dashboards=DASHBOARDS)
    except DefinitionError as error:
        known = error.problems
        more = _wrong_in_datadog(settings, known) if settings.datadog else []
        raise DefinitionError([*known, *(text for text in more if text not in known)]) from None


def definitions(settings: Settings) -> list[Definition]:
    """All that an environment has in Datadog, made of this project's definitions.

    Raises:
        DefinitionError: When definitions can't work.
        SettingsError: When the environment has no Datadog settings, or what they change can't be.
    """
    # What renders for Datadog takes time to load.
    from monitoring.datadog.definitions import definitions

    rendered, wrong = definitions(alarm_set(settings), DASHBOARDS)
    if wrong:
        raise DefinitionError([*wrong, *refused(rendered)])
    return rendered


def refused(definitions: Iterable[Definition]) -> list[str]:
    """What Datadog's own models refuse; imported objects already work there."""
    # The models take time to load, and each definition some to check.
    from monitoring.datadog.sync.api import problems

    return [
        problem
        for definition in definitions
        if not definition.imported
        for problem in problems(definition)
    ]


def _wrong_in_datadog(settings: Settings, known: Sequence[str]) -> list[str]:
    """What is wrong with Datadog's objects, where definitions are wrong already."""
    from monitoring.datadog.definitions import definitions

    try:
        alarms = machinery.without_signals(settings, CATALOG)
        rendered, wrong = definitions(alarms, DASHBOARDS, known)
        return [*wrong, *refused(rendered)]
    except (KeyError, TypeError, ValueError, WebhookBufferError):
        # What is known may be the cause, and is to be mended first.
        return []
