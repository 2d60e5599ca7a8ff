"""Encryption at rest, by AWS's own keys or by the customer's, and who may use that one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from settings.schema import Settings

# What callers need beside their rights on a resource under the key. Source: SQS developer guide,
# "Configuring KMS permissions"; DynamoDB developer guide, "Authorizing use of your customer managed
# key"; Secrets Manager user guide, "Secret encryption and decryption".
SEND = ("kms:Decrypt", "kms:GenerateDataKey")
READ_SECRET = ("kms:Decrypt",)
WRITE_TABLE = (
    "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo",
)  # fmt: skip


@dataclass(frozen=True)
class Encryption:
    """How a stack's data is encrypted at rest.

    Attributes:
        key: the customer's; None where AWS's own keys do it.
    """

    key: kms.IKey | None

    @classmethod
    def of(cls, scope: Construct, settings: Settings) -> Encryption:
        """That of an environment, for resources of the scope's stack."""
        arn = settings.encryptionKeyArn
        return cls(kms.Key.from_key_arn(Stack.of(scope), "EncryptionKey", arn) if arn else None)

    @property
    def queue(self) -> dict[str, Any]:
        """Arguments of a queue."""
        if self.key is None:
            return {"encryption": sqs.QueueEncryption.SQS_MANAGED}
        return {"encryption": sqs.QueueEncryption.KMS, "encryption_master_key": self.key}

    @property
    def table(self) -> dict[str, Any]:
        """Arguments of a table."""
        if self.key is None:
            return {}
        return {
            "encryption": dynamodb.TableEncryption.CUSTOMER_MANAGED, "encryption_key": self.key,
        }  # fmt: skip

    @property
    def bucket(self) -> dict[str, Any]:
        """Arguments of a bucket. Its own key spares a call to KMS for each object."""
        if self.key is None:
            return {"encryption": s3.BucketEncryption.S3_MANAGED}
        return {
            "encryption": s3.BucketEncryption.KMS, "encryption_key": self.key,
            "bucket_key_enabled": True,
        }  # fmt: skip

    def allow(self, *actions: str) -> list[iam.PolicyStatement]:
        """Statements that allow using the key; none where it is AWS's."""
        if self.key is None:
            return []
        return [
            iam.PolicyStatement(actions=list(dict.fromkeys(actions)), resources=[self.key.key_arn])
        ]
