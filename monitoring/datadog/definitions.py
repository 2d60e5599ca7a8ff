"""Everything that an environment has in Datadog."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

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

# How a problem of a definition begins.
_NAMED = re.compile(r"(?:monitor|objective) '([^']+)': ")


def definitions(
    alarms: AlarmSet, dashboards: Dashboards, known: Iterable[str] = ()
) -> tuple[list[Definition], list[str]]:
    """Every object of an environment, in an order in which none is needed too early, and what is
    wrong: monitors or objectives refer to what does not exist, widgets can't be drawn as they are
    defined, or Datadog would not take an object. Then some objects are left out.

    Args:
        known: problems that have been found already; what they name is left out.

    Raises:
        SettingsError: When the environment has no Datadog settings, or they ask for something
            impossible.
    """
    settings = alarms.settings
    if settings.datadog is None:
        raise not_set_up(settings)
    known = [*known]
    alarms = _without(alarms, known)
    wrong = references.problems(alarms)
    alarms = _without(alarms, wrong)
    drawn, undrawn = boards(alarms, dashboards)
    wrong += undrawn
    rendered: list[Definition] = []
    try:
        rendered += monitors(alarms)
    except DefinitionError as error:
        wrong += error.problems
    rendered += [*slos(alarms), *drawn, *downtimes(settings), *imported(settings)]
    refused = problems(rendered, whole=not known and not wrong)
    where = f"environment '{settings.environment}'"
    return rendered, [*wrong, *(f"{where}: {problem}" for problem in refused)]


def _without(alarms: AlarmSet, wrong: Iterable[str]) -> AlarmSet:
    """A set without the monitors and objectives that problems name."""
    names = {named[1] for problem in wrong if (named := _NAMED.match(problem))}
    objectives = tuple(
        objective for objective in alarms.catalog.objectives if objective.key not in names
    )
    return replace(
        alarms,
        catalog=replace(alarms.catalog, objectives=objectives),
        left_out={**alarms.left_out, **dict.fromkeys(names, "its definition is wrong")},
    )
