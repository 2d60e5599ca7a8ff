"""An account that is asked: what AWS answers when everything is as it must be, and problems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from alarms import CATALOG
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
    """An account that is asked again and again, by the same clients: making them takes long."""

    fake: FakeAws
    clients: dict[str, Any]
    folder: Path

    def problems(
        self, answers: Mapping[str, Answer], keys: Mapping[str, Any]
    ) -> list[tuple[str, str, str, Level]]:
        """Check, sentence, remedy and level of everything that is found."""
        self.fake.answers = {**GOOD, **answers}
        target = environment({**BLOCK, **keys}, self.folder)
        vars(target).update(self.clients)
        with pytest.MonkeyPatch.context() as patch:
            hook(patch, self.fake)
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
