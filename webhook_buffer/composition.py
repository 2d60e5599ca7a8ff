"""Connects this project's definitions to the generic code, for the command and the laptop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alarms import CATALOG
from dashboards import DASHBOARDS
from monitoring import alarm_set as machinery
from settings.schema import Settings

__all__ = ["CATALOG", "DASHBOARDS", "alarm_set", "definitions"]

if TYPE_CHECKING:
    from monitoring.datadog.definition import Definition


def alarm_set(settings: Settings) -> machinery.AlarmSet:
    """The alarms of an environment, made of this project's definitions.

    Raises:
        DefinitionError: When definitions can't work.
        SettingsError: When ``alarms`` changes something that can't be changed.
    """
    return machinery.alarm_set(settings, CATALOG, dashboards=DASHBOARDS)


def definitions(settings: Settings) -> list[Definition]:
    """All that an environment has in Datadog, made of this project's definitions.

    Raises:
        DefinitionError: When definitions can't work.
        SettingsError: When the environment has no Datadog settings, or what they change can't be.
    """
    # What renders for Datadog takes time to load.
    from monitoring.datadog.definitions import definitions

    return definitions(alarm_set(settings), DASHBOARDS)
