"""``webhook-buffer console``: the page on what runs here, on AWS, or on a session from a file."""

from __future__ import annotations

import asyncio
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING

from settings.errors import InputError, NotDeployedError
from settings.loader import load
from settings.schema import Settings
from webhook_buffer.cli.terminal import console
from webhook_buffer.composition import alarm_set
from webhook_buffer.laptop import laptop
from webhook_buffer.laptop.programs.process import HOST, listens, usable_port
from webhook_buffer.live.session import Session
from webhook_buffer.operations.environment import require_account

if TYPE_CHECKING:
    from webhook_buffer.console.state import State

# Calls to AWS an hour: what reading takes, twice, so that somebody can look at requests, too.
_CALLS = 900


def show(file: Path | None, env: str, port: int | None) -> None:
    """Prints the address of the console, which is started where it was not running.

    Args:
        file: an exported session to show in place of what runs; served until Ctrl+C.
        env: one on AWS is served until Ctrl+C.

    Raises:
        InputError: When the port is taken, or the file holds no session.
        NotDeployedError: When nothing runs here.
        WebhookBufferError: When AWS can't be asked.
    """
    if file is not None:
        _open(file, port)
        return
    settings = load(env)
    if not settings.on_laptop:
        _read(settings, port)
        return
    laptop.environment(settings)
    if laptop.live_alarms().running() is None:
        raise NotDeployedError(
            "No session is recorded here: live alarms do not run. To start them: webhook-buffer up"
        )
    page = laptop.console()
    running = page.running()
    if running is None or (port and running.port != port):
        if port and listens(port):
            raise InputError(f"Port {port} is taken. Name another, or leave --port out.")
        page.start(port)
    print(page.address())


def _open(file: Path, port: int | None) -> None:
    from webhook_buffer.console.feeds import FileFeed, Place
    from webhook_buffer.console.state import State

    session = Session.open(file)
    state = State(FileFeed(Place(session=file)), alarm_set(load(session.environment)))
    _serve(state, f"The session of '{session.environment}'", port)


def _read(settings: Settings, port: int | None) -> None:
    """Serves an environment on AWS."""
    from webhook_buffer.console import reading
    from webhook_buffer.console.feeds import AwsFeed
    from webhook_buffer.console.published import Published
    from webhook_buffer.console.state import State
    from webhook_buffer.live.aws import AwsSource
    from webhook_buffer.operations.budget import Budget

    target, alarms = laptop.environment(settings), alarm_set(settings)
    reads = reading.reads(alarms, Published(alarms))
    console.print(reading.cost(reads), soft_wrap=True)
    console.print(f"At most {_CALLS} calls an hour are made; none of them writes.")
    require_account(target)
    budget, now = Budget(_CALLS), time.time()
    budget.watch(target)
    source = AwsSource(target, reads, since=now)
    feed = AwsFeed(target, source, reading.new_session(alarms, now=now), budget)
    feed.start()
    try:
        _serve(State(feed, alarms), f"'{settings.environment}' on AWS", port)
    finally:
        feed.stop()
        console.print(f"{budget.total} calls were made.")


def _serve(state: State, what: str, port: int | None) -> None:
    from webhook_buffer.console.server import until_signalled

    if port and listens(port):
        raise InputError(f"Port {port} is taken. Name another, or leave --port out.")
    token, chosen = secrets.token_urlsafe(24), usable_port(port)
    console.print(f"{what}, until Ctrl+C:")
    print(f"http://{HOST}:{chosen}/{token}/", flush=True)
    asyncio.run(until_signalled(state, chosen, token))
