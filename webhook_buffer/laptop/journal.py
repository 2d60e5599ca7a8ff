"""What a drill has changed, and how it is undone: written down before it is changed.

A command that is killed leaves the journal; the next command undoes what it lists. Each entry is
undone by setting what it says, so that undoing twice, or what was never done, does no harm.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from settings.errors import InputError, WebhookBufferError
from webhook_buffer.laptop.practice import Mode
from webhook_buffer.live.control import CONTROL, Control
from webhook_buffer.operations import drill as drills
from webhook_buffer.operations import drill_record, parked
from webhook_buffer.operations.environment import Environment, aws_errors
from webhook_buffer.operations.files import write

NAME = "drill-journal.json"
Entry = dict[str, Any]


@dataclass(frozen=True)
class Running:
    """A drill that runs.

    Attributes:
        pid: of the process that runs it.
        begun: seconds since the epoch.
    """

    drill: str
    pid: int
    begun: float


class Journal:
    """The journal of one laptop.

    Args:
        folder: of the laptop's state.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / NAME
        self._entries: list[Entry] = []

    def begin(self, drill: str, target: Environment | None = None) -> None:
        """Opens it for a drill of this process.

        Args:
            target: where what a killed drill has left is undone before.

        Raises:
            InputError: When another drill runs.
            WebhookBufferError: When something of an earlier one can't be undone.
        """
        running = self.running()
        if running and running.pid != os.getpid():
            raise InputError(
                f"The drill {running.drill} is running (pid {running.pid}). Wait until it ends, "
                "or stop it."
            )
        self.undo(target)
        self._entries = []
        self._write(drill, time.time())

    def note(self, **entry: Any) -> None:
        """Writes down how to undo a change that is made next."""
        self._entries.append(entry)
        known = self._read() or {}
        self._write(str(known.get("drill")), known.get("begun", time.time()))

    def running(self) -> Running | None:
        """The drill that runs, in whichever process; None where none does."""
        said = self._read()
        if said is None:
            return None
        try:
            process = psutil.Process(said["pid"])
            same = abs(process.create_time() - said["started"]) < 1
            if not same or process.status() == psutil.STATUS_ZOMBIE:
                return None
            return Running(str(said["drill"]), process.pid, float(said["begun"]))
        except (psutil.Error, KeyError, TypeError, ValueError):
            return None

    def left_behind(self) -> str | None:
        """The drill that was killed and whose changes are still there; None where none was."""
        said = self._read()
        return str(said.get("drill")) if said and self.running() is None else None

    def undo(self, target: Environment | None) -> None:
        """Undoes everything, the last change first, and ends the journal.

        Args:
            target: None where the emulator is gone, and its part with it.

        Raises:
            WebhookBufferError: When something can't be undone; it stays in the journal.
        """
        said = self._read() or {"entries": []}
        failed: WebhookBufferError | None = None
        for entry in reversed(said["entries"]):
            try:
                _undo(self._folder, target, entry)
            except WebhookBufferError as error:
                failed = error
        if failed:
            raise failed
        self._file.unlink(missing_ok=True)

    def _read(self) -> dict[str, Any] | None:
        try:
            said = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return None
        return said if isinstance(said, dict) and isinstance(said.get("entries"), list) else None

    def _write(self, drill: str, begun: float) -> None:
        document = {
            "drill": drill,
            "begun": begun,
            "pid": os.getpid(),
            "started": psutil.Process().create_time(),
            "entries": self._entries,
        }
        write(self._file, json.dumps(document))
        self._file.chmod(0o600)


def _backend(folder: Path, _: Environment | None, _entry: Mapping[str, Any]) -> None:
    Mode().write(folder / "backend")


def _control(folder: Path, _: Environment | None, entry: Mapping[str, Any]) -> None:
    if before := entry.get("before"):
        Control(**before).write(folder / "alarms")
    else:
        (folder / "alarms" / CONTROL).unlink(missing_ok=True)


