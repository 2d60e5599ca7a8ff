"""What an apply leaves in Datadog: all that is wanted, in order, under the same ids."""

from __future__ import annotations

import copy
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

from monitoring.datadog.definition import Definition, Kind, marked
from monitoring.datadog.sync.api import problems
from monitoring.datadog.sync.diff import stamped
from monitoring.documents.datadog import example
from settings.errors import DatadogError
from tests.datadog_publishing import (
    carried_out,
    client,
    counts,
    monitor,
    one_of_each,
    planned,
    published,
    with_fields,
)
from webhook_buffer.laptop.fake_datadog import FakeDatadog, Fault

_SETTINGS = example()


def test_what_is_shipped_is_published_once_and_for_all(
    datadog: FakeDatadog, shipped: list[Definition]
) -> None:
    """After an apply the plan is empty, for every object."""
    first = published(datadog, _SETTINGS, shipped)
    assert counts(first) == {"create": len(shipped)}
    assert counts(planned(datadog, _SETTINGS, shipped)) == {"unchanged": len(shipped)}


def test_what_is_shipped_passes_the_clients_models(shipped: list[Definition]) -> None:
    """Nothing that is shipped has a value or field that the official client does not know."""
    assert [problem for definition in shipped for problem in problems(definition)] == []


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("type", "nonsense", "type: Datadog's models do not know"),
        ("options", {"on_missing_data": "maybe"}, "options.on_missing_data: Datadog's models"),
        ("options", {"renotify": 3}, "options.renotify: Datadog's models have no such field"),
        ("priority", "high", "priority"),
    ],
)
def test_the_clients_models_find_what_they_take_in_silence(
    field: str, value: Any, expected: str
) -> None:
    """An unknown value or field is found, and named with its object."""
    [problem] = problems(with_fields([monitor(_SETTINGS)], "late", **{field: value})[0])
    assert problem.startswith("monitor late: ")
    assert expected in problem


def test_references_are_resolved(datadog: FakeDatadog) -> None:
    """An SLO names its monitors, an alert and a dashboard their SLO, by the ids Datadog gave."""
    published(datadog, _SETTINGS, one_of_each(_SETTINGS))
    monitors = {body["name"]: body for body in datadog.objects("monitor").values()}
    slo_id, slo = next(iter(datadog.objects("slo").items()))
    board = next(iter(datadog.objects("dashboard").values()))
    assert slo["monitor_ids"] == [monitors["late prd"]["id"]]
    assert f'burn_rate("{slo_id}")' in monitors["burn prd"]["query"]
    assert board["widgets"][1]["definition"]["slo_id"] == slo_id


def test_what_is_gone_is_deleted_only_when_asked(datadog: FakeDatadog) -> None:
    """An object that is no longer defined stays until it is pruned, in an order Datadog takes."""
    published(datadog, _SETTINGS, one_of_each(_SETTINGS))
    assert counts(published(datadog, _SETTINGS, [])) == {"delete": 4}
    assert len(datadog.objects("monitor")) == 2
    published(datadog, _SETTINGS, [], prune=True)
    assert not any(datadog.objects(kind) for kind in ("monitor", "slo", "dashboard"))


def test_what_fails_is_named_and_the_rest_is_done(datadog: FakeDatadog) -> None:
    """A refused object keeps back only what refers to it, and the next run completes the rest."""
    wrong = with_fields(one_of_each(_SETTINGS), "late", query="max(last_5m):max:x{*} >= 1")
    other = monitor(_SETTINGS, "other")
    plan = planned(datadog, _SETTINGS, [*wrong, other])
    failures = carried_out(datadog, _SETTINGS, plan)
    reasons = {failure.step.key: failure.reason for failure in failures}
    assert "does not match that used in the query" in reasons["late"]
    assert reasons["delivered"] == "it refers to monitor late, which is not there"
    assert reasons.keys() == {"late", "delivered", "burn", "overview"}
    assert [body["name"] for body in datadog.objects("monitor").values()] == ["other prd"]
    assert counts(published(datadog, _SETTINGS, [*one_of_each(_SETTINGS), other])) == {
        "create": 4,
        "unchanged": 1,
    }


