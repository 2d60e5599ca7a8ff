"""``webhook-buffer alarms test``: alarms with proof, of this app or of any template."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from errors import ProofFailedError

if TYPE_CHECKING:
    from proof.model import Templates

TemplateFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--template",
        help="A CloudFormation template, or a folder such as cdk.out; by default our own alarms.",
    ),
]
Environment = Annotated[
    str, typer.Option("--env", envvar="ENV", help="Environment, where no template is named.")
]
_EXAMPLE_HOURS = {"fromHourUtc": 6, "untilHourUtc": 22}
_OWN_CASES = Path(__file__).resolve().parent / "alarms" / "cases"


def run_cases(
    cases: Annotated[
        list[Path] | None,
        typer.Argument(help="Case files or folders; by default those in alarms/cases."),
    ] = None,
    template: TemplateFiles = None,
    env: Environment = "prd",
    junit: Annotated[Path | None, typer.Option(help="Write the outcomes as JUnit XML.")] = None,
) -> None:
    """Test alarms on series: whether they fire when they must, and are silent when they should.

    Works on any CloudFormation template, without AWS and without the CDK.
    """
    # Not before they are needed: other commands do without.
    from proof import draw, runner
    from proof.cases import load

    started = time.monotonic()
    outcomes = runner.run(load(cases or [_OWN_CASES]), alarms_of(template, env))
    width = max(len(one.alarm.source.logical_id) for one in outcomes)
    for one in outcomes:
        sign = _styled("✓", "green") if one.passed else _styled("✗", "red")
        print(f"{sign} {one.alarm.source.logical_id:<{width}}  {one.case.title}")
        if not one.passed:
            print(draw.failed(one, width=min(shutil.get_terminal_size().columns, 120)), end="\n\n")
    if junit:
        junit.write_text(runner.junit(outcomes), "utf-8")
    failed = sum(not one.passed for one in outcomes)
    if failed:
        raise ProofFailedError(f"{failed} of {len(outcomes)} cases failed.")
    print(f"{len(outcomes)} cases passed in {time.monotonic() - started:.1f} s.")


COMMANDS = {"test": run_cases}


def add_to(app: typer.Typer) -> None:
    """Makes the commands known to the group ``alarms``."""
    for name, command in COMMANDS.items():
        app.command(name)(command)


def alarms_of(paths: list[Path] | None, env: str) -> Templates:
    """The alarms of templates, or of this app's environment as they would be deployed."""
    from proof import template

    if paths:
        return template.read(paths)
    from monitoring.alarm_set import alarm_set
    from monitoring.cloudformation import template as own
    from settings import load

    settings = load(env)
    if settings.sends_heartbeats and settings.traffic is None:
        # What is opt-in is tested, too.
        settings = load(env, overrides={"traffic": _EXAMPLE_HOURS})
    return template.parse(own(alarm_set(settings)), f"the alarms of {env}")


def _styled(text: str, colour: str) -> str:
    return typer.style(text, fg=colour) if sys.stdout.isatty() else text
