"""Secrets that functions read, and the keys that encrypt them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from botocore.exceptions import ClientError

from settings.secrets import Secret, secrets
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.key_policy import denies_account
from webhook_buffer.operations.preflight.model import Problem

_AWS_KEY = "alias/aws/secretsmanager"


def readable(target: Environment) -> Iterator[Problem]:
    """Secrets that exist, have a value, and whose readers may use their key."""
    for secret in secrets(target.settings):
        yield from _secret(target, secret)


def _secret(target: Environment, secret: Secret) -> Iterator[Problem]:
    name = f"The secret of {secret.key}"
    try:
        described = target.secrets.describe_secret(SecretId=secret.arn)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        yield Problem(
            f"{name} does not exist: {secret.arn}",
            "Create it in Secrets Manager, or correct its ARN in cdk.json.",
        )
        return
    if described.get("DeletedDate"):
        yield Problem(
            f"{name} is scheduled for deletion.",
            f"Restore it: aws secretsmanager restore-secret --secret-id {secret.arn}",
        )
        return
    stages = described.get("VersionIdsToStages", {}).values()
    if not any("AWSCURRENT" in version for version in stages):
        yield Problem(
            f"{name} has no value.",
            f"Give it one: aws secretsmanager put-secret-value --secret-id {secret.arn}",
        )
    key = described.get("KmsKeyId")
    if key and not key.endswith(_AWS_KEY):
        yield from _key(target, secret, name, key)


def _key(target: Environment, secret: Secret, name: str, key: str) -> Iterator[Problem]:
    """Problems of a customer's key."""
    known = target.kms.describe_key(KeyId=key)["KeyMetadata"]
    if secret.key_arn != known["Arn"]:
        now = f"is {secret.key_arn}" if secret.key_arn else "is missing"
        yield Problem(
            f"{name} is encrypted with {known['Arn']}, and {secret.key_name} {now}: its readers "
            "may not decrypt it.",
            f"Set {secret.key_name} to that ARN in cdk.json.",
        )
    if known["KeyState"] != "Enabled":
        yield Problem(
            f"{name} is encrypted with {known['Arn']}, whose state is {known['KeyState']}.",
            "Enable that key, or encrypt the secret with another.",
        )
    policy = target.kms.get_key_policy(KeyId=known["Arn"], PolicyName="default")["Policy"]
    if denies_account(target.settings, json.loads(policy)):
        yield Problem(
            f"{name} is encrypted with {known['Arn']}, whose policy does not let the account's "
            "own policies allow its use: its readers may not decrypt it.",
            "Add to that key's policy the statement AllowUseByPoliciesOfTheAccount of: "
            f"webhook-buffer permissions --key --env {target.settings.environment}",
        )
