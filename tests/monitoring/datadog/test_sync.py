"""Publishing to Datadog, against the stand-in and through the official client."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

from monitoring.datadog.definition import Definition, Kind, marked, reference
from monitoring.datadog.downtimes import downtimes
from monitoring.datadog.sync.api import Api, problems
from monitoring.datadog.sync.diff import changes, comparable, digest, stamped
from monitoring.datadog.sync.plan import Action, Plan, plan
from monitoring.datadog.sync.publish import apply
from monitoring.documents.datadog import example
from settings.errors import DatadogError
from settings.loader import load
from settings.schema import Settings
from webhook_buffer.composition import definitions
from webhook_buffer.laptop import laptop
from webhook_buffer.laptop.fake_datadog import FakeDatadog, Fault, Limit

SETTINGS = example()


@pytest.fixture(scope="module")
def shipped() -> list[Definition]:
    """Everything that an environment with all of it publishes."""
    return definitions(SETTINGS)


@pytest.fixture
def datadog() -> Iterator[FakeDatadog]:
    with FakeDatadog() as found:
        yield found


def _api(datadog: FakeDatadog) -> Api:
    return Api(laptop.fake_datadog_keys(datadog.url), sleep=lambda _: None)


def _publish(
    datadog: FakeDatadog,
    wanted: list[Definition],
    settings: Settings = SETTINGS,
    *,
    prune: bool = False,
) -> Plan:
    api = _api(datadog)
    found = plan(api, settings, wanted)
    failures = apply(api, settings, found, prune=prune, tell=lambda _: None)
    assert failures == []
    return found


def _counts(found: Plan) -> dict[str, int]:
    return {action.value: found.count(action) for action in Action if found.count(action)}


def _few(settings: Settings = SETTINGS) -> list[Definition]:
    """A monitor, an SLO over it, an alert on the SLO and a dashboard with it."""
    monitor = {
        "name": f"late {settings.environment}", "type": "query alert",
        "query": "max(last_5m):max:aws.sqs.approximate_age_of_oldest_message{*} >= 300",
        "message": marked("Late.", settings, "late"), "tags": ["env:x"], "priority": 3,
        "options": {"thresholds": {"critical": 300.0}, "evaluation_delay": 900},
    }  # fmt: skip
    slo = {
        "name": "delivered", "type": "monitor", "tags": ["env:x"],
        "description": marked("In time.", settings, "delivered"),
        "monitor_ids": [reference(Kind.MONITOR, "late")],
        "thresholds": [{"timeframe": "30d", "target": 99.0, "warning": 99.5}],
        "timeframe": "30d", "target_threshold": 99.0, "warning_threshold": 99.5,
    }  # fmt: skip
    burn = {
        "name": f"burn {settings.environment}", "type": "slo alert",
        "query": 'burn_rate("{$ref:slo:delivered}").over("30d").long_window("1h")'
        '.short_window("5m") > 14.4',
        "message": marked("Burns.", settings, "burn"), "tags": ["env:x"], "priority": 3,
        "options": {"thresholds": {"critical": 14.4}},
    }  # fmt: skip
    board = {
        "title": "Overview", "description": marked("All.", settings, "overview"),
        "layout_type": "ordered", "reflow_type": "fixed",
        "widgets": [
            {
                "definition": {"type": "note", "content": "Hello"},
                "layout": {"x": 0, "y": 0, "width": 12, "height": 2},
            },
            {
                "definition": {
                    "type": "slo", "title": "SLO", "view_type": "detail", "view_mode": "overall",
                    "time_windows": ["30d"], "slo_id": reference(Kind.SLO, "delivered"),
                },
                "layout": {"x": 0, "y": 2, "width": 6, "height": 3},
            },
        ],
    }  # fmt: skip
    return [
        Definition(Kind.MONITOR, "late", monitor),
        Definition(Kind.SLO, "delivered", slo),
        Definition(Kind.MONITOR, "burn", burn),
        Definition(Kind.DASHBOARD, "overview", board),
    ]


def _changed(wanted: list[Definition], key: str, **fields: Any) -> list[Definition]:
    return [
        Definition(one.kind, one.key, {**one.body, **fields}) if one.key == key else one
        for one in wanted
    ]


def test_what_is_shipped_is_published_once_and_for_all(
    datadog: FakeDatadog, shipped: list[Definition]
) -> None:
    """After an apply the plan is empty, for every object."""
    first = _publish(datadog, shipped)
    assert _counts(first) == {"create": len(shipped)}
    assert _counts(plan(_api(datadog), SETTINGS, shipped)) == {"unchanged": len(shipped)}


def test_what_is_shipped_passes_the_clients_models(shipped: list[Definition]) -> None:
    """Nothing that is shipped has a value or field that the official client does not know."""
    assert [problem for one in shipped for problem in problems(one)] == []


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("type", "nonsense", "type: Datadog's models do not know"),
        ("options", {"on_missing_data": "maybe"}, "options.on_missing_data: Datadog's models"),
        ("options", {"renotify": 3}, "options.renotify: Datadog's models have no such field"),
        ("priority", "high", "priority"),
    ],
)
def test_the_clients_models_find_what_they_take_in_silence(
    field: str, value: Any, told: str
) -> None:
    """An unknown value or field is found, and named with its object."""
    [found] = problems(_changed(_few()[:1], "late", **{field: value})[0])
    assert found.startswith("monitor late: ")
    assert told in found


def test_a_plan_writes_nothing_and_lists_each_kind_once(datadog: FakeDatadog) -> None:
    """One call for each kind and one for each dashboard of ours, all of them reads."""
    _publish(datadog, _few())
    datadog.requests.clear()
    api = _api(datadog)
    plan(api, SETTINGS, _few())
    board = next(iter(datadog.objects("dashboard")))
    assert sorted((one.method, one.path) for one in datadog.requests) == [
        ("GET", "/api/v1/dashboard"), ("GET", f"/api/v1/dashboard/{board}"),
        ("GET", "/api/v1/monitor"), ("GET", "/api/v1/slo"), ("GET", "/api/v1/validate"),
        ("GET", "/api/v2/downtime"),
    ]  # fmt: skip
    assert api.writes == 0


def test_references_are_resolved(datadog: FakeDatadog) -> None:
    """An SLO names its monitors, an alert and a dashboard their SLO, by the ids Datadog gave."""
    _publish(datadog, _few())
    monitors = {one["name"]: one for one in datadog.objects("monitor").values()}
    slo_id, slo = next(iter(datadog.objects("slo").items()))
    board = next(iter(datadog.objects("dashboard").values()))
    assert slo["monitor_ids"] == [monitors["late prd"]["id"]]
    assert f'burn_rate("{slo_id}")' in monitors["burn prd"]["query"]
    assert board["widgets"][1]["definition"]["slo_id"] == slo_id


def test_a_change_is_told_field_by_field_and_keeps_ids(datadog: FakeDatadog) -> None:
    """An update names what differs, old and new, and object and widgets keep their ids."""
    _publish(datadog, _few())
    ids = {kind: set(datadog.objects(kind)) for kind in ("monitor", "slo", "dashboard")}
    board = next(iter(datadog.objects("dashboard").values()))
    before = [widget["id"] for widget in board["widgets"]]
    wanted = _changed(
        _few(), "late",
        query="max(last_5m):max:aws.sqs.approximate_age_of_oldest_message{*} >= 600",
        options={"thresholds": {"critical": 600}, "evaluation_delay": 900},
    )  # fmt: skip
    widgets = copy.deepcopy(wanted[3].body["widgets"])
    widgets[1]["definition"]["view_mode"] = "both"
    wanted = _changed(wanted, "overview", widgets=widgets)
    found = plan(_api(datadog), SETTINGS, wanted)
    told = {one.path: (one.before, one.after) for step in found.steps for one in step.changes}
    assert told["options.thresholds.critical"] == (300, 600)
    assert told["widgets[SLO].definition.view_mode"] == ("overall", "both")
    assert {step.key for step in found.steps if step.changes} == {"late", "overview"}
    assert not any(step.by_hand for step in found.steps)
    _publish(datadog, wanted)
    assert ids == {kind: set(datadog.objects(kind)) for kind in ids}
    board = next(iter(datadog.objects("dashboard").values()))
    assert [widget["id"] for widget in board["widgets"]] == before
    assert _counts(plan(_api(datadog), SETTINGS, wanted)) == {"unchanged": 4}


def test_what_is_gone_is_deleted_only_when_asked(datadog: FakeDatadog) -> None:
    """An object that is no longer defined stays until it is pruned, in an order Datadog takes."""
    _publish(datadog, _few())
    assert _counts(_publish(datadog, [])) == {"delete": 4}
    assert len(datadog.objects("monitor")) == 2
    _publish(datadog, [], prune=True)
    assert not any(datadog.objects(kind) for kind in ("monitor", "slo", "dashboard"))


def test_others_objects_are_never_touched(datadog: FakeDatadog) -> None:
    """Objects made by hand, of another environment or another service stay as they are."""
    other_env = load("stg", overrides={"datadog": {"functions": []}})
    other_service = load("prd", overrides={"service": "orders", "datadog": {"functions": []}})
    for settings in (other_env, other_service):
        _publish(datadog, _few(settings), settings)
    by_hand = {**_few()[0].body, "name": "mine", "message": "About webhook-buffer:prd:late"}
    api = _api(datadog)
    api.create(Kind.MONITOR, by_hand, lambda: None)
    before = copy.deepcopy(datadog.objects("monitor"))
    _publish(datadog, _few())
    _publish(datadog, [], prune=True)
    assert datadog.objects("monitor") == before


def test_a_copy_made_by_hand_stays(datadog: FakeDatadog) -> None:
    """A clone has our marker, too; the older one is ours, and the plan tells of the other."""
    _publish(datadog, _few()[:1])
    original = next(iter(datadog.objects("monitor").values()))
    clone = {name: original[name] for name in ("type", "query", "message", "options", "tags")}
    _api(datadog).create(Kind.MONITOR, {**clone, "name": "a copy"}, lambda: None)
    found = plan(_api(datadog), SETTINGS, _few()[:1])
    assert _counts(found) == {"unchanged": 1}
    assert [(kind, key) for kind, key, _ in found.copies] == [(Kind.MONITOR, "late")]
    # Were ours deleted now, the copy would be the only one, and so ours the next time.
    _publish(datadog, [], prune=True)
    assert len(datadog.objects("monitor")) == 2
    copy_id = next(
        id_ for id_, one in datadog.objects("monitor").items() if one["name"] == "a copy"
    )
    datadog.edit("monitor", copy_id, lambda one: one.update(message="Mine now."))
    _publish(datadog, [], prune=True)
    assert [one["name"] for one in datadog.objects("monitor").values()] == ["a copy"]


def test_what_people_change_is_known_as_that(datadog: FakeDatadog) -> None:
    """A change by hand is told from one of ours, and the next apply undoes it."""
    _publish(datadog, _few())
    late = next(id_ for id_, one in datadog.objects("monitor").items() if "late" in one["name"])
    datadog.edit("monitor", late, lambda one: one["options"].update(renotify_interval=30))
    found = plan(_api(datadog), SETTINGS, _changed(_few(), "burn", priority=1))
    by_key = {step.key: step for step in found.steps}
    assert by_key["late"].by_hand
    assert [one.path for one in by_key["late"].changes] == ["options.renotify_interval"]
    assert by_key["burn"].action is Action.UPDATE
    assert not by_key["burn"].by_hand
    _publish(datadog, _few())
    assert "renotify_interval" not in datadog.objects("monitor")[late]["options"]


def _boundaries() -> int:
    """How many requests that write an apply of the few objects makes."""
    with FakeDatadog() as datadog:
        _publish(datadog, _few())
        return sum(one.method != "GET" for one in datadog.requests)


class _Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("lost", [True, False], ids=["carried out", "not carried out"])
def test_an_apply_that_is_killed_is_completed_by_the_next(lost: bool) -> None:
    """Killed at any request, and run again: no object twice, none missing, and an empty plan."""
    for boundary in range(_boundaries()):
        with FakeDatadog() as datadog:
            api = _api(datadog)
            found = plan(api, SETTINGS, _few())
            once, count = api._once, iter(range(1000))

            def killed(method: str, *rest: Any, once: Any = once, count: Any = count,
                       boundary: int = boundary) -> Any:  # fmt: skip
                at = next(count) if method != "GET" else -1
                if at >= boundary and not (lost and at == boundary):
                    raise _Killed
                answer = once(method, *rest)
                if at == boundary:
                    raise _Killed
                return answer

            setattr(api, "_once", killed)  # noqa: B010
            with pytest.raises(_Killed):
                apply(api, SETTINGS, found, prune=False, tell=lambda _: None)
            _publish(datadog, _few())
            assert [len(datadog.objects(kind)) for kind in ("monitor", "slo", "dashboard")] == [
                2, 1, 1,
            ]  # fmt: skip
            assert _counts(plan(_api(datadog), SETTINGS, _few())) == {"unchanged": 4}


@pytest.mark.parametrize("kind", ["lose_reply", "drop_request"])
@pytest.mark.parametrize("path", ["/api/v1/monitor$", "/api/v1/slo$", "/api/v1/dashboard$"])
def test_a_lost_reply_makes_nothing_twice(datadog: FakeDatadog, kind: Any, path: str) -> None:
    """Whether a create was carried out or not before its connection broke, there is one object."""
    datadog.faults.append(Fault(method="POST", path=path, kind=kind))
    _publish(datadog, _few())
    assert [len(datadog.objects(one)) for one in ("monitor", "slo", "dashboard")] == [2, 1, 1]
    assert datadog.faults == []


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_outage_that_passes_is_outlasted(datadog: FakeDatadog, status: int) -> None:
    """Answers of 5xx to reads and to writes are repeated, and no object is made twice."""
    datadog.faults += [
        Fault(method="GET", path="/monitor$", kind="status", status=status, times=2),
        Fault(method="POST", path="/monitor$", kind="status", status=status, times=2),
    ]
    _publish(datadog, _few())
    assert len(datadog.objects("monitor")) == 2


def test_what_fails_is_named_and_the_rest_is_done(datadog: FakeDatadog) -> None:
    """A refused object keeps back only what refers to it, and the next run completes the rest."""
    wrong = _changed(_few(), "late", query="max(last_5m):max:x{*} >= 1")
    other = Definition(
        Kind.MONITOR, "other", {**_few()[0].body, "name": "other",
                                "message": marked("Other.", SETTINGS, "other")}
    )  # fmt: skip
    api = _api(datadog)
    found = plan(api, SETTINGS, [*wrong, other])
    failures = apply(api, SETTINGS, found, prune=False, tell=lambda _: None)
    told = {one.step.key: one.reason for one in failures}
    assert "does not match that used in the query" in told["late"]
    assert told["delivered"] == "it refers to monitor late, which is not there"
    assert told.keys() == {"late", "delivered", "burn", "overview"}
    assert [one["name"] for one in datadog.objects("monitor").values()] == ["other"]
    assert _counts(_publish(datadog, [*_few(), other])) == {"create": 4, "unchanged": 1}


def test_an_outage_that_stays_is_one_sentence(datadog: FakeDatadog) -> None:
    """When Datadog does not answer, the error says where and what, without the keys."""
    datadog.faults.append(Fault(path="/monitor", kind="status", status=503, times=99))
    with pytest.raises(DatadogError, match="GET /api/v1/monitor: 503") as caught:
        plan(_api(datadog), SETTINGS, _few())
    assert "standin-api-key" not in str(caught.value)


@pytest.mark.parametrize(
    ("which", "told"), [("api", "API key"), ("application", "application key")]
)
def test_a_wrong_key_is_told_before_anything_is_written(
    datadog: FakeDatadog, which: str, told: str
) -> None:
    """A wrong key or site: one sentence that names which key, from where, and no write."""
    import dataclasses

    keys = dataclasses.replace(laptop.fake_datadog_keys(datadog.url), **{which: "wrong-key"})
    with pytest.raises(DatadogError, match=f"does not take the {told} from") as caught:
        plan(Api(keys), SETTINGS, _few())
    assert "wrong-key" not in f"{caught.value} {keys!r}"
    assert all(one.method == "GET" for one in datadog.requests)


@pytest.mark.parametrize("permission", ["monitors_write", "slos_write", "dashboards_write"])
def test_a_missing_permission_is_told_before_anything_is_written(
    datadog: FakeDatadog, permission: str
) -> None:
    """Without a permission that it needs, an apply names it and has written nothing."""
    datadog.permissions.remove(permission)
    api = _api(datadog)
    found = plan(api, SETTINGS, _few())
    with pytest.raises(DatadogError, match=permission):
        apply(api, SETTINGS, found, prune=False, tell=lambda _: None)
    assert not any(datadog.objects(kind) for kind in ("monitor", "slo", "dashboard"))


def test_a_duplicate_made_by_hand_is_one_sentence(datadog: FakeDatadog) -> None:
    """An identical monitor that is not ours is named with its id, and stays."""
    body = stamped(Kind.MONITOR, _few()[0].body)
    api = _api(datadog)
    # Somebody copied it and took the marker's line out of a dashboard's list, not out of Datadog.
    api.create(Kind.MONITOR, body, lambda: None)
    with pytest.raises(DatadogError, match=r"Duplicate of an existing monitor_id:\d+"):
        api.create(Kind.MONITOR, body, lambda: None)


@pytest.mark.parametrize("path", ["/monitor$", "/slo$", "/dashboard$", "/downtime$"])
def test_an_unreadable_list_is_not_an_empty_organization(datadog: FakeDatadog, path: str) -> None:
    """An answer of 200 that is no list ends the plan; taken for none, all would be made anew."""
    _publish(datadog, _few())
    datadog.faults.append(Fault(method="GET", path=path, kind="status", status=200))
    with pytest.raises(DatadogError, match=r"listing \w+s: Datadog's answer"):
        plan(_api(datadog), SETTINGS, _few())


def test_cancelled_downtimes_end_no_page(datadog: FakeDatadog) -> None:
    """Downtimes are read to the last page, although those that were cancelled are left out."""
    quiet = {"at": "22:00", "minutes": 60, "severities": ["info"]}
    hours = [{"name": f"h{number}", **quiet} for number in range(102)]
    settings = load("prd", overrides={"datadog": {"functions": [], "quietHours": hours}})
    wanted = downtimes(settings)
    _publish(datadog, [*wanted[:99], Definition(Kind.DOWNTIME, "gone", wanted[99].body)], settings)
    cancelled = [id_ for id_, one in datadog.objects("downtime").items()
                 if "h99-info" in str(one["attributes"]["message"])]  # fmt: skip
    _api(datadog).delete(Kind.DOWNTIME, cancelled[0])
    _publish(datadog, wanted, settings)
    assert _counts(plan(_api(datadog), settings, wanted)) == {"unchanged": 102}


def test_a_line_below_the_marker_is_an_edit_like_any_other(datadog: FakeDatadog) -> None:
    """A handle added at a message's end is a change by hand, and no monitor is made anew."""
    _publish(datadog, _few()[:1])
    id_ = next(iter(datadog.objects("monitor")))
    datadog.edit("monitor", id_, lambda one: one.update(message=one["message"] + "\n@slack-mine"))
    [step] = plan(_api(datadog), SETTINGS, _few()[:1]).steps
    assert (step.action, step.by_hand, step.id) == (Action.UPDATE, True, id_)
    _publish(datadog, _few()[:1])
    assert "@slack-mine" not in datadog.objects("monitor")[id_]["message"]


