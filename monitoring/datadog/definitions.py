"""All that an environment has in Datadog."""

from __future__ import annotations

from monitoring.alarm_set import AlarmSet
from monitoring.datadog import references
from monitoring.datadog.boards import dashboards
from monitoring.datadog.check import problems
from monitoring.datadog.definition import Definition, not_set_up
from monitoring.datadog.downtimes import downtimes
from monitoring.datadog.imported import imported
from monitoring.datadog.monitors import monitors
from monitoring.datadog.slos import slos
from settings.errors import DefinitionError, SettingsError
from settings.paths import CDK_JSON


def definitions(alarms: AlarmSet) -> list[Definition]:
    """Every object of an environment, checked, in an order in which none is needed too early.

    Raises:
        DefinitionError: When monitors or objectives refer to what does not exist.
        SettingsError: When the environment has no Datadog settings, or a definition can't work.
    """
    settings = alarms.settings
    if settings.datadog is None:
        raise not_set_up(settings)
    unresolved = references.problems(alarms)
    if unresolved:
        raise DefinitionError(unresolved)
    found = [
        *monitors(alarms),
        *slos(alarms),
        *dashboards(alarms),
        *downtimes(settings),
        *imported(settings),
    ]
    wrong = problems(found)
    if wrong:
        raise SettingsError(CDK_JSON, settings.environment, wrong)
    return found
