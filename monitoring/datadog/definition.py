"""What is published to Datadog: an object as its API takes it, and how it is recognized.

An object of ours has in its text (a monitor's or downtime's message, an SLO's or dashboard's
description) a line that holds its marker, ``SERVICE:ENV:KEY``, and once it is published a
digest of what was sent: if the object's own differs, somebody changed it by hand. Everything else
in the organization, whatever it looks like, belongs to somebody else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from settings.errors import SettingsError
from settings.paths import CDK_JSON
from settings.schema import Settings

_MARKER = re.compile(
    r"^Managed by webhook-buffer\. Edit the code, not this object: "
    r"(?P<marker>[a-z0-9:._-]+)( #(?P<digest>\w+))?[ \t]*$",
    re.MULTILINE,
)


# An object as Datadog's API takes and gives it.
Body = dict[str, Any]

# A reference inside a text.
_IN_TEXT = re.compile(r"\{\$ref:([a-z]+:[a-z0-9-]+)\}")


class Kind(StrEnum):
    """The kinds of Datadog objects, in the order in which references allow creating them."""

    MONITOR = "monitor"
    SLO = "slo"
    DASHBOARD = "dashboard"
    DOWNTIME = "downtime"


# Where an object's text stands.
TEXT = {
    Kind.MONITOR: "message",
    Kind.SLO: "description",
    Kind.DASHBOARD: "description",
    Kind.DOWNTIME: "message",
}


@dataclass(frozen=True, slots=True)
class Definition:
    """An object to be published to Datadog.

    Attributes:
        key: unique within its kind and environment; kebab-case.
        body: as Datadog's API takes it. Where it needs another object's id stands
            ``{"$ref": "monitor:KEY"}``, or in a text ``{$ref:slo:KEY}``.
        imported: whether it was created manually and imported, so that its metrics are its own.
    """

    kind: Kind
    key: str
    body: Body
    imported: bool = False

    @property
    def name(self) -> str:
        """What people see: ``monitor publish-timeouts``."""
        return f"{self.kind} {self.key}"

    @property
    def references(self) -> list[tuple[Kind, str]]:
        """The objects whose ids it needs."""
        return list(_references(self.body))


def not_set_up(settings: Settings) -> SettingsError:
    """The error for an environment that publishes nothing."""
    problem = "key 'datadog': missing, so nothing is published; add it (docs/settings.md#datadog)"
    return SettingsError(CDK_JSON, settings.environment, [problem])


def marker(settings: Settings, key: str) -> str:
    """Distinguishes an object of this environment from all others."""
    return f"{settings.service}:{settings.environment}:{key}"


def marked(text: str, settings: Settings, key: str) -> str:
    """A text with the line that makes its object ours."""
    line = f"Managed by webhook-buffer. Edit the code, not this object: {marker(settings, key)}"
    return f"{text}\n\n{line}" if text else line


def key_of(text: object, settings: Settings) -> str | None:
    """The key in the marker that ends a text; None when its object is not this environment's."""
    match = _marker_in(text)
    prefix = marker(settings, "")
    if match is None or not match["marker"].startswith(prefix):
        return None
    return match["marker"].removeprefix(prefix)


def digest_of(text: object) -> str | None:
    """The digest in a published object's marker."""
    match = _marker_in(text)
    return match["digest"] if match else None


def with_digest(text: str, digest: str | None) -> str:
    """A marked text with another digest; without one for None."""
    match = _marker_in(text)
    if match is None:
        return text
    rest = f" #{digest}" if digest else ""
    return f"{text[: match.end('marker')]}{rest}{text[match.end() :]}"


def _marker_in(text: object) -> re.Match[str] | None:
    """The last marker, wherever it stands: people add lines below it."""
    matches = list(_MARKER.finditer(text)) if isinstance(text, str) else []
    return matches[-1] if matches else None


def unmarked(text: str) -> str:
    """A text without its marker's line."""
    match = _marker_in(text)
    if match is None:
        return text
    return text[: match.start()].removesuffix("\n\n") + text[match.end() :]


def tags(settings: Settings) -> list[str]:
    """What every monitor and SLO of an environment carries."""
    values = [f"env:{settings.environment}", "managed-by:webhook-buffer"]
    values.append(f"service:{settings.service}")
    if settings.datadog and settings.datadog.team:
        values.append(f"team:{settings.datadog.team}")
    return sorted(values)


def resolved(body: Any, ids: dict[tuple[Kind, str], Any], missing: Any = None) -> Any:
    """A body with ids in place of references; ``missing`` where none is known."""
    if isinstance(body, dict):
        if body.keys() == {"$ref"}:
            return ids.get(_parsed(body["$ref"]), missing)
        return {name: resolved(value, ids, missing) for name, value in body.items()}
    if isinstance(body, list):
        return [resolved(value, ids, missing) for value in body]
    if isinstance(body, str):
        return _IN_TEXT.sub(lambda match: str(ids.get(_parsed(match[1]), missing)), body)
    return body


def reference(kind: Kind, key: str) -> dict[str, str]:
    """A placeholder in a body for another object's id."""
    return {"$ref": f"{kind}:{key}"}


def _references(body: Any) -> Iterator[tuple[Kind, str]]:
    if isinstance(body, dict):
        if body.keys() == {"$ref"}:
            yield _parsed(body["$ref"])
        else:
            for value in body.values():
                yield from _references(value)
    elif isinstance(body, list):
        for value in body:
            yield from _references(value)
    elif isinstance(body, str):
        for text in _IN_TEXT.findall(body):
            yield _parsed(text)


def _parsed(reference: str) -> tuple[Kind, str]:
    kind, _, key = reference.partition(":")
    return Kind(kind), key
