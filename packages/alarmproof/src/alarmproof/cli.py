"""The ``alarmproof`` command. It loads only what the given command needs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from alarmproof.commands import Format, print_error
from alarmproof.defaults import MAX_REACTION
from alarmproof.errors import AlarmproofError

EXIT_CODES = (
    "Exit codes: 0 all is well; 1 findings, or failed cases; 2 bad input, or an extra is missing."
)

# Options that other commands on top of this package share.
MaxReaction = Annotated[
    int,
    typer.Option(
        min=60,
        metavar="SECONDS",
        help="Warn about alarms that need longer than this to react to a breach.",
    ),
]
Allow = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="YAML list of {rule, alarm, reason}: findings that are intended. Repeatable.",
    ),
]
OutputFormat = Annotated[Format, typer.Option("--format", help="How to print the findings.")]
ReactionOrConfigured = Annotated[
    int | None,
    typer.Option(
        min=60,
        metavar="SECONDS",
        help="Warn about alarms that need longer than this to react to a breach; default: "
        f"{MAX_REACTION}, or max-reaction of alarmproof.toml.",
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Configuration; default: alarmproof.toml in this folder."),
]
ChangedSince = Annotated[
    str | None,
    typer.Option(metavar="REV", help="Report only what git's revision REV did not have."),
]
Baseline = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Report only what is not in this baseline.")
]
Live = Annotated[
    bool,
    typer.Option(
        "--live",
        help="Ask CloudWatch about metrics that no table knows (needs the extra 'live'; not run on "
        "AWS by the project).",
    ),
]
CheckLinks = Annotated[
    bool,
    typer.Option(
        "--check-links",
        help="Ask whether linked runbooks answer: those that patterns.runbook matches, or all.",
    ),
]
WriteBaseline = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write all findings as a baseline, and pass.")
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Fail on warnings, and on what was not judged, as well.")
]
AllowEmpty = Annotated[
    bool, typer.Option("--allow-empty", help="Pass if there is no alarm at all.")
]
Parameter = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter",
        metavar="NAME=VALUE",
        help="The value of a template's parameter (STACK/NAME=VALUE for one stack's). Repeatable.",
    ),
]
Parameters = Annotated[
    list[Path] | None,
    typer.Option(
        "--parameters",
        metavar="FILE",
        help="Values of parameters, JSON or YAML, as AWS's tools write them. Repeatable.",
    ),
]
Words = Annotated[
    str,
    typer.Option(
        "-k", metavar="TEXT", help="Only cases with this in their title or their alarm's name."
    ),
]
Junit = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the results as JUnit XML.")]
Since = Annotated[
    str | None, typer.Option(metavar="DURATION", help="Use only the last part: 30d, 12h.")
]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="ALARM.KEY=VALUE",
        help="Compare with another value, e.g. queue-age.threshold=600. Repeatable.",
    ),
]
Html = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write a report with charts."),
]
Save = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Save the metrics as .json, .csv or .parquet."),
]
_Template = Annotated[
    list[Path],
    typer.Option(
        "--template",
        metavar="PATH",
        help="CloudFormation template, or a folder that has some. Repeatable.",
    ),
]

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
    max_reaction: ReactionOrConfigured = None,
    allow: Allow = None,
    form: OutputFormat = "text",
    strict: Strict = False,
    parameter: Parameter = None,
    parameters: Parameters = None,
    allow_empty: AllowEmpty = False,
    config: ConfigFile = None,
    changed_since: ChangedSince = None,
    baseline: Baseline = None,
    write_baseline: WriteBaseline = None,
    live: Live = False,
    check_links: CheckLinks = False,
) -> None:
    """Find alarms that never fire, never clear, or notify nobody.

    Pass all stacks at once: a threshold is compared with a function's timeout only if that
    function is in one of the templates.
    """
    from alarmproof import commands, known_findings, template
    from alarmproof.config import load
    from alarmproof.lint import Finding, load_allowances
    from alarmproof.lint import lint as find

    project = load(config)
    given = values(parameter, parameters)
    reaction = max_reaction or project.max_reaction or MAX_REACTION
    known = known_findings.load(baseline) if baseline else frozenset()
    usable = template.read_usable(paths, given)

    def findings(earlier: list[Path]) -> list[Finding]:
        before = template.read_usable(earlier, given).templates
        return find(
            before, max_reaction=reaction, severities=project.severities, patterns=project.patterns
        )

    if changed_since:
        known |= known_findings.at_revision(changed_since, paths, findings)
    code = commands.run_lint(
        usable.templates,
        max_reaction=reaction,
        allowances=[allowance for file in allow or () for allowance in load_allowances(file)],
        form=form,
        strict=strict,
        allow_empty=allow_empty,
        config=project,
        baselines=known_findings.Baselines(known, write_baseline),
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
    template: _Template,
    junit: Junit = None,
    words: Words = "",
    parameter: Parameter = None,
    parameters: Parameters = None,
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
        typer.Option(metavar="FILE", help="Recorded metrics: .json, .csv or .parquet."),
    ],
    template: _Template,
    since: Since = None,
    changes: Changes = None,
    html: Html = None,
    save: Save = None,
    parameter: Parameter = None,
    parameters: Parameters = None,
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
    parameter: Parameter = None,
    parameters: Parameters = None,
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
        # Files are read and written in alarmproof.files; only standard output is left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _fail(f"standard output: can't be written ({error.strerror}).", 2)


def _fail(message: str, code: int) -> None:
    print_error(message)
    sys.exit(code)
