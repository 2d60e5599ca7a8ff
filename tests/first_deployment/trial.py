"""A whole trial: deploy, try everything, destroy, fail to deploy, deploy again, clean up."""

from __future__ import annotations

import copy
import json
import secrets
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from settings.errors import InputError, ToolError, WebhookBufferError
from tests.first_deployment.assumptions import Outcome, Verdict
from tests.first_deployment.steps import (
    ANYBODY,
    STEPS,
    TOKEN_HEADER,
    TRIAL,
    Place,
    accepted_record,
    judged,
    recorded,
)
from webhook_buffer.operations import deployment, stores
from webhook_buffer.operations.environment import Environment, stack
from webhook_buffer.operations.physical_names import TABLE, Named

ADOPTED = "adopted-tables"
_DELETION_DAYS = 7  # the fewest that KMS takes


class Deployer(Protocol):
    """What deploys and destroys the environment."""

    target: Environment

    def deploy(self, overrides: Mapping[str, Any], token: str) -> Place:
        """Deploys with some keys replaced; the token is what ``TRIAL`` then asks for."""

    def destroy(self) -> None:
        """Deletes the stacks; what they keep stays."""


def require_throw_away(target: Environment) -> None:
    """Checks that nobody's webhooks are at stake.

    Raises:
        InputError: When the environment's backend may be real, or something of it exists.
    """
    settings, env = target.settings, target.settings.environment
    if settings.existing or not (settings.create_faux_backend and settings.testFlags):
        raise InputError(
            f"cdk.json: environment '{env}': a first deployment is tried with "
            "'create_faux_backend' and 'testFlags' only; add them, or choose another environment."
        )
    if deployment.deployed(target) or stores.existing(target):
        raise InputError(
            f"Environment '{env}' exists in {settings.awsAccount} already, or its tables do, and "
            "this deletes what it deploys. Choose another environment, or destroy that one and "
            f"delete its tables first: make destroy ENV={env}"
        )


def trial(deployer: Deployer) -> Iterator[Outcome]:
    """Everything, outcome by outcome; what was made for it is deleted, whatever happens."""
    target = deployer.target
    try:
        with _secret_under_a_key(target) as (arn, key, token):
            deploy = partial(deployer.deploy, sources(arn, key), token)
            place = deploy()
            for names, step in STEPS.items():
                yield from _tried(names, step(place))
            yield from _tried((ADOPTED,), adopted(deployer, deploy, place))
    finally:
        if deployment.deployed(target):
            deployer.destroy()
        for store in stores.existing(target):
            _delete(target, store)


def sources(secret: str, key: str) -> dict[str, Any]:
    """Settings of a source whose secret is under a customer's key, and of one for everybody."""
    verified = {"scheme": "token", "token": f"header:{TOKEN_HEADER}"}
    return {
        "sources": [
            {
                "name": "trial", "paths": [TRIAL],
                "verify": {**verified, "secretArn": secret, "secretKeyArn": key},
            },
            {"name": "anybody", "paths": [ANYBODY]},
        ]
    }  # fmt: skip


