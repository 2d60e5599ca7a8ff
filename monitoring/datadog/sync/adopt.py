"""Taking over what somebody made by hand: it becomes a file of ours, and carries our marker."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from monitoring.datadog import check
from monitoring.datadog.definition import TEXT, Body, Definition, Kind, digest_of, unmarked
from monitoring.datadog.imported import FOLDERS, definition_of, file_of, written
from monitoring.datadog.sync.api import Api, fields, problems
from monitoring.datadog.sync.diff import sendable
from monitoring.datadog.sync.fields import READ_ONLY
from monitoring.datadog.sync.widgets import positioned, without_ids
from settings.errors import InputError
from settings.schema import Settings

_KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Adoption:
    """What an import would do.

    Attributes:
        file: where it will stand, with ``text`` in it.
        sent: what Datadog is given: the same object with the marker at the end of its text.
        warnings: what the client's models do not know in it; Datadog does.
        left_out: its fields that are Datadog's own, or newer than the client's models: Datadog
            rejects a field that may not be set.
    """

    kind: Kind
    id: str
    file: Path
    text: str
    sent: Body
    title: str
    definition: Definition
    warnings: tuple[str, ...]
    left_out: tuple[str, ...]


def adoption(
    api: Api,
    settings: Settings,
    kind: Kind,
    id: str,  # noqa: A002
    key: str | None,
    *,
    present: Sequence[Definition],
) -> Adoption:
    """Reads an object and says what importing it means; writes nothing.

    Args:
        key: how it is called here; from its title without one.
        present: what the environment defines already.

    Raises:
        InputError: When there is no such object, it is somebody's already, or the key is taken.
        DatadogError: When Datadog does not answer.
    """
    if kind not in FOLDERS:
        kinds = " or ".join(str(folder) for folder in FOLDERS)
        raise InputError(f"A {kind} can't be imported; only a {kinds} can.")
    api.check_key()
    present_object = api.read(kind, id)
    if present_object is None:
        raise InputError(
            f"Datadog at {api.keys.url} has no {kind} {id}. Its id is in its URL: /{kind}/ID."
        )
    adopted = taken_over(kind, id, present_object.body, settings, key)
    if adopted.file.exists():
        raise InputError(f"{adopted.file.name} is there already; give another name with --key.")
    new = adopted.definition
    if any((existing.kind, existing.key) == (kind, new.key) for existing in present):
        raise InputError(f"The key '{new.key}' of a {kind} is taken; give another with --key.")
    wrong = check.problems([*present, new])
    if wrong:
        raise InputError(f"{kind} {id} can't be taken over as it is: {wrong[0]}")
    return adopted


def taken_over(
    kind: Kind,
    id: str,  # noqa: A002
    body: Body,
    settings: Settings,
    key: str | None = None,
) -> Adoption:
    """What becomes of an object that Datadog has; whatever it holds, Datadog took it.

    Raises:
        InputError: When it carries a marker, or no key can be made of its title.
    """
    text = str(body.get(TEXT[kind]) or "")
    title = str(body.get("name") or body.get("title") or "")
    if digest_of(text) or unmarked(text) != text:
        raise InputError(f"{kind} {id} ('{title}') carries a marker, so it is code already.")
    plain = unicodedata.normalize("NFKD", title.casefold()).encode("ascii", "ignore").decode()
    key = key or re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if not _KEY.fullmatch(key):
        what = f"'{key}' can't be a key" if key else f"No key can be made of '{title}'"
        raise InputError(f"{what}; give one, such as --key my-{kind}.")
    kept = _kept(kind, body)
    left_out = tuple(sorted(kept.keys() - fields(kind)))
    kept = {name: value for name, value in kept.items() if name not in left_out}
    definition = definition_of(kind, key, kept, settings)
    return Adoption(
        kind, id, file_of(kind, key), written(kind, kept, [settings.environment]),
        sendable(kind, definition.body, body), title, definition, tuple(problems(definition)),
        left_out,
    )  # fmt: skip


def _kept(kind: Kind, body: Body) -> Body:
    """An object as it can be sent anywhere: without what Datadog alone says, and without ids."""
    kept = {
        name: value for name, value in body.items() if name not in READ_ONLY and value is not None
    }
    if kind is Kind.DASHBOARD:
        return without_ids(positioned(kept))
    options = kept.get("options") or {}
    kept["options"] = {name: value for name, value in options.items() if name != "silenced"}
    if "assets" in kept:
        kept["assets"] = [
            {name: value for name, value in asset.items() if value and name != "monitor_id"}
            for asset in kept["assets"]
        ]
    return kept


def adopt(api: Api, adoption: Adoption) -> None:
    """Marks the object in Datadog, and writes its file; without the mark there is no file.

    Raises:
        DatadogError: When Datadog does not take the mark.
    """
    api.require_permission(adoption.kind)
    adoption.file.parent.mkdir(parents=True, exist_ok=True)
    beside = adoption.file.with_suffix(".new")
    beside.write_text(adoption.text, "utf-8")
    try:
        api.update(adoption.kind, adoption.id, adoption.sent)
    except BaseException:
        beside.unlink()
        raise
    beside.replace(adoption.file)
