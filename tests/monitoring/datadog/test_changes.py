"""What counts as a change: what we send, and what people edit by hand."""

from __future__ import annotations

from typing import Any

import pytest

from monitoring.datadog.definition import Kind
from monitoring.datadog.sync.diff import changes
from monitoring.datadog.sync.mutes import Mute, mutes
from monitoring.documents.datadog import example
from tests.datadog_publishing import monitor, one_of_each, planned, published
from webhook_buffer.laptop.fake_datadog import FakeDatadog

_MONITOR = monitor(example()).body
_NOTE = {"definition": {"type": "note", "content": "Hello"}}
_BOARD: dict[str, Any] = {"title": "t", "layout_type": "ordered", "widgets": [_NOTE]}
_SLO: dict[str, Any] = {"name": "s", "type": "metric", "thresholds": [{"target": 99.0}],
                        "query": {"numerator": "a", "denominator": "b"}}  # fmt: skip
_RULE = {"rrule": "FREQ=WEEKLY;INTERVAL=1;BYDAY=MO", "duration": "60m"}
_DOWNTIME: dict[str, Any] = {"scope": "*", "schedule": {
    "timezone": "UTC", "recurrences": [{**_RULE, "start": "2026-01-05T22:00"}]}}  # fmt: skip


def _options(**options: Any) -> dict[str, Any]:
    return {**_MONITOR, "options": {**_MONITOR["options"], **options}}


@pytest.mark.parametrize(
    ("kind", "sent", "there"),
    [
        (Kind.SLO, _SLO, {**_SLO, "sli_specification": {"count": {"queries": []}}}),
        (Kind.SLO, _SLO, {**_SLO, "a_field_to_come": 1, "description": "", "tags": []}),
        (Kind.MONITOR, _MONITOR, _options(silenced={"*": 1893456000})),
        (Kind.MONITOR, _MONITOR, _options(avalanche_window=20, an_option_to_come={"a": 1})),
        (Kind.MONITOR, {**_MONITOR, "priority": 0}, {**_MONITOR, "priority": None}),
        (Kind.MONITOR, {**_MONITOR, "assets": [{"url": "x"}]}, {**_MONITOR, "assets": []}),
        (
            Kind.DASHBOARD,
            _BOARD | {"notify_list": ["b", "a"]},
            _BOARD | {"notify_list": ["a", "b"]},
        ),
        (Kind.DASHBOARD, _BOARD, {**_BOARD, "widgets": [{**_NOTE, "id": 7, "to_come": 1}]}),
        (
            Kind.DASHBOARD,
            {**_BOARD, "tabs": [{"name": "a", "widget_ids": ["@1"]}]},
            {**_BOARD, "widgets": [{**_NOTE, "id": 7}],
             "tabs": [{"id": "x", "name": "a", "widget_ids": [7]}]},
        ),
        (
            Kind.DOWNTIME,
            {"schedule": {"start": "2050-01-02T03:04:05Z"}},
            {"schedule": {"start": "2050-01-02T04:04:05+01:00", "end": None}},
        ),
        (
            Kind.DOWNTIME,
            _DOWNTIME,
            {**_DOWNTIME, "display_timezone": "UTC", "schedule": {
                "timezone": "UTC", "current_downtime": {"start": "x"},
                "recurrences": [{**_RULE, "start": "2026-03-02T22:00:00"}]}},
        ),
    ],
)  # fmt: skip
def test_what_the_server_adds_is_no_change(
    kind: Kind, sent: dict[str, Any], there: dict[str, Any]
) -> None:
    """Fields that were not sent, other orders, and other ways to write the same are not changes."""
    assert changes(kind, there, sent) == []