def test_a_monitor_without_its_marker_is_told_and_not_made_twice(
    datadog: FakeDatadog, shipped: list[Definition]
) -> None:
    """Who takes the marker out and leaves the tags has not asked for a second monitor."""
    wanted = [one for one in shipped if one.key == "cold-starts"]
    _publish(datadog, wanted)
    id_ = next(iter(datadog.objects("monitor")))
    datadog.edit("monitor", id_, lambda one: one.update(message="My own words."))
    found = plan(_api(datadog), SETTINGS, wanted)
    assert (found.steps, found.unmarked) == ([], [(Kind.MONITOR, "cold-starts", id_)])
    datadog.edit("monitor", id_, lambda one: one.update(tags=["mine"]))
    assert _counts(plan(_api(datadog), SETTINGS, wanted)) == {"create": 1}


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
    """A field that we do not say is told of, and one apply gives it its default again."""
    quiet = {"name": "q", "at": "22:00", "minutes": 60, "severities": ["info"]}
    settings = load("prd", overrides={"datadog": {"functions": [], "quietHours": [quiet]}})
    wanted = [*_changed(_few(settings), "late", priority=None), *downtimes(settings)]
    _publish(datadog, wanted, settings)
    ours = [id_ for id_, one in datadog.objects(kind).items() if "burn" not in str(one)]
    inside = "attributes" if kind is Kind.DOWNTIME else None
    datadog.edit(kind, ours[0], lambda one: (one[inside] if inside else one).update(change))
    changed = plan(_api(datadog), settings, wanted).changing()
    assert [[one.path.split(".")[0] for one in step.changes][:1] for step in changed] == [
        list(change)
    ]
    _publish(datadog, wanted, settings)
    assert plan(_api(datadog), settings, wanted).changing() == []


