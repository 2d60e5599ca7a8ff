"""Importing what was recorded: nothing that Datadog took is refused, and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from monitoring.datadog.definition import Kind
from monitoring.datadog.imported import definition_of
from monitoring.datadog.sync.adopt import taken_over
from monitoring.datadog.sync.diff import changes, stamped
from settings.errors import InputError
from settings.schema import Settings
from tests.datadog_recordings.bounds import bounded
from tests.datadog_recordings.reading import Call, Conversation
from tests.datadog_recordings.replay import Stage

_KEY = "imported"


@dataclass(frozen=True, slots=True)
class Import:
    """A recorded object that was imported.

    Attributes:
        problem: why it was refused, or what was lost; empty where it went well.
    """

    call: Call
    problem: str


def imports(conversation: Conversation, settings: Settings) -> Iterator[Import]:
    """Every dashboard and monitor that a conversation shows, imported."""
    for call in conversation.calls:
        there = call.object
        if call.kind not in ("dashboard", "monitor") or not call.of_objects or not there:
            continue
        shown = call.method == "POST" or call.id is not None
        if not shown or not {"widgets", "query"} & there.keys():
            continue
        try:
            with bounded():
                problem = _problem(call.kind, str(there.get("id")), there, settings)
        except InputError as error:
            problem = f"refused: {error}"
        except Exception as error:  # whatever it is, an import should not have met it
            problem = f"crashed: {type(error).__name__}: {error}"[:200]
        yield Import(call, problem)


def _problem(kind: str, id: str, there: dict[str, Any], settings: Settings) -> str:  # noqa: A002
    """What is wrong with an import: of the file, of the object that stays, or of a new one."""
    adopted = taken_over(Kind(kind), id, there, settings, _KEY)
    body = json.loads(adopted.text)["body"]
    wanted = definition_of(Kind(kind), _KEY, body, settings).body
    stage = Stage()
    stage.supply(there)
    stage.put(kind, id, there)
    path = f"/api/v1/{kind}"
    for name, method, target, sent in (
        ("marked", "PUT", f"{path}/{id}", adopted.sent),
        ("made again", "POST", path, stamped(Kind(kind), wanted)),
    ):
        if method == "POST":
            stage.send("DELETE", f"{path}/{id}?force=true")
        status, reply = stage.send(method, target, sent)
        if status != 200:
            return f"{name}: answered {status}: {str(reply)[:160]}"
        status, reply = stage.send("GET", f"{path}/{reply['id']}?with_assets=true")
        differences = changes(Kind(kind), reply, wanted)
        if differences:
            first = differences[0]
            return f"{name}: {first.path}: {first.before!r:.60} → {first.after!r:.60}"
    known = {name: value for name, value in there.items() if name not in adopted.left_out}
    lost = [
        change.path for change in changes(Kind(kind), wanted, _without_text(kind, known, wanted))
    ]
    return f"lost: {', '.join(lost)}" if lost else ""


def _without_text(kind: str, there: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """The object that was there, with the text that our marker changed.

    Neither a mute nor what Datadog adds to assets is part of it.
    """
    text = "message" if kind == "monitor" else "description"
    options = {
        name: option for name, option in (there.get("options") or {}).items() if name != "silenced"
    }
    same = {**there, text: wanted[text]}
    if kind == "dashboard":
        return same
    assets = [
        {name: value for name, value in asset.items() if value and name != "monitor_id"}
        for asset in there.get("assets") or ()
    ]
    return same | {"options": options, "assets": assets}
