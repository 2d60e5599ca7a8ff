"""The roots hand the definitions in, and a wrong one ends without a traceback."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from alarms import CATALOG
from monitoring.model import metrics
from monitoring.model.dashboards import Board, Dashboards, EventList, Line, Panel, Section
from monitoring.model.datadog import MetricQuery
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
LOCATED = [f"alarms/backend.py: {problem}" for problem in PROBLEMS]


def test_the_command_shows_every_wrong_definition(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """``alarms list`` prints one line with the file for each problem, and exits with 2."""
    monkeypatch.setattr(composition, "CATALOG", WRONG)
    monkeypatch.setattr(sys, "argv", ["webhook-buffer", "alarms", "list"])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 2
    first, second = LOCATED
    assert capfd.readouterr().err == f"Error: {first}\n{second}\n"


def test_every_kind_of_mistake_is_in_one_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text, a fact, a panel, a monitor and a widget that are wrong are all reported at once."""
    fact = replace(_SECOND, threshold=replace(_SECOND.threshold, of="queue.retentoin"))
    panel = Panel(
        title="Age",
        unit="Seconds",
        lines=(Line("oldest", Query(metrics.QUEUE_AGE, "Maximum", "queue")),),
        signals=("queue-age-paeg",),
        monitors=("cold-strats",),
        limits={"queue.retentoin": "kept"},
    )
    monitor, *monitors = CATALOG.monitors
    unknown = replace(monitor, queries={"a": MetricQuery("aws.lambda.enhanced.timeoust")})
    wrong = EventList(title=3, search="")  # type: ignore[arg-type]
    board = Board("mine", "Mine", "What I look at.", (Section("Queue", ((panel, wrong),)),))
    monkeypatch.setattr(
        composition,
        "CATALOG",
        replace(
            CATALOG,
            signals=(replace(_FIRST, title=""), fact, *_OTHERS),
            monitors=(unknown, *monitors),
        ),
    )
    monkeypatch.setattr(
        composition,
        "DASHBOARDS",
        Dashboards(cloudwatch=lambda _: (), datadog=lambda _: (board,)),
    )
    with pytest.raises(DefinitionError) as caught:
        composition.alarm_set(load("local"))
    assert caught.value.problems == [
        LOCATED[0],
        f"alarms/backend.py: signal '{_SECOND.id}': "
        "unknown fact 'queue.retentoin'; monitoring/resources.py lists them",
        "dashboard panel 'Age', limits: 'queue.retentoin' is not a fact of this environment",
        "dashboard panel 'Age', signals: unknown signal 'queue-age-paeg'",
        "dashboard panel 'Age', monitors: unknown monitor 'cold-strats'",
        "dashboard EventList '3', title: is 3; write a text",
        f"alarms/datadog.py: monitor '{monitor.id}': query 'a': "
        "monitoring/datadog/metrics.py has no metric 'aws.lambda.enhanced.timeoust'; add it there",
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
    assert caught.value.problems == LOCATED
