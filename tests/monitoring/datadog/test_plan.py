"""What a plan finds: what to change, what people changed by hand, and what is ours."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from monitoring.datadog.definition import Definition, Kind
from monitoring.datadog.downtimes import downtimes
from monitoring.datadog.sync.diff import changes, comparable, digest, stamped
from monitoring.datadog.sync.plan import Action, plan
from monitoring.documents.datadog import example
from settings.loader import load
from tests.datadog_publishing import (
    client,
    counts,
    monitor,
    one_of_each,
    planned,
    published,
    with_fields,
)
from webhook_buffer.laptop.fake_datadog import FakeDatadog

_SETTINGS = example()


def test_a_plan_writes_nothing_and_lists_each_kind_once(datadog: FakeDatadog) -> None:
    """One call for each kind and one for each dashboard of ours, all of them reads."""
    published(datadog, _SETTINGS, one_of_each(_SETTINGS))
    datadog.requests.clear()
    api = client(datadog)
    plan(api, _SETTINGS, one_of_each(_SETTINGS))
    board = next(iter(datadog.objects("dashboard")))
    assert sorted((request.method, request.path) for request in datadog.requests) == [
        ("GET", "/api/v1/dashboard"), ("GET", f"/api/v1/dashboard/{board}"),
        ("GET", "/api/v1/monitor"), ("GET", "/api/v1/slo"), ("GET", "/api/v1/validate"),
        ("GET", "/api/v2/downtime"),
    ]  # fmt: skip
    assert api.writes == 0


def test_a_change_is_shown_field_by_field_and_keeps_ids(datadog: FakeDatadog) -> None:
    """An update names what differs, old and new, and object and widgets keep their ids."""
    published(datadog, _SETTINGS, one_of_each(_SETTINGS))
    ids = {kind: set(datadog.objects(kind)) for kind in ("monitor", "slo", "dashboard")}
    board = next(iter(datadog.objects("dashboard").values()))
    before = [widget["id"] for widget in board["widgets"]]
    wanted = with_fields(
        one_of_each(_SETTINGS), "late",
        query="max(last_5m):max:aws.sqs.approximate_age_of_oldest_message{*} >= 600",
        options={"thresholds": {"critical": 600}},
    )  # fmt: skip
    widgets = copy.deepcopy(wanted[3].body["widgets"])
    widgets[1]["definition"]["view_mode"] = "both"
    wanted = with_fields(wanted, "overview", widgets=widgets)
    next_plan = planned(datadog, _SETTINGS, wanted)
    shown = {
        change.path: (change.before, change.after)
        for step in next_plan.steps
        for change in step.changes
    }
    assert shown["options.thresholds.critical"] == (300, 600)
    assert shown["widgets[SLO].definition.view_mode"] == ("overall", "both")
    assert {step.key for step in next_plan.steps if step.changes} == {"late", "overview"}
    assert not any(step.by_hand for step in next_plan.steps)
    published(datadog, _SETTINGS, wanted)
    assert ids == {kind: set(datadog.objects(kind)) for kind in ids}
    board = next(iter(datadog.objects("dashboard").values()))
    assert [widget["id"] for widget in board["widgets"]] == before
    assert counts(planned(datadog, _SETTINGS, wanted)) == {"unchanged": 4}


def test_others_objects_are_never_touched(datadog: FakeDatadog) -> None:
    """Objects made by hand, of another environment or another service stay as they are."""
    other_env = load("stg", overrides={"datadog": {"functions": []}})
    other_service = load("prd", overrides={"service": "orders", "datadog": {"functions": []}})
    for settings in (other_env, other_service):
        published(datadog, settings, one_of_each(settings))
    by_hand = monitor(
        _SETTINGS, name="mine", message="About webhook-buffer:prd:late", tags=["env:x"]
    ).body
    api = client(datadog)
    api.create(Kind.MONITOR, by_hand, lambda: None)
    before = copy.deepcopy(datadog.objects("monitor"))
    published(datadog, _SETTINGS, one_of_each(_SETTINGS))
    published(datadog, _SETTINGS, [], prune=True)
    assert datadog.objects("monitor") == before


def test_a_copy_made_by_hand_stays(datadog: FakeDatadog) -> None:
    """A clone has our marker, too; the older one is ours, and the plan names the other."""
    published(datadog, _SETTINGS, [monitor(_SETTINGS)])
    original = next(iter(datadog.objects("monitor").values()))
    clone = {name: original[name] for name in ("type", "query", "message", "options", "tags")}
    client(datadog).create(Kind.MONITOR, {**clone, "name": "a copy"}, lambda: None)
    next_plan = planned(datadog, _SETTINGS, [monitor(_SETTINGS)])
    assert counts(next_plan) == {"unchanged": 1}
    assert [(kind, key) for kind, key, _ in next_plan.copies] == [(Kind.MONITOR, "late")]
    # Were ours deleted now, the copy would be the only one, and so ours the next time.
    published(datadog, _SETTINGS, [], prune=True)
    assert len(datadog.objects("monitor")) == 2
    copy_id = next(
        id_ for id_, body in datadog.objects("monitor").items() if body["name"] == "a copy"
    )
    datadog.edit("monitor", copy_id, lambda body: body.update(message="Mine now."))
    published(datadog, _SETTINGS, [], prune=True)
    assert [body["name"] for body in datadog.objects("monitor").values()] == ["a copy"]


def test_what_people_change_is_known_as_that(datadog: FakeDatadog) -> None:
    """A manual change is distinguished from ours, and the next apply undoes it."""
    published(datadog, _SETTINGS, one_of_each(_SETTINGS))
    late = next(id_ for id_, body in datadog.objects("monitor").items() if "late" in body["name"])
    datadog.edit("monitor", late, lambda body: body["options"].update(renotify_interval=30))
    next_plan = planned(datadog, _SETTINGS, with_fields(one_of_each(_SETTINGS), "burn", priority=1))
    by_key = {step.key: step for step in next_plan.steps}
    assert by_key["late"].by_hand
    assert [change.path for change in by_key["late"].changes] == ["options.renotify_interval"]
    assert by_key["burn"].action is Action.UPDATE
    assert not by_key["burn"].by_hand
    published(datadog, _SETTINGS, one_of_each(_SETTINGS))
    assert "renotify_interval" not in datadog.objects("monitor")[late]["options"]


def test_canceled_downtimes_end_no_page(datadog: FakeDatadog) -> None:
    """Downtimes are read to the last page, although those that were canceled are left out."""
    quiet = {"at": "22:00", "minutes": 60, "severities": ["info"]}
    hours = [{"name": f"h{number}", **quiet} for number in range(102)]
    settings = load("prd", overrides={"datadog": {"functions": [], "quietHours": hours}})
    wanted = downtimes(settings)
    published(datadog, settings, [*wanted[:99], Definition(Kind.DOWNTIME, "gone", wanted[99].body)])
    cancelled = [id_ for id_, body in datadog.objects("downtime").items()
                 if "h99-info" in str(body["attributes"]["message"])]  # fmt: skip
    client(datadog).delete(Kind.DOWNTIME, cancelled[0])
    published(datadog, settings, wanted)
    assert counts(planned(datadog, settings, wanted)) == {"unchanged": 102}


def test_a_line_below_the_marker_is_an_edit_like_any_other(datadog: FakeDatadog) -> None:
    """A handle added at a message's end is a manual change, and no monitor is recreated."""
    published(datadog, _SETTINGS, [monitor(_SETTINGS)])
    id_ = next(iter(datadog.objects("monitor")))
    datadog.edit(
        "monitor", id_, lambda body: body.update(message=body["message"] + "\n@slack-mine")
    )
    [step] = planned(datadog, _SETTINGS, [monitor(_SETTINGS)]).steps
    assert (step.action, step.by_hand, step.id) == (Action.UPDATE, True, id_)
    published(datadog, _SETTINGS, [monitor(_SETTINGS)])
    assert "@slack-mine" not in datadog.objects("monitor")[id_]["message"]


