"""Objects that were created manually in Datadog and imported: one JSON file each.

``alarms/imported/KEY.json`` holds a monitor, ``dashboards/imported/KEY.json`` a dashboard:
``{"environments": ["prd"], "body": {…}}``, the body as Datadog's API takes it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from monitoring.datadog.definition import TEXT, Definition, Kind, marked, unmarked
from settings.errors import InputError
from settings.paths import ROOT
from settings.schema import Settings

FOLDERS = {
    Kind.MONITOR: ROOT / "alarms" / "imported",
    Kind.DASHBOARD: ROOT / "dashboards" / "imported",
}


def imported(settings: Settings) -> list[Definition]:
    """Those of an environment.

    Raises:
        InputError: When a file does not have the form that ``import`` writes.
    """
    definitions = []
    for kind, folder in FOLDERS.items():
        for file in sorted(folder.glob("*.json")):
            document = _read(file)
            if settings.environment in document["environments"]:
                definitions.append(definition_of(kind, file.stem, document["body"], settings))
    return definitions


def definition_of(kind: Kind, key: str, body: dict[str, Any], settings: Settings) -> Definition:
    """An imported object as an environment publishes it."""
    text = unmarked(str(body.get(TEXT[kind]) or ""))
    marked_body = {**body, TEXT[kind]: marked(text, settings, key)}
    return Definition(kind, key, marked_body, imported=True)


def file_of(kind: Kind, key: str) -> Path:
    """The file of an imported object."""
    return FOLDERS[kind] / f"{key}.json"


def written(kind: Kind, body: dict[str, Any], environments: list[str]) -> str:
    """A file's text."""
    kept = {**body, TEXT[kind]: unmarked(str(body.get(TEXT[kind]) or ""))}
    document = {"environments": environments, "body": kept}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _read(file: Path) -> dict[str, Any]:
    where = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file
    try:
        document = json.loads(file.read_text("utf-8"))
        body, environments = document["body"], document["environments"]
        if not isinstance(body, dict) or not isinstance(environments, list):
            raise TypeError
    except ValueError as error:
        raise InputError(f"{where}: not valid JSON: {error}; fix it, or import it again") from None
    except (KeyError, TypeError):
        raise InputError(
            f'{where}: lacks "environments" (a list) or "body" (an object); import it again'
        ) from None
    return dict(document)