def _variables(_: Path, target: Environment | None, entry: Mapping[str, Any]) -> None:
    if target is None:
        return
    with aws_errors(target.settings):
        target.functions.update_function_configuration(
            FunctionName=entry["function"], Environment={"Variables": entry["variables"]}
        )


def _event_source(_: Path, target: Environment | None, entry: Mapping[str, Any]) -> None:
    if target is None:
        return
    with aws_errors(target.settings):
        target.functions.update_event_source_mapping(UUID=entry["uuid"], Enabled=True)


def _visibility(_: Path, target: Environment | None, entry: Mapping[str, Any]) -> None:
    if target is None:
        return
    with aws_errors(target.settings):
        target.sqs.set_queue_attributes(
            QueueUrl=entry["url"], Attributes={"VisibilityTimeout": str(entry["seconds"])}
        )


def _record(_: Path, target: Environment | None, _entry: Mapping[str, Any]) -> None:
    if target is not None:
        drill_record.remove(target)


def _set_off(_: Path, target: Environment | None, entry: Mapping[str, Any]) -> None:
    """Ends what is still set off, and has its end notified where live alarms run the actions."""
    if target is None:
        return
    parts, incident = entry["parts"], entry["incident"]
    names = [*parts, *([incident] if incident else [])]
    on = drills.in_alarm(target, names)
    for part in parts:
        if part in on:
            drills.force(target, part, "OK")
    if incident in on and incident not in drills.in_alarm(target, [incident]):
        from webhook_buffer.live import states  # loads numpy, and only this needs it

        states.perform(target, incident, "OK", drills.reason("OK"))


def _message(_: Path, target: Environment | None, entry: Mapping[str, Any]) -> None:
    if target is not None:
        take_out(target, entry["group"])


def _parked(_: Path, target: Environment | None, entry: Mapping[str, Any]) -> None:
    if target is not None:
        release(target, entry["group"])


def release(target: Environment, group: str) -> None:
    """Releases all that is parked of a group."""
    store = parked.store(target)
    held = store.group(group)
    if held:
        parked.release_group(target, held)
    for webhook in store.aside_of_group(group):
        parked.release_webhook(target, webhook)


def take_out(target: Environment, group: str) -> None:
    """Takes the only message of a group out of the queue, which nobody can deliver."""
    with aws_errors(target.settings):
        url = target.sqs.get_queue_url(QueueName=target.settings.queue_name)["QueueUrl"]
        for _ in range(_TAKES):
            reply = target.sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1, VisibilityTimeout=30,
                AttributeNames=["MessageGroupId"],
            )  # fmt: skip
            for message in reply.get("Messages", ()):
                handle = message["ReceiptHandle"]
                if message["Attributes"]["MessageGroupId"] == group:
                    target.sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)
                    return
                target.sqs.change_message_visibility(
                    QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0
                )


# Polls for it; a message that fails is back within seconds.
_TAKES = 30
_UNDO: Mapping[str, Callable[[Path, Environment | None, Mapping[str, Any]], None]] = {
    "backend": _backend,
    "control": _control,
    "variables": _variables,
    "event-source": _event_source,
    "record": _record,
    "set-off": _set_off,
    "visibility": _visibility,
    "message": _message,
    "parked": _parked,
}


def _undo(folder: Path, target: Environment | None, entry: Mapping[str, Any]) -> None:
    """Undoes one change.

    Raises:
        WebhookBufferError: When it can't be undone, or another release of the command made it.
    """
    kind = str(entry.get("kind"))
    undo = _UNDO.get(kind)
    if undo:
        undo(folder, target, entry)
    elif target is not None:
        raise WebhookBufferError(
            f"{folder / NAME}: this release can't undo the change '{kind}' that a drill of another "
            "release made. Start the laptop afresh: webhook-buffer down, then webhook-buffer up"
        )
