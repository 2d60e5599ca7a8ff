"""What is parked, as an operator names it."""

from __future__ import annotations

import pytest

from lambdas.blocking import plain
from webhook_buffer.operations.parked import HeldGroup, Store


def _held(group_id: str) -> HeldGroup:
    return HeldGroup(group_id=group_id, hold_id="hold", head="message", since=0)


@pytest.mark.parametrize("group_id", ["a", "a@b", "a%40b", "x y'`$(z)", "https://a"])
def test_a_held_group_is_found_by_what_a_notification_shows(group_id: str) -> None:
    """Its id can be pasted from there, although what a channel would act on is encoded."""
    group = _held(group_id)
    store = Store(groups=[_held("another"), group], webhooks=[])
    assert store.group(group_id) is group
    assert store.group(plain(group_id)) is group
    assert store.group("a third") is None


def test_an_id_comes_before_what_it_would_stand_for() -> None:
    """A group may really be called ``a%40b``."""
    encoded, decoded = _held("a%40b"), _held("a@b")
    store = Store(groups=[decoded, encoded], webhooks=[])
    assert store.group("a%40b") is encoded
    assert store.group("a@b") is decoded
