"""Where the command and its laptop hand the definitions to the machinery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards import DASHBOARDS
from monitoring.alarm_set import alarm_set
from settings.schema import Settings

if TYPE_CHECKING:
    from monitoring.datadog.definition import Definition


def definitions(settings: Settings) -> list[Definition]:
    """All that an environment has in Datadog, made of this project's definitions.

    Raises:
        DefinitionError: When definitions can't work.
        SettingsError: When the environment has no Datadog settings, or what they change can't be.
    """
    # What renders for Datadog takes time to load.
    from monitoring.datadog.definitions import definitions

    return definitions(alarm_set(settings), DASHBOARDS)
