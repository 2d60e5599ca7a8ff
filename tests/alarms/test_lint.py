"""Our own alarms under the linter that judges everybody's."""

from __future__ import annotations

import pytest
from alarmproof.base.aws_metrics import SERVICES
from alarmproof.lint import lint
from alarmproof.template import parse_all

from tests.templates import Synthesized
from webhook_buffer.cli.alarmproof import own_metrics

pytestmark = pytest.mark.xdist_group("synth")


@pytest.mark.parametrize("env", ["dev", "stg", "prd", "local"])
def test_our_own_alarms_have_nothing_wrong(synthesized: dict[str, Synthesized], env: str) -> None:
    """No stack of any environment has an error; what is slow is slow on purpose."""
    environment = synthesized[env]
    assert environment.monitoring
    assert environment.buffer
    stacks = [
        (stack.template, stack.file.name) for stack in (environment.monitoring, environment.buffer)
    ]
    templates = parse_all(stacks)
    published, _by_filters = own_metrics(templates)
    findings = lint(templates, own_metrics=[published])
    assert [finding for finding in findings if finding.severity == "error"] == []
    assert {finding.rule for finding in findings} <= {"slow-reaction"}


def test_our_metrics_are_published() -> None:
    """The table knows every metric of AWS that our own signals read."""
    import alarms as definitions

    for signal in definitions.CATALOG.signals:
        for query in signal.queries.values():
            if query.metric.namespace.startswith("AWS/"):
                assert query.metric.name in SERVICES[query.metric.namespace]
