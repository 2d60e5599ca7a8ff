"""Secrets that functions read, and the keys that encrypt them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from settings.secrets import Secret, secrets
from webhook_buffer.operations import refusals, secret_policy
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.key_policy import denies_account
from webhook_buffer.operations.preflight.model import Level, Problem

_AWS_KEY = "alias/aws/secretsmanager"
_NONE: Mapping[str, Any] = {"Statement": []}


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
    if secret.by_functions:
        yield from _policy(target, secret, name)


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


def _policy(target: Environment, secret: Secret, name: str) -> Iterator[Problem]:
    """Problems of the secret's own policy."""
    try:
        policy = target.secrets.get_resource_policy(SecretId=secret.arn).get("ResourcePolicy")
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if not refusals.is_denial(code):
            raise
        yield Problem(
            f"Unknown: AWS refused GetResourcePolicy ({code}), so whether the resource policy of "
            f"{secret.key} denies functions to read it was not checked.",
            refusals.remedy_of(code, target.settings.awsRegion),
            Level.UNKNOWN,
        )
        return
    roles = secret_policy.roles(target.settings)
    for denial in secret_policy.denials(target.settings, json.loads(policy) if policy else _NONE):
        statement = f"{name} has a resource policy whose statement {denial.statement}"
        remedy = (
            f"have it not deny the roles {roles}*, for example by ArnNotLike on aws:PrincipalArn."
        )
        if denial.unknown:
            yield Problem(
                f"Unknown: {statement} denies {secret_policy.ACTION} depending on "
                f"{', '.join(denial.unknown)}, which preflight can't evaluate for the functions.",
                f"Make sure that functions may read the secret, or {remedy}",
                Level.UNKNOWN,
            )
        else:
            yield Problem(
                f"{statement} denies the functions {secret_policy.ACTION}.",
                f"{remedy[0].upper()}{remedy[1:]}",
            )
