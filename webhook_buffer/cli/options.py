"""Options that commands share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import typer

# The default environment of every command.
LOCAL = "local"


def _environments(incomplete: str) -> Iterator[str]:
    """Shell completions for ``--env``."""
    from settings.loader import environments

    return (name for name in environments() if name.startswith(incomplete))


Env = Annotated[
    str,
    typer.Option(
        "--env",
        metavar="NAME",
        envvar="WEBHOOK_BUFFER_ENV",
        help="Environment: a block in cdk.json's context.",
        autocompletion=_environments,
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
NoLint = Annotated[
    bool, typer.Option("--no-lint", help="Do not check the templates with cfn-lint.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]
Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
