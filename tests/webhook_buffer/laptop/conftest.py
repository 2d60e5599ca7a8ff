"""What tests of the laptop share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fake_datadog import Official, Raw, opened
from tests.laptop import Laptop
from webhook_buffer.laptop.fake_datadog import FakeDatadog
from webhook_buffer.laptop.programs.process import free_port


@pytest.fixture
def fake() -> Iterator[FakeDatadog]:
    with FakeDatadog() as running:
        yield running


@pytest.fixture
def official(fake: FakeDatadog) -> Iterator[Official]:
    with opened(fake) as client:
        yield client


@pytest.fixture
def raw(fake: FakeDatadog) -> Raw:
    return Raw(fake)


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """After ``webhook-buffer up`` on a free port."""
    deployment = Laptop(tmp_path_factory.mktemp("laptop"))
    output = deployment.run("up", "--port", str(free_port()))
    assert deployment.outputs["BufferedEndpoint"] in output
    assert "webhook-buffer down" in output
    yield deployment
    deployment.run("down")


@pytest.fixture
def laptop(deployed: Laptop) -> Laptop:
    """The laptop with the buffer on it, whatever an earlier test stopped."""
    if not deployed.running:
        deployed.run("up")
    return deployed
