"""publish with sources, and what it puts on its queue."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from settings.sources import Source, entries
from tests.conftest import Functions

Publish = Callable[..., ModuleType]


@pytest.fixture
def publish(functions: Functions, tmp_path: Path) -> Publish:
    """Loads publish with sources as settings have them, each a block."""

    def loaded(*sources: dict[str, Any], **variables: str) -> ModuleType:
        file = tmp_path / "sources.json"
        validated = [Source.model_validate(source) for source in sources]
        file.write_text(json.dumps(entries(validated)))
        return functions.publish(SOURCES=str(file), **variables)

    return loaded
