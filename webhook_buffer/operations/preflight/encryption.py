"""The customer's key that encrypts an environment's data."""

from __future__ import annotations

import json
from collections.abc import Iterator

from botocore.exceptions import ClientError

from webhook_buffer.operations.deployment import waiting
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.key_policy import lacking
from webhook_buffer.operations.preflight.model import Problem


def usable(target: Environment) -> Iterator[Problem]:
    """A key that is on, encrypts data, and that AWS's services may use."""
    settings = target.settings
    arn = settings.encryptionKeyArn
    assert arn
    try:
        key = target.kms.describe_key(KeyId=arn)["KeyMetadata"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NotFoundException":
            raise
        yield Problem(
            f"The key of encryptionKeyArn does not exist: {arn}",
            "Create it in KMS, or correct its ARN in cdk.json.",
        )
        return
    if key["KeyState"] != "Enabled":
        yield Problem(
            f"The key of encryptionKeyArn is in state {key['KeyState']}, not Enabled.",
            "Enable it, or name another key in cdk.json.",
        )
    # Source: CloudWatch Logs user guide, "Encrypt log data": symmetric keys only.
    if key.get("KeySpec", "SYMMETRIC_DEFAULT") != "SYMMETRIC_DEFAULT":
        yield Problem(
            f"The key of encryptionKeyArn is a {key['KeySpec']} key; logs, topics and queues take "
            "symmetric ones only.",
            "Name a symmetric encryption key in cdk.json.",
        )
        return
    policy = target.kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"]
    missing = lacking(settings, json.loads(policy))
    if missing:
        yield Problem(
            f"The policy of encryptionKeyArn's key does not let {', '.join(missing)} use it for "
            "this environment.",
            f"Add the statements of: webhook-buffer permissions --key --env {settings.environment}",
        )


def readable(target: Environment) -> Iterator[Problem]:
    """Webhooks that wait under a key which ``subscribe`` may use after the deployment, too.

    Source: SQS developer guide, "Encryption at rest": messages stay under the key they came with.
    """
    waits = waiting(target)
    if not waits:
        return
    settings = target.settings
    url = target.sqs.get_queue_url(QueueName=settings.queue_name)["QueueUrl"]
    reply = target.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["KmsMasterKeyId"])
    key = reply.get("Attributes", {}).get("KmsMasterKeyId")
    if key and key != settings.encryptionKeyArn:
        yield Problem(
            f"About {waits} webhooks wait in the queue under the key {key}, which subscribe may "
            "not use after this deployment.",
            f"Keep encryptionKeyArn until the queue is empty, or set it back to {key}.",
        )
