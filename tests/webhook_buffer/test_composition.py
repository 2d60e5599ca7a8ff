"""The roots hand the definitions in, and a wrong one ends without a traceback."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from alarms import CATALOG
from dashboards import DASHBOARDS
from monitoring.model import metrics
from monitoring.model.dashboards import Dashboards, Line, Panel, Section
from monitoring.model.signals import Query
from settings.errors import DefinitionError
from settings.loader import load
from webhook_buffer import composition
from webhook_buffer.cli import docs, main

_FIRST, _SECOND, *_OTHERS = CATALOG.signals
WRONG = replace(
    CATALOG, signals=(replace(_FIRST, title=""), replace(_SECOND, runbook="nowhere"), *_OTHERS)
)
PROBLEMS = [
    f"signal '{_FIRST.id}': title is empty; write a sentence",
    f"signal '{_SECOND.id}': docs/runbook.md has no heading '## nowhere'; write it",
]


def test_the_command_shows_every_wrong_definition(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """``alarms list`` prints one line for each problem, and exits with 2."""
    monkeypatch.setattr(composition, "CATALOG", WRONG)
    monkeypatch.setattr(sys, "argv", ["webhook-buffer", "alarms", "list"])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 2
    first, second = PROBLEMS
    assert capfd.readouterr().err == f"Error: {first}\n{second}\n"


def test_every_kind_of_mistake_is_in_one_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text, a fact and a panel that are wrong are all reported at once."""
    fact = replace(_SECOND, threshold=replace(_SECOND.threshold, of="queue.retentoin"))
    panel = Panel(
        title="Age",
        unit="Seconds",
        lines=(Line("oldest", Query(metrics.QUEUE_AGE, "Maximum", "queue")),),
        signals=("queue-age-paeg",),
        monitors=("cold-strats",),
        limits={"queue.retentoin": "kept"},
    )
    section = Section("Queue", ((panel,),))
    monkeypatch.setattr(
        composition,
        "CATALOG",
        replace(CATALOG, signals=(replace(_FIRST, title=""), fact, *_OTHERS)),
    )
    monkeypatch.setattr(
        composition,
        "DASHBOARDS",
        Dashboards(cloudwatch=lambda _: (section,), datadog=DASHBOARDS.datadog),
    )
    with pytest.raises(DefinitionError) as caught:
        composition.alarm_set(load("dev"))
    assert caught.value.problems == [
        PROBLEMS[0],
        f"signal '{_SECOND.id}': "
        "unknown fact 'queue.retentoin'; monitoring/resources.py lists them",
        "dashboard panel 'Age', limits: 'queue.retentoin' is not a fact of this environment",
        "dashboard panel 'Age', signals: unknown signal 'queue-age-paeg'",
        "dashboard panel 'Age', monitors: unknown monitor 'cold-strats'",
    ]


@pytest.mark.slow
def test_the_app_shows_every_wrong_definition(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What the CDK CLI runs prints the same, and ends with 2."""
    import app

    monkeypatch.setattr("alarms.CATALOG", WRONG)
    monkeypatch.setenv("WEBHOOK_BUFFER_ENV", "dev")
    assert app.main() == 2
    lines = capfd.readouterr().err.splitlines()
    # jsii warns on standard error, too, whenever it likes.
    assert [line for line in lines if line.startswith("signal ")] == PROBLEMS
    assert not any(line.startswith("Traceback") for line in lines)


def test_documents_are_not_made_of_wrong_definitions(monkeypatch: pytest.MonkeyPatch) -> None:
    """``make docs`` has the same error before it writes anything."""
    monkeypatch.setattr(composition, "CATALOG", WRONG)
    with pytest.raises(DefinitionError) as caught:
        docs.generated()
    assert caught.value.problems == PROBLEMS
