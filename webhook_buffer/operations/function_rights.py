"""What each function may do in an account: the table in ``docs/permissions.md``.

A test holds it to the synthesized templates, and to the calls in ``lambdas/``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class FunctionRight:
    """An action that a function's role allows.

    Attributes:
        resource: in words; ``all`` where AWS knows no narrower resource.
        why: what the function needs it for.
    """

    action: str
    resource: str
    why: str


_LOG = (
    FunctionRight("logs:CreateLogStream", "its own log group", "its log"),
    FunctionRight("logs:PutLogEvents", "its own log group", "its log"),
)


_KEY = "`encryptionKeyArn`"
_VARIABLES = FunctionRight("kms:Decrypt", _KEY, "its variables")


def _encrypted(why: str, *actions: str) -> tuple[FunctionRight, ...]:
    """What a resource under the customer's key asks of whoever uses it."""
    return tuple(FunctionRight(f"kms:{action}", _KEY, why) for action in actions)


_IN_WRITTEN_TABLE = _encrypted(
    "its tables", "DescribeKey", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom", "ReEncryptTo",
)  # fmt: skip
_IN_VPC = tuple(
    FunctionRight(f"ec2:{action}", "all", "Lambda's alone, not its code's: `vpc`")
    for action in (
        "AssignPrivateIpAddresses", "CreateNetworkInterface", "DeleteNetworkInterface",
        "DescribeNetworkInterfaces", "DescribeSubnets", "UnassignPrivateIpAddresses",
    )
)  # fmt: skip


def _receives(queue: str) -> tuple[FunctionRight, ...]:
    """What Lambda's event source does with the function's role."""
    actions = (
        "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes",
        "GetQueueUrl",
    )  # fmt: skip
    return tuple(FunctionRight(f"sqs:{action}", queue, "its event source") for action in actions)


def _parks(table: str) -> tuple[FunctionRight, ...]:
    """What parking, holding and releasing take, in transactions and alone."""
    uses = {
        "GetItem": "to know whether a group is held",
        "Query": "to read what is parked",
        "PutItem": "to park, to hold a group, to note deliveries",
        "UpdateItem": "to count what is parked in an hour",
        "DeleteItem": "to remove what was released, to open a group",
        "ConditionCheckItem": "to park only while the group is held",
    }
    return tuple(FunctionRight(f"dynamodb:{action}", table, why) for action, why in uses.items())


RIGHTS: Mapping[str, tuple[FunctionRight, ...]] = {
    "publish": (
        FunctionRight("sqs:SendMessage", "the queue", "to queue webhooks"),
        FunctionRight("secretsmanager:GetSecretValue", "secrets of sources", "to verify requests"),
        FunctionRight(
            "secretsmanager:GetSecretValue", "the heartbeat key", "to know the heartbeats"
        ),
        FunctionRight(
            "secretsmanager:PutSecretValue",
            "secrets that come by a handshake",
            "to keep them, while `sources enroll` waits",
        ),
        FunctionRight("kms:Decrypt", "keys of sources' secrets", "to read them"),
        FunctionRight("kms:GenerateDataKey", "keys of enrolled secrets", "to write them"),
        *_encrypted("to queue webhooks", "GenerateDataKey"),
        *_encrypted("to queue webhooks, its variables, the heartbeat key", "Decrypt"),
        *_LOG,
    ),
    "subscribe": (
        FunctionRight("dynamodb:GetItem", "the record table", "to count attempts"),
        FunctionRight("dynamodb:UpdateItem", "the record table", "to record attempts"),
        FunctionRight("s3:PutObject", "the bucket of large bodies", "to record them"),
        *_parks("the parking table"),
        FunctionRight("secretsmanager:GetSecretValue", "the signing secret", "to sign deliveries"),
        FunctionRight("kms:Decrypt", "the key of that secret", "to read it"),
        *_encrypted("its event source, its tables, its variables", "Decrypt"),
        *_IN_WRITTEN_TABLE,
        *_receives("the queue"),
        *_IN_VPC,
        *_LOG,
    ),
    "faux-backend": (_VARIABLES, *_LOG),
    "notify": (
        FunctionRight("dynamodb:GetItem", "the incidents table", "to know who was notified"),
        FunctionRight("dynamodb:PutItem", "the incidents table", "to remember it"),
        FunctionRight("cloudwatch:DescribeAlarms", "all", "to see what an incident consists of"),
        FunctionRight("dynamodb:Query", "the parking table's index", "to name what is parked"),
        FunctionRight(
            "logs:FilterLogEvents",
            "the logs of subscribe and audit",
            "to name what blocks or is lost",
        ),
        FunctionRight("secretsmanager:GetSecretValue", "secrets of channels", "to reach them"),
        FunctionRight("sns:Publish", "topics of email channels", "to send mail"),
        FunctionRight("kms:Decrypt", "keys of secrets", "to read them"),
        *_encrypted("its event source, its table, its variables", "Decrypt"),
        *_IN_WRITTEN_TABLE,
        *_receives("the queue of notifications"),
        *_LOG,
    ),
    "heartbeat": (
        FunctionRight("cloudwatch:SetAlarmState", "the probe", "to probe the alert path"),
        FunctionRight(
            "secretsmanager:GetSecretValue", "the heartbeat key", "to prove its webhooks"
        ),
        *_encrypted("its variables, the heartbeat key", "Decrypt"),
        *_LOG,
    ),
    "audit": (
        FunctionRight(
            "logs:FilterLogEvents", "the logs of publish and subscribe", "to compare their ids"
        ),
        FunctionRight("dynamodb:BatchGetItem", "the record table", "to look up what is left"),
        *(
            FunctionRight(
                f"dynamodb:{action}", "its rows in the table of incidents", "to follow webhooks"
            )
            for action in ("GetItem", "PutItem", "DeleteItem")
        ),
        FunctionRight("sqs:GetQueueUrl", "the queue", "to ask whether it is empty"),
        FunctionRight("sqs:GetQueueAttributes", "the queue", "to ask whether it is empty"),
        FunctionRight(
            "dynamodb:Query", "the parking table's index", "to see what stays parked or held"
        ),
        *_encrypted("its variables, its tables", "Decrypt"),
        *_IN_WRITTEN_TABLE,
        *_LOG,
    ),
}
