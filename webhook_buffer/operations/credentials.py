"""Which Datadog an environment is published to, and with which keys."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from botocore.exceptions import ClientError

from monitoring.datadog.keys import Keys
from settings.errors import DatadogError
from webhook_buffer.operations.environment import Environment, aws_errors

# The names that Datadog's own tools read.
API_KEY, APPLICATION_KEY = "DD_API_KEY", "DD_APP_KEY"


def keys(target: Environment, environ: Mapping[str, str] | None = None) -> Keys:
    """The keys from the environment's variables, or from Secrets Manager.

    Raises:
        DatadogError: When there is none; it names both ways.
    """
    environ = os.environ if environ is None else environ
    settings = target.settings
    assert settings.datadog is not None
    url = f"https://api.{settings.datadog.site}"
    wanted = {
        API_KEY: ("apiKeySecretArn", settings.datadog.apiKeySecretArn),
        APPLICATION_KEY: ("applicationKeySecretArn", settings.datadog.applicationKeySecretArn),
    }
    values, origins = [], []
    for variable, (key, arn) in wanted.items():
        if environ.get(variable, "").strip():
            values.append(_readable(environ[variable].strip(), variable))
            origins.append(variable)
        elif arn:
            values.append(_readable(_secret(target, key, arn), f"the secret of datadog.{key}"))
            origins.append(f"the secret of datadog.{key}")
        else:
            raise DatadogError(
                f"No {'application' if variable == APPLICATION_KEY else 'API'} Datadog key for "
                f"environment '{settings.environment}'. Set {variable}, or name its secret in "
                f"cdk.json: datadog.{key}. Nothing was sent."
            )
    return Keys(url, values[0], values[1], " and ".join(origins))


def _readable(key: str, origin: str) -> str:
    """A key that can stand in a header; any other would appear in a traceback."""
    if not re.fullmatch(r"[!-~]+", key):
        raise DatadogError(
            f"{origin} contains a character that Datadog keys never have; copy the key again. "
            "Nothing was sent."
        )
    return key


def _secret(target: Environment, key: str, arn: str) -> str:
    with aws_errors(target.settings):
        try:
            value = target.secrets.get_secret_value(SecretId=arn).get("SecretString", "")
        except ClientError as error:
            code = error.response["Error"]["Code"]
            raise DatadogError(
                f"cdk.json: environment '{target.settings.environment}': key 'datadog.{key}': "
                f"Secrets Manager does not return this secret ({code}). Correct its ARN, or allow "
                "secretsmanager:GetSecretValue on it, which its resource policy can deny."
            ) from None
    if not value.strip() or value.strip().startswith("{"):
        raise DatadogError(
            f"cdk.json: environment '{target.settings.environment}': key 'datadog.{key}': the "
            "secret is empty or JSON; it has to hold the key itself, as text."
        )
    return value.strip()
