"""``webhook-buffer alarms status``: which alarms are on, since when, and what is suppressed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rich.markup import escape
from rich.table import Table

from settings.errors import InputError, NotDeployedError
from settings.loader import load
from webhook_buffer.cli.options import LOCAL, Env, Json
from webhook_buffer.cli.terminal import console
from webhook_buffer.composition import alarm_set
from webhook_buffer.laptop import laptop
from webhook_buffer.live import status as statuses
from webhook_buffer.live.pace import REAL_TIME, described
from webhook_buffer.live.status import Entry

_STYLES = {"ALARM": "red", "OK": "green", "INSUFFICIENT_DATA": "yellow"}
# Minutes without a verdict from which on live alarms count as stopped.
_STALE_MINUTES = 3


def status(env: Env = LOCAL, as_json: Json = False) -> None:
    """Show which alarms are on, since when, their values, and what is suppressed.

    On the laptop, live alarms judge what runs. On AWS, the states are CloudWatch's; our verdict on
    the same metrics stands beside a state that differs from it. Reading them costs about $0.0005.
    """
    settings = load(env)
    alarms = alarm_set(settings)
    target = laptop.environment(settings)
    if settings.on_laptop:
        document = judged()
        if document["environment"] != env:
            raise InputError(
                f"Live alarms evaluate '{document['environment']}' only, and '{env}' runs beside "
                f"it. Its alarms: webhook-buffer alarms list --env {env}"
            )
        entries = statuses.of_laptop(alarms, document)
        pace, judged_at = document["pace"], document["judged"]
        lead = document.get("ahead", 0.0)
    else:
        entries = statuses.of_aws(target, alarms)
        pace, judged_at, lead = None, time.time(), 0.0
    if as_json:
        about = {
            "environment": env,
            "judged": statuses.iso(judged_at),
            "pace": pace,
            "ahead_seconds": round(lead),
        }
        listed = [entry.document() for entry in entries]
        console.print_json(data={**about, "alarms": listed})
        return
    _print(entries, env)
    at = f"{_time(judged_at)} ({described(float(pace))})" if pace else _time(judged_at)
    console.print(f"As of {at}. {ahead(lead)}Details: webhook-buffer alarms show ID")


def ahead(seconds: float) -> str:
    """What to know of times that are ahead of the wall clock by so many seconds, if they are."""
    minutes = round(seconds / REAL_TIME)
    if minutes < 1:
        return ""
    return f"Times are {minutes} min ahead of the wall clock, because a session ran faster. "


def judged() -> dict[str, Any]:
    """The verdicts of live alarms.

    Raises:
        NotDeployedError: When they are not running, have stopped judging, or can't read what runs.
    """
    live = laptop.live_alarms()
    document = live.verdicts()
    if document is None or live.running() is None:
        raise NotDeployedError("Live alarms are not running. To start them: webhook-buffer up")
    if time.time() - document["real"] > _STALE_MINUTES * REAL_TIME:
        raise NotDeployedError(
            f"Live alarms have not been evaluated since {_time(document['real'])}; their log: "
            f"{live.log}. To start them again: webhook-buffer up"
        )
    if problem := document.get("problem"):
        raise NotDeployedError(
            f"Live alarms have not been evaluated since {_time(document['real'])}, because they "
            f"can't read the running buffer. {problem}"
        )
    return document


def _print(entries: Sequence[Entry], env: str) -> None:
    shown = [entry for entry in entries if entry.state != "OK" or entry.ours]
    if shown:
        table = Table(title=f"Alarms of '{env}' that are not OK")
        for name in ("Alarm", "State", "Since", "Value", "Remark"):
            # Whole names, because they are copied.
            table.add_column(name, overflow="fold", no_wrap=name == "Alarm")
        for entry in shown:
            style = _STYLES.get(entry.state, "")
            since = "" if entry.since is None else _time(entry.since)
            table.add_row(
                escape(entry.id or entry.name), f"[{style}]{entry.state}[/]", since,
                escape(_value(entry)), escape(_remark(entry)),
            )  # fmt: skip
        console.print(table)
    count = sum(entry.state == "OK" for entry in entries)
    console.print(f"{count} of {len(entries)} alarms are OK.")


def _value(entry: Entry) -> str:
    if entry.value is None:
        return f"threshold {entry.threshold}" if entry.threshold else ""
    return f"{entry.value}, threshold {entry.threshold}"


def _remark(entry: Entry) -> str:
    remarks = [entry.title]
    if entry.until:
        remarks.append(entry.until)
    if entry.suppressed:
        remarks.append(f"suppressed: {entry.suppressed}")
    if entry.ours:
        remarks.append(f"by the metrics it should be {entry.ours}")
    return "; ".join(remarks)


def _time(at: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    today = moment.date() == datetime.now(UTC).date()
    return f"{moment:%H:%M} UTC" if today else f"{moment:%Y-%m-%d %H:%M} UTC"
