"""``python -m tests.first_deployment ENV [--yes]``: exits with 1 if an assumption is refuted."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import typer

from alarms import CATALOG
from settings.errors import WebhookBufferError
from settings.loader import load
from tests.first_deployment.assumptions import Outcome, Verdict, assumptions, report
from tests.first_deployment.steps import Place
from tests.first_deployment.trial import require_throw_away, trial
from webhook_buffer.cli.terminal import console, require_answer, step
from webhook_buffer.laptop import laptop
from webhook_buffer.operations import deployment
from webhook_buffer.operations.environment import Environment, require_account
from webhook_buffer.operations.files import write

# On the emulator nothing gets better by waiting.
_REHEARSAL: Mapping[str, float] = {"load_seconds": 10, "metric_seconds": 10, "poll_seconds": 1}


@dataclass
class Command:
    """Deploys as ``webhook-buffer deploy`` does."""

    target: Environment

    def deploy(self, overrides: Mapping[str, Any], token: str) -> Place:
        settings = load(self.target.settings.environment, overrides=overrides)
        self.target = replace(self.target, settings=settings, overrides=overrides)
        cdk = deployment.prepare(self.target, step, CATALOG)
        outputs = deployment.apply(self.target, cdk, step)
        if settings.on_laptop:
            laptop.connect(self.target, outputs)
        stacks = [settings.prefix, *([settings.monitoring_stack_name] * settings.monitoring)]
        files = [cdk.assembly / f"{name}.template.json" for name in stacks]
        templates = tuple(json.loads(file.read_text("utf-8")) for file in files)
        waits = _REHEARSAL if settings.on_laptop else {}
        return Place(self.target, outputs, templates, CATALOG, token, **waits)

    def destroy(self) -> None:
        cdk = deployment.synthesize(self.target, step, CATALOG, lint=False)
        deployment.destroy(self.target, cdk, step)


def main() -> int:
    """Tries everything, and writes the report after each outcome."""
    parser = argparse.ArgumentParser(prog="python -m tests.first_deployment")
    parser.add_argument("env", help="an environment of cdk.json that nothing depends on")
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    chosen = parser.parse_args()
    settings = load(chosen.env)
    require_answer(chosen.yes)
    target = laptop.started(settings) if settings.on_laptop else laptop.environment(settings)
    require_account(target)
    require_throw_away(target)
    where = f"'{chosen.env}' in {settings.awsAccount}, {settings.awsRegion}"
    console.print(f"This deploys {where}, twice, tries it, and deletes it with its tables.")
    if not chosen.yes:
        typer.confirm("Is nothing else in this environment?", abort=True)
    file = target.folder / "first-deployment.md"
    known, outcomes = assumptions(), list[Outcome]()
    about = f"Environment {where}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC."
    for outcome in trial(Command(target)):
        outcomes.append(outcome)
        console.print(
            f"{outcome.verdict}: {outcome.id}: {outcome.seen}", soft_wrap=True, markup=False
        )
        write(file, report(known, outcomes, about))
    console.print(f"Report: {file}")
    return any(outcome.verdict is Verdict.REFUTED for outcome in outcomes)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except typer.Abort:
        sys.exit("Aborted.")
    except WebhookBufferError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
