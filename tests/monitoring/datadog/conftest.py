"""What tests of publishing share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from monitoring.datadog.definition import Definition
from monitoring.documents.datadog import example
from webhook_buffer.composition import definitions
from webhook_buffer.laptop.fake_datadog import FakeDatadog


@pytest.fixture(scope="module")
def shipped() -> list[Definition]:
    """Everything that an environment with all of it publishes."""
    return definitions(example())


@pytest.fixture
def datadog() -> Iterator[FakeDatadog]:
    """A fake Datadog without objects."""
    with FakeDatadog() as running:
        yield running
