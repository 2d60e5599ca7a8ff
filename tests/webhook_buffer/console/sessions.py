"""A session of an outage, made of log lines, and consoles that show it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from settings.loader import load
from tests.webhook_buffer.live.test_observations import START, ended, line
from webhook_buffer.composition import alarm_set
from webhook_buffer.console.boards import Boards
from webhook_buffer.console.feeds import FileFeed, Place
from webhook_buffer.console.numbers import Numbers
from webhook_buffer.console.server import served
from webhook_buffer.console.state import State
from webhook_buffer.laptop.programs.process import HOST, free_port, listens
from webhook_buffer.live.session import Event, Session, read_event
from webhook_buffer.live.sources import roles_of
from webhook_buffer.live.values import Depth, Limits
from webhook_buffer.operations.logs import Line

MINUTES = 30
# The backend is down in these minutes.
OUTAGE = range(10, 14)
# The last one, which is still tried.
RETRYING = "m-29-5"
HOSTILE = "<img src=x onerror=alert(1)>"
SITE = "https://app.datadoghq.eu"
TOKEN = "a-token-of-the-tests"


def outage() -> Session:
    """Six webhooks a minute in three groups; while the backend is down, each fails once, and is
    delivered right after it."""
    settings = load("local")
    session = Session.begun(
        "local", real=START, pace=60.0, limits=Limits(), roles=roles_of(settings)
    )
    for minute in range(MINUTES):
        session.apply(_minute(minute))
    change = {
        "at": START + 60 * 12, "real": START + 60 * 12 + 1.0,
        "alarm": settings.alarm_name("backend-down"), "state": "ALARM",
        "reason": "Threshold Crossed", "notified": True,
    }  # fmt: skip
    session.apply({"kind": "change", "change": change})
    session.apply({"kind": "mark", "real": START + 60 * 10.0, "text": f"down {HOSTILE}"})
    return session


def _minute(minute: int) -> Event:
    lines: list[Line] = []
    for number in range(6):
        lines += _received(minute, number)
        lines += _attempted(minute, number, 60 * minute + 10 * number + 2, 1)
    if minute == OUTAGE.stop:
        late = [(earlier, number) for earlier in OUTAGE for number in range(6)]
        lines += [
            entry
            for place, (earlier, number) in enumerate(late)
            for entry in _attempted(earlier, number, 60 * minute + 3 + place, 2)
        ]
    lines.sort(key=lambda entry: entry.at)
    end = START + 60 * (minute + 1)
    return read_event(
        lines, [Depth(end - 2.0, 6, 3) if minute in OUTAGE else Depth(end - 2.0, 0, 0)], end
    )


def _group(minute: int, number: int) -> str:
    return HOSTILE if (minute, number) == (5, 0) else f"order-{number % 3}"


def _received(minute: int, number: int) -> list[Line]:
    at, name = 60 * minute + 10 * number + 1, f"m-{minute}-{number}"
    return [
        line("publish", at, "webhook.queued", status=200, message_id=name, request_id=f"p-{name}",
             group_id=_group(minute, number), method="POST", path=f"/orders/{number}",
             body_bytes=100, duration_ms=12.0, sequence_number=f"{minute:04}{number}",
             metrics={"Accepted": 1}),
        ended("publish", at, f"p-{name}"),
    ]  # fmt: skip


def _attempted(minute: int, number: int, at: float, attempt: int) -> list[Line]:
    name = f"m-{minute}-{number}"
    down = attempt == 1 and (minute in OUTAGE or name == RETRYING)
    event, level = ("webhook.failed", "WARNING") if down else ("webhook.delivered", "INFO")
    outcome, code = ("BackendConnectionError", 7) if down else ("Backend2xx", 2)
    more = {"error": "ConnectionRefused", "retry_seconds": 8} if down else {"status": 200}
    metrics = {outcome: 1, "BackendOutcome": code, "BackendDuration": 5.0}
    return [
        line("subscribe", at, event, level, message_id=name, group_id=_group(minute, number),
             request_id=f"s-{name}-{attempt}", attempt=attempt, duration_ms=5.0, age_ms=1000,
             metrics=metrics, **more),
        ended("subscribe", at, f"s-{name}-{attempt}"),
    ]  # fmt: skip


def saved(folder: Path) -> Path:
    """The outage as a file."""
    file = folder / "session.jsonl"
    outage().save(file)
    return file


def state_of(file: Path) -> State:
    """A console's state on a session's file."""
    state = State(FileFeed(Place(session=file)), alarm_set(load("local")))
    state.update()
    return state


@dataclass
class Served:
    """A console that serves from a thread of its own, until it is stopped."""

    state: State
    port: int

    @property
    def file(self) -> Path:
        """The session's."""
        assert self.state.place.session
        return self.state.place.session

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/{TOKEN}/"

    @contextmanager
    def running(self) -> Iterator[str]:
        """Serves meanwhile."""
        ready = threading.Event()
        held: dict[str, object] = {}

        async def serve() -> None:
            ended = asyncio.Event()
            held.update(ended=ended, loop=asyncio.get_running_loop())
            ready.set()
            await served(self.state, self.port, TOKEN, ended)

        thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        thread.start()
        assert ready.wait(10)
        while not listens(self.port):
            assert thread.is_alive()
        try:
            yield self.url
        finally:
            loop, ending = held["loop"], held["ended"]
            assert isinstance(loop, asyncio.AbstractEventLoop)
            assert isinstance(ending, asyncio.Event)
            loop.call_soon_threadsafe(ending.set)
            thread.join(15)
            assert not thread.is_alive()


def console(folder: Path) -> Served:
    """A console on the outage, not yet running."""
    return Served(state_of(saved(folder)), free_port())


def values(widget: Mapping[str, Any], label: str) -> list[float | None]:
    """What a widget draws as a line."""
    [line] = [line for line in widget["series"] if line["label"] == label]
    values: list[float | None] = line["values"]
    return values


def made_board(state: State, board: dict[str, Any]) -> dict[str, Any]:
    """A dashboard on the whole of a session, as the console draws it."""
    assert state.session
    numbers = Numbers(state.session, state.alarm_set, state.counts)
    return Boards(state.session, numbers, state.counts, {}, SITE).shown(
        board, START, START + 60 * MINUTES
    )
