"""One outage for all tests of the console."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.webhook_buffer.console.sessions import saved, state_of
from webhook_buffer.console.state import State


@pytest.fixture(scope="package")
def session_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("outage"))


@pytest.fixture(scope="package")
def state(session_file: Path) -> State:
    return state_of(session_file)
