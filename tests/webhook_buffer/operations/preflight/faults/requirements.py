"""An account with requirements of its own: its good answers, and the faults that can be planted."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from settings import loader
from settings.schema import Settings
from tests.fake_aws import Answer, Refusal
from tests.webhook_buffer.operations.preflight.environment import Fault
from webhook_buffer.operations.key_policy import key_policy
from webhook_buffer.operations.preflight.model import Level

_PLACE = "us-east-1:333333333333"
_SUBNETS, _GROUP = ["subnet-0123abcd", "subnet-4567cdef"], "sg-89ab0123"
# Overrides of the environment prd.
REQUIRED: Mapping[str, Any] = {
    "encryptionKeyArn": f"arn:aws:kms:{_PLACE}:key/99999999-2222-3333-4444-555555555555",
    "permissionsBoundaryArn": "arn:aws:iam::333333333333:policy/boundary",
    "vpc": {"subnets": _SUBNETS, "securityGroups": [_GROUP]},
}


def _key(**changes: Any) -> Callable[[dict[str, Any]], Any]:
    """Describes keys, the required one with changes, or without any says that it is missing."""

    def described(given: dict[str, Any]) -> Any:
        known = {"KeyId": "1", "Arn": given["KeyId"], "KeyState": "Enabled"}
        if given["KeyId"] != REQUIRED["encryptionKeyArn"]:
            return {"KeyMetadata": known}
        return {"KeyMetadata": {**known, **changes}} if changes else Refusal("NotFoundException")

    return described


def queue(key: str | None = None) -> Callable[[dict[str, Any]], Any]:
    """What SQS says of a queue in which five webhooks wait, under a key."""

    def attributes(given: dict[str, Any]) -> Any:
        if given["AttributeNames"] == ["KmsMasterKeyId"]:
            return {"Attributes": {"KmsMasterKeyId": key}} if key else {}
        return {"Attributes": dict(zip(given["AttributeNames"], "32", strict=True))}

    return attributes


def _policy(*left_out: str, **conditions: Any) -> Callable[[dict[str, Any]], Any]:
    """The data key's policy, without some statements, or with another condition of Logs; those of
    other keys are whole.
    """
    block = {**loader.environments()["prd"], **REQUIRED}
    policy = key_policy(Settings.model_validate(block))
    statements = [
        statement for statement in policy["Statement"] if statement["Sid"] not in left_out
    ]
    if conditions:
        statements[1] = {**statements[1], "Condition": conditions}
    return lambda given: {
        "Policy": json.dumps(
            {**policy, "Statement": statements}
            if given["KeyId"] == REQUIRED["encryptionKeyArn"]
            else policy
        )
    }


def _subnet(number: int, *, zone: str = "", free: int = 100, vpc: str = "vpc-1") -> dict[str, Any]:
    return {
        "SubnetId": _SUBNETS[number], "VpcId": vpc, "AvailableIpAddressCount": free,
        "AvailabilityZone": zone or "us-east-1" + "ab"[number],
    }  # fmt: skip


def _groups(*rules: dict[str, Any], vpc: str = "vpc-1") -> dict[str, Any]:
    group = {"GroupId": _GROUP, "VpcId": vpc, "IpPermissionsEgress": list(rules)}
    return {"SecurityGroups": [group]}


def _tcp(port: int) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}


def _routes(*leading_to: dict[str, str]) -> dict[str, Any]:
    """The main route table, and one of the first subnet, with the first and second default."""
    default = {"DestinationCidrBlock": "0.0.0.0/0", "State": "active"}
    associations: list[dict[str, Any]] = [{"SubnetId": _SUBNETS[0]}, {"Main": True}]
    tables = [
        {
            "RouteTableId": f"rtb-{number}",
            "Associations": [associations[number]],
            "Routes": [{**default, **way}] if way else [],
        }
        for number, way in enumerate(leading_to)
    ]
    return {"RouteTables": [*reversed(tables)]}


def _endpoint(service: str, **changes: Any) -> dict[str, Any]:
    return {
        "ServiceName": f"com.amazonaws.us-east-1.{service}", "State": "available",
        "VpcEndpointType": "Interface", "PrivateDnsEnabled": True, **changes,
    }  # fmt: skip


_NAT = {"NatGatewayId": "nat-1"}
_ALL_OUT = {"IpProtocol": "-1"}
_TABLES = _endpoint("dynamodb", VpcEndpointType="Gateway", RouteTableIds=["rtb-0", "rtb-1"])
_BUCKET = _endpoint("s3", VpcEndpointType="Gateway", RouteTableIds=["rtb-0", "rtb-1"])
_ENDPOINTS = {"VpcEndpoints": [_TABLES, _BUCKET, _endpoint("sqs")]}
GOOD: dict[str, Answer] = {
    "ec2.DescribeRouteTables": _routes(_NAT, _NAT),
    "ec2.DescribeSecurityGroups": _groups(_ALL_OUT),
    "ec2.DescribeSubnets": {"Subnets": [_subnet(0), _subnet(1)]},
    "ec2.DescribeVpcEndpoints": {"VpcEndpoints": []},
    "iam.GetPolicy": {"Policy": {"PolicyName": "boundary"}},
    "kms.GetKeyPolicy": _policy(),
}
# Other accounts in which everything is as it must be.
ALSO_GOOD: Mapping[str, Mapping[str, Answer]] = {
    "no way out, and endpoints": {
        "ec2.DescribeRouteTables": _routes({}, {}),
        "ec2.DescribeVpcEndpoints": _ENDPOINTS,
    },
    "HTTPS only": {"ec2.DescribeSecurityGroups": _groups(_tcp(443))},
    "a key of everything": {
        "kms.GetKeyPolicy": _policy(
            ArnLike={"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:us-east-1:3*:*"}
        )
    },
}


def _fault(
    check: str, what: str, remedy: str, *, level: Level = Level.BLOCKS, **answers: Answer
) -> Fault:
    named = {name.replace("_", ".", 1): answer for name, answer in answers.items()}
    return Fault(check, what, remedy, {**GOOD, **named}, REQUIRED, level)


FAULTS: Mapping[str, Fault] = {
    "encryption key missing": _fault(
        "encryption-key", "does not exist: arn:aws:kms", "correct its ARN",
        kms_DescribeKey=_key(),
    ),
    "encryption key for signatures": _fault(
        "encryption-key", "is a RSA_2048 key", "symmetric encryption key",
        kms_DescribeKey=_key(KeySpec="RSA_2048"),
    ),
    "encryption key off": _fault(
        "encryption-key", "is in state PendingDeletion", "Enable it",
        kms_DescribeKey=_key(KeyState="PendingDeletion"),
    ),
    "alarms may not use the key": _fault(
        "encryption-key", "does not let cloudwatch.amazonaws.com use it", "permissions --key --env",
        kms_GetKeyPolicy=_policy("AllowAlarmsToPublish"),
    ),
    "topics and roles may not use the key": _fault(
        "encryption-key", "let arn:aws:iam::333333333333:root, sns.amazonaws.com use",
        "permissions --key",
        kms_GetKeyPolicy=_policy("AllowUseByPoliciesOfTheAccount", "AllowTopicsToDeliver"),
    ),
    "logs of others only may use the key": _fault(
        "encryption-key", "does not let logs.us-east-1.amazonaws.com use it", "permissions --key",
        kms_GetKeyPolicy=_policy(
            ArnLike={"kms:EncryptionContext:aws:logs:arn": "arn:*:log-group:/other/*"}
        ),
    ),
    "boundary missing": _fault(
        "boundary", "does not exist: arn:aws:iam::333333333333:policy/boundary", "administrator",
        iam_GetPolicy=Refusal("NoSuchEntity", status=404),
    ),
    "subnet missing": _fault(
        "network", "does not exist: The subnet ID", "it has to be in us-east-1",
        ec2_DescribeSubnets=Refusal("InvalidSubnetID.NotFound", "The subnet ID 'x' does not exist"),
    ),
    "groups of another VPC": _fault(
        "network", "are of 2 VPCs (vpc-1, vpc-2)", "of one VPC",
        ec2_DescribeSecurityGroups=_groups(_ALL_OUT, vpc="vpc-2"),
    ),
    "subnet full": _fault(
        "network", f"{_SUBNETS[1]} has no free address", "another subnet",
        ec2_DescribeSubnets={"Subnets": [_subnet(0), _subnet(1, free=0)]},
    ),
    "closed group": _fault(
        "network", "allows outbound TCP to port 443", "outbound rule for port 443",
        ec2_DescribeSecurityGroups=_groups(_tcp(8443)),
    ),
    "public subnet": _fault(
        "network", f"{_SUBNETS[0]} is public: its default route leads to igw-1", "NAT gateway",
        ec2_DescribeRouteTables=_routes({"GatewayId": "igw-1"}, _NAT),
    ),
    "no way to AWS": _fault(
        "network",
        f"{_SUBNETS[1]} has no default route, and its VPC no endpoint for dynamodb, s3, sqs",
        "with private DNS", ec2_DescribeRouteTables=_routes(_NAT, {}),
    ),
    "endpoints that don't serve": _fault(
        "network",
        f"{_SUBNETS[1]} has no default route, and its VPC no endpoint for dynamodb, s3, sqs",
        "with private DNS",
        ec2_DescribeRouteTables=_routes(_NAT, {}),
        ec2_DescribeVpcEndpoints={
            "VpcEndpoints": [
                {**_TABLES, "RouteTableIds": ["rtb-0"]},
                _endpoint("sqs", PrivateDnsEnabled=False),
                _endpoint("sqs", State="pending"),
            ]
        },
    ),
    "subnets in one zone": _fault(
        "network", "are all in us-east-1a", "another availability zone", level=Level.TODO,
        ec2_DescribeSubnets={
            "Subnets": [_subnet(0, zone="us-east-1a"), _subnet(1, zone="us-east-1a")]
        },
    ),
}  # fmt: skip
