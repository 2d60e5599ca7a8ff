"""As whom a command works in an environment's account, checked before anything else is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, NoCredentialsError

from settings.errors import CallerError
from settings.schema import Settings

if TYPE_CHECKING:
    import boto3

# Whoever reads CloudTrail sees what worked there. Source: STS API reference, AssumeRole: 2 to 64
# word characters and =,.@-
_SESSION_NAME = "webhook-buffer"


def session(settings: Settings) -> boto3.Session:
    """A session in the environment's account: the caller's own, or that of its operator role.

    Raises:
        CallerError: When the caller is of another account and can't become the operator there.
        botocore.exceptions.BotoCoreError: When there are no credentials, or STS can't be reached.
        botocore.exceptions.ClientError: When STS refuses the caller.
    """
    import boto3  # a quarter of a second that commands without AWS do without

    own = boto3.Session(region_name=settings.awsRegion)
    if own.get_credentials() is None:
        raise NoCredentialsError
    identity = _sts(own).get_caller_identity()
    if identity["Account"] == settings.awsAccount:
        return own
    if settings.operatorRoleArn is None:
        raise CallerError(
            f"cdk.json: environment '{settings.environment}': key 'awsAccount': it is "
            f"{settings.awsAccount}, and your AWS credentials are of {identity['Account']} "
            f"({identity['Arn']}). Use credentials of that account (AWS_PROFILE), or set "
            "operatorRoleArn to a role there that you may assume; docs/permissions.md has its "
            "policy. Nothing was read or changed."
        )
    return _operator(own, settings, settings.operatorRoleArn, str(identity["Arn"]))


def _operator(own: boto3.Session, settings: Settings, role_arn: str, caller: str) -> boto3.Session:
    """The operator role's session; its credentials are renewed as long as the command runs."""
    import boto3
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
    from botocore.session import get_session

    source = own.get_credentials()
    assert source is not None
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=lambda service, **options: own.client(
            service, **{"region_name": settings.awsRegion, **options}
        ),
        source_credentials=source,
        role_arn=role_arn,
        extra_args={"RoleSessionName": _SESSION_NAME},
    )
    inner: Any = get_session()
    inner.set_config_variable("region", settings.awsRegion)
    inner._credentials = DeferredRefreshableCredentials(  # botocore has no public way
        method="assume-role", refresh_using=fetcher.fetch_credentials
    )
    role = boto3.Session(botocore_session=inner, region_name=settings.awsRegion)
    try:
        account = _sts(role).get_caller_identity()["Account"]
    except ClientError as error:
        raise CallerError(
            f"cdk.json: environment '{settings.environment}': key 'operatorRoleArn': {caller} "
            f"can't assume it ({error.response['Error']['Code']}). Correct its ARN, or let its "
            "trust policy name you; docs/permissions.md shows it. Nothing was read or changed."
        ) from None
    if account != settings.awsAccount:
        raise CallerError(
            f"cdk.json: environment '{settings.environment}': key 'operatorRoleArn': it works in "
            f"account {account}, not in {settings.awsAccount}; name a role there. Nothing was "
            "read or changed."
        )
    return role


def _sts(session: boto3.Session) -> Any:
    """STS of the session's region. One attempt more than the first, as somebody waits."""
    from botocore.config import Config

    config = Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=5)
    return session.client("sts", config=config)
