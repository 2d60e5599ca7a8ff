"""What tests of the fake Datadog share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fake_datadog import Official, Raw, opened
from webhook_buffer.laptop.fake_datadog import FakeDatadog


@pytest.fixture
def fake() -> Iterator[FakeDatadog]:
    with FakeDatadog() as one:
        yield one


@pytest.fixture
def official(fake: FakeDatadog) -> Iterator[Official]:
    with opened(fake) as client:
        yield client


@pytest.fixture
def raw(fake: FakeDatadog) -> Raw:
    return Raw(fake)
