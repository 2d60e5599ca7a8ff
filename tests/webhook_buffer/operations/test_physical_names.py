"""The names that preflight looks for are those that the templates have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alarms import CATALOG
from settings.loader import load
from tests.fake_aws import Refusal, install
from tests.templates import Synthesized
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.physical_names import (
    ALARM,
    FUNCTION,
    QUEUE,
    SECRET,
    TABLE,
    Named,
    Owned,
    by_stack,
)

pytestmark = pytest.mark.xdist_group("demanding")


def test_they_are_those_of_the_templates(demanding: Synthesized) -> None:
    """Neither does preflight overlook a name of a stack, nor look for one that no stack takes."""
    for stack in demanding.stacks:
        names = by_stack(stack.settings, CATALOG)[stack.file.name.removesuffix(".template.json")]
        assert set(names) == stack.named()


@pytest.mark.parametrize(
    ("named", "owned"),
    [
        (Named(QUEUE, "a.fifo"), True),
        (Named(QUEUE, "b.fifo"), False),
        (Named(SECRET, "a-key"), True),
        (Named(SECRET, "b-key"), True),
        (Named(SECRET, "key"), False),
        (Named(FUNCTION, "a-publish"), True),
        (Named(FUNCTION, "a.fifo"), False),
        (Named(ALARM, "a-audit"), False),
        (Named(TABLE, "a-records"), False),
    ],
)
def test_a_stack_has_what_cloudformation_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, named: Named, owned: bool
) -> None:
    """Kind and name say whether something is ours, and what was let go is not."""
    listed: Any = [
        (QUEUE, "https://sqs.us-east-1.amazonaws.com/111111111111/a.fifo", "CREATE_COMPLETE"),
        (SECRET, "arn:aws:secretsmanager:us-east-1:111111111111:secret:a-key-AbCdEf", "x"),
        (SECRET, "b-key", "CREATE_COMPLETE"),
        (FUNCTION, "a-publish", "UPDATE_COMPLETE"),
        (ALARM, "a-audit-failed", "CREATE_COMPLETE"),
        (TABLE, "a-records", "DELETE_SKIPPED"),
    ]
    summaries = [
        {
            "LogicalResourceId": "x", "ResourceType": kind, "PhysicalResourceId": physical,
            "ResourceStatus": status, "LastUpdatedTimestamp": 0,
        }
        for kind, physical, status in listed
    ]  # fmt: skip
    settings = load("dev")
    install(
        monkeypatch,
        settings.awsAccount,
        cloudformation_ListStackResources=lambda given: (
            {"StackResourceSummaries": summaries}
            if given["StackName"] == "a"
            else Refusal("ValidationError", "Stack with id b does not exist")
        ),
    )
    target = Environment(settings=settings, folder=tmp_path, outputs_file=tmp_path / "o")
    assert (named in Owned(target, "a")) is owned
    assert named not in Owned(target, "b")
