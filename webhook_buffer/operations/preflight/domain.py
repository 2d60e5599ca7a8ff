"""A custom domain: its certificate, its hosted zone, and whether its name is free."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError

from settings.schema import Settings
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.physical_names import DOMAIN, RECORD_SET, Named, Owned
from webhook_buffer.operations.preflight.model import Problem

# What no other A record can stand beside. Source: Route 53 developer guide, "Supported DNS record
# types": a name with a CNAME has no other records.
_CONFLICTING = {"A", "CNAME"}


def has_domain(settings: Settings) -> bool:
    """Whether settings name a domain."""
    return settings.domain_name is not None


def certificate(target: Environment) -> Iterator[Problem]:
    """A certificate that is issued, for the domain."""
    settings = target.settings
    arn, domain = settings.acmCertificateArn, settings.domain_name
    assert arn
    assert domain
    try:
        issued = target.acm.describe_certificate(CertificateArn=arn)["Certificate"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        yield Problem(
            f"The certificate {arn} does not exist.",
            f"Request one for {domain} in {settings.awsRegion}, and set acmCertificateArn.",
        )
        return
    if issued["Status"] != "ISSUED":
        yield Problem(
            f"The certificate of {domain} is in state {issued['Status']}, not ISSUED.",
            "Create the DNS records that ACM shows for its validation, and wait.",
        )
    names = {issued["DomainName"], *issued.get("SubjectAlternativeNames", ())}
    if not names & {domain, f"*.{domain.partition('.')[2]}"}:
        yield Problem(
            f"The certificate covers {', '.join(sorted(names))}, not {domain}.",
            f"Request one for {domain} in {settings.awsRegion}, and set acmCertificateArn.",
        )


def hosted_zone(target: Environment) -> Iterator[Problem]:
    """One public hosted zone for the domain."""
    settings = target.settings
    name = f"{settings.domain}."
    if settings.hostedZoneId:
        try:
            zone = target.route53.get_hosted_zone(Id=settings.hostedZoneId)["HostedZone"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchHostedZone":
                raise
            yield Problem(
                f"The hosted zone {settings.hostedZoneId} does not exist in this account.",
                "Correct hostedZoneId in cdk.json.",
            )
            return
        if zone["Name"] != name:
            yield Problem(
                f"The hosted zone {settings.hostedZoneId} is of {zone['Name']}, not of {name}",
                "Correct hostedZoneId or domain in cdk.json.",
            )
        else:
            yield from _record_set(target, settings.hostedZoneId)
        return
    reply = target.route53.list_hosted_zones_by_name(DNSName=name, MaxItems="10")
    zones = [zone for zone in reply["HostedZones"] if zone["Name"] == name]
    if not zones:
        yield Problem(
            f"The account has no hosted zone {name}",
            "Create it in Route 53, or correct domain in cdk.json.",
        )
    elif len(zones) > 1:
        ids = ", ".join(zone["Id"].rpartition("/")[2] for zone in zones)
        yield Problem(
            f"{len(zones)} hosted zones are named {name} ({ids}); CloudFormation can't choose.",
            "Set hostedZoneId to the public zone's in cdk.json.",
        )
    else:
        yield from _record_set(target, zones[0]["Id"].rpartition("/")[2])


def _record_set(target: Environment, zone: str) -> Iterator[Problem]:
    """A record of the domain's name and our type, which CloudFormation would not replace."""
    name = f"{target.settings.domain_name}."
    if Named(RECORD_SET, name) in Owned(target, target.settings.prefix):
        return
    reply = target.route53.list_resource_record_sets(
        HostedZoneId=zone, StartRecordName=name, MaxItems="10"
    )
    present = sorted(
        record["Type"] for record in reply["ResourceRecordSets"] if record["Name"] == name
    )
    in_the_way = [kind for kind in present if kind in _CONFLICTING]
    if in_the_way:
        yield Problem(
            f"The hosted zone {zone} already has a record {name} ({', '.join(in_the_way)}).",
            "Delete that record if nothing uses it, or choose another subdomain in cdk.json.",
        )


def name_free(target: Environment) -> Iterator[Problem]:
    """A domain name that API Gateway does not serve for somebody else."""
    name = target.settings.domain_name
    assert name
    if Named(DOMAIN, name) in Owned(target, target.settings.prefix):
        return
    try:
        target.apigateway.get_domain_name(DomainName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NotFoundException":
            raise
        return
    yield Problem(
        f"API Gateway already serves {name} in this account and region.",
        "Delete that custom domain name in API Gateway, or choose another subdomain.",
    )
