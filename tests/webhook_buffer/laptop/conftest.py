"""What tests of the fake Datadog share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fake_datadog import Official, Raw, opened
from webhook_buffer.laptop.fake_datadog import FakeDatadog


@pytest.fixture
def standin() -> Iterator[FakeDatadog]:
    with FakeDatadog() as one:
        yield one


@pytest.fixture
def official(standin: FakeDatadog) -> Iterator[Official]:
    with opened(standin) as client:
        yield client


@pytest.fixture
def raw(standin: FakeDatadog) -> Raw:
    return Raw(standin)
