"""Each fault of an account is named with its remedy before a deployment, and no other is."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from botocore import xform_name

from alarms import CATALOG
from tests.fake_aws import Answer, Refusal
from tests.webhook_buffer.operations.preflight.faults import (
    account,
    datadog,
    domain,
    existing,
    names,
    requirements,
    secrets,
    stacks,
    stores,
)
from tests.webhook_buffer.operations.preflight.faults.stacks import CONFIRMED, deployed
from tests.webhook_buffer.operations.preflight.world import World
from webhook_buffer.cli.app import app
from webhook_buffer.cli.permissions import by_command
from webhook_buffer.operations.preflight.catalog import checks

_FAULTS = {
    **account.FAULTS,
    **datadog.FAULTS,
    **domain.FAULTS,
    **names.FAULTS,
    **requirements.FAULTS,
    **secrets.FAULTS,
    **stacks.FAULTS,
    **stores.FAULTS,
}


@pytest.mark.parametrize("answers", [{}, deployed(CONFIRMED)], ids=["first", "later"])
def test_nothing_is_wrong(world: World, answers: Mapping[str, Answer]) -> None:
    """An account that has everything is found so, before the first deployment and after it."""
    assert world.problems(answers, {}) == []


@pytest.mark.parametrize("answers", [{}, *requirements.ALSO_GOOD.values()])
def test_what_an_account_requires_is_there(world: World, answers: Mapping[str, Answer]) -> None:
    """A key, a network and a boundary that are as they must be are found so."""
    assert world.problems({**requirements.GOOD, **answers}, requirements.REQUIRED) == []


@pytest.mark.parametrize("name", _FAULTS)
def test_fault(world: World, name: str) -> None:
    """A planted fault is found by its check, with its remedy, and nothing else is."""
    fault = _FAULTS[name]
    ((check, what, remedy, level),) = world.problems(fault.answers, fault.keys)
    assert (check, level) == (fault.check, fault.level)
    assert fault.what in what
    assert fault.remedy in remedy


def test_every_check_finds_a_fault() -> None:
    """A check that no test sees fail is one that may never fail."""
    planted = {fault.check for fault in _FAULTS.values()}
    assert {check.id for check in checks(CATALOG)} == planted | {
        "tools",
        "account",
        "existing",
        "mail",
        "datadog",
    }


def test_its_rights_are_known(world: World) -> None:
    """What the checks ask AWS is in the policy of preflight."""
    world.problems({"route53.GetHostedZone": Refusal("NoSuchHostedZone")}, {"hostedZoneId": "Z7"})
    world.problems(deployed(CONFIRMED), {})
    world.problems(requirements.GOOD, requirements.REQUIRED)
    world.problems(existing.GOOD, existing.MONITORED)
    asked = {name.partition(".")[::2] for name in world.fake.names}
    calls = {f"{service}.{xform_name(operation)}" for service, operation in asked}
    assert calls - {"sts.get_caller_identity"} <= by_command(app)["preflight"]
