"""Everything that an environment has in Datadog."""

from __future__ import annotations

from monitoring.alarm_set import AlarmSet
from monitoring.datadog import references
from monitoring.datadog.boards import boards
from monitoring.datadog.check import problems
from monitoring.datadog.definition import Definition, not_set_up
from monitoring.datadog.downtimes import downtimes
from monitoring.datadog.imported import imported
from monitoring.datadog.monitors import monitors
from monitoring.datadog.slos import slos
from monitoring.model.dashboards import Dashboards
from settings.errors import DefinitionError


def definitions(alarms: AlarmSet, dashboards: Dashboards) -> list[Definition]:
    """Every object of an environment, checked, in an order in which none is needed too early.

    Raises:
        SettingsError: When the environment has no Datadog settings, or they ask for something
            impossible.
        DefinitionError: When monitors or objectives refer to what does not exist, dashboards
            can't be drawn as they are defined, or Datadog would not take an object.
    """
    settings = alarms.settings
    if settings.datadog is None:
        raise not_set_up(settings)
    unresolved = references.problems(alarms)
    if unresolved:
        raise DefinitionError(unresolved)
    rendered = [
        *monitors(alarms),
        *slos(alarms),
        *boards(alarms, dashboards),
        *downtimes(settings),
        *imported(settings),
    ]
    wrong = problems(rendered)
    if wrong:
        where = f"environment '{settings.environment}'"
        raise DefinitionError([f"{where}: {problem}" for problem in wrong])
    return rendered
