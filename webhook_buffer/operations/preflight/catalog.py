"""The checks, in their order, and how they are run."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from monitoring.model.catalog import Catalog
from settings.errors import AwsRefusalError, WebhookBufferError
from settings.secrets import secrets
from webhook_buffer.operations.environment import Environment, aws_errors
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
from webhook_buffer.operations.preflight.model import Check, Finding, Level, Problem

_ACCOUNT = Check(
    id="account",
    title="The credentials are of the environment's account",
    find=account.account,
    on_laptop=True,
)
_MAIL = Check(
    id="mail",
    title="Mail subscriptions are confirmed",
    find=mail.confirmed,
    applies=mail.has_mail,
)


def checks(alarms: Catalog) -> tuple[Check, ...]:
    """All checks, in their order.

    Args:
        alarms: the catalog of those that are deployed.
    """
    return (
        Check(
            id="tools", title="Node and the CDK CLI are as pinned", find=tools.tools, on_laptop=True
        ),
        _ACCOUNT,
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
            applies=lambda settings: settings.existing is None,
        ),
        Check(
            id="existing",
            title="What is only monitored exists, REST APIs aside",
            find=existing.known,
            applies=existing.monitors_others,
        ),
        Check(
            id="secrets",
            title="Secrets exist, and functions may decrypt them",
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
            applies=lambda settings: settings.existing is None,
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
        Check(
            id="names",
            title="Names are free or ours",
            find=partial(names.names, alarms),
            on_laptop=True,
        ),
        Check(
            id="left",
            title="What an earlier deployment left can be adopted",
            find=adoption.adoptable,
            applies=lambda settings: settings.existing is None,
            on_laptop=True,
        ),
        _MAIL,
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


def run(target: Environment, alarms: Catalog) -> Iterator[Finding]:
    """Makes the checks that an environment needs, one after the other.

    Without credentials of the right account nothing after that check is asked.

    Args:
        alarms: the catalog of those that are deployed.
    """
    for check in checks(alarms):
        if not check.applies(target.settings) or target.settings.on_laptop > check.on_laptop:
            continue
        finding = Finding(check, tuple(_problems(check, target)))
        yield finding
        if check is _ACCOUNT and finding.problems:
            return


def left_to_do(target: Environment) -> list[Problem]:
    """What people still have to do after a deployment."""
    settings = target.settings
    if settings.on_laptop or not _MAIL.applies(settings):
        return []
    return list(_problems(_MAIL, target))


def _problems(check: Check, target: Environment) -> Iterator[Problem]:
    """A check's problems; one that AWS does not answer is unknown, not wrong."""
    try:
        with aws_errors(target.settings):
            yield from check.find(target)
    except AwsRefusalError as error:
        yield Problem(
            f"Unknown: AWS refused {error.operation} ({error.code}).",
            error.remedy or f"{error}",
            Level.UNKNOWN,
        )
    except WebhookBufferError as error:
        yield Problem(f"Unknown: {error}", "Correct this and run preflight again.", Level.UNKNOWN)
