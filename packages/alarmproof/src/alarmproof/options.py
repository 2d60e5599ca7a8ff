"""Options of the commands, which other commands on top of this package share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from alarmproof.base.defaults import MAX_REACTION
from alarmproof.findings_output import Format

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
Template = Annotated[
    list[Path],
    typer.Option(
        "--template",
        metavar="PATH",
        help="CloudFormation template, or a folder that has some. Repeatable.",
    ),
]
