"""What an earlier deployment left is adopted, and what stacks have is not looked for."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import pytest

from alarms import CATALOG
from tests.fake_aws import Answer, hook
from tests.webhook_buffer.operations.preflight.environment import BLOCK, environment
from tests.webhook_buffer.operations.preflight.faults.stacks import CONFIRMED, deployed
from tests.webhook_buffer.operations.preflight.faults.stores import adopted
from tests.webhook_buffer.operations.preflight.world import World
from webhook_buffer.operations import physical_names, stores
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.preflight.catalog import checks


@pytest.mark.parametrize(
    "left",
    [
        kept
        for count in (1, 2, 3)
        for kept in itertools.combinations(("records", "parking", "bodies"), count)
    ],
)
def test_what_was_left_is_adopted(
    world: World, monkeypatch: pytest.MonkeyPatch, left: tuple[str, ...]
) -> None:
    """Whatever ``destroy`` kept, all of it or some, does not stand in the way, and is adopted."""
    answers = adopted(*left)
    assert world.problems(answers, {}) == []
    target = environment(BLOCK, world.folder)
    vars(target).update(world.clients)
    hook(monkeypatch, world.fake)
    assert [store.name for store in stores.left(target)] == [
        name for name in _kept(target) if any(f"-{part}" in name for part in left)
    ]


def test_what_the_stack_has_is_not_adopted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment that has its tables and its bucket asks CloudFormation alone."""
    world.problems(deployed(CONFIRMED), {})
    target = environment(BLOCK, world.folder)
    vars(target).update(world.clients)
    hook(monkeypatch, world.fake)
    before = len(world.fake.calls)
    assert stores.left(target) == []
    assert world.fake.names[before:] == ["cloudformation.ListStackResources"]


def _kept(target: Environment) -> list[str]:
    return [store.name for store in physical_names.stores(target.settings)]


@pytest.mark.parametrize(
    ("answers", "most"), [({}, 30), (deployed(CONFIRMED), 2)], ids=["first", "later"]
)
def test_names_cost_few_calls(world: World, answers: Mapping[str, Answer], most: int) -> None:
    """Whether names are free is asked together where AWS can be; what stacks have is not asked."""
    check = next(check for check in checks(CATALOG) if check.id == "names")
    world.problems(answers, {})
    target = environment(BLOCK, world.folder)
    vars(target).update(world.clients)
    before = len(world.fake.calls)
    with pytest.MonkeyPatch.context() as patch:
        hook(patch, world.fake)
        assert list(check.find(target)) == []
    assert len(world.fake.calls) - before <= most
