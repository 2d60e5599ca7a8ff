"""How checks are made: those that an environment needs, with what AWS refuses as unknown."""

from __future__ import annotations

from collections.abc import Iterator

from monitoring.model.catalog import Catalog
from settings.errors import AwsRefusalError, WebhookBufferError
from webhook_buffer.operations.environment import Environment, aws_errors
from webhook_buffer.operations.preflight.catalog import ACCOUNT, MAIL, checks
from webhook_buffer.operations.preflight.model import Check, Finding, Level, Problem


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
        if check is ACCOUNT and finding.problems:
            return


def left_to_do(target: Environment) -> list[Problem]:
    """What people still have to do after a deployment."""
    settings = target.settings
    if settings.on_laptop or not MAIL.applies(settings):
        return []
    return list(_problems(MAIL, target))


def _problems(check: Check, target: Environment) -> Iterator[Problem]:
    """A check's problems; one that AWS does not answer is unknown, not wrong."""
    try:
        with aws_errors(target.settings):
            yield from check.find(target)
    except AwsRefusalError as error:
        yield Problem(
            f"Unknown: AWS refused {error.operation} ({error.code}), so not all of this was "
            f"checked: {check.title}.",
            error.remedy or f"{error}",
            Level.UNKNOWN,
        )
    except WebhookBufferError as error:
        yield Problem(f"Unknown: {error}", "Correct this and run preflight again.", Level.UNKNOWN)
