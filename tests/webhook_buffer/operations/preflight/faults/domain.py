"""Certificate, hosted zone and name of the domain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.fake_aws import Answer, Refusal
from tests.webhook_buffer.operations.preflight.environment import RESOURCE_MISSING, Fault
from webhook_buffer.operations.preflight.model import Level


def _certificate(**changes: Any) -> dict[str, Any]:
    return {"Certificate": {"Status": "ISSUED", "DomainName": "webhooks.example.com", **changes}}


def _zones(*ids: str) -> dict[str, Any]:
    zones = [
        {"Id": f"/hostedzone/{zone}", "Name": "example.com.", "CallerReference": zone}
        for zone in ids
    ]
    zones.append({"Id": "/hostedzone/Z9", "Name": "example.net.", "CallerReference": "Z9"})
    return {"HostedZones": zones, "IsTruncated": False, "MaxItems": "10"}


def _records(*kinds: str) -> dict[str, Any]:
    names = {"webhooks.example.com.": kinds, "www.example.com.": ("A",)}
    listed = [{"Name": name, "Type": kind} for name, types in names.items() for kind in types]
    return {"ResourceRecordSets": listed, "IsTruncated": False, "MaxItems": "10"}


GOOD: Mapping[str, Answer] = {
    "acm.DescribeCertificate": _certificate(),
    "apigatewayv2.GetDomainName": Refusal("NotFoundException", status=404),
    "route53.ListHostedZonesByName": _zones("Z1"),
    "route53.ListResourceRecordSets": _records("MX"),
}  # fmt: skip


FAULTS = {
    "certificate pending": Fault(
        "certificate", "is in state PENDING_VALIDATION", "DNS records",
        {"acm.DescribeCertificate": _certificate(Status="PENDING_VALIDATION")},
    ),
    "certificate missing": Fault(
        "certificate", "does not exist", "Request one for webhooks.example.com in us-east-1",
        {"acm.DescribeCertificate": RESOURCE_MISSING},
    ),
    "certificate of another name": Fault(
        "certificate", "covers *.example.org, not webhooks.example.com", "Request one",
        {"acm.DescribeCertificate": _certificate(DomainName="*.example.org")},
    ),
    "no hosted zone": Fault(
        "hosted-zone", "has no hosted zone example.com.", "Create it in Route 53",
        {"route53.ListHostedZonesByName": _zones()},
    ),
    "two hosted zones": Fault(
        "hosted-zone", "2 hosted zones are named example.com. (Z1, Z2)", "Set hostedZoneId",
        {"route53.ListHostedZonesByName": _zones("Z1", "Z2")},
    ),
    "hosted zone missing": Fault(
        "hosted-zone", "zone Z7 does not exist", "Correct hostedZoneId",
        {"route53.GetHostedZone": Refusal("NoSuchHostedZone", status=404)}, {"hostedZoneId": "Z7"},
    ),
    "hosted zone of another name": Fault(
        "hosted-zone", "zone Z7 is of example.net.", "Correct hostedZoneId",
        {
            "route53.GetHostedZone": {
                "HostedZone": {"Id": "Z7", "Name": "example.net.", "CallerReference": "x"}
            }
        },
        {"hostedZoneId": "Z7"},
    ),
    "domain taken": Fault(
        "domain-name", "already serves webhooks.example.com", "choose another subdomain",
        {"apigatewayv2.GetDomainName": {"DomainName": "webhooks.example.com"}},
    ),
    "record of the domain taken": Fault(
        "hosted-zone", "zone Z1 already has a record webhooks.example.com. (CNAME).",
        "choose another subdomain", {"route53.ListResourceRecordSets": _records("CNAME", "MX")},
    ),
    "no right to look": Fault(
        "hosted-zone", "not all of this was checked: The hosted zone is unambiguous.",
        "docs/permissions.md",
        {"route53.ListHostedZonesByName": Refusal("AccessDenied", status=403)},
        level=Level.UNKNOWN,
    ),
}  # fmt: skip
