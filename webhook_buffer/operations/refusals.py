"""What to do about an error of boto3: its remedy, in a sentence or two.

Source of the codes: "Common Errors" in each service's API reference; botocore's
``retries.standard`` for those of throttling.
"""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ConfigNotFound,
    ConfigParseError,
    CredentialRetrievalError,
    InvalidConfigError,
    LoginError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

_SIGN_IN = "Sign in again (aws sso login), or renew the credentials."
_ALLOW = (
    "Allow it; docs/permissions.md has the policy of each command. A policy of the organization or "
    "of the resource can deny it, too."
)
_UNKNOWN_KEY = (
    "Sign in again (aws sso login). If that does not help, the account has not enabled {region}: "
    "an administrator does that in the account's settings."
)
_REMEDIES = {
    "ExpiredToken": _SIGN_IN,
    "ExpiredTokenException": _SIGN_IN,
    "RequestExpired": _SIGN_IN,
    "AuthFailure": _UNKNOWN_KEY,
    "InvalidAccessKeyId": _UNKNOWN_KEY,
    "InvalidClientTokenId": _UNKNOWN_KEY,
    "OptInRequired": _UNKNOWN_KEY,
    "UnrecognizedClientException": _UNKNOWN_KEY,
    "InvalidSignatureException": "Check the secret access key, and this computer's clock.",
    "RequestTimeTooSkewed": "Set this computer's clock.",
    "SignatureDoesNotMatch": "Check the secret access key, and this computer's clock.",
    "403": _ALLOW,
    "AccessDenied": _ALLOW,
    "AccessDeniedException": _ALLOW,
    "AuthorizationError": _ALLOW,
    "UnauthorizedOperation": _ALLOW,
}
THROTTLED = frozenset(
    {
        "RequestLimitExceeded", "SlowDown", "ThrottledException", "Throttling",
        "ThrottlingException", "TooManyRequestsException",
    }
)  # fmt: skip
_WAIT = "AWS limits how often the account asks: wait a minute and run this again."
# What of credentials is wrong before AWS is asked. The first that fits counts.
_CREDENTIALS: tuple[tuple[tuple[type[BotoCoreError], ...], str], ...] = (
    ((NoCredentialsError,), "Set AWS_PROFILE or sign in (aws sso login)."),
    ((ProfileNotFound,), "Correct AWS_PROFILE, or add the profile (aws configure sso)."),
    ((PartialCredentialsError,), "Set what is missing, or remove the rest and set AWS_PROFILE."),
    (
        (ConfigNotFound, ConfigParseError, InvalidConfigError),
        "Correct AWS's configuration (~/.aws/config).",
    ),
    ((CredentialRetrievalError, LoginError, SSOError, TokenRetrievalError), _SIGN_IN),
)


def is_denial(code: str) -> bool:
    """Whether a refusal says that the caller may not do this."""
    return _REMEDIES.get(code) == _ALLOW


def remedy_of(code: str, region: str) -> str:
    """What to do about AWS's refusal; empty where only its own message says it."""
    if code in THROTTLED:
        return _WAIT
    return _REMEDIES.get(code, "").format(region=region)


def remedy_of_credentials(error: BotoCoreError) -> str | None:
    """What to do about credentials; None where something else is wrong."""
    return next((remedy for kinds, remedy in _CREDENTIALS if isinstance(error, kinds)), None)
