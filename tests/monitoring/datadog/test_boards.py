"""Datadog dashboards: groups on the grid, variables, links, and how they are recognized."""

from __future__ import annotations

from typing import Any

from monitoring.datadog.definition import Definition, Kind, key_of
from monitoring.model import metrics
from monitoring.model.dashboards import (
    Line,
    LogList,
    Note,
    Panel,
    SloState,
    Widget,
)
from monitoring.model.signals import Query
from tests.dashboard_fixtures import (
    EXISTING,
    UNINSTRUMENTED,
    Body,
    drawn_boards,
    made,
    showing,
)

_AGE = Query(metrics.QUEUE_AGE, "Maximum", "queue")


def _age(**more: Any) -> Panel:
    return Panel(title="Age", unit="Seconds", lines=(Line("age", _AGE, _AGE),), **more)


def _board(*rows: tuple[Widget, ...], **overrides: Any) -> Definition:
    [board] = drawn_boards(made(**overrides), showing(*rows))
    return board


def _groups(*rows: tuple[Widget, ...], **overrides: Any) -> list[Body]:
    groups: list[Body] = _board(*rows, **overrides).body["widgets"]
    return groups


def _places(widgets: list[Body]) -> list[tuple[int, int, int, int]]:
    layouts = [widget["layout"] for widget in widgets]
    return [(layout["x"], layout["y"], layout["width"], layout["height"]) for layout in layouts]


def test_widgets_of_a_row_share_the_twelve_columns() -> None:
    """Rows lie below each other, numbers and notes are low, and the group holds all of it."""
    number = _age(number=True)
    [group] = _groups((Note("Short."),), (number, number), (_age(), _age(), _age()))
    assert _places(group["definition"]["widgets"]) == [
        (0, 0, 12, 1), (0, 1, 6, 1), (6, 1, 6, 1), (0, 2, 4, 3), (4, 2, 4, 3), (8, 2, 4, 3),
    ]  # fmt: skip
    assert _places([group]) == [(0, 0, 12, 6)]
    assert group["definition"]["title"] == "Mine"


def test_a_long_note_takes_two_rows() -> None:
    """What does not fit into a row of the whole width is not cut off."""
    [group] = _groups((Note("word " * 60),))
    assert _places(group["definition"]["widgets"]) == [(0, 0, 12, 2)]


def test_a_group_without_widgets_is_left_out() -> None:
    """Neither a group nor a row is an empty frame."""
    logs = LogList("Log", role="publish")
    assert _groups((), (logs,), **UNINSTRUMENTED) == []
    [group] = _groups((), (logs,), (Note("Kept."),), **UNINSTRUMENTED)
    assert _places(group["definition"]["widgets"]) == [(0, 0, 12, 1)]


def test_runbooks_are_linked_once_after_what_the_group_says() -> None:
    """Each drawn signal's heading, as a link only if the runbook has a URL."""

    def notes(**overrides: Any) -> list[str]:
        rows = (Note("Read this."),), (_age(signals=("waits", "waits-a-bit", "asked-for")),)
        [group] = _groups(*rows, **overrides)
        return [
            widget["definition"].get("content", "") for widget in group["definition"]["widgets"]
        ]

    assert notes() == ["Read this.", "**What to do:** `queue-age-page`", ""]
    linked = "[queue-age-page](https://example.com/runbook#queue-age-page)"
    assert notes(runbookUrl="https://example.com/runbook")[1] == f"**What to do:** {linked}"


def test_variables_begin_with_the_environment() -> None:
    """A dashboard opens on its own environment; what others made need not carry its tags."""

    def defaults(**overrides: Any) -> dict[str, list[str]]:
        variables = _board((Note("x"),), **overrides).body["template_variables"]
        assert all(variable["prefix"] == variable["name"] for variable in variables)
        return {variable["name"]: variable["defaults"] for variable in variables}

    ours = {"env": ["stg"], "service": ["webhook-buffer"], "region": ["us-east-1"]}
    assert defaults() == ours
    assert defaults(**EXISTING) == {"env": ["*"], "service": ["*"], "region": ["us-east-1"]}


def test_title_and_marker_name_service_and_environment() -> None:
    """The marker finds a dashboard again; a dashboard's only tag is its team."""
    board = _board((SloState("accepted", "Accepted"),))
    assert board.kind is Kind.DASHBOARD
    assert board.body["title"] == "Mine (webhook-buffer stg)"
    assert key_of(board.body["description"], made().settings) == "mine"
    assert board.body["tags"] == ["team:webhooks"]
    assert (board.body["layout_type"], board.body["reflow_type"]) == ("ordered", "fixed")
    assert list(board.references) == [(Kind.SLO, "accepted")]
    assert "tags" not in _board((Note("x"),), **UNINSTRUMENTED).body
