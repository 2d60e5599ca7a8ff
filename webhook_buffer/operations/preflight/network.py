"""The network that ``subscribe`` delivers from: one VPC, open outwards, with a way to AWS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from lambdas.base.backend_url import Backend
from settings.schema import Settings
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.preflight.model import Level, Problem

_HTTPS = 443
_ANYWHERE = "0.0.0.0/0"


def services(settings: Settings) -> list[str]:
    """The services that ``subscribe`` calls, by the ends of their endpoints' names."""
    extension = settings.datadog and "subscribe" in settings.instrumented_functions
    secrets = settings.signing or (extension and not settings.forwarderArn)
    return ["dynamodb", "s3", "sqs", *(["secretsmanager"] if secrets else [])]


def leads_out(target: Environment) -> Iterator[Problem]:
    """Subnets and security groups that exist, fit together, and let deliveries out."""
    vpc = target.settings.vpc
    assert vpc
    try:
        subnets = target.ec2.describe_subnets(SubnetIds=vpc.subnets)["Subnets"]
        groups = target.ec2.describe_security_groups(GroupIds=vpc.securityGroups)["SecurityGroups"]
    except ClientError as error:
        if not error.response["Error"]["Code"].endswith(".NotFound"):
            raise
        yield Problem(
            f"Part of vpc does not exist: {error.response['Error']['Message']}",
            f"Correct vpc in cdk.json; it has to be in {target.settings.awsRegion}.",
        )
        return
    networks = sorted({entry["VpcId"] for entry in [*subnets, *groups]})
    if len(networks) > 1:
        yield Problem(
            f"The subnets and security groups of vpc are of {len(networks)} VPCs "
            f"({', '.join(networks)}); a function is in one.",
            "Name subnets and security groups of one VPC in cdk.json.",
        )
        return
    yield from _zones(subnets)
    yield from _closed(target.settings, groups)
    yield from _routes(target, networks[0])


def _zones(subnets: list[dict[str, Any]]) -> Iterator[Problem]:
    zones = {subnet["AvailabilityZone"] for subnet in subnets}
    if len(zones) == 1:
        yield Problem(
            f"The subnets of vpc are all in {zones.pop()}, whose failure would stop deliveries.",
            "Add a subnet of another availability zone in cdk.json.",
            Level.TODO,
        )
    for subnet in subnets:
        if not subnet["AvailableIpAddressCount"]:
            yield Problem(
                f"The subnet {subnet['SubnetId']} has no free address for the function.",
                "Free some, or name another subnet in cdk.json.",
            )


def _closed(settings: Settings, groups: list[dict[str, Any]]) -> Iterator[Problem]:
    urls = [settings.backend_url, *(source.backend_url for source in settings.sources or ())]
    ports = {_HTTPS, *(Backend.parse(url).port for url in urls if url)}
    rules = [rule for group in groups for rule in group["IpPermissionsEgress"]]
    for port in sorted(ports):
        if not any(_lets_out(rule, port) for rule in rules):
            yield Problem(
                f"No security group in vpc allows outbound TCP to port {port}.",
                f"Add an outbound rule for port {port} to one of them.",
            )


def _lets_out(rule: Mapping[str, Any], port: int) -> bool:
    """Source: EC2 API reference, IpPermission: protocol -1 is all of them, on all ports."""
    if rule["IpProtocol"] == "-1":
        return True
    ports = range(rule.get("FromPort", 0), rule.get("ToPort", 65_535) + 1)
    return rule["IpProtocol"] == "tcp" and port in ports


def _routes(target: Environment, network: str) -> Iterator[Problem]:
    """A default route for every subnet, or endpoints of what AWS is asked for.

    Source: VPC user guide, "Subnet route tables": a subnet without its own has the main one.
    """
    vpc = target.settings.vpc
    assert vpc
    within = [{"Name": "vpc-id", "Values": [network]}]
    tables = target.ec2.describe_route_tables(Filters=within)["RouteTables"]
    endpoints = target.ec2.describe_vpc_endpoints(Filters=within)["VpcEndpoints"]
    for subnet in vpc.subnets:
        table = _table(tables, subnet)
        way_out = _way_out(table)
        if way_out.startswith("igw-"):
            yield Problem(
                f"The subnet {subnet} is public: its default route leads to {way_out}, through "
                "which a function reaches nothing.",
                "Name private subnets in cdk.json, with a default route to a NAT gateway.",
            )
        elif not way_out:
            missing = [
                service
                for service in services(target.settings)
                if not any(_serves(endpoint, service, table) for endpoint in endpoints)
            ]
            if missing:
                yield Problem(
                    f"The subnet {subnet} has no default route, and its VPC no endpoint for "
                    f"{', '.join(missing)}, which subscribe calls.",
                    "Add a default route to a NAT gateway, or these endpoints, with private DNS.",
                )


def _table(tables: list[dict[str, Any]], subnet: str) -> dict[str, Any]:
    for main in (False, True):
        for table in tables:
            for association in table["Associations"]:
                if association.get("Main") if main else association.get("SubnetId") == subnet:
                    return table
    return {"RouteTableId": "", "Routes": []}


def _way_out(table: Mapping[str, Any]) -> str:
    """The id of what the default route leads to; empty without any."""
    for route in table["Routes"]:
        if route.get("DestinationCidrBlock") == _ANYWHERE and route.get("State") == "active":
            ids = [str(value) for name, value in route.items() if name.endswith("Id")]
            return ids[0] if ids else ""
    return ""


def _serves(endpoint: Mapping[str, Any], service: str, table: Mapping[str, Any]) -> bool:
    """Whether an endpoint serves a service by its usual name, to subnets of a route table."""
    if not endpoint["ServiceName"].endswith(f".{service}") or endpoint["State"] != "available":
        return False
    if endpoint["VpcEndpointType"] == "Gateway":
        return table["RouteTableId"] in endpoint.get("RouteTableIds", [])
    return bool(endpoint.get("PrivateDnsEnabled"))