def test_a_monitor_without_its_marker_is_named_and_not_made_twice(
    datadog: FakeDatadog, shipped: list[Definition]
) -> None:
    """Who takes the marker out and leaves the tags has not asked for a second monitor."""
    wanted = [definition for definition in shipped if definition.key == "cold-starts"]
    published(datadog, _SETTINGS, wanted)
    id_ = next(iter(datadog.objects("monitor")))
    datadog.edit("monitor", id_, lambda body: body.update(message="My own words."))
    next_plan = planned(datadog, _SETTINGS, wanted)
    assert (next_plan.steps, next_plan.unmarked) == ([], [(Kind.MONITOR, "cold-starts", id_)])
    datadog.edit("monitor", id_, lambda body: body.update(tags=["mine"]))
    assert counts(planned(datadog, _SETTINGS, wanted)) == {"create": 1}


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (Kind.MONITOR, {"priority": 1}),
        (Kind.MONITOR, {"draft_status": "draft"}),
        (Kind.DASHBOARD, {"default_timeframe": {"type": "live", "unit": "hour", "value": 4}}),
        (Kind.DASHBOARD, {"notify_list": ["a@example.com"]}),
        (Kind.DOWNTIME, {"notify_end_types": ["canceled"]}),
    ],
    ids=str,
)
def test_a_field_that_people_add_is_drift_and_goes(
    datadog: FakeDatadog, kind: Kind, change: dict[str, Any]
) -> None:
    """A field that we do not set is listed, and one apply restores its default."""
    quiet = {"name": "q", "at": "22:00", "minutes": 60, "severities": ["info"]}
    settings = load("prd", overrides={"datadog": {"functions": [], "quietHours": [quiet]}})
    wanted = [*one_of_each(settings), *downtimes(settings)]
    published(datadog, settings, wanted)
    ours = [id_ for id_, body in datadog.objects(kind).items() if "burn" not in str(body)]
    inside = "attributes" if kind is Kind.DOWNTIME else None
    datadog.edit(kind, ours[0], lambda body: (body[inside] if inside else body).update(change))
    changed = planned(datadog, settings, wanted).changing()
    assert [
        [difference.path.split(".")[0] for difference in step.changes][:1] for step in changed
    ] == [list(change)]
    published(datadog, settings, wanted)
    assert planned(datadog, settings, wanted).changing() == []


def test_a_digest_is_of_what_is_compared() -> None:
    """What Datadog adds and how it orders tags changes no digest; a field of ours does."""
    body = monitor(_SETTINGS).body
    theirs = {
        **body, "id": 7, "created": "x", "type": "metric alert", "tags": body["tags"][::-1],
        "options": {**body["options"], "silenced": {}, "new_host_delay": 300},
    }  # fmt: skip
    assert digest(Kind.MONITOR, theirs) == digest(Kind.MONITOR, body)
    assert digest(Kind.MONITOR, stamped(Kind.MONITOR, body)) == digest(Kind.MONITOR, body)
    assert changes(Kind.MONITOR, theirs, body) == []
    assert digest(Kind.MONITOR, {**body, "priority": 1}) != digest(Kind.MONITOR, body)
    assert "silenced" not in comparable(Kind.MONITOR, theirs)["options"]
