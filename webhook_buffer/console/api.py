"""The console's routes: everything that the page shows, as JSON."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    JSONResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from monitoring.datadog.query import QueryError
from settings.errors import InputError, WebhookBufferError
from settings.paths import UPLOT
from webhook_buffer.console import about, notifications, webhooks
from webhook_buffer.console.drills import Drills
from webhook_buffer.console.examples import Examples
from webhook_buffer.console.record import Records
from webhook_buffer.console.state import State
from webhook_buffer.console.streams import log_lines
from webhook_buffer.live.session import Session, text

PAGE = Path(__file__).parent / "page"
# Seconds between two signs of life on an event stream.
_ALIVE_SECONDS = 15.0
_LONGEST_QUERY = 300
# Characters of a search in log lines, in Datadog's syntax, as links of dashboards have them.
_LONGEST_SEARCH = 4000


class Api:
    """The routes over one state."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._records = Records(state.place.target)
        runs = state.place.target if state.place.kind == "laptop" else None
        self._examples = Examples(runs)
        session = state.place.session
        self._drills = Drills(runs, state.alarm_set, session.parent if session else None)

    def app(self) -> Starlette:
        """The application; it follows the session as long as it runs."""

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            following = asyncio.create_task(self._state.follow())
            yield
            following.cancel()

        return Starlette(
            routes=[
                Route("/", _page),
                Route("/api/session", self._session),
                Route("/api/session/export", self._export),
                Route("/api/boards", self._boards),
                Route("/api/boards/{key}", self._board),
                Route("/api/logs", self._logs),
                Route("/api/alarms", self._alarms),
                Route("/api/alarms/{key}", self._alarm),
                Route("/api/runbook/{heading}", self._runbook),
                Route("/api/inbox", self._inbox),
                Route("/api/webhooks", self._webhooks),
                Route("/api/webhooks", self._send, methods=["POST"]),
                Route("/api/record", self._search_record),
                Route("/api/webhooks/{key}", self._webhook),
                Route("/api/webhooks/{key}/request", self._request),
                Route("/api/groups", self._groups),
                Route("/api/examples", self._list_examples),
                Route("/api/pace", self._pace, methods=["POST"]),
                Route("/api/drills", self._list_drills),
                Route("/api/drills/current", self._stop_drill, methods=["DELETE"]),
                Route("/api/drills/{name}", self._start_drill, methods=["POST"]),
                Route("/api/events", self._events),
                Mount("/uplot", StaticFiles(directory=UPLOT, check_dir=False)),
                Mount("/", StaticFiles(directory=PAGE)),
            ],
            exception_handlers={HTTPException: _as_json, WebhookBufferError: _as_problem},
            lifespan=lifespan,
        )

    def _there(self) -> Session:
        session = self._state.session
        if session is None:
            problem = self._state.problem or "No session yet. One begins with: webhook-buffer up"
            raise HTTPException(503, problem)
        return session

    async def _session(self, _: Request) -> Response:
        state, session = self._state, self._there()
        verdicts = state.verdicts()
        on = [
            verdict
            for verdict in (verdicts or {}).get("verdicts", ())
            if verdict["state"] == "ALARM"
        ]
        return JSONResponse(
            {
                "environment": session.environment,
                "service": state.settings.service,
                "notice": about.notice(state.place.kind, session, state.feed.said),
                "pace": session.clock.pace,
                "start": session.start,
                "now": session.now,
                "until": session.until,
                "ahead": session.now - session.until,
                "stretches": [[o.real, o.session, o.pace] for o in session.clock.stretches],
                "alarms_on": len(on),
                "retrying": sum(
                    each.state == "retrying" for each in session.webhooks.undelivered.values()
                ),
                "endpoint": self._examples.endpoint,
            }
        )

    async def _export(self, _: Request) -> Response:
        session = self._there()
        text = await asyncio.to_thread(_exported, session)
        name = f"session-{session.environment}-{int(session.until)}.jsonl"
        disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(text, media_type="application/x-ndjson", headers=disposition)

    async def _boards(self, _: Request) -> Response:
        return JSONResponse({"boards": self._state.published.listed()})

    async def _board(self, request: Request) -> Response:
        self._there()
        start, end = (_whole(request, name) for name in ("from", "to"))
        board = self._state.board(request.path_params["key"], start, end)
        if board is None:
            raise HTTPException(404, "There is no such dashboard.")
        return JSONResponse(board)

    async def _logs(self, request: Request) -> Response:
        session, search = self._there(), request.query_params.get("q", "")
        if len(search) > _LONGEST_SEARCH:
            raise HTTPException(400, f"Search for at most {_LONGEST_SEARCH} characters.")
        start, end = (_whole(request, name) for name in ("from", "to"))
        end = int(session.now) + 1 if end is None else end
        start = session.start if start is None else start
        try:
            shown = log_lines(search, session, self._state.counts, start, end)
        except QueryError as error:
            raise HTTPException(400, f"The search {error}.") from None
        return JSONResponse(shown)

    async def _alarms(self, _: Request) -> Response:
        document = self._verdicts()
        return JSONResponse(
            {"judged": document["judged"], "alarms": self._state.alarms.listed(document)}
        )

    async def _alarm(self, request: Request) -> Response:
        key = request.path_params["key"]
        shown = self._state.alarms.alarm(key, self._there(), self._verdicts())
        if shown is None:
            raise HTTPException(404, "There is no such alarm.")
        return JSONResponse(shown)

    async def _runbook(self, request: Request) -> Response:
        section = self._state.alarms.runbook(request.path_params["heading"])
        if section is None:
            raise HTTPException(404, "The runbook has no such section.")
        return JSONResponse(section)

    def _verdicts(self) -> Any:
        self._there()
        document = self._state.verdicts()
        if document is None:
            raise HTTPException(503, "No verdict yet. Live alarms are evaluated every minute.")
        return document

    async def _inbox(self, _: Request) -> Response:
        folder = self._state.place.inbox
        if folder is None:
            reason = about.without(self._state.place.kind, "inbox")
            return JSONResponse({"notifications": [], "reason": reason})
        shown = notifications.listed(folder, self._state.settings)
        return JSONResponse({"notifications": shown})

    async def _webhooks(self, request: Request) -> Response:
        query, state = _query(request), request.query_params.get("state", "")
        minutes = _whole(request, "minutes")
        shown = webhooks.listed(
            self._there(), self._state.tracker, query=query, state=state, minutes=minutes
        )
        return JSONResponse(shown)

    async def _search_record(self, request: Request) -> Response:
        """What the record's indexes find, in the session or before it; headers and bodies never."""
        query, minutes = _query(request), _whole(request, "minutes")
        shown = await asyncio.to_thread(
            self._records.search, query, minutes=minutes, now=time.time()
        )
        return JSONResponse(shown)

    async def _webhook(self, request: Request) -> Response:
        key = _key(request)
        shown = webhooks.in_full(self._there(), self._state.tracker, key)
        if shown is None:
            shown = await asyncio.to_thread(self._records.webhook, key)
        if shown is None:
            raise HTTPException(404, "Neither this session nor the record has such a webhook.")
        shown["withheld"] = self._records.withheld
        if not shown["withheld"]:
            shown["request"] = await asyncio.to_thread(self._records.request, key)
        return JSONResponse(shown)

    async def _request(self, request: Request) -> Response:
        """A request's headers and body; on AWS the only route that reads them."""
        key = _key(request)
        return JSONResponse({"request": await asyncio.to_thread(self._records.request, key)})

    async def _groups(self, _: Request) -> Response:
        return JSONResponse({"groups": webhooks.groups(self._there(), self._state.tracker)})

    async def _list_examples(self, _: Request) -> Response:
        return JSONResponse({"examples": self._examples.names()})

    async def _send(self, request: Request) -> Response:
        try:
            asked = json.loads(await request.body())
            name = asked["example"]
        except (ValueError, LookupError, TypeError):
            raise HTTPException(400, 'Send {"example": NAME}.') from None
        if name not in self._examples.names():
            raise HTTPException(400, "There is no such example.")
        return JSONResponse(await asyncio.to_thread(self._examples.send, name))

    async def _pace(self, request: Request) -> Response:
        pace = await _pace(request)
        self._drills.pace(pace)
        return JSONResponse({"pace": pace})

    async def _list_drills(self, _: Request) -> Response:
        document = await asyncio.to_thread(self._drills.document)
        reason = about.without(self._state.place.kind, "drills")
        return JSONResponse(document | ({"reason": reason} if reason else {}))

    async def _start_drill(self, request: Request) -> Response:
        self._drills.start(request.path_params["name"], await _pace(request))
        return JSONResponse(self._drills.document())

    async def _stop_drill(self, _: Request) -> Response:
        self._drills.stop()
        return JSONResponse(self._drills.document())

    async def _events(self, request: Request) -> Response:
        last = request.headers.get("last-event-id", "")
        return StreamingResponse(self._stream(last), media_type="text/event-stream")

    async def _stream(self, last: str) -> AsyncIterator[str]:
        changes = self._state.changes
        missed = changes.since(last) if last else []
        number = changes.number
        yield "retry: 1000\n\n"
        yield _event(changes.begun, number, ["everything"] if missed is None else missed)
        while True:
            await changes.wait(number, _ALIVE_SECONDS)
            what = changes.since(f"{changes.begun}-{number}")
            number = changes.number
            yield _event(changes.begun, number, ["everything"] if what is None else what)


