"""Mail that somebody has to confirm is left to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fake_aws import FakeAws, install
from tests.webhook_buffer.operations.preflight.environment import ACCOUNT, BLOCK, environment
from tests.webhook_buffer.operations.preflight.faults.stacks import deployed
from tests.webhook_buffer.operations.preflight.world import GOOD, World
from webhook_buffer.operations.preflight.model import Level
from webhook_buffer.operations.preflight.runner import left_to_do


@pytest.mark.parametrize(
    ("subscription", "what"),
    [("PendingConfirmation", "has not confirmed"), (None, "is no longer subscribed")],
)
def test_mail(world: World, subscription: str | None, what: str) -> None:
    """Mail that is not confirmed, or was unsubscribed, is left to do and blocks nothing."""
    ((check, sentence, _, level),) = world.problems(deployed(subscription), {})
    assert (check, level) == ("mail", Level.TODO)
    assert sentence.startswith(f"ana@example.com {what}")


def test_left_to_do_asks_for_mail_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What `status` repeats is the mail that is not confirmed, at the price of a call a topic."""
    fake: FakeAws = install(monkeypatch, ACCOUNT)
    fake.answers |= GOOD | deployed("PendingConfirmation")
    target = environment(BLOCK, tmp_path)
    assert len(left_to_do(target)) == 1
    assert fake.names == ["sts.GetCallerIdentity", "sns.ListSubscriptionsByTopic"]