def test_a_refused_update_keeps_nothing_back(datadog: FakeDatadog) -> None:
    """What refers to an object that is there goes on, although its update was refused."""
    _publish(datadog, _few())
    wanted = _changed(_few(), "late", query="max(last_5m):max:x{*} >= 1")
    wanted = _changed(wanted, "delivered", name="another name")
    api = _api(datadog)
    failures = apply(api, SETTINGS, plan(api, SETTINGS, wanted), prune=False, tell=lambda _: None)
    assert [one.step.key for one in failures] == ["late"]
    assert [one["name"] for one in datadog.objects("slo").values()] == ["another name"]


def test_another_type_is_refused_with_the_remedy(datadog: FakeDatadog) -> None:
    """Datadog changes no monitor's type, and the error says what to do instead."""
    _publish(datadog, _few()[:1])
    logs = _changed(
        _few()[:1], "late", type="log alert",
        query='logs("a").index("*").rollup("count").last("5m") >= 300',
        options={"thresholds": {"critical": 300}},
    )  # fmt: skip
    api = _api(datadog)
    [failure] = apply(api, SETTINGS, plan(api, SETTINGS, logs), prune=False, tell=lambda _: None)
    assert "give it another key" in failure.reason


def test_a_limit_that_others_use_up_is_waited_for() -> None:
    """However many requests are refused with 429, every object is made, and once."""
    wanted = [
        Definition(Kind.MONITOR, f"m{number}", {
            **_few()[0].body, "name": f"m{number}",
            "message": marked("One of many.", SETTINGS, f"m{number}"),
        })
        for number in range(12)
    ]  # fmt: skip
    with FakeDatadog(limits={"monitors_write": Limit(requests=4, seconds=1)}) as datadog:
        _publish(datadog, wanted)
        assert len(datadog.objects("monitor")) == 12


