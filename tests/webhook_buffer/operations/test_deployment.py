"""Deploying: what is checked before anything is changed."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from alarms import CATALOG
from settings.errors import InputError
from settings.loader import load
from tests.emulated_aws import emulated_environment
from tests.fake_aws import Refusal, install
from webhook_buffer.cli import app, lifecycle
from webhook_buffer.laptop import laptop
from webhook_buffer.laptop.programs.process import Running
from webhook_buffer.operations import deployment
from webhook_buffer.operations.cdk import Cdk
from webhook_buffer.operations.environment import Environment, stack


@pytest.fixture
def watching(emulator: Running, tmp_path: Path) -> Environment:
    """An environment that only watches a function, on the emulator."""
    overrides = {
        "awsAccount": "000000000000",
        "create_faux_backend": None,
        "existing": {"functions": [{"name": "orders-worker", "timeoutSeconds": 60}]},
    }
    return emulated_environment(emulator, tmp_path, load("dev", overrides=overrides))


def test_a_log_that_is_not_there_is_named(
    watching: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counting errors in a log that does not exist is refused before the deployment begins."""
    deployed: list[str] = []
    monkeypatch.setattr(Cdk, "deploy", lambda *_, **__: deployed.append("deployed"))
    monkeypatch.setattr(deployment, "outputs", lambda _: {})
    cdk = Cdk(watching)
    watching.logs.create_log_group(logGroupName="/aws/lambda/orders-worker-2")
    with pytest.raises(InputError, match="'orders-worker' has no log group /aws/lambda/orders-w"):
        deployment.apply(watching, cdk, _step)
    assert deployed == []
    watching.logs.create_log_group(logGroupName="/aws/lambda/orders-worker")
    deployment.apply(watching, cdk, _step)
    assert deployed == ["deployed"]


@pytest.mark.parametrize(
    ("status", "bootstrapped"),
    [
        (None, True),
        ("ROLLBACK_COMPLETE", True),
        ("CREATE_COMPLETE", False),
        ("UPDATE_COMPLETE", False),
    ],
)
def test_the_laptop_is_bootstrapped_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: str | None, bootstrapped: bool
) -> None:
    """The CDK is not asked to bootstrap an emulator that has the bootstrap stack."""
    settings = load("local")
    gone = Refusal("ValidationError", "Stack with id x does not exist")

    def described(given: dict[str, Any]) -> Any:
        if status is None or given["StackName"] != "CDKToolkit":
            return gone
        made = {"StackName": "CDKToolkit", "CreationTime": 0, "StackStatus": status}
        return {"Stacks": [made]}

    install(
        monkeypatch,
        settings.awsAccount,
        cloudformation_DescribeStacks=described,
        dynamodb_DescribeTable=Refusal("ResourceNotFoundException"),
    )
    ran: list[str] = []
    monkeypatch.setattr(Cdk, "bootstrap", lambda _: ran.append("bootstrap"))
    monkeypatch.setattr(Cdk, "synth", lambda *_: ran.append("synth"))
    target = Environment(
        settings=settings,
        folder=tmp_path,
        outputs_file=tmp_path / "o.json",
        endpoint_url="http://127.0.0.1:1",
    )
    deployment.prepare(target, _step, CATALOG)
    assert ran == [*(["bootstrap"] if bootstrapped else []), "synth"]


@pytest.mark.parametrize("kept", ["webhook-buffer-dev-parking", "webhook-buffer-dev-records", None])
def test_whatever_was_kept_is_adopted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kept: str | None
) -> None:
    """One table alone is enough to have CloudFormation import what exists."""
    settings = load("dev")
    gone = Refusal("ValidationError", "Stack with id x does not exist")
    install(
        monkeypatch,
        settings.awsAccount,
        cloudformation_DescribeStacks=gone,
        cloudformation_ListStackResources=gone,
        dynamodb_DescribeTable=lambda given: (
            {"Table": {"TableStatus": "ACTIVE"}}
            if given["TableName"] == kept
            else Refusal("ResourceNotFoundException")
        ),
        s3_HeadBucket=Refusal("404", status=404),
    )
    imported: list[bool] = []
    monkeypatch.setattr(Cdk, "deploy", lambda _, import_existing: imported.append(import_existing))
    monkeypatch.setattr(deployment, "outputs", lambda _: {})
    target = Environment(settings=settings, folder=tmp_path, outputs_file=tmp_path / "o.json")
    deployment.apply(target, Cdk(target), _step)
    assert imported == [kept is not None]


