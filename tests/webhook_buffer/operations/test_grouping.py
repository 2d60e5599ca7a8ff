"""A change of how webhooks are grouped is said, with the number of those that wait."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from settings.loader import load
from settings.schema import Settings
from tests.emulated_aws import emulated_environment
from webhook_buffer.cli import app, lifecycle
from webhook_buffer.laptop import laptop
from webhook_buffer.laptop.programs.process import Running
from webhook_buffer.operations.cdk import Cdk
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.grouping import change_of_groups

_BEFORE = ["header:x-group", "json:id"]
_SOURCE = {
    "name": "shop",
    "paths": ["/shop"],
    "groupId": ["json:shop"],
    "allowedIps": ["192.0.2.0/24"],
}


@pytest.fixture
def environment(emulator: Running, tmp_path: Path) -> Environment:
    """An environment of this test's own on the emulator, in which nothing is deployed."""
    overrides = {
        "awsAccount": "000000000000",
        "service": f"grouped-{uuid.uuid4().hex[:8]}",
        "groupId": _BEFORE,
        "sources": [_SOURCE],
    }
    return emulated_environment(emulator, tmp_path, load("dev", overrides=overrides))


def _deploy(environment: Environment, template: dict[str, Any] | None = None) -> None:
    """A stack that says what a deployed buffer's says, with the buffer's queue."""
    settings = environment.settings
    queue = {"QueueName": settings.queue_name, "FifoQueue": True}
    body = {
        "Metadata": {"GroupIds": settings.group_ids},
        **(template or {}),
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": queue},
            **(template or {}).get("Resources", {}),
        },
    }
    name = settings.main_stack_name
    environment.cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(body))
    environment.cloudformation.get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1}
    )


def _send(environment: Environment, count: int) -> None:
    url = environment.sqs.get_queue_url(QueueName=environment.settings.queue_name)["QueueUrl"]
    for number in range(count):
        environment.sqs.send_message(
            QueueUrl=url,
            MessageBody="{}",
            MessageGroupId="g",
            MessageDeduplicationId=str(number),
        )


def _with(environment: Environment, **changes: Any) -> Environment:
    """The same environment with other settings."""
    changed = {**environment.settings.model_dump(), **changes}
    return Environment(
        settings=Settings.model_validate(changed),
        folder=environment.folder,
        outputs_file=environment.outputs_file,
        endpoint_url=environment.endpoint_url,
    )


def test_diff_says_how_many_wait(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command ``diff`` warns of a new groupId while webhooks wait, and of nothing without."""
    _deploy(environment)
    _send(environment, 3)
    changed = _with(environment, groupId=["json:order"])
    monkeypatch.setattr(laptop, "OUTPUTS", environment.outputs_file)
    monkeypatch.setattr(Cdk, "bootstrap", lambda _: None)
    monkeypatch.setattr(Cdk, "synth", lambda *_: None)
    monkeypatch.setattr(Cdk, "diff", lambda _: "the difference")

    def diff(target: Environment) -> str:
        monkeypatch.setattr(laptop, "environment", lambda _: target)
        monkeypatch.setattr(laptop, "started", lambda *_: target)
        monkeypatch.setattr(lifecycle, "load", lambda _: target.settings)
        done = CliRunner().invoke(app.app, ["diff", "--env", "dev"])
        assert done.exit_code == 0, done.output
        return done.output.partition("the difference")[2].strip()

    assert diff(changed) == (
        '! \'groupId\' changes from ["header:x-group", "json:id"] to ["json:order"], and about 3 '
        "webhooks wait. Those keep their old groups: a later webhook of the same entity can "
        "overtake them. To keep the order, deploy while the queue is empty."
    )
    assert diff(environment) == ""


def test_an_empty_queue_keeps_the_order(environment: Environment) -> None:
    """A change that meets nobody is said as such."""
    _deploy(environment)
    said = change_of_groups(_with(environment, groupId=["json:order"]))
    assert said
    assert said.endswith("No webhooks wait, so the order is kept.")


@pytest.mark.parametrize(
    ("sources", "says"),
    [
        (
            [{**_SOURCE, "groupId": ["json:till"]}],
            '\'sources.shop.groupId\' changes from ["json:shop"] to ["json:till"], and about 1 '
            "webhook waits.",
        ),
        (
            [{key: _SOURCE[key] for key in ("name", "paths", "allowedIps")}],
            "'sources.shop.groupId' changes from [\"json:shop\"] to "
            '["header:x-group", "json:id"], and about 1 webhook waits.',
        ),
        (
            [{**_SOURCE, "allowedIps": []}],
            "'sources.shop.groupId' changes from [\"json:shop\"] to "
            '["open:shop:{json:shop}"], and about 1 webhook waits.',
        ),
        ([{**_SOURCE, "paths": ["/other"]}], None),
    ],
    ids=["other", "the buffer's", "open to anybody", "only the path"],
)
def test_a_sources_own_groups(
    environment: Environment, sources: list[dict[str, Any]], says: str | None
) -> None:
    """A source's extractors count like the buffer's."""
    _deploy(environment)
    _send(environment, 1)
    said = change_of_groups(_with(environment, sources=sources))
    assert (said or "").startswith(says) if says else said is None


def test_an_older_release_states_no_groups(environment: Environment) -> None:
    """What an older release deployed is read from the function that finds the groups."""
    variables = {"GROUP_ID": json.dumps(["json:old"])}
    function = {"Type": "AWS::SNS::Topic", "Properties": {"Environment": {"Variables": variables}}}
    _deploy(environment, {"Metadata": {}, "Resources": {"Publish": function}})
    said = change_of_groups(environment)
    assert said
    assert said.startswith("'groupId' changes from [\"json:old\"] to")


def test_nothing_is_deployed(environment: Environment) -> None:
    """Before the first deployment nothing waits, and that is said."""
    assert change_of_groups(environment) == "Nothing is deployed yet, so no webhooks wait."


def test_a_stack_of_somebody_else(environment: Environment) -> None:
    """A stack that is not the buffer's leaves it unknown."""
    _deploy(environment, {"Metadata": {}})
    said = change_of_groups(environment)
    assert said
    assert "does not say how it finds group ids" in said


@pytest.mark.parametrize("refused", ["get_template", "get_queue_attributes"])
def test_a_missing_permission_is_said(
    environment: Environment, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    """Without the permission to ask, the difference is shown all the same, with the reason."""
    _deploy(environment)
    changed = _with(environment, groupId=["json:order"])

    def denied(**_: Any) -> None:
        answer: Any = {"Error": {"Code": "AccessDenied", "Message": "no identity-based policy"}}
        raise ClientError(answer, refused)

    client = changed.cloudformation if refused == "get_template" else changed.sqs
    monkeypatch.setattr(client, refused, denied)
    said = change_of_groups(changed)
    assert said
    assert said.startswith("Whether 'groupId' changes while webhooks wait is unknown. AWS refused")
    assert "AccessDenied" in said


def test_what_only_monitors_has_no_groups(environment: Environment) -> None:
    """An environment without a buffer says nothing."""
    existing = {"functions": [{"name": "orders-worker", "timeoutSeconds": 60}]}
    overrides = {"awsAccount": "000000000000", "create_faux_backend": None, "existing": existing}
    monitors = Environment(
        settings=load("dev", overrides=overrides),
        folder=environment.folder,
        outputs_file=environment.outputs_file,
        endpoint_url=environment.endpoint_url,
    )
    assert change_of_groups(monitors) is None
