"""An account that is asked, and Datadog, which takes the keys."""

from __future__ import annotations

import pytest

from tests.fake_aws import CALLER, FakeAws
from tests.webhook_buffer.operations.preflight.environment import ACCOUNT
from tests.webhook_buffer.operations.preflight.world import World


@pytest.fixture(autouse=True)
def _beyond_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Datadog takes the keys."""
    monkeypatch.setattr("monitoring.datadog.sync.api.Api.check_keys", lambda _: None)
    monkeypatch.setenv("DD_API_KEY", "a")
    monkeypatch.setenv("DD_APP_KEY", "b")


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The account of the environment prd, with its own credentials."""
    return World(FakeAws({}, {CALLER: ACCOUNT}), {}, tmp_path_factory.mktemp("preflight"))