def _left(emulator: Running, folder: Path, *, monitoring: bool) -> Environment:
    """An environment of which only the monitoring's stack is there."""
    overrides = {
        "awsAccount": "000000000000",
        "service": f"left-{uuid.uuid4().hex[:8]}",
        "monitoring": monitoring,
    }
    target = emulated_environment(emulator, folder, load("dev", overrides=overrides))
    assert deployment.deployed(target) == []
    assert deployment.leftover(target) is None
    name = target.settings.monitoring_stack_name
    body = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'
    target.cloudformation.create_stack(StackName=name, TemplateBody=body)
    target.cloudformation.get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1}
    )
    return target


@pytest.mark.parametrize("wanted", [True, False])
def test_monitoring_that_is_no_longer_wanted_goes(
    emulator: Running, tmp_path: Path, wanted: bool
) -> None:
    """Its stack is deleted once ``monitoring`` is false, for the buffer's can't be until then."""
    target = _left(emulator, tmp_path, monitoring=wanted)
    name = target.settings.monitoring_stack_name
    assert deployment.leftover(target) == (None if wanted else name)
    deployment.remove_leftover(target, _step)
    assert (stack(target, name) is not None) is wanted
    assert deployment.leftover(target) is None


def test_destroy_finds_monitoring_that_is_left_alone(
    emulator: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A difference names the stack that goes, and destroy takes it with no buffer beside it."""
    target = _left(emulator, tmp_path, monitoring=False)
    name = target.settings.monitoring_stack_name
    at_destroy: list[list[str]] = []
    monkeypatch.setattr(laptop, "OUTPUTS", target.outputs_file)
    monkeypatch.setattr(laptop, "environment", lambda _: target)
    monkeypatch.setattr(laptop, "started", lambda *_: target)
    monkeypatch.setattr(lifecycle, "load", lambda _: target.settings)
    monkeypatch.setattr(Cdk, "bootstrap", lambda _: None)
    monkeypatch.setattr(Cdk, "synth", lambda *_: None)
    monkeypatch.setattr(Cdk, "diff", lambda _: "There were no differences")
    monkeypatch.setattr(Cdk, "destroy", lambda _: at_destroy.append(deployment.deployed(target)))

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(app.app, arguments)
        return done.exit_code, done.output if done.exit_code == 0 else str(done.exception)

    assert f"[-] Stack {name} will be deleted: 'monitoring' is false." in run("diff")[1]
    table = target.settings.parking_table_name
    target.dynamodb.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    assert f"Adopted as it is, from an earlier deployment: {table}\n" in run("diff")[1]
    code, output = run("destroy", "--env", "dev", "--yes")
    assert code == 0, output
    assert "Kept, and adopted by the next deployment. To delete it for good:\n" in output
    assert f"--table-name {table}\n" in output
    assert "s3 rb" not in output
    assert "the alarms, the dashboard" in output
    assert "the queue" not in output
    assert at_destroy == [[]]
    code, output = run("destroy", "--env", "dev", "--yes")
    assert (code, "is not deployed" in output) == (1, True)


class _step:  # noqa: N801 - stands for a function that gives a context
    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        """Shows nothing."""

    def __exit__(self, *_: object) -> None:
        """Says nothing."""


@pytest.mark.parametrize(("env", "account"), [("dev", "111111111111"), ("stg", "222222222222")])
def test_protection_is_lifted_before_a_stack_is_deleted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, env: str, account: str
) -> None:
    """A protected stack is deleted once its protection is off; one for practice never has any."""
    stacks = {"webhook-buffer-stg-monitoring", "webhook-buffer-dev-monitoring"}
    description = {"CreationTime": "2026-01-01T00:00:00Z", "StackStatus": "UPDATE_COMPLETE"}

    def described(given: dict[str, Any]) -> Any:
        name = given["StackName"]
        if name in stacks:
            return {"Stacks": [{"StackName": name, **description}]}
        return Refusal("ValidationError", f"Stack with id {name} does not exist")

    def deleted(given: dict[str, Any]) -> dict[str, Any]:
        stacks.remove(given["StackName"])
        return {}

    fake = install(
        monkeypatch,
        account,
        cloudformation_DescribeStacks=described,
        cloudformation_UpdateTerminationProtection={},
        cloudformation_DeleteStack=deleted,
    )
    settings = load(env, overrides={"monitoring": False})
    target = Environment(settings=settings, folder=tmp_path, outputs_file=tmp_path / "o.json")
    deployment.remove_leftover(target, _step)
    assert f"webhook-buffer-{env}-monitoring" not in stacks
    changed = [name.partition(".")[2] for name in fake.names if "DescribeStacks" not in name]
    lifted = [] if env == "dev" else ["UpdateTerminationProtection"]
    assert changed == ["GetCallerIdentity", *lifted, "DeleteStack"]
