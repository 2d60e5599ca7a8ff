"""``webhook-buffer alarms test``, ``lint``: alarms with proof, ours or any template's."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

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
Format = Literal["text", "json", "sarif"]
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


def lint(
    template: TemplateFiles = None,
    env: Environment = "prd",
    promise: Annotated[
        int, typer.Option(min=60, help="Seconds within which an alarm has to react.")
    ] = 300,
    allow: Annotated[
        list[Path] | None,
        typer.Option(help="YAML list of {rule, alarm, reason}: findings that are meant to be so."),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print the findings.")] = "text",
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail, too.")] = False,
) -> None:
    """Find dead and dangerous alarms: those that never fire, never clear, or tell nobody.

    Works on any CloudFormation template. Exit code 1 with errors, 2 with bad input.
    """
    from proof import lint as linter
    from proof.lint_rules import ERROR

    allowances = [one for file in allow or () for one in linter.load_allowances(file)]
    alarms = alarms_of(template, env)
    findings = linter.lint(alarms, promise=promise, allowances=allowances)
    if form == "json":
        print(linter.as_json(findings))
    elif form == "sarif":
        print(linter.as_sarif(findings, version=version("webhook-buffer")))
    else:
        for one in findings:
            colour = "red" if one.severity == ERROR else "yellow"
            print(f"{_styled(one.severity, colour)} {one.rule}: {one.alarm} ({one.source})")
            print(f"  {one.why} {one.remedy}")
        errors = sum(one.severity == ERROR for one in findings)
        warnings = len(findings) - errors
        print(f"{len(alarms.alarms)} alarms: {errors} errors, {warnings} warnings.")
    if any(strict or one.severity == ERROR for one in findings):
        raise typer.Exit(1)


COMMANDS: Mapping[str, Callable[..., None]] = {"test": run_cases, "lint": lint}


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