def test_an_interrupt_ends_what_waits(datadog: FakeDatadog) -> None:
    """Ctrl+C in the middle of an apply sends nothing more, and the next apply completes it."""
    api = _api(datadog)
    found = plan(api, SETTINGS, _few())

    def interrupt(_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(api, SETTINGS, found, prune=False, tell=interrupt)
    sent = len(datadog.requests)
    with pytest.raises(DatadogError, match="the command was ended"):
        api.every(Kind.MONITOR)
    assert len(datadog.requests) == sent
    _publish(datadog, _few())
    assert _counts(plan(_api(datadog), SETTINGS, _few())) == {"unchanged": 4}


@pytest.mark.parametrize("permission", ["monitors_read", "slos_read", "dashboards_read"])
def test_a_missing_read_permission_is_not_a_wrong_key(
    datadog: FakeDatadog, permission: str
) -> None:
    """A scoped key is told which scope it lacks."""
    datadog.permissions.remove(permission)
    with pytest.raises(DatadogError, match=permission):
        plan(_api(datadog), SETTINGS, _few())


def test_asking_for_permission_changes_nothing(datadog: FakeDatadog) -> None:
    """The question is a creation that can't succeed, for every kind."""
    api = _api(datadog)
    for kind in Kind:
        api.require_permission(kind)
        assert not datadog.objects(kind)
        assert datadog.requests[-1].status == 400


def test_a_deployment_is_marked_once(datadog: FakeDatadog) -> None:
    """After a lost reply nobody can know, and a second line would be a second deployment."""
    datadog.faults.append(Fault(path="/events", kind="lose_reply"))
    with pytest.raises(DatadogError):
        _api(datadog).announce("t", "x", ["env:prd"])
    assert len(datadog.objects("event")) == 1


def test_widgets_keep_their_ids_through_moves_and_edits(datadog: FakeDatadog) -> None:
    """Equal titles, another title, another text, a renamed group: an id stays with its widget."""

    def note(text: str) -> dict[str, Any]:
        return {"definition": {"type": "note", "content": text}}

    def group(title: str, *inner: dict[str, Any]) -> dict[str, Any]:
        definition = {"type": "group", "layout_type": "ordered", "title": title}
        return {"definition": {**definition, "widgets": list(inner)}}

    def board(*widgets: dict[str, Any]) -> list[Definition]:
        body = {
            "title": "b", "layout_type": "ordered", "widgets": list(widgets),
            "description": marked("d", SETTINGS, "b"),
        }  # fmt: skip
        return [Definition(Kind.DASHBOARD, "b", body)]

    def ids() -> list[Any]:
        found = next(iter(datadog.objects("dashboard").values()))["widgets"]
        return [
            (one["id"], [two["id"] for two in one["definition"].get("widgets", [])])
            for one in found
        ]

    _publish(datadog, board(note("a"), note("b"), group("g", note("c"))))
    a, b, g = ids()
    _publish(datadog, board(note("b"), note("a"), group("another name", note("other words"))))
    assert ids() == [b, a, g]
    _publish(datadog, board(note("a"), group("another name", note("other words"))))
    assert ids() == [a, g]


_TEXT = st.text("abc {}$%·é", max_size=20)
_NUMBER = st.floats(0.5, 1000).map(lambda value: round(value, 3))


@st.composite
def _edited(draw: st.DrawFn) -> list[Definition]:
    """The few objects with another value here and there, some of them gone."""
    wanted = []
    limit = draw(_NUMBER)
    for one in _few():
        body = copy.deepcopy(one.body)
        match one.key:
            case "late":
                body["name"] += draw(_TEXT)
                body["query"] = (
                    f"max(last_5m):max:aws.sqs.approximate_age_of_oldest_message{{*}} >= {limit:g}"
                )
                body["options"] = {"thresholds": {"critical": float(f"{limit:g}")}}
                body["options"] |= draw(
                    st.dictionaries(
                        st.sampled_from(["renotify_interval", "evaluation_delay", "timeout_h"]),
                        st.integers(0, 24),
                    )
                )
                body["priority"] = draw(st.sampled_from([None, 1, 5]))
                body["tags"] = draw(
                    st.lists(st.sampled_from(["env:a", "team:b", "c"]), unique=True)
                )
            case "delivered":
                body["name"] += draw(_TEXT)
            case "overview":
                body["title"] += draw(_TEXT)
                body["widgets"] = draw(st.permutations(body["widgets"]))
                for row, widget in enumerate(body["widgets"]):
                    widget["layout"]["y"] = 4 * row
                body["widgets"] = body["widgets"][: draw(st.integers(1, 2))]
        wanted.append(Definition(one.kind, one.key, body))
    return wanted[: draw(st.integers(1, 4))]


@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(first=_edited(), second=_edited())
def test_after_any_change_an_apply_leaves_nothing_to_do(
    first: list[Definition], second: list[Definition]
) -> None:
    """From whatever was published to whatever is wanted: one apply, and the plan is empty."""
    with FakeDatadog() as datadog:
        _publish(datadog, first, prune=True)
        _publish(datadog, second, prune=True)
        assert _counts(plan(_api(datadog), SETTINGS, second)) == {"unchanged": len(second)}


def test_a_digest_is_of_what_is_compared() -> None:
    """What Datadog adds and how it orders tags changes no digest; a field of ours does."""
    body = _few()[0].body
    theirs = {
        **body, "id": 7, "created": "x", "type": "metric alert", "tags": ["env:x"],
        "options": {**body["options"], "silenced": {}, "new_host_delay": 300},
    }  # fmt: skip
    assert digest(Kind.MONITOR, theirs) == digest(Kind.MONITOR, body)
    assert digest(Kind.MONITOR, stamped(Kind.MONITOR, body)) == digest(Kind.MONITOR, body)
    assert changes(Kind.MONITOR, theirs, body) == []
    assert digest(Kind.MONITOR, {**body, "priority": 1}) != digest(Kind.MONITOR, body)
    assert "silenced" not in comparable(Kind.MONITOR, theirs)["options"]
