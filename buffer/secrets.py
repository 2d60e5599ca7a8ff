"""What a function may do with secrets, and with the keys that encrypt them."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from functions.encryption import Encryption
from functions.statements import allow
from lambdas.sources.handshakes import HANDSHAKES
from settings.schema import Settings
from settings.signing import Signing
from settings.sources import Source


def read_secrets(sources: Iterable[Source]) -> list[iam.PolicyStatement]:
    """Statements that allow reading each source's secret, and writing what comes by a handshake."""
    verified = [(source, source.verify) for source in sources if source.verify]
    enrolled = [
        verify
        for source, verify in verified
        if any("enrollment" in HANDSHAKES[name].needs for name in source.handshakes)
    ]
    return [
        *allow((verify.secretArn for _, verify in verified), "secretsmanager:GetSecretValue"),
        *allow((verify.secretKeyArn for _, verify in verified), "kms:Decrypt"),
        *allow((verify.secretArn for verify in enrolled), "secretsmanager:PutSecretValue"),
        # Source: Secrets Manager user guide, "Secret encryption and decryption": a new version
        # needs a data key.
        *allow((verify.secretKeyArn for verify in enrolled), "kms:GenerateDataKey"),
    ]


def read_signing_secret(signing: Signing | None) -> list[iam.PolicyStatement]:
    """Statements that allow reading the secret that attempts are signed with."""
    if signing is None:
        return []
    return [
        *allow([signing.secretArn], "secretsmanager:GetSecretValue"),
        *allow([signing.secretKeyArn], "kms:Decrypt"),
    ]


def create_heartbeat_key(
    scope: Construct, construct_id: str, *, settings: Settings, encryption: Encryption
) -> secretsmanager.Secret | None:
    """What makes a heartbeat one of ours, drawn by Secrets Manager; None where there are none.

    It goes with its stack at once, so that the name is free again. Source: issue 1999 of
    aws-cloudformation/cloudformation-coverage-roadmap: CloudFormation deletes without recovery.
    """
    if not settings.sends_heartbeats:
        return None
    return secretsmanager.Secret(
        scope,
        construct_id,
        secret_name=settings.heartbeat_key_name,
        description="Proves that a heartbeat is the monitoring's own",
        encryption_key=encryption.key,
        generate_secret_string=secretsmanager.SecretStringGenerator(
            password_length=64, exclude_punctuation=True
        ),
        removal_policy=RemovalPolicy.DESTROY,
    )
