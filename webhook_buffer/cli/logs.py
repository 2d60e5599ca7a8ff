"""``webhook-buffer logs``: which lines are shown, and how, for people and for programs.

A line holds what strangers sent, such as a path. None of it reaches the terminal as a control
character, and none can look like another field or another line.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_args

from settings.errors import InputError
from settings.loader import load
from webhook_buffer.cli.options import Level
from webhook_buffer.cli.terminal import console
from webhook_buffer.laptop import laptop
from webhook_buffer.operations import logs as log_lines
from webhook_buffer.operations.logs import Line

LEVELS: tuple[str, ...] = get_args(Level)
# What every line of an environment has, or what the columns before the fields show.
_NOT_SHOWN = {"at", "level", "event", "service", "env", "function", "request_id"}
# A value that can't be taken for anything else.
_PLAIN = re.compile(r"[^\s\"'=\\]+")
_CONTINUED = "\n" + " " * 13 + "| "


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which lines are shown.

    Attributes:
        level: the least; lines of the runtime have none, and are shown at any.
        group, message: ids; lines of the runtime bear none, and are left out then.
    """

    level: str | None = None
    group: str | None = None
    message: str | None = None

    def __contains__(self, line: Line) -> bool:
        fields = line.fields
        if not fields:
            return self.group is None and self.message is None
        level = fields["level"]
        return (
            (self.level is None or level not in LEVELS or _rank(level) >= _rank(self.level))
            and self.group in (None, fields.get("group_id"))
            and self.message in (None, fields.get("message_id"))
        )


def logs(
    env: str,
    *,
    functions: Sequence[str] | None,
    minutes: int,
    follow: bool,
    runtime: bool,
    selection: Selection,
    as_json: bool,
) -> None:
    """Prints log lines.

    Raises:
        InputError: When the environment does not have one of the functions.
    """
    settings = load(env)
    known = settings.functions
    chosen = functions or known
    for name in chosen:
        if name not in known:
            raise InputError(
                f"Environment '{env}' has no function '{name}'; it has {', '.join(known)}."
            )
    since = round((time.time() - 60 * minutes) * 1000)
    target = laptop.environment(settings)
    described = as_document if as_json else as_text
    read = log_lines.follow if follow else log_lines.read
    count = 0
    try:
        for line in read(target, chosen, since=since, runtime=runtime):
            if line in selection:
                print(described(line), flush=follow)
                count += 1
    except KeyboardInterrupt:
        return
    if not count and not as_json:
        which = "Nothing was logged" if selection == Selection() else "No such line was logged"
        console.print(f"{which} in the last {minutes} min.")


def as_text(line: Line) -> str:
    """A line for people: time, function, level, event and fields, or the text as it is."""
    moment = datetime.fromtimestamp(line.at / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
    start = f"{moment} {line.function:12}"
    if not line.fields:
        return f"{start} {_CONTINUED.join(map(printable, line.text.splitlines()))}"
    shown = {key: value for key, value in _measured_out(line).items() if key not in _NOT_SHOWN}
    rest = [f"{_value(key)}={_value(value)}" for key, value in _flat(shown)]
    return " ".join(
        [start, f"{_value(line.fields['level']):7}", _value(line.fields["event"]), *rest]
    )


def as_document(line: Line) -> str:
    """A line for programs: JSON with ``at`` (ISO 8601, UTC), ``function``, and fields or text."""
    moment = datetime.fromtimestamp(line.at / 1000, UTC).isoformat(timespec="milliseconds")
    said = _measured_out(line) if line.fields else {"text": line.text}
    return json.dumps({**said, "at": moment, "function": line.function})


def printable(text: str) -> str:
    """Text that a terminal shows as it is: anything else becomes its escape."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def _value(value: Any) -> str:
    """A value as one word, quoted where it would be more than one."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.isprintable():
        return value
    return printable(json.dumps(value, ensure_ascii=False))


def _measured_out(line: Line) -> dict[str, Any]:
    """A line's fields without those that are there for CloudWatch's metrics alone.

    Source: CloudWatch user guide, "Embedded metric format specification".
    """
    directive = line.fields.get("_aws")
    parts = directive.get("CloudWatchMetrics", []) if isinstance(directive, dict) else []
    names = {"_aws"} | {metric["Name"] for part in parts for metric in part["Metrics"]}
    return {key: value for key, value in line.fields.items() if key not in names}


def _flat(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Fields as queries name them: ``http.status_code`` for ``status_code`` within ``http``."""
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", deeper) for inner, deeper in value.items())
        else:
            yield name, value


def _rank(level: str) -> int:
    return LEVELS.index(level)
