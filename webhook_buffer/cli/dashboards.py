"""``webhook-buffer dashboards``: what is published, drawn on a session as a file."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from settings.errors import FileError, InputError, NotDeployedError
from settings.loader import load
from webhook_buffer.cli.options import LOCAL, Env, dashboard_names
from webhook_buffer.cli.terminal import console
from webhook_buffer.composition import alarm_set
from webhook_buffer.laptop import laptop
from webhook_buffer.laptop.live_alarms import LAST_SESSION
from webhook_buffer.live.session import Session

if TYPE_CHECKING:
    from webhook_buffer.console.state import State

dashboards_app = typer.Typer(rich_markup_mode=None)
# Larger than any dashboard that Datadog takes.
_MOST_BYTES = 8 * 2**20

Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write one HTML file.")]
Png = Annotated[
    Path | None, typer.Option("--png", metavar="FILE", help="Write a picture; needs Chromium.")
]
SessionFile = Annotated[
    Path | None,
    typer.Option(
        "--session",
        metavar="FILE",
        help="An exported session. Default: the one that runs here, or the last.",
    ),
]
Minutes = Annotated[
    int | None,
    typer.Option(metavar="N", help="The last minutes only. Default: the whole session.", min=1),
]
Group = Annotated[
    list[str] | None,
    typer.Option(metavar="TITLE", help="Only the group with this title. Repeatable."),
]
Width = Annotated[int, typer.Option(metavar="N", help="Pixels, of a picture.", min=320, max=4000)]


@dashboards_app.command("list")
def list_boards(env: Env = LOCAL) -> None:
    """List the dashboards of an environment."""
    from webhook_buffer.console.published import Published

    table = Table()
    for name in ("Name", "Title", "Published to"):
        table.add_column(name, overflow="fold")
    for board in Published(alarm_set(load(env))).listed():
        table.add_row(board["key"], board["title"], board["of"])
    console.print(table)


@dashboards_app.command("render")
def render(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|FILE",
            help="As `list` shows it, or Datadog's JSON.",
            autocompletion=dashboard_names,
        ),
    ],
    html: Html = None,
    png: Png = None,
    session: SessionFile = None,
    minutes: Minutes = None,
    group: Group = None,
    width: Width = 1440,
    dark: Annotated[bool, typer.Option("--dark", help="A dark picture.")] = False,
) -> None:
    """Draw a dashboard, or any of Datadog's, with the numbers of a session."""
    if html is None and png is None:
        raise InputError("Name what to write: --html FILE, --png FILE, or both.")
    from webhook_buffer.console import render as rendering

    state = _opened(session or _kept())
    board = _only(_drawn(state, name, minutes), group or ())
    if html:
        rendering.page(rendering.with_runbook(board, state.alarms), html)
        console.print(f"Wrote {html}", soft_wrap=True)
    if png:
        rendering.picture(board, png, width=width, dark=dark)
        console.print(f"Wrote {png}", soft_wrap=True)


def _kept() -> Path:
    """The session that runs here, or that ran last."""
    live = laptop.live_alarms()
    for file in (live.session_file, live.folder / LAST_SESSION):
        if file.exists():
            return file
    raise NotDeployedError(
        "No recorded session. Start one with webhook-buffer up, or pass --session FILE."
    )


def _opened(file: Path) -> State:
    from webhook_buffer.console.feeds import FileFeed, Place
    from webhook_buffer.console.state import State

    environment = Session.open(file).environment
    state = State(FileFeed(Place(session=file)), alarm_set(load(environment)))
    state.update()
    return state


def _drawn(state: State, name: str, minutes: int | None) -> dict[str, Any]:
    session = state.session
    assert session
    start = session.start if minutes is None else int(session.now) - 60 * minutes
    board = state.board(name, start, None)
    if board is not None:
        return board
    if not Path(name).exists():
        known = ", ".join(board["key"] for board in state.published.listed())
        raise InputError(f"'{name}' is neither a dashboard ({known}) nor a file.")
    body = _read(Path(name))
    try:
        return state.rendered(body, start, None)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def _only(board: dict[str, Any], titles: Collection[str]) -> dict[str, Any]:
    """A dashboard with some of its groups; with all where none is named."""
    known = [str(widget["title"]) for widget in board["widgets"]]
    for title in titles:
        if title not in known:
            raise InputError(f"It has no group '{title}'; its groups: {', '.join(known)}.")
    kept = [widget for widget in board["widgets"] if not titles or widget["title"] in titles]
    return board | {"widgets": kept}


def _read(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise InputError(f"{file}: more than {_MOST_BYTES} bytes is not a dashboard.")
        body = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise FileError(error, file) from None
    except (ValueError, RecursionError):
        raise InputError(f"{file}: not JSON, or nested too deeply.") from None
    if not isinstance(body, dict):
        raise InputError(f"{file}: not a dashboard: the file has to hold a JSON object.")
    return body
