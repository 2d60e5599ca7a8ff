"""``webhook-buffer alarms lint, test, replay``: alarmproof, by default on this app's alarms."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from alarmproof import cli, commands, options
from alarmproof.base.defaults import MAX_REACTION

from settings.errors import InputError
from settings.paths import ROOT
from webhook_buffer.cli.options import LOCAL, Env

if TYPE_CHECKING:
    from alarmproof.base.definitions import Templates
    from alarmproof.base.own_metrics import OwnMetrics
    from alarmproof.recordings import Recorded

TemplateFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--template",
        metavar="PATH",
        help="CloudFormation template, or a folder such as cdk.out; default: this app's alarms.",
    ),
]
# The hours that the cases are written for, whatever an environment's own are.
_EXAMPLE_HOURS = {"fromHourUtc": 6, "untilHourUtc": 22}
_OWN_CASES = ROOT / "alarms" / "cases"
_ALLOWED = ROOT / "alarms" / "allow.yaml"
_FROM_AWS_SINCE = "14d"


def run_cases(
    cases: Annotated[
        list[Path] | None,
        typer.Argument(metavar="CASES", help="Case files or folders; default: alarms/cases."),
    ] = None,
    template: TemplateFiles = None,
    env: Env = LOCAL,
    junit: options.Junit = None,
    words: options.Words = "",
    parameter: options.Parameter = None,
    parameters: options.Parameters = None,
) -> None:
    """Test alarms: series of samples in, states and notifications out."""
    own = alarms_of(template, env, opt_in=True, given=cli.values(parameter, parameters))
    code = commands.run_cases(cases or [_OWN_CASES], own, junit=junit, words=words)
    raise typer.Exit(code)


def lint(
    template: TemplateFiles = None,
    env: Env = LOCAL,
    max_reaction: options.MaxReaction = MAX_REACTION,
    allow: options.Allow = None,
    form: options.OutputFormat = "text",
    strict: options.Strict = False,
    parameter: options.Parameter = None,
    parameters: options.Parameters = None,
) -> None:
    """Find alarms that never fire, never clear, or notify nobody."""
    from alarmproof.config import Config
    from alarmproof.lint import load_allowances

    allowances = [allowance for file in allow or () for allowance in load_allowances(file)]
    templates = alarms_of(template, env, given=cli.values(parameter, parameters))
    if not template:
        known = {alarm.source.logical_id for alarm in templates.alarms}
        allowances += [
            allowance for allowance in load_allowances(_ALLOWED) if allowance.alarm in known
        ]
    config = None if template else Config(own_metrics=own_metrics(templates))
    code = commands.run_lint(
        templates,
        max_reaction=max_reaction,
        allowances=allowances,
        form=form,
        strict=strict,
        config=config,
    )
    raise typer.Exit(code)


def own_metrics(templates: Templates) -> tuple[OwnMetrics, ...]:
    """What this app publishes beside AWS's services.

    The functions publish the first. Metric filters of the monitoring stack publish the second; with
    the alarms alone at hand, those that an alarm reads are taken to be there.
    """
    from alarmproof.base.own_metrics import OwnMetrics

    from lambdas.base.metrics import BY, DIMENSIONS, NAMESPACE, UNITS

    sets = {(), *(more for sets in BY.values() for more in sets)}
    filtered = frozenset(
        metric.name
        for alarm in templates.alarms
        for metric in alarm.metrics
        if metric.namespace == f"{NAMESPACE}/Logs"
    )
    return (
        OwnMetrics(
            NAMESPACE, frozenset(UNITS), frozenset(frozenset((*DIMENSIONS, *more)) for more in sets)
        ),
        OwnMetrics(f"{NAMESPACE}/Logs", filtered),
    )


def replay(
    metrics: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Recorded metrics: .json, .jsonl, .csv or .parquet."),
    ] = None,
    from_aws: Annotated[
        bool, typer.Option("--from-aws", help="Fetch the metrics from CloudWatch, for --env.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="How far back to go: 30d, 12h. Default: the whole recording, or "
            f"{_FROM_AWS_SINCE} with --from-aws.",
        ),
    ] = None,
    changes: options.Changes = None,
    template: TemplateFiles = None,
    env: Env = LOCAL,
    html: options.Html = None,
    save: options.Save = None,
    parameter: options.Parameter = None,
    parameters: options.Parameters = None,
) -> None:
    """Replay recorded metrics against all alarms: who would have been notified, and how often?"""
    if (metrics is None) is not from_aws:
        raise InputError("No metrics given. Pass --metrics FILE, or --from-aws.")
    templates = alarms_of(template, env, given=cli.values(parameter, parameters))
    if metrics:
        recording = commands.load_recording(metrics)
    else:
        recording = _fetched(templates, env, since or _FROM_AWS_SINCE)
        since = None
    code = commands.run_replay(
        templates, recording, changes=changes or (), since=since, page=html, save=save
    )
    raise typer.Exit(code)


def _fetched(alarms: Templates, env: str, since: str) -> Recorded:
    from alarmproof.recordings import Recorded

    from settings.loader import load
    from webhook_buffer.laptop import laptop
    from webhook_buffer.operations import history

    settings = load(env)
    if settings.on_laptop:
        raise InputError(
            f"Environment '{env}' runs on the laptop, where CloudWatch records nothing. Pass --env "
            "with an environment on AWS, or record it: webhook-buffer alarms record FILE"
        )
    end = round(time.time())
    series = history.fetch(
        laptop.environment(settings), alarms.alarms, start=end - commands.seconds(since), end=end
    )
    if not series:
        raise InputError(f"CloudWatch has no data of these metrics in the last {since}.")
    return Recorded.of(series)


COMMANDS: Mapping[str, Callable[..., None]] = {
    "test": run_cases,
    "lint": lint,
    "replay": replay,
}


def add_to(app: typer.Typer) -> None:
    """Makes the commands known to the group ``alarms``."""
    for name, command in COMMANDS.items():
        app.command(name, epilog=cli.EXIT_CODES)(command)


def alarms_of(
    paths: list[Path] | None,
    env: str,
    *,
    opt_in: bool = False,
    given: Mapping[str, str] | None = None,
) -> Templates:
    """The alarms of templates, or of this app's environment as they would be deployed.

    Args:
        opt_in: with those of ours that the environment leaves out until it asks for them.
        given: values of the templates' parameters.

    Raises:
        InputError: When there are values and no templates.
    """
    from alarmproof import template

    if paths:
        return template.read(paths, given)
    if given:
        raise InputError(
            "--parameter and --parameters are for templates; name them with --template."
        )
    from monitoring.cloudwatch.alarms import template as own
    from settings.loader import load
    from settings.signing import example
    from settings.sources import EXAMPLE
    from webhook_buffer.composition import alarm_set

    settings = load(env)
    overrides: dict[str, Any] = {}
    if opt_in and settings.sends_heartbeats:
        overrides["traffic"] = _EXAMPLE_HOURS
    if opt_in and settings.anybody_sends:
        overrides |= {"sources": [EXAMPLE], "openToEveryone": None}
    if opt_in and settings.existing is None and settings.signing is None:
        overrides["signing"] = example(settings.partition, settings.place)
    if overrides:
        settings = load(env, overrides=overrides)
    return template.parse(own(alarm_set(settings)), f"the alarms of {env}")
