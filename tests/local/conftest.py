"""What tests of Datadog's stand-in share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.datadog import StandIn
from tests.datadog_standin import Official, Raw, opened


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as one:
        yield one


@pytest.fixture
def official(standin: StandIn) -> Iterator[Official]:
    with opened(standin) as client:
        yield client


@pytest.fixture
def raw(standin: StandIn) -> Raw:
    return Raw(standin)
