"""An account that is asked: what AWS answers when everything is as it must be, and problems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from alarms import CATALOG
from monitoring.alarm_set import AlarmSet, alarm_set
from monitoring.model.catalog import Catalog
from settings.schema import Settings
from tests.fake_aws import Answer, FakeAws, hook
from tests.webhook_buffer.operations.preflight.environment import BLOCK, environment
from tests.webhook_buffer.operations.preflight.faults import (
    account,
    datadog,
    domain,
    names,
    secrets,
    stacks,
    stores,
)
from webhook_buffer.cli.aws_calls import CLIENTS
from webhook_buffer.operations import physical_names
from webhook_buffer.operations.preflight.model import Level
from webhook_buffer.operations.preflight.runner import run

# An account in which nothing is deployed yet, and everything is as it must be.
GOOD: dict[str, Answer] = {
    **account.GOOD,
    **datadog.GOOD,
    **domain.GOOD,
    **names.GOOD,
    **secrets.GOOD,
    **stacks.GOOD,
    **stores.GOOD,
}


@dataclass(frozen=True)
class World:
    """An account that is asked again and again, by the same clients: making them takes long.

    Attributes:
        alarm_sets: by the environment's settings.
    """

    fake: FakeAws
    clients: dict[str, Any]
    folder: Path
    alarm_sets: dict[str, AlarmSet] = field(default_factory=dict)

    def problems(
        self, answers: Mapping[str, Answer], keys: Mapping[str, Any]
    ) -> list[tuple[str, str, str, Level]]:
        """Check, sentence, remedy and level of everything that is found."""
        self.fake.answers = {**GOOD, **answers}
        target = environment({**BLOCK, **keys}, self.folder)
        vars(target).update(self.clients)
        with pytest.MonkeyPatch.context() as patch:
            hook(patch, self.fake)
            patch.setattr(physical_names, "alarm_set", self._alarm_set)
            by_check = [
                (result.check.id, problem)
                for result in run(target, CATALOG)
                for problem in result.problems
            ]
        made = vars(target).items()
        self.clients.update(
            (name, client) for name, client in made if name in (*CLIENTS, "session")
        )
        return [(check, problem.what, problem.remedy, problem.level) for check, problem in by_check]

    def _alarm_set(self, settings: Settings, catalog: Catalog) -> AlarmSet:
        key = settings.model_dump_json()
        if key not in self.alarm_sets:
            self.alarm_sets[key] = alarm_set(settings, catalog)
        return self.alarm_sets[key]
