"""The checks, in their order."""

from __future__ import annotations

from functools import partial

from monitoring.model.catalog import Catalog
from settings.schema import Settings
from settings.secrets import secrets
from webhook_buffer.operations.preflight import (
    account,
    adoption,
    datadog,
    domain,
    encryption,
    existing,
    mail,
    names,
    network,
    tools,
)
from webhook_buffer.operations.preflight import secrets as secret_checks
from webhook_buffer.operations.preflight.model import Check


def _buffers(settings: Settings) -> bool:
    return settings.existing is None


ACCOUNT = Check(
    id="account",
    title="The credentials are of the environment's account",
    find=account.account,
    on_laptop=True,
)
MAIL = Check(
    id="mail",
    title="Mail subscriptions are confirmed",
    find=mail.confirmed,
    applies=mail.has_mail,
)
_ACCOUNT_CHECKS = (
    Check(id="tools", title="Node and the CDK CLI are as pinned", find=tools.tools, on_laptop=True),
    ACCOUNT,
    Check(
        id="bootstrap",
        title="The account is bootstrapped for the CDK",
        find=account.bootstrap,
    ),
    Check(id="stacks", title="The stacks can be updated", find=account.stacks, on_laptop=True),
    Check(
        id="concurrency",
        title="Lambda has concurrency left for publish",
        find=account.concurrency,
    ),
    Check(
        id="log-policies",
        title="The access log has room in the log resource policies",
        find=account.log_policies,
        applies=_buffers,
    ),
)
# What settings name must exist, and do what it is named for.
_REFERENCE_CHECKS = (
    Check(
        id="existing",
        title="What is only monitored exists",
        find=existing.known,
        applies=existing.monitors_others,
    ),
    Check(
        id="secrets",
        title="Secrets exist, and functions may read them",
        find=secret_checks.readable,
        applies=lambda settings: bool(secrets(settings)),
    ),
    Check(
        id="encryption-key",
        title="The customer's key encrypts, and AWS's services may use it",
        find=encryption.usable,
        applies=lambda settings: settings.encryptionKeyArn is not None,
    ),
    Check(
        id="queued",
        title="What waits in the queue can be read under its key",
        find=encryption.readable,
        applies=_buffers,
    ),
    Check(
        id="network",
        title="Deliveries have a way out of the VPC, and to AWS",
        find=network.leads_out,
        applies=lambda settings: settings.vpc is not None,
    ),
    Check(
        id="boundary",
        title="The permissions boundary exists",
        find=account.boundary,
        applies=lambda settings: settings.permissionsBoundaryArn is not None,
    ),
)
_DOMAIN_CHECKS = (
    Check(
        id="certificate",
        title="The certificate is issued for the domain",
        find=domain.certificate,
        applies=domain.has_domain,
    ),
    Check(
        id="hosted-zone",
        title="The hosted zone is unambiguous",
        find=domain.hosted_zone,
        applies=domain.has_domain,
    ),
    Check(
        id="domain-name",
        title="The domain name is free or ours",
        find=domain.name_free,
        applies=domain.has_domain,
    ),
)
_ADOPTION = Check(
    id="left",
    title="What an earlier deployment left can be adopted",
    find=adoption.adoptable,
    applies=_buffers,
    on_laptop=True,
)
_DATADOG_CHECKS = (
    Check(
        id="datadog",
        title="Datadog accepts the keys",
        find=datadog.accepted,
        applies=datadog.uses_datadog,
    ),
    Check(
        id="datadog-integration",
        title="Datadog's AWS integration may read what monitors rest on",
        find=datadog.integration,
        applies=datadog.uses_datadog,
    ),
)


def checks(alarms: Catalog) -> tuple[Check, ...]:
    """All checks, in their order.

    Args:
        alarms: the catalog of those that are deployed.
    """
    free = Check(
        id="names",
        title="Names are free or ours",
        find=partial(names.names, alarms),
        on_laptop=True,
    )
    return (
        *_ACCOUNT_CHECKS,
        *_REFERENCE_CHECKS,
        *_DOMAIN_CHECKS,
        free,
        _ADOPTION,
        MAIL,
        *_DATADOG_CHECKS,
    )
