"""``webhook-buffer console``: the page on what runs here, or on a session from a file."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

from settings.errors import InputError, NotDeployedError
from settings.loader import load
from webhook_buffer.cli.terminal import console
from webhook_buffer.composition import alarm_set
from webhook_buffer.console.process import console as process
from webhook_buffer.laptop import laptop
from webhook_buffer.laptop.process import HOST, listens, usable_port
from webhook_buffer.live.session import Session


def show(file: Path | None, port: int | None) -> None:
    """Prints the address of the console, which is started where it was not running.

    Args:
        file: an exported session to show in place of what runs; served until Ctrl+C.

    Raises:
        InputError: When the port is taken, or the file holds no session.
        NotDeployedError: When nothing runs here.
    """
    if file is not None:
        _open(file, port)
        return
    laptop.target(load("local"))
    if laptop.live_alarms().running() is None:
        raise NotDeployedError(
            "No session is recorded here: live alarms do not run. To start them: webhook-buffer up"
        )
    page = process()
    running = page.running()
    if running is None or (port and running.port != port):
        if port and listens(port):
            raise InputError(f"Port {port} is taken. Name another, or leave --port out.")
        page.start(port)
    print(page.address())


def _open(file: Path, port: int | None) -> None:
    from webhook_buffer.console.server import until_signalled
    from webhook_buffer.console.state import Place, State

    if port and listens(port):
        raise InputError(f"Port {port} is taken. Name another, or leave --port out.")
    session = Session.open(file)
    settings = load(session.environment)
    token, chosen = secrets.token_urlsafe(24), usable_port(port)
    state = State(Place(session=file), alarm_set(settings))
    console.print(f"The session of '{session.environment}', until Ctrl+C:")
    print(f"http://{HOST}:{chosen}/{token}/", flush=True)
    asyncio.run(until_signalled(state, chosen, token))