def _event(begun: int, number: int, what: list[str]) -> str:
    return f"id: {begun}-{number}\nevent: changed\ndata: {json.dumps(what)}\n\n"


async def _pace(request: Request) -> float:
    try:
        return float(json.loads(await request.body())["pace"])
    except (ValueError, LookupError, TypeError):
        raise HTTPException(400, 'Send {"pace": SECONDS}, the real time of a minute.') from None


async def _page(_: Request) -> Response:
    return FileResponse(PAGE / "index.html")


async def _as_json(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, status_code=error.status_code)


async def _as_problem(_: Request, error: Exception) -> Response:
    status = 400 if isinstance(error, InputError) else 503
    return JSONResponse({"error": str(error)}, status_code=status)


def _exported(session: Session) -> str:
    return "".join(f"{text(event)}\n" for event in (session.header(), *session.events()))


def _query(request: Request) -> str:
    query = request.query_params.get("q", "")
    if len(query) > _LONGEST_QUERY:
        raise HTTPException(400, f"Search for at most {_LONGEST_QUERY} characters.")
    return query


def _key(request: Request) -> str:
    """A message id; others are not looked up."""
    key: str = request.path_params["key"]
    if len(key) > _LONGEST_QUERY:
        raise HTTPException(400, f"A message id has at most {_LONGEST_QUERY} characters.")
    return key


def _whole(request: Request, name: str) -> int | None:
    value = request.query_params.get(name, "")
    if not value:
        return None
    if not value.isdecimal() or len(value) > 12:
        raise HTTPException(400, f"'{name}' must be a whole number.")
    return int(value)