def _tried(names: tuple[str, ...], outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    """A step's outcomes; what it did not get to is unknown, with the reason."""
    left = list(names)
    try:
        for outcome in outcomes:
            left.remove(outcome.id)
            yield outcome
    except (BotoCoreError, ClientError, WebhookBufferError) as error:
        for name in left:
            yield Outcome(name, Verdict.UNKNOWN, f"{type(error).__name__}: {error}")


def adopted(deployer: Deployer, deploy: Callable[[], Place], place: Place) -> Iterator[Outcome]:
    """Whether the table that ``destroy`` keeps outlives a deployment that adopts it and fails."""
    message_id = accepted_record(place)
    deployer.destroy()
    if not _keeps_records(place.target):
        yield judged(ADOPTED, False, "destroy deleted the tables")
        return
    state = fail_to_deploy(place.target, place.templates[0])
    if not _keeps_records(place.target):
        yield judged(ADOPTED, False, f"the failed deployment ({state}) deleted the tables")
        return
    kept = recorded(deploy(), message_id)
    seen = f"after {state} and another deployment the record is {'there' if kept else 'gone'}"
    yield judged(ADOPTED, kept and state == "ROLLBACK_COMPLETE", seen)


def fail_to_deploy(target: Environment, template: Mapping[str, Any]) -> str:
    """Creates the buffer's stack so that it takes its tables over and then fails; its last state.

    The stack is deleted again. What fails is a wait for a signal that nobody gives.
    """
    name, client = target.settings.prefix, target.cloudformation
    client.create_change_set(
        StackName=name, ChangeSetName="first-deployment", ChangeSetType="CREATE",
        TemplateBody=json.dumps(_failing(template)), ImportExistingResources=True,
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    )  # fmt: skip
    quick: Any = {"Delay": 1, "MaxAttempts": 600}
    client.get_waiter("change_set_create_complete").wait(
        StackName=name, ChangeSetName="first-deployment", WaiterConfig=quick
    )
    client.execute_change_set(StackName=name, ChangeSetName="first-deployment")
    try:
        client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=quick)
    except WaiterError:
        pass  # that is what is wanted
    state = _settled(target, name)
    deployment.unprotect(target, name)
    client.delete_stack(StackName=name)
    client.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=quick)
    return state


def _failing(template: Mapping[str, Any]) -> dict[str, Any]:
    """A template with something in it that fails once its tables are there."""
    changed = copy.deepcopy(dict(template))
    tables = [
        name
        for name, entry in changed["Resources"].items()
        if entry["Type"] == "AWS::DynamoDB::Table"
    ]
    changed["Resources"] |= {
        "NobodySignals": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        "Fails": {
            "Type": "AWS::CloudFormation::WaitCondition",
            "DependsOn": tables,
            "Properties": {"Handle": {"Ref": "NobodySignals"}, "Timeout": "1", "Count": 1},
        },
    }
    return changed


def _settled(target: Environment, name: str, seconds: float = 900.0) -> str:
    """A stack's state once nothing goes on there."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        present = stack(target, name)
        if present is None or not present.status.endswith("_IN_PROGRESS"):
            return present.status if present else "DELETED"
        time.sleep(1)
    raise ToolError(f"The stack {name} did not settle within {seconds:.0f} s.")


@contextmanager
def _secret_under_a_key(target: Environment) -> Iterator[tuple[str, str, str]]:
    """A secret and its key, both made for this: their ARNs, and the secret's value."""
    token, name = secrets.token_urlsafe(24), f"{target.settings.prefix}-{uuid.uuid4().hex[:8]}"
    key = target.kms.create_key(Description="webhook-buffer: make first-deployment")["KeyMetadata"]
    try:
        secret = target.secrets.create_secret(Name=name, SecretString=token, KmsKeyId=key["Arn"])
        try:
            yield secret["ARN"], key["Arn"], token
        finally:
            target.secrets.delete_secret(SecretId=secret["ARN"], ForceDeleteWithoutRecovery=True)
    finally:
        target.kms.schedule_key_deletion(KeyId=key["Arn"], PendingWindowInDays=_DELETION_DAYS)


def _keeps_records(target: Environment) -> bool:
    return stores.table(target, target.settings.table_name) is not None


def _delete(target: Environment, store: Named) -> None:
    """Deletes a table or a bucket, with all that is in it."""
    if store.kind == TABLE:
        target.dynamodb.update_table(TableName=store.name, DeletionProtectionEnabled=False)
        target.dynamodb.delete_table(TableName=store.name)
        return
    for page in target.s3.get_paginator("list_objects_v2").paginate(Bucket=store.name):
        for stored in page.get("Contents", ()):
            target.s3.delete_object(Bucket=store.name, Key=stored["Key"])
    target.s3.delete_bucket(Bucket=store.name)
