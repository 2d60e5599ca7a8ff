"""What must hold of the keys about an environment's account."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lambdas.base.backend_url import Backend
from settings import exposure
from settings.hosts import is_private
from settings.names import Names

# us-iso-, us-isob-, us-isof-, eu-isoe-, eusc-.
_ISOLATED = re.compile(r"[a-z]+-iso[a-z]?-|eusc-")
_ARN = re.compile(r"arn:([a-z-]+):")
# Source: S3 user guide, "Bucket naming rules".
_RESERVED = re.compile(r"xn--|sthree-|amzn-s3-demo-")
# By the stacks, and by Datadog's construct.
_OUR_TAGS = ("env", "service", "version")


def problems(settings: Names) -> Iterator[str]:
    """Contradictions, each as ``key: what is wrong; remedy``."""
    yield from _partition(settings)
    yield from _bucket(settings)
    yield from _roles(settings)
    yield from _tags(settings)
    yield from _encryption(settings)
    yield from _network(settings)


def _partition(settings: Names) -> Iterator[str]:
    """Regions whose names, endpoints and consoles are derived. Source: botocore's partitions."""
    if _ISOLATED.match(settings.awsRegion):
        yield (
            f"awsRegion: {settings.awsRegion} is in a partition that is not supported (AWS ISO, "
            "European Sovereign Cloud); choose a commercial, GovCloud or China region"
        )
        return
    for key, text in _texts("", settings.model_dump(exclude_unset=True)):
        arn = _ARN.match(text)
        if arn and arn[1] != settings.partition:
            yield (
                f"{key}: an ARN in the partition {arn[1]}, and {settings.awsRegion} is in "
                f"{settings.partition}; name a resource there"
            )


def _bucket(settings: Names) -> Iterator[str]:
    start = _RESERVED.match(settings.bodies_bucket_name)
    if start:
        yield (
            f"service: begins with {start[0]}, which S3 reserves in bucket names; choose another"
        )


def _texts(key: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every text in a block, with its key."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, below in value.items():
            yield from _texts(f"{key}.{name}" if key else name, below)
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from _texts(f"{key}.{number}", below)


def _roles(settings: Names) -> Iterator[str]:
    role, boundary = settings.operatorRoleArn, settings.permissionsBoundaryArn
    if role and f"::{settings.awsAccount}:" not in role:
        yield (
            f"operatorRoleArn: a role in an account other than awsAccount ({settings.awsAccount}); "
            "name a role there"
        )
    if boundary and boundary.split(":")[4] not in (settings.awsAccount, "aws"):
        yield (
            "permissionsBoundaryArn: a policy in an account other than awsAccount "
            f"({settings.awsAccount}); name a policy there"
        )


def _tags(settings: Names) -> Iterator[str]:
    """Source: IAM user guide, "Rules for tagging": a role's keys differ by more than case."""
    known = {name: name for name in _OUR_TAGS}
    for key in settings.tags:
        same = known.setdefault(key.casefold(), key)
        if same in _OUR_TAGS:
            yield f"tags: '{key}' is set by the stacks themselves; remove it"
        elif same != key:
            yield f"tags: '{same}' and '{key}' differ only in case; keep one of the two"


def _network(settings: Names) -> Iterator[str]:
    if settings.on_laptop:
        if settings.vpc:
            yield "vpc: set in an environment on the laptop, which has no VPC; remove it"
    elif settings.vpc is None:
        for key, url in exposure.backends(settings):
            host = Backend.parse(url).host
            if is_private(host):
                yield (
                    f"{key}: {host} is a private address, which Lambda's own network can't "
                    "reach; set vpc to the backend's network"
                )


def _encryption(settings: Names) -> Iterator[str]:
    """Source: CloudWatch Logs user guide, "Encrypt log data": a key of the log group's region."""
    key = settings.encryptionKeyArn
    if key and settings.on_laptop:
        yield "encryptionKeyArn: set in an environment on the laptop, which has no KMS; remove it"
    elif key and f":kms:{settings.place}:" not in key:
        yield (
            f"encryptionKeyArn: not in {settings.awsRegion} and account {settings.awsAccount}, "
            "where the data is; name a key there"
        )
