"""publish with sources, and what it puts on its queue."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from settings.sources import Source, entries
from tests.emulated_aws import client
from tests.function_modules import Functions
from webhook_buffer.laptop.programs.process import Running

Publish = Callable[..., ModuleType]


@pytest.fixture
def publish(functions: Functions, tmp_path: Path) -> Publish:
    """Loads publish with sources as settings have them, each a block."""

    def loaded(*sources: dict[str, Any], **variables: str) -> ModuleType:
        file = tmp_path / "sources.json"
        validated = [Source.model_validate(source) for source in sources]
        file.write_text(json.dumps(entries(validated, url="https://webhooks.example.com")))
        return functions.publish(SOURCES=str(file), **variables)

    return loaded


@pytest.fixture
def secret(emulator: Running) -> Callable[[str], str]:
    """Makes a secret on the emulator; its ARN."""

    def made(text: str) -> str:
        manager = client(emulator.endpoint_url, "secretsmanager")
        reply = manager.create_secret(Name=f"test-{uuid.uuid4().hex}", SecretString=text)
        return str(reply["ARN"])

    return made
