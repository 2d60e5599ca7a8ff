"""The fake's SLOs, against recorded answers of Datadog's."""

from __future__ import annotations

from typing import Any

import pytest
from datadog_api_client.exceptions import ApiException

from tests.fake_datadog import DASHBOARD, SLO, Official, Raw, changed, refused


def test_round_trip(official: Official, raw: Raw) -> None:
    """The typed client reads, checks and deletes what was created."""
    slo = raw.created("slo", SLO)
    api = official.slos
    assert api.get_slo(slo_id=slo["id"]).data.name == "delivered"
    assert api.check_can_delete_slo(ids=slo["id"]).data.ok == [slo["id"]]
    assert api.delete_slo(slo_id=slo["id"]).data == [slo["id"]]
    answer = raw("GET", f"/api/v1/slo/{slo['id']}")
    refused(answer, 404, f"SLO not found: {slo['id']} not found")


def test_defaults(raw: Raw) -> None:
    """A new SLO comes back with all that Datadog adds, its tags in another order."""
    slo = raw.created("slo", SLO)
    assert slo["thresholds"] == [
        {
            "timeframe": "30d",
            "target": 99.0,
            "target_display": "99.",
            "warning": 99.5,
            "warning_display": "99.5",
        }
    ]
    added = {name: slo[name] for name in slo.keys() - SLO.keys() - {"id", "created_at"}}
    assert added == {
        "type_id": 1,
        "description": "",
        "monitor_tags": [],
        "timeframe": "30d",
        "target_threshold": 99.0,
        "warning_threshold": 99.5,
        "creator": slo["creator"],
        "sli_specification": slo["sli_specification"],
        "modified_at": slo["created_at"],
    }
    assert slo["tags"] == ["app:core", "env:prod"]
    assert len(slo["id"]) == 32


def test_both_forms(raw: Raw) -> None:
    """A metric SLO comes back as a query and as a specification, whichever was sent."""
    slo = raw.created("slo", SLO)
    count = slo["sli_specification"]["count"]
    assert [query["query"] for query in count["queries"]] == list(SLO["query"].values())
    other = changed(SLO, {"query": None, "sli_specification": slo["sli_specification"]})
    assert raw.created("slo", other)["query"] == SLO["query"]


def test_update_replaces(raw: Raw) -> None:
    """An update leaves nothing of what it does not name, but for the id and the creation."""
    slo = raw.created("slo", SLO | {"description": "x"})
    sent = {name: SLO[name] for name in ("name", "type", "query", "thresholds")}
    _, answer, _ = raw("PUT", f"/api/v1/slo/{slo['id']}", sent)
    after = answer["data"][0]
    assert (after["description"], after["tags"]) == ("", [])
    assert (after["id"], after["created_at"]) == (slo["id"], slo["created_at"])


def test_list(official: Official, raw: Raw) -> None:
    """SLOs are found by one tag, by ids, and in pages."""
    slos = [raw.created("slo", SLO | {"name": str(number)}) for number in range(3)]
    raw.created("slo", SLO | {"name": "other", "tags": []})
    api = official.slos
    assert len(api.list_slos(tags_query="env:prod").data) == 3
    assert [objective.name for objective in api.list_slos(ids=slos[1]["id"]).data] == ["1"]
    page = api.list_slos(tags_query="env:prod", limit=2, offset=2)
    assert [objective.name for objective in page.data] == ["2"]
    assert page.metadata.page.total_filtered_count == 3
    assert len(list(api.list_slos_with_pagination(limit=2))) == 4


def test_referenced_by_dashboard(official: Official, raw: Raw) -> None:
    """An SLO that a dashboard shows goes only by force."""
    slo = raw.created("slo", SLO)
    widget = {
        "definition": {
            "type": "slo",
            "slo_id": slo["id"],
            "view_type": "detail",
            "time_windows": ["30d"],
            "view_mode": "overall",
        }
    }
    group = {"definition": {"type": "group", "layout_type": "ordered", "widgets": [widget]}}
    dashboard = raw.created("dashboard", DASHBOARD | {"widgets": [group]})
    api = official.slos
    with pytest.raises(ApiException) as failure:
        api.delete_slo(slo_id=slo["id"])
    words = f"slo {slo['id']} is referenced in dashboard_id: {dashboard['id']}"
    assert (failure.value.status, failure.value.body) == (409, {"errors": words, "data": None})
    with pytest.raises(ApiException):
        api.check_can_delete_slo(ids=slo["id"])
    api.delete_slo(slo_id=slo["id"], force="true")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"type": None}, "Invalid payload: Required parameter 'type' is missing"),
        ({"thresholds": []}, "Required parameter 'thresholds' is missing"),
        ({"query": None}, "Required parameter 'query' is missing"),
        ({"type": "availability"}, "is not one of"),
        ({"type": "time_slice"}, "'sli_specification' is missing"),
        ({"type": "monitor"}, "'monitor_ids' is missing"),
        (
            {"type": "monitor", "monitor_ids": [1, 2]},
            "Invalid payload: invalid monitor ids: 1, 2, monitors not found or not supported SLO",
        ),
        ({"thresholds": [{"timeframe": "5d", "target": 99}]}, "is not one of"),
        ({"thresholds": [{"timeframe": "7d", "target": 100}]}, "between 0 and 100"),
        (
            {"thresholds": [{"timeframe": "7d", "target": 99, "warning": 98}]},
            "greater than target",
        ),
        ({"timeframe": "7d"}, "no threshold for the timeframe 7d"),
        ({"target_threshold": 98.0}, "the timeframe's own"),
        ({"thresholds": SLO["thresholds"] * 2}, "one threshold only"),
    ],
)
def test_refuses(raw: Raw, change: dict[str, Any], words: str) -> None:
    """What can't be right is 400."""
    body = changed(SLO, change)
    refused(raw("POST", "/api/v1/slo", body), 400, words)


def test_time_slice(raw: Raw) -> None:
    """An SLO of time slices is taken, and its type stays."""
    queries = [{"data_source": "metrics", "name": "q", "query": "avg:a{*}"}]
    query = {"formulas": [{"formula": "q"}], "queries": queries}
    slice_ = {"query": query, "comparator": "<", "threshold": 5}
    body = SLO | {"type": "time_slice", "sli_specification": {"time_slice": slice_}}
    del body["query"]
    slo = raw.created("slo", body)
    assert slo["type_id"] == 2
    refused(raw("PUT", f"/api/v1/slo/{slo['id']}", SLO), 400, "type change not allowed")
