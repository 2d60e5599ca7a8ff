"""The project's functions: role, log group, and the settings that all functions share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from functions.assets import functions_asset, release
from functions.encryption import Encryption
from settings.names import FUNCTION_MEMORY_MB
from settings.schema import Settings


@dataclass(frozen=True, kw_only=True)
class FunctionFactory:
    """Creates this environment's functions from one asset.

    Attributes:
        made: the functions made so far, by name without prefix.
    """

    settings: Settings
    code: lambda_.Code
    runtime: lambda_.Runtime
    release: str
    encryption: Encryption
    made: dict[str, lambda_.Function] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        settings: Settings,
        *,
        encryption: Encryption,
        beside: Mapping[str, str] | None = None,
        cryptography: bool = False,
    ) -> FunctionFactory:
        """The factory of the tree's functions.

        Args:
            encryption: of their variables, and of what their stack holds.
            beside: more files in ``lambdas/``, by name.
            cryptography: whether they need that library.

        Raises:
            ToolError: When their dependencies can't be installed.
        """
        # On the laptop functions find the library where the command has it, for their processor.
        bundled = cryptography and not settings.on_laptop
        code = lambda_.Code.from_asset(str(functions_asset(beside, cryptography=bundled)))
        runtime = lambda_.Runtime.PYTHON_3_14
        return cls(
            settings=settings,
            code=code,
            runtime=runtime,
            release=release(settings),
            encryption=encryption,
        )

    def create(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        module: str,
        timeout_seconds: int,
        environment: Mapping[str, str],
        statements: Sequence[iam.PolicyStatement],
        reserved_concurrency: int | None = None,
    ) -> lambda_.Function:
        """A function with a role that may do what ``statements`` say and write its own log.

        Args:
            name: ``publish``; the physical name gets the environment's prefix.
            module: in ``lambdas``, holding ``handler``.
            timeout_seconds: of one invocation.
            environment: variables besides the shared ones.
            statements: each naming its resource.
            reserved_concurrency: of the account's, for this function alone.
        """
        settings = self.settings
        log_group = create_log_group(
            scope, f"{construct_id}Logs", name=settings.log_group_name(name), settings=settings
        )
        role = self._role(
            scope, f"{construct_id}Role", name=name, statements=statements, log_group=log_group
        )
        self.made[name] = lambda_.Function(
            scope,
            construct_id,
            function_name=settings.function_name(name),
            description=f"Webhook buffer ({settings.environment}): {name}",
            runtime=self.runtime,
            architecture=lambda_.Architecture.ARM_64,
            code=self.code,
            handler=f"lambdas.{module}.handler",
            role=role,
            log_group=log_group,
            memory_size=FUNCTION_MEMORY_MB,
            timeout=Duration.seconds(timeout_seconds),
            environment={**self._shared_variables(), **environment},
            environment_encryption=self.encryption.key,
            reserved_concurrent_executions=reserved_concurrency,
        )
        return self.made[name]

    def _role(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        statements: Sequence[iam.PolicyStatement],
        log_group: logs.LogGroup,
    ) -> iam.Role:
        role = iam.Role(
            scope,
            construct_id,
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"What {self.settings.function_name(name)} may do",
        )
        log_group.grant_write(role)
        # Lambda decrypts the variables with the function's role. Source: Lambda developer guide,
        # "Securing Lambda environment variables".
        for statement in [*statements, *self.encryption.allow("kms:Decrypt")]:
            role.add_to_policy(statement)
        return role

    def _shared_variables(self) -> dict[str, str]:
        shared = {
            "SERVICE": self.settings.service,
            "ENVIRONMENT": self.settings.environment,
            "RELEASE": self.release,
            "LOG_LEVEL": "INFO",
        }
        if self.settings.sentryDsn:
            shared["SENTRY_DSN"] = self.settings.sentryDsn
        return shared


def create_log_group(
    scope: Construct, construct_id: str, *, name: str, settings: Settings
) -> logs.LogGroup:
    """A log group with this environment's retention, deleted with its stack."""
    log_group = logs.LogGroup(
        scope, construct_id, log_group_name=name, removal_policy=RemovalPolicy.DESTROY
    )
    resource = log_group.node.default_child
    assert isinstance(resource, logs.CfnLogGroup)
    resource.retention_in_days = settings.logRetentionDays
    resource.kms_key_id = settings.encryptionKeyArn
    return log_group
