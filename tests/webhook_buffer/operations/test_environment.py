"""Environments in whatever state CloudFormation has them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    EndpointConnectionError,
    PartialCredentialsError,
    ProfileNotFound,
    UnauthorizedSSOTokenError,
)
from botocore.stub import Stubber

from settings import loader
from settings.errors import NotDeployedError, WebhookBufferError
from webhook_buffer.operations.environment import Environment, aws_errors, outputs, stack


@pytest.fixture
def target(tmp_path: Path) -> Environment:
    return Environment(
        settings=loader.load("dev"),
        folder=tmp_path,
        outputs_file=tmp_path / "out.json",
        endpoint_url="http://127.0.0.1:1",
    )


@pytest.fixture
def answers(target: Environment) -> Callable[..., None]:
    """Has CloudFormation answer with a stack in a state, or with an error."""
    stubber = Stubber(target.cloudformation)
    stubber.activate()

    def answer(status: str | None, **known: str) -> None:
        expected = {"StackName": "webhook-buffer-dev"}
        if status is None:
            message = "Stack with id webhook-buffer-dev does not exist"
            stubber.add_client_error(
                "describe_stacks", "ValidationError", message, expected_params=expected
            )
            return
        description: dict[str, Any] = {
            "StackName": "webhook-buffer-dev",
            "CreationTime": datetime.now(UTC),
            "StackStatus": status,
            "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in known.items()],
        }
        stubber.add_response("describe_stacks", {"Stacks": [description]}, expected)

    return answer


def test_outputs_of_a_deployed_stack(target: Environment, answers: Callable[..., None]) -> None:
    """Outputs are read by name, also while an update is under way or failed."""
    for status in ("CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "DELETE_FAILED"):
        answers(status, QueueUrl="q")
        assert outputs(target) == {"QueueUrl": "q"}


def test_no_stack(target: Environment, answers: Callable[..., None]) -> None:
    """Without a stack the error says how to deploy one."""
    answers(None)
    with pytest.raises(NotDeployedError, match=r"is not deployed: .* make deploy ENV=dev"):
        outputs(target)


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"])
def test_failed_first_deployment(
    target: Environment, answers: Callable[..., None], status: str
) -> None:
    """A stack that never held anything is named with its state, and counts as not created."""
    answers(status)
    with pytest.raises(NotDeployedError, match=f"is in state {status} and has no outputs"):
        outputs(target)
    answers(status)
    deployed = stack(target)
    assert deployed
    assert not deployed.was_created


def test_a_stack_that_could_not_be_deleted_is_still_there(
    target: Environment, answers: Callable[..., None]
) -> None:
    """After a failed destroy there is a stack to destroy again; after a good one there is none."""
    answers("DELETE_FAILED")
    assert stack(target)
    answers("DELETE_COMPLETE")
    assert stack(target) is None


def test_refusal_is_one_sentence(target: Environment) -> None:
    """An error for what AWS refuses has operation, environment and code."""
    with Stubber(target.cloudformation) as stubber:
        stubber.add_client_error("describe_stacks", "AccessDenied", "not authorized")
        with pytest.raises(WebhookBufferError, match=r"DescribeStacks for environment 'dev'"):
            stack(target)


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("AccessDenied", "Allow it; docs/permissions.md"),
        ("UnauthorizedOperation", "of the resource can deny it, too."),
        ("ExpiredToken", "Sign in again (aws sso login)"),
        ("InvalidClientTokenId", "the account has not enabled us-east-1"),
        ("OptInRequired", "the account has not enabled us-east-1"),
        ("SignatureDoesNotMatch", "this computer's clock"),
        ("Throttling", "wait a minute and run this again"),
    ],
)
def test_a_refusal_has_its_remedy(target: Environment, code: str, remedy: str) -> None:
    """What to do is said after what AWS says, in sentences."""
    with Stubber(target.cloudformation) as stubber:
        stubber.add_client_error("describe_stacks", code, "AWS's words.")
        with pytest.raises(WebhookBufferError, match=rf"{code}: AWS's words\. \w") as caught:
            stack(target)
    assert remedy in str(caught.value)


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (
            ProfileNotFound(profile="x"),
            "No AWS credentials for environment 'dev' (111111111111, us-east-1): The config "
            "profile (x) could not be found. Correct AWS_PROFILE",
        ),
        (
            PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
            "missing: AWS_SECRET_ACCESS_KEY. Set what is missing",
        ),
        (UnauthorizedSSOTokenError(), "Sign in again (aws sso login)"),
        (
            EndpointConnectionError(endpoint_url="https://sts.xx-east-1.amazonaws.com"),
            "AWS can't be reached for environment 'dev' (111111111111, us-east-1): Could not "
            'connect to the endpoint URL: "https://sts.xx-east-1.amazonaws.com". Check the network',
        ),
    ],
)
def test_no_answer_has_its_remedy(target: Environment, error: BotoCoreError, what: str) -> None:
    """Credentials are told apart from a network that does not reach AWS."""
    with pytest.raises(WebhookBufferError) as caught, aws_errors(target.settings):
        raise error
    assert what in str(caught.value)