def test_a_duplicate_made_by_hand_is_one_sentence(datadog: FakeDatadog) -> None:
    """An identical monitor that is not ours is named with its id, and stays."""
    body = stamped(Kind.MONITOR, monitor(_SETTINGS).body)
    api = client(datadog)
    # Somebody copied it and took the marker's line out of a dashboard's list, not out of Datadog.
    api.create(Kind.MONITOR, body, lambda: None)
    with pytest.raises(DatadogError, match=r"Duplicate of an existing monitor_id:\d+"):
        api.create(Kind.MONITOR, body, lambda: None)


def test_a_refused_update_keeps_nothing_back(datadog: FakeDatadog) -> None:
    """What refers to an object that is there goes on, although its update was refused."""
    published(datadog, _SETTINGS, one_of_each(_SETTINGS))
    wanted = with_fields(one_of_each(_SETTINGS), "late", query="max(last_5m):max:x{*} >= 1")
    wanted = with_fields(wanted, "delivered", name="another name")
    plan = planned(datadog, _SETTINGS, wanted)
    failures = carried_out(datadog, _SETTINGS, plan)
    assert [failure.step.key for failure in failures] == ["late"]
    assert [body["name"] for body in datadog.objects("slo").values()] == ["another name"]


def test_another_type_is_refused_with_the_remedy(datadog: FakeDatadog) -> None:
    """Datadog changes no monitor's type, and the error says what to do instead."""
    published(datadog, _SETTINGS, [monitor(_SETTINGS)])
    logs = with_fields(
        [monitor(_SETTINGS)], "late", type="log alert",
        query='logs("a").index("*").rollup("count").last("5m") >= 300',
        options={"thresholds": {"critical": 300}},
    )  # fmt: skip
    plan = planned(datadog, _SETTINGS, logs)
    [failure] = carried_out(datadog, _SETTINGS, plan)
    assert "give it another key" in failure.reason


def test_a_deployment_is_marked_once(datadog: FakeDatadog) -> None:
    """After a lost reply nobody can know, and a second line would be a second deployment."""
    datadog.faults.append(Fault(path="/events", kind="lose_reply"))
    with pytest.raises(DatadogError):
        client(datadog).announce("t", "x", ["env:prd"])
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
            "description": marked("d", _SETTINGS, "b"),
        }  # fmt: skip
        return [Definition(Kind.DASHBOARD, "b", body)]

    def ids() -> list[Any]:
        widgets = next(iter(datadog.objects("dashboard").values()))["widgets"]
        return [
            (widget["id"], [two["id"] for two in widget["definition"].get("widgets", [])])
            for widget in widgets
        ]

    published(datadog, _SETTINGS, board(note("a"), note("b"), group("g", note("c"))))
    a, b, g = ids()
    published(
        datadog, _SETTINGS, board(note("b"), note("a"), group("another name", note("other words")))
    )
    assert ids() == [b, a, g]
    published(datadog, _SETTINGS, board(note("a"), group("another name", note("other words"))))
    assert ids() == [a, g]


_TEXT = st.text("abc {}$%·é", max_size=20)
_NUMBER = st.floats(0.5, 1000).map(lambda value: round(value, 3))


@st.composite
def _edited(draw: st.DrawFn) -> list[Definition]:
    """The few objects with another value here and there, some of them gone."""
    wanted = []
    limit = draw(_NUMBER)
    for definition in one_of_each(_SETTINGS):
        body = copy.deepcopy(definition.body)
        match definition.key:
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
        wanted.append(Definition(definition.kind, definition.key, body))
    return wanted[: draw(st.integers(1, 4))]


@hypothesis_settings(
    max_examples=hypothesis_settings().max_examples // 4,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(first=_edited(), second=_edited())
def test_after_any_change_an_apply_leaves_nothing_to_do(
    first: list[Definition], second: list[Definition]
) -> None:
    """From whatever was published to whatever is wanted: one apply, and the plan is empty."""
    with FakeDatadog() as datadog:
        published(datadog, _SETTINGS, first, prune=True)
        published(datadog, _SETTINGS, second, prune=True)
        assert counts(planned(datadog, _SETTINGS, second)) == {"unchanged": len(second)}