@pytest.mark.parametrize(
    ("kind", "sent", "there", "path"),
    [
        (Kind.MONITOR, _MONITOR, _options(renotify_interval=60), "options.renotify_interval"),
        (Kind.MONITOR, _MONITOR, _options(include_tags=False), "options.include_tags"),
        (Kind.MONITOR, _MONITOR, {**_MONITOR, "priority": 1}, "priority"),
        (Kind.MONITOR, _MONITOR, _options(thresholds={"critical": 300, "warning": 200}),
         "options.thresholds.warning"),
        (Kind.SLO, _SLO, {**_SLO, "tags": ["mine"]}, "tags"),
        (Kind.SLO, _SLO, {**_SLO, "thresholds": [{"target": 99, "warning": 99.5}]},
         "thresholds.0.warning"),
        (Kind.DASHBOARD, _BOARD, {**_BOARD, "template_variables": [{"name": "x"}]},
         "template_variables"),
        (Kind.DASHBOARD, _BOARD, {**_BOARD, "widgets": [_NOTE, _NOTE]}, "widgets[Hello]"),
        (
            Kind.DASHBOARD, _BOARD,
            {**_BOARD, "widgets": [{"definition": {**_NOTE["definition"], "font_size": "18"}}]},
            "widgets[Hello].definition.font_size",
        ),
        (Kind.DOWNTIME, _DOWNTIME, {**_DOWNTIME, "message": "mine"}, "message"),
        (
            Kind.DOWNTIME, _DOWNTIME,
            {"scope": "*", "schedule": {"timezone": "UTC", "recurrences": [
                {**_RULE, "start": "2026-03-02T21:00:00"}]}},
            "schedule.recurrences.0.start",
        ),
    ],
)  # fmt: skip
def test_what_people_edit_is_a_change(
    kind: Kind, sent: dict[str, Any], there: dict[str, Any], path: str
) -> None:
    """A field that people edit by hand is a change, although we do not send it."""
    assert [change.path for change in changes(kind, there, sent)] == [path]


def test_a_specification_is_compared_with_the_query_of_old() -> None:
    """An SLO that was sent as a specification may come back as a query alone."""
    queries = [{"name": "query1", "query": "good"}, {"name": "query2", "query": "bad"}]
    count: dict[str, Any] = {"queries": queries, "good_events_formula": {"formula": "query1"},
                             "bad_events_formula": {"formula": "query2"}}  # fmt: skip
    sent = {**_SLO, "query": None, "sli_specification": {"count": count}}
    there = {**_SLO, "query": {"numerator": "good", "denominator": "(good) + (bad)"}}
    assert changes(Kind.SLO, there, sent) == []
    other = {**_SLO, "query": {"numerator": "good", "denominator": "all"}}
    assert [change.path for change in changes(Kind.SLO, other, sent)] == ["query.denominator"]


def test_a_change_of_ours_is_not_by_hand() -> None:
    """What the server adds makes no change of ours one by hand."""
    settings = example()
    with FakeDatadog() as datadog:
        published(datadog, settings, one_of_each(settings))
        for kind in ("monitor", "slo", "dashboard"):
            for id_ in datadog.objects(kind):
                datadog.edit(kind, id_, lambda body: body.update(a_field_to_come=1))
        wanted = [monitor(settings, priority=2), *one_of_each(settings)[1:]]
        [step] = planned(datadog, settings, wanted).changing()
        assert (step.key, step.by_hand) == ("late", False)


def test_mutes() -> None:
    """A monitor is muted by quiet hours if one of our downtimes runs on its tags, else by hand."""
    monitors: dict[str, dict[str, Any]] = {
        "free": {"options": {"silenced": {}}},
        "hand": {"tags": ["a", "b"], "options": {"silenced": {"*": 1893456000}}},
        "quiet": {"tags": ["a", "q"], "options": {"silenced": {"*": None}}},
    }
    running = {"status": "active", "monitor_identifier": {"monitor_tags": ["q"]}}
    later = {"status": "scheduled", "monitor_identifier": {"monitor_tags": ["b"]}}
    muted = mutes(monitors, [running, later])
    assert [str(mute) for mute in muted] == [
        "monitor hand: muted by hand until 2030-01-01 00:00 UTC",
        "monitor quiet: muted by quiet hours without an end",
    ]
    assert muted[1] == Mute("quiet", None, by_hand=False)
