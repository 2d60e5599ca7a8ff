"""Where an environment runs, and how its AWS is reached: the real one, or the emulator."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from settings.errors import AwsRefusalError, InputError, NotDeployedError, WebhookBufferError
from settings.schema import Settings
from webhook_buffer.operations import caller, refusals

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_apigatewayv2 import ApiGatewayV2Client
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

# The emulator asks for credentials but takes any.
_EMULATOR_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@dataclass(frozen=True, kw_only=True)
class Environment:
    """An environment and its AWS.

    Attributes:
        folder: where logs and the cloud assembly go.
        outputs_file: where a deployment writes its outputs.
        endpoint_url: the emulator's; None on AWS.
        public_url: where senders reach the laptop's API, if not at its own URL.
        overrides: keys that replace those of the environment's block.
        practice_backend: the URL of one that runs beside the emulator, to deliver to.
    """

    settings: Settings
    folder: Path
    outputs_file: Path
    endpoint_url: str | None = None
    public_url: str | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    practice_backend: str | None = None

    @property
    def environ(self) -> dict[str, str]:
        """What child processes need to reach this AWS, and nothing of another account."""
        if self.endpoint_url is None:
            return {**os.environ, "AWS_REGION": self.settings.awsRegion}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {
            **kept,
            **_EMULATOR_CREDENTIALS,
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": self.settings.awsRegion,
            # Neither the user's profile nor the metadata service is used.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @cached_property
    def acm(self) -> Any:
        return self.session.client("acm", **self._options)

    @cached_property
    def apigateway(self) -> ApiGatewayV2Client:
        return self.session.client("apigatewayv2", **self._options)

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        return self.session.client("cloudformation", **self._options)

    @cached_property
    def cloudwatch(self) -> CloudWatchClient:
        return self.session.client("cloudwatch", **self._options)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        return self.session.client("dynamodb", **self._options)

    @cached_property
    def ec2(self) -> Any:
        return self.session.client("ec2", **self._options)

    @cached_property
    def events(self) -> Any:
        return self.session.client("events", **self._options)

    @cached_property
    def functions(self) -> LambdaClient:
        return self.session.client("lambda", **self._options)

    @cached_property
    def iam(self) -> Any:
        return self.session.client("iam", **self._options)

    @cached_property
    def kms(self) -> Any:
        return self.session.client("kms", **self._options)

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        return self.session.client("logs", **self._options)

    @cached_property
    def rest_apis(self) -> Any:
        return self.session.client("apigateway", **self._options)

    @cached_property
    def route53(self) -> Any:
        return self.session.client("route53", **self._options)

    @cached_property
    def s3(self) -> Any:
        return self.session.client("s3", **self._options)

    @cached_property
    def secrets(self) -> SecretsManagerClient:
        return self.session.client("secretsmanager", **self._options)

    @cached_property
    def sns(self) -> SNSClient:
        return self.session.client("sns", **self._options)

    @cached_property
    def sqs(self) -> SQSClient:
        return self.session.client("sqs", **self._options)

    @cached_property
    def ssm(self) -> Any:
        return self.session.client("ssm", **self._options)

    @cached_property
    def session(self) -> boto3.Session:
        """Where every client comes from, so that none is of another account.

        Raises:
            WebhookBufferError: When there are no credentials, or none of the environment's account.
        """
        if self.endpoint_url is None:
            with aws_errors(self.settings):
                return caller.session(self.settings)
        import boto3  # a quarter of a second that commands without AWS do without

        return boto3.Session(
            aws_access_key_id=_EMULATOR_CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=_EMULATOR_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=self.settings.awsRegion,
        )

    @property
    def _options(self) -> dict[str, Any]:
        from botocore.config import Config

        config = Config(retries={"mode": "standard"}, connect_timeout=5, read_timeout=30)
        return {"endpoint_url": self.endpoint_url, "config": config}


@contextmanager
def aws_errors(settings: Settings) -> Iterator[None]:
    """Turns boto3's errors into one sentence with a remedy.

    Raises:
        WebhookBufferError: When a call failed: no credentials, no permission, no network.
    """
    where = f"environment '{settings.environment}' ({settings.awsAccount}, {settings.awsRegion})"
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        message = error.response["Error"]["Message"].removesuffix(".")
        raise AwsRefusalError(
            f"AWS refused {error.operation_name} for {where}: {code}: {message}.",
            operation=error.operation_name,
            code=code,
            remedy=refusals.remedy_of(code, settings.awsRegion),
        ) from None
    except BotoCoreError as error:
        remedy = refusals.remedy_of_credentials(error)
        if remedy is None:
            raise WebhookBufferError(
                f"AWS can't be reached for {where}: {error}. Check the network, and awsRegion in "
                "cdk.json."
            ) from None
        detail = "" if isinstance(error, NoCredentialsError) else f": {error}".rstrip(".")
        raise WebhookBufferError(f"No AWS credentials for {where}{detail}. {remedy}") from None


def require_account(target: Environment) -> None:
    """Makes sure of credentials of the right account before anything that takes longer is begun.

    Raises:
        WebhookBufferError: When there are none, they can't be read or renewed, or they are of
            another account.
    """
    target.session.get_credentials()


def not_deployed(settings: Settings) -> NotDeployedError:
    """The error for a stack that does not exist."""
    how = (
        "webhook-buffer up"
        if settings.environment == "local"
        else f"make deploy ENV={settings.environment}"
    )
    return NotDeployedError(
        f"Environment '{settings.environment}' is not deployed: there is no stack "
        f"{settings.main_stack_name} in {settings.awsRegion}. Deploy it: {how}"
    )


@dataclass(frozen=True)
class Stack:
    """A stack as CloudFormation knows it.

    Attributes:
        status: ``UPDATE_COMPLETE``.
        outputs: by name; empty before the first successful deployment.
    """

    status: str
    outputs: Mapping[str, str]

    @property
    def was_created(self) -> bool:
        """Whether it ever held its resources. Source: CloudFormation user guide, "Stack status
        codes": these two have none, and the next deployment starts over.
        """
        return self.status not in ("REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE")


def stack(target: Environment, name: str | None = None) -> Stack | None:
    """A stack of the environment, in whatever state; None when there is none.

    Args:
        name: default: the stack that makes the environment count as deployed.

    Raises:
        WebhookBufferError: When AWS can't be asked.
    """
    name = name or target.settings.main_stack_name
    with aws_errors(target.settings):
        try:
            answer = target.cloudformation.describe_stacks(StackName=name)
        except ClientError as error:
            if "does not exist" in error.response["Error"]["Message"]:
                return None
            raise
    if not answer["Stacks"] or answer["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE":
        return None
    description = answer["Stacks"][0]
    known = {entry["OutputKey"]: entry["OutputValue"] for entry in description.get("Outputs", [])}
    return Stack(description["StackStatus"], known)


def deployed_template(target: Environment) -> Mapping[str, Any] | None:
    """The template of the deployed main stack; None when there is no stack, or no resource in it.

    A template in YAML, which this project never deploys, is empty: boto3 does not parse it.

    Raises:
        WebhookBufferError: When AWS can't be asked.
    """
    deployed = stack(target)
    if deployed is None or not deployed.was_created:
        return None
    name = target.settings.main_stack_name
    with aws_errors(target.settings):
        body: Any = target.cloudformation.get_template(StackName=name)["TemplateBody"]
    return body if isinstance(body, Mapping) else {}


def outputs(target: Environment) -> dict[str, str]:
    """The outputs of a deployed environment.

    Raises:
        NotDeployedError: When the stack does not exist, or its deployment failed.
        WebhookBufferError: When AWS can't be asked.
    """
    deployed = stack(target)
    if deployed is None:
        raise not_deployed(target.settings)
    if not deployed.outputs:
        raise NotDeployedError(
            f"The stack {target.settings.main_stack_name} in {target.settings.awsRegion} "
            f"is in state {deployed.status} and has no outputs: its deployment failed. "
            f"Deploy again: make deploy ENV={target.settings.environment}"
        )
    return dict(deployed.outputs)


def buffer_outputs(target: Environment) -> dict[str, str]:
    """The outputs of a deployed buffer.

    Raises:
        InputError: When the environment only monitors existing resources.
        NotDeployedError: When it is not deployed.
    """
    if target.settings.existing:
        raise InputError(
            f"Environment '{target.settings.environment}' only monitors existing resources "
            "('existing' in cdk.json); it has no buffer."
        )
    return outputs(target)
