"""The policy that the key of ``encryptionKeyArn`` needs, and what a key's own policy lacks of it.

Functions and operators use the key by their own policies; these statements are for AWS's services,
which use it by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from alarmproof.base.values import listed

from settings.schema import Settings
from webhook_buffer.operations.policies import principals

# What each of those services does to it, whatever else its statement allows.
_ESSENTIAL = ("kms:Decrypt", "kms:GenerateDataKey")


def key_policy(settings: Settings) -> dict[str, Any]:
    """A key policy for an environment's data."""
    return {"Version": "2012-10-17", "Statement": list(_statements(settings))}


def lacking(settings: Settings, policy: Mapping[str, Any]) -> list[str]:
    """The principals that a key's policy does not allow to use it as they have to.

    A condition that the environment's statement does not have is taken to hold.
    """
    allowing = [
        statement for statement in listed(policy["Statement"]) if statement["Effect"] == "Allow"
    ]
    return [
        principals(needed)[0]
        for needed in _statements(settings)
        if not all(
            any(_allows(statement, needed, action) for statement in allowing)
            for action in _ESSENTIAL
        )
    ]


def denies_account(settings: Settings, policy: Mapping[str, Any]) -> bool:
    """Whether a key's policy keeps the account's own policies from allowing to decrypt.

    Of statements that deny, one with a condition is taken not to hold.
    """
    account = next(_statements(settings))
    statements = listed(policy["Statement"])

    def some(effect: str) -> bool:
        return any(
            statement["Effect"] == effect and _allows(statement, account, "kms:Decrypt")
            for statement in statements
            if effect == "Allow" or not statement.get("Condition")
        )

    return some("Deny") or not some("Allow")


def _statements(settings: Settings) -> Iterator[dict[str, Any]]:
    account, place = settings.awsAccount, settings.place
    start = f"arn:{settings.partition}"
    # Source: KMS developer guide, "Default key policy".
    yield {
        "Sid": "AllowUseByPoliciesOfTheAccount",
        "Effect": "Allow",
        "Principal": {"AWS": f"{start}:iam::{account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    # Source: CloudWatch Logs user guide, "Encrypt log data in CloudWatch Logs using KMS".
    suffix = "amazonaws.com.cn" if settings.partition == "aws-cn" else "amazonaws.com"
    groups = (f"/aws/lambda/{settings.prefix}-*", f"/aws/vendedlogs/{settings.prefix}*")
    yield _service(
        "AllowLogs",
        f"logs.{settings.awsRegion}.{suffix}",
        ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        {
            "ArnLike": {
                "kms:EncryptionContext:aws:logs:arn": [
                    f"{start}:logs:{place}:log-group:{group}" for group in groups
                ]
            }
        },
    )
    if not settings.monitoring:
        return
    # Source: SNS developer guide, "Key management", "Enable compatibility between event sources
    # from AWS services and encrypted topics".
    yield _service(
        "AllowAlarmsToPublish",
        "cloudwatch.amazonaws.com",
        ["kms:Decrypt", "kms:GenerateDataKey*"],
        _from(account, f"{start}:cloudwatch:{place}:alarm:{settings.prefix}-*"),
    )
    # Source: SNS developer guide, "Configuring KMS permissions", for a subscribed encrypted queue.
    yield _service(
        "AllowTopicsToDeliver",
        "sns.amazonaws.com",
        ["kms:Decrypt", "kms:GenerateDataKey*"],
        _from(account, f"{start}:sns:{place}:{settings.prefix}-*"),
    )


def _service(
    sid: str, principal: str, actions: list[str], condition: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": principal},
        "Action": actions,
        "Resource": "*",
        "Condition": dict(condition),
    }


def _from(account: str, arn: str) -> dict[str, Any]:
    """Limits a service to what this account's resources make it do."""
    return {"StringEquals": {"aws:SourceAccount": account}, "ArnLike": {"aws:SourceArn": arn}}


def _allows(statement: Mapping[str, Any], needed: Mapping[str, Any], action: str) -> bool:
    given = principals(statement)
    return (
        any(name in given for name in [*principals(needed), "*"])
        and any(fnmatchcase(action, pattern) for pattern in listed(statement.get("Action", [])))
        and _holds(statement.get("Condition", {}), needed.get("Condition", {}))
    )


def _holds(given: Mapping[str, Any], needed: Mapping[str, Any]) -> bool:
    """Whether conditions let through all that the needed ones name."""
    named = {key: values for keys in needed.values() for key, values in keys.items()}
    return all(
        any(fnmatchcase(value, pattern) for pattern in listed(patterns))
        for keys in given.values()
        for key, patterns in keys.items()
        for value in listed(named.get(key, []))
    )
