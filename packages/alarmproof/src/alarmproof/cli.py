"""The ``alarmproof`` command. It loads only what the given command needs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from alarmproof import options
from alarmproof.base.defaults import MAX_REACTION
from alarmproof.base.errors import AlarmproofError
from alarmproof.base.files import open_streams
from alarmproof.commands import print_error

EXIT_CODES = (
    "Exit codes: 0 all is well; 1 findings, or failed cases; 2 bad input, or an extra is missing."
)

_HELP = ("-h", "--help")


class _Group(TyperGroup):
    """Shows help at once: reading values loads pydantic, which takes longer than all the rest."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if set(_HELP) & set(args):
            command = self.commands.get(args[0])
            shown = typer.Context(command, parent=ctx, info_name=args[0]) if command else ctx
            typer.echo((command or self).get_help(shown))
            ctx.exit()
        return super().parse_args(ctx, args)


app = typer.Typer(
    name="alarmproof",
    cls=_Group,
    help="Lint, test and replay the CloudWatch alarms of any CloudFormation template, without AWS.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": list(_HELP)},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"alarmproof {version('alarmproof')}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


@app.command(epilog=EXIT_CODES)
def lint(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH",
            help="CloudFormation templates, or folders that have some, such as cdk.out.",
        ),
    ],
    max_reaction: options.ReactionOrConfigured = None,
    allow: options.Allow = None,
    form: options.OutputFormat = "text",
    strict: options.Strict = False,
    parameter: options.Parameter = None,
    parameters: options.Parameters = None,
    allow_empty: options.AllowEmpty = False,
    config: options.ConfigFile = None,
    changed_since: options.ChangedSince = None,
    baseline: options.Baseline = None,
    write_baseline: options.WriteBaseline = None,
    live: options.Live = False,
    check_links: options.CheckLinks = False,
) -> None:
    """Find alarms that never fire, never clear, or notify nobody.

    Pass all stacks at once: a threshold is compared with a function's timeout only if that
    function is in one of the templates.
    """
    from alarmproof import commands, findings_output, known_findings, template
    from alarmproof.config import load
    from alarmproof.lint import Finding, load_allowances
    from alarmproof.lint import lint as find

    with findings_output.failure_reported(form):
        project = load(config)
        given = values(parameter, parameters)
        reaction = max_reaction or project.max_reaction or MAX_REACTION
        known = known_findings.load(baseline) if baseline else frozenset()
        earlier: frozenset[known_findings.Known] = frozenset()
        usable = template.read_usable(paths, given)
        allowances = [allowance for file in allow or () for allowance in load_allowances(file)]

    def findings(earlier: list[Path]) -> list[Finding]:
        before = template.read_usable(earlier, given).templates
        return find(
            before, max_reaction=reaction, severities=project.severities, patterns=project.patterns
        )

    if changed_since:
        with findings_output.failure_reported(form):
            earlier = known_findings.at_revision(changed_since, paths, findings)
    code = commands.run_lint(
        usable.templates,
        max_reaction=reaction,
        allowances=allowances,
        form=form,
        strict=strict,
        allow_empty=allow_empty,
        config=project,
        baselines=known_findings.Baselines(baseline, known, earlier, write_baseline),
        live=live,
        check_links=check_links,
        errors=usable.errors,
        skipped=usable.skipped,
    )
    raise typer.Exit(code)


@app.command("test", epilog=EXIT_CODES)
def run_cases(
    cases: Annotated[
        list[Path],
        typer.Argument(
            metavar="CASES",
            help="Case files or folders. In a folder, only YAML files with a `cases` key are read.",
        ),
    ],
    template: options.Template,
    junit: options.Junit = None,
    words: options.Words = "",
    parameter: options.Parameter = None,
    parameters: options.Parameters = None,
) -> None:
    """Test alarms: series of samples in, states and notifications out.

    Needs the extra 'test'.
    """
    from alarmproof import commands
    from alarmproof.template import read

    alarms = read(template, values(parameter, parameters))
    raise typer.Exit(commands.run_cases(cases, alarms, junit=junit, words=words))


@app.command(epilog=EXIT_CODES, short_help="Replay recorded metrics: who would have been notified.")
def replay(
    metrics: Annotated[
        Path,
        typer.Option(metavar="FILE", help="Recorded metrics: .json, .jsonl, .csv or .parquet."),
    ],
    template: options.Template,
    since: options.Since = None,
    changes: options.Changes = None,
    html: options.Html = None,
    save: options.Save = None,
    parameter: options.Parameter = None,
    parameters: options.Parameters = None,
) -> None:
    """Replay recorded metrics against all alarms: who would have been notified, and how often?

    Needs the extra 'test'; Parquet files need 'parquet'.
    """
    from alarmproof import commands
    from alarmproof.template import read

    recording = commands.load_recording(metrics)
    code = commands.run_replay(
        read(template, values(parameter, parameters)),
        recording,
        changes=changes or (),
        since=since,
        page=html,
        save=save,
    )
    raise typer.Exit(code)


@app.command(epilog=EXIT_CODES)
def init(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH",
            help="CloudFormation templates, or folders that have some, such as cdk.out.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write the cases."),
    ] = Path("alarm-cases.yaml"),
    parameter: options.Parameter = None,
    parameters: options.Parameters = None,
) -> None:
    """Write a first case file: a firing, a silent and a gap case for each alarm.

    Needs the extra 'test'.
    """
    from alarmproof import commands
    from alarmproof.template import read

    raise typer.Exit(commands.run_init(read(paths, values(parameter, parameters)), output))


def values(assignments: list[str] | None, paths: list[Path] | None) -> dict[str, str]:
    """The values of parameters; what is given by name counts before what is in a file."""
    if not assignments and not paths:
        return {}
    from alarmproof.reading import parameters

    given: dict[str, str] = {}
    for path in paths or ():
        given |= parameters.load(path)
    return given | parameters.parse_assignments(assignments or ())


def main() -> None:
    """Runs the command line; an error is one message and an exit code, never a traceback."""
    open_streams()
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except AlarmproofError as error:
        _fail(str(error), error.exit_code)
    except OSError as error:
        # Files are read and written in alarmproof.base.files; only standard output is left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _fail(
            f"standard output: can't be written ({error.strerror}). Check where it leads, and the "
            "space that is left there.",
            2,
        )


def _fail(message: str, code: int) -> None:
    print_error(message)
    sys.exit(code)
