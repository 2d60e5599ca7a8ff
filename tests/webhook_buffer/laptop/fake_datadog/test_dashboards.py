"""The fake's dashboards, against recorded answers of Datadog's."""

from __future__ import annotations

from typing import Any

import pytest
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v1.model.dashboard import Dashboard
from datadog_api_client.v1.model.dashboard_layout_type import DashboardLayoutType
from datadog_api_client.v1.model.note_widget_definition import NoteWidgetDefinition
from datadog_api_client.v1.model.note_widget_definition_type import NoteWidgetDefinitionType
from datadog_api_client.v1.model.widget import Widget

from tests.fake_datadog import DASHBOARD, NOTE, Official, Raw, changed, refused


def typed_dashboard() -> Dashboard:
    note = NoteWidgetDefinition(type=NoteWidgetDefinitionType.NOTE, content="hello")
    return Dashboard(
        title="The Buffer", layout_type=DashboardLayoutType.ORDERED, widgets=[Widget(note)]
    )


def test_round_trip(official: Official) -> None:
    """The typed client creates, reads, changes and deletes."""
    api = official.dashboards
    dashboard = api.create_dashboard(body=typed_dashboard())
    assert api.get_dashboard(dashboard_id=dashboard.id).title == "The Buffer"
    body = typed_dashboard()
    body.title = "Another"
    assert api.update_dashboard(dashboard_id=dashboard.id, body=body).title == "Another"
    deleted = api.delete_dashboard(dashboard_id=dashboard.id)
    assert deleted.deleted_dashboard_id == dashboard.id
    with pytest.raises(ApiException) as failure:
        api.get_dashboard(dashboard_id=dashboard.id)
    assert failure.value.status == 404


def test_defaults(raw: Raw) -> None:
    """A new dashboard comes back with all that Datadog adds."""
    dashboard = raw.created("dashboard", DASHBOARD)
    assert [len(part) for part in dashboard["id"].split("-")] == [3, 3, 3]
    assert dashboard["url"] == f"/dashboard/{dashboard['id']}/the-buffer"
    nulls = {name for name, value in dashboard.items() if value is None}
    assert nulls == {"description", "notify_list", "template_variables"}
    assert not {"is_read_only", "restricted_roles", "reflow_type"} & dashboard.keys()
    assert dashboard.keys() >= {"author_handle", "author_name", "created_at", "modified_at"}


def test_widget_ids(raw: Raw) -> None:
    """Widgets get ids, also inside of groups; those that have one keep it."""
    group = {"type": "group", "layout_type": "ordered", "widgets": [NOTE, NOTE | {"id": 7}]}
    body = DASHBOARD | {"widgets": [{"definition": group}]}
    widget = raw.created("dashboard", body)["widgets"][0]
    inner = [member["id"] for member in widget["definition"]["widgets"]]
    assert inner[1] == 7
    assert len({widget["id"], *inner}) == 3


def test_list(official: Official, raw: Raw) -> None:
    """The list holds summaries without tags or widgets, in pages."""
    for number in range(3):
        raw.created("dashboard", DASHBOARD | {"title": str(number), "tags": ["team:a"]})
    summaries = raw("GET", "/api/v1/dashboard")[1]["dashboards"]
    assert set(summaries[0]) == {
        "id", "title", "description", "author_handle", "layout_type", "url", "created_at",
        "modified_at",
    }  # fmt: skip
    page = official.dashboards.list_dashboards(start=2, count=2)
    assert [board.title for board in page.dashboards] == ["2"]
    assert len(list(official.dashboards.list_dashboards_with_pagination(count=2))) == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"title": None}, "'title' is a required property"),
        ({"layout_type": "loose"}, "'loose' is not one of"),
        ({"widgets": None}, "'widgets' is a required property"),
        ({"bogus": 1}, "Additional properties are not allowed ('bogus' was unexpected)"),
        ({"tags": ["env:prod"]}, "team:<name>"),
        ({"tags": [f"team:{number}" for number in range(6)]}, "less than or equal to `5`"),
        (
            {"reflow_type": "fixed"},
            "Invalid widget at position 0. Error: 'layout' is a required property",
        ),
        ({"layout_type": "free"}, "'layout' is a required property"),
        ({"layout_type": "free", "reflow_type": "auto"}, "reflow_type is only allowed"),
        (
            {
                "reflow_type": "auto",
                "widgets": [NOTE | {"layout": {"x": 0, "y": 0, "width": 1, "height": 1}}],
            },
            "'layout' is not allowed",
        ),
        (
            {"widgets": [{"definition": {"type": "nope"}}]},
            "Invalid widget definition at position 0 of type nope. Error: ",
        ),
        ({"widgets": [{}]}, "'definition' is a required property"),
        (
            {"widgets": [{"definition": {"type": "group", "widgets": "none"}}]},
            "Invalid widget definition at position 0 of type group. Error: ",
        ),
        (
            {"widgets": [{"definition": {"type": "note", "content": "x", "colour": "red"}}]},
            "Additional properties are not allowed ('colour' was unexpected)",
        ),
        (
            {
                "widgets": [
                    NOTE,
                    {
                        "definition": {
                            "type": "group",
                            "layout_type": "ordered",
                            "widgets": [
                                {
                                    "definition": {
                                        "type": "timeseries",
                                        "requests": [{"q": "avg:a{*}", "display": "line"}],
                                    }
                                }
                            ],
                        }
                    },
                ]
            },
            "Invalid widget definition at position 1 of type group. Error: Invalid inner widget "
            "definition at position 0 of type timeseries. Error: Additional properties",
        ),
        (
            {
                "widgets": [
                    {
                        "definition": {
                            "type": "timeseries",
                            "title_align": "middle",
                            "requests": [{"q": "avg:a{*}"}],
                        }
                    }
                ]
            },
            "Invalid widget definition at position 0 of type timeseries. Error: ",
        ),
    ],
)
def test_refuses(raw: Raw, change: dict[str, Any], words: str) -> None:
    """What the official client's models don't know is 400."""
    body = changed(DASHBOARD, change)
    refused(raw("POST", "/api/v1/dashboard", body), 400, words)


def test_whole_answer_can_be_sent_back(raw: Raw) -> None:
    """What was read can be sent as an update and changes nothing but the time."""
    dashboard = raw.created("dashboard", DASHBOARD)
    _, after, _ = raw("PUT", f"/api/v1/dashboard/{dashboard['id']}", dashboard)
    assert after | {"modified_at": ""} == dashboard | {"modified_at": ""}
