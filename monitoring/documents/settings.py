"""The tables of keys in ``docs/settings.md``, generated from the settings' models."""

from __future__ import annotations

from collections.abc import Mapping

from monitoring.documents.markdown import table
from settings.paths import ROOT
from settings.reference import keys, parts
from settings.schema import Settings

FILE = ROOT / "docs" / "settings.md"


def tables() -> Mapping[str, str]:
    """A part of a block (``keys of Channel``) → the table of its keys."""
    return {
        f"keys of {part.__name__}": table(
            ["key", "value", "default", "description"],
            ([f"`{key.name}`", key.value, key.default, key.description] for key in keys(part)),
        )
        for part in parts(Settings)
    }
