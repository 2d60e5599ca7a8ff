"""An existing record table gets its indexes one deployment at a time."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from settings.errors import InputError
from settings.loader import load
from tests.fake_aws import Refusal, install
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.record_indexes import Plan, planned

_ALL = ["by-group", "by-delivery", "by-time"]
_GONE = Refusal("ValidationError", "Stack with id x does not exist")


def _planned(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    *,
    table: dict[str, str] | None,
    stated: Sequence[str] | None,
) -> Plan:
    """The plan where AWS answers so.

    Args:
        table: its indexes and their states; None where there is no table.
        stated: the indexes of the deployed template; None where there is no stack.
    """
    settings = load("dev")
    indexes = [{"IndexName": name, "IndexStatus": state} for name, state in (table or {}).items()]
    created: Any = {"StackName": "s", "CreationTime": 0, "StackStatus": "UPDATE_COMPLETE"}
    properties: dict[str, Any] = {"TableName": settings.table_name}
    if stated:
        properties["GlobalSecondaryIndexes"] = [{"IndexName": name} for name in stated]
    resources = {"Records": {"Type": "AWS::DynamoDB::Table", "Properties": properties}}
    with monkeypatch.context() as patch:
        install(
            patch,
            settings.awsAccount,
            dynamodb_DescribeTable=Refusal("ResourceNotFoundException")
            if table is None
            else {"Table": {"GlobalSecondaryIndexes": indexes}},
            cloudformation_DescribeStacks=_GONE if stated is None else {"Stacks": [created]},
            cloudformation_GetTemplate={"TemplateBody": json.dumps({"Resources": resources})},
        )
        return planned(Environment(settings=settings, folder=folder, outputs_file=folder / "o"))


@pytest.mark.parametrize("stated", [None, []])
def test_a_new_table_gets_all_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stated: Sequence[str] | None
) -> None:
    """Where there is no table, all indexes come with it, and nothing has to be said."""
    plan = _planned(monkeypatch, tmp_path, table=None, stated=stated)
    assert plan == Plan(_ALL)
    assert plan.notice() is None


def test_an_existing_table_gets_one_at_a_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Deployment after deployment adds the next until all are there."""
    deployed: list[str] = []
    for expected in _ALL:
        table = dict.fromkeys(deployed, "ACTIVE")
        plan = _planned(monkeypatch, tmp_path, table=table, stated=deployed)
        assert plan.added == expected
        assert set(plan.included) == {*deployed, expected}
        deployed = plan.included
    assert deployed == _ALL
    plan = _planned(monkeypatch, tmp_path, table=dict.fromkeys(_ALL, "ACTIVE"), stated=_ALL)
    assert plan == Plan(_ALL)


def test_whatever_is_deployed_one_follows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No set of deployed indexes makes a deployment drop one, or add two."""
    for count in range(len(_ALL)):
        for stated in itertools.combinations(_ALL, count):
            table = dict.fromkeys(stated, "ACTIVE")
            plan = _planned(monkeypatch, tmp_path, table=table, stated=stated)
            assert set(plan.included) > set(stated)
            assert len(plan.included) == count + 1


def test_says_what_comes_and_what_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The notice names the index that is added, and says to deploy again for the others."""
    plan = _planned(monkeypatch, tmp_path, table={}, stated=[])
    assert plan.notice() == (
        "The record table gets the index by-group, which finds webhooks of a group. It takes one "
        "per deployment: deploy again for by-delivery (a webhook by its sender's delivery id) and "
        "by-time (webhooks of a time)."
    )


def test_nothing_is_added_while_one_is_built(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A deployment in between goes through, and changes no index."""
    plan = _planned(monkeypatch, tmp_path, table={"by-group": "CREATING"}, stated=["by-group"])
    assert (plan.included, plan.added) == (["by-group"], None)
    assert (plan.notice() or "").startswith("The record table still builds its index by-group.")


def test_a_table_that_is_taken_over_stays_as_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An import changes nothing of what it imports; the next deployment adds what is missing."""
    plan = _planned(monkeypatch, tmp_path, table={"by-group": "ACTIVE"}, stated=None)
    assert (plan.included, plan.added) == (["by-group"], None)
    assert plan.missing == ["by-delivery", "by-time"]


def test_an_index_of_a_failed_deployment_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What the table has and no template is refused before anything is deployed, with its cure."""
    with pytest.raises(
        InputError, match=r"Environment 'dev'.* has the index by-group, .*Delete it"
    ) as caught:
        _planned(monkeypatch, tmp_path, table={"by-group": "ACTIVE"}, stated=[])
    assert '[{"Delete":{"IndexName":"by-group"}}]' in str(caught.value)
