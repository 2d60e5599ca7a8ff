"""Connects this project's definitions to the generic code, for the command and the laptop."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from alarms import CATALOG
from dashboards import DASHBOARDS
from monitoring import alarm_set as machinery
from settings.errors import DefinitionError, WebhookBufferError
from settings.schema import Settings

__all__ = ["CATALOG", "DASHBOARDS", "alarm_set", "checked", "definitions", "refused"]

# How a problem of a definition begins.
_NAMED = re.compile(r"(?:signal|composite|monitor|objective) '([^']+)': ")

if TYPE_CHECKING:
    from monitoring.datadog.definition import Definition


def alarm_set(settings: Settings) -> machinery.AlarmSet:
    """The alarms of an environment, made of this project's definitions.

    Raises:
        DefinitionError: When definitions can't work; it names all of them, also those that only
            dashboards or Datadog refuse.
        SettingsError: When ``alarms`` changes something that can't be changed.
    """
    try:
        return machinery.alarm_set(settings, CATALOG, dashboards=DASHBOARDS)
    except DefinitionError as error:
        known = error.problems
        alarms = machinery.without_signals(settings, CATALOG)
        raise _error([*known, *_wrong_where_rendered(alarms, known)]) from None


def checked(settings: Settings) -> machinery.AlarmSet:
    """The same, but what only dashboards or Datadog refuse is an error by itself, too.

    Raises:
        DefinitionError, SettingsError: When ``alarm_set`` does.
    """
    alarms = alarm_set(settings)
    wrong = _wrong_where_rendered(alarms)
    if wrong:
        raise _error(wrong)
    return alarms


def definitions(settings: Settings) -> list[Definition]:
    """All that an environment has in Datadog, made of this project's definitions.

    Raises:
        DefinitionError: When definitions can't work.
        SettingsError: When the environment has no Datadog settings, or what they change can't be.
    """
    # What renders for Datadog takes time to load.
    from monitoring.datadog.definitions import definitions

    alarms = alarm_set(settings)
    rendered, wrong = definitions(alarms, DASHBOARDS)
    if wrong:
        raise _error([*_in_cloudwatch(alarms), *wrong, *refused(rendered)])
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


def _error(problems: Iterable[str]) -> DefinitionError:
    """Each problem once, with the file of the definition that it begins with."""
    files = dict(_files())
    located = []
    for problem in dict.fromkeys(problems):
        named = _NAMED.match(problem)
        file = files.get(named[1]) if named else None
        located.append(f"{file}: {problem}" if file else problem)
    return DefinitionError(located)


def _files() -> Iterator[tuple[str, str]]:
    """The id of each definition, and the file whose tuple it is in."""
    for name, module in sys.modules.items():
        if name.startswith("alarms."):
            for value in vars(module).values():
                for definition in value if isinstance(value, tuple) else ():
                    called = getattr(definition, "id", getattr(definition, "key", None))
                    if isinstance(called, str):
                        yield called, f"{name.replace('.', '/')}.py"


def _wrong_where_rendered(alarms: machinery.AlarmSet, known: Sequence[str] = ()) -> list[str]:
    """What is wrong with dashboards and Datadog's objects.

    Args:
        known: what is known to be wrong already, and not said again.
    """
    wrong: list[str] = []
    for part in (_in_cloudwatch, _in_datadog):
        try:
            wrong += part(alarms, known)
        except (AttributeError, KeyError, TypeError, ValueError, WebhookBufferError):
            # What is known may be the cause, and is to be mended first.
            if not known:
                raise
    return [problem for problem in dict.fromkeys(wrong) if problem not in known]


def _in_cloudwatch(alarms: machinery.AlarmSet, _known: Sequence[str] = ()) -> list[str]:
    from monitoring.cloudwatch import dashboard

    try:
        dashboard.body(alarms, DASHBOARDS, region=alarms.settings.awsRegion, account="")
    except DefinitionError as error:
        return error.problems
    return []


def _in_datadog(alarms: machinery.AlarmSet, known: Sequence[str]) -> list[str]:
    # What renders for Datadog takes time to load.
    from monitoring.datadog.definitions import definitions

    if alarms.settings.datadog is None:
        return []
    rendered, wrong = definitions(alarms, DASHBOARDS, known)
    # Datadog's own models take still longer.
    return [*wrong, *refused(rendered)] if known or wrong else []
