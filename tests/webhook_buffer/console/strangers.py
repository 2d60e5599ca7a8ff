"""Widgets as Datadog exports them, of other people's dashboards, and what is shown of each.

Source: Datadog API reference, "Dashboards".
"""

from __future__ import annotations

from typing import Any

Body = dict[str, Any]

_CALLS = "sum:aws.lambda.invocations{*} by {functionname}.as_count()"


def query(text: str, **more: Any) -> Body:
    """A request of one metric query."""
    return {"queries": [{"data_source": "metrics", "name": "q", "query": text, **more}]}


def stream(**asked: Any) -> Body:
    """A list of what a query asks."""
    columns = [{"field": "content", "width": "auto"}]
    request = {"response_format": "event_list", "columns": columns, "query": asked}
    return {"type": "list_stream", "requests": [request]}


# A definition, and what is shown: a member of the answer, or a part of its reason.
WIDGETS: list[tuple[Body, str]] = [
    ({"type": "timeseries", "requests": [{**query(_CALLS), "display_type": "line"}]}, "series"),
    ({"type": "timeseries", "requests": [{"q": _CALLS}, {"apm_query": {}}]}, "series"),
    ({"type": "timeseries", "requests": [{"process_query": {"metric": "x"}}]}, "is not one that"),
    ({"type": "query_value", "autoscale": True, "precision": 0, "requests": [
        {**query("sum:aws.apigateway.count{*}.as_count()", aggregator="sum"),
         "response_format": "scalar"}]}, "value"),
    ({"type": "toplist", "requests": [{"q": f"top({_CALLS}, 10, 'sum', 'desc')"}]}, "rows"),
    ({"type": "query_table", "requests": [
        {**query(_CALLS, aggregator="sum"), "formulas": [
            {"formula": "q", "alias": "calls"}, {"formula": "q / 60", "alias": "a second"}]}]},
     "rows"),
    ({"type": "heatmap", "requests": [{"q": "avg:aws.lambda.duration{*} by {functionname}"}]},
     "series"),
    ({"type": "distribution", "requests": [
        {"query": query(_CALLS)["queries"][0], "request_type": "histogram"}]}, "series"),
    ({"type": "timeseries", "requests": [{"log_query": {
        "index": "*", "search": {"query": "@event:webhook.failed"},
        "compute": {"aggregation": "count", "interval": 60}}}]}, "series"),
    ({"type": "toplist", "requests": [{"log_query": {
        "index": "*", "search": {"query": "service:*"}, "compute": {"aggregation": "count"},
        "group_by": [{"facet": "@event", "limit": 5, "sort": {
            "aggregation": "count", "order": "desc"}}]}}]}, "rows"),
    ({"type": "toplist", "requests": [{"log_query": {
        "index": "*", "search": {"query": ""}, "group_by": [{"facet": "host"}]}}]}, "empty"),
    ({"type": "distribution", "requests": [{"q": "avg:aws.apigateway.latency{*}"}]}, "series"),
    ({"type": "change", "requests": [
        {**query(_CALLS), "compare_to": "hour_before", "change_type": "absolute",
         "formulas": [{"formula": "hour_before(q)"}, {"formula": "q"}]}]}, "rows"),
    ({"type": "note", "content": "**Hello**"}, "content"),
    ({"type": "free_text", "text": "Hello", "color": "#4d4d4d"}, "content"),
    ({"type": "group", "layout_type": "ordered", "widgets": [
        {"definition": {"type": "note", "content": "x"}}]}, "widgets"),
    ({"type": "hostmap", "requests": {"fill": {"q": "avg:system.cpu.user{*} by {host}"}}},
     "no hosts"),
    ({"type": "slo", "slo_id": "0123", "view_type": "detail", "time_windows": ["7d"]},
     "only available in Datadog"),
    ({"type": "alert_value", "alert_id": "1"}, "evaluates its monitors itself"),
    ({"type": "alert_graph", "alert_id": "1", "viz_type": "timeseries"}, "monitors itself"),
    ({"type": "manage_status", "query": "env:prod"}, "monitors itself"),
    ({"type": "check_status", "check": "http.can_connect", "grouping": "check"}, "agent"),
    ({"type": "event_stream", "query": "backend-down", "event_size": "s"}, "lines"),
    ({"type": "event_timeline", "query": "backend-down"}, "lines"),
    ({"type": "log_stream", "query": "@event:webhook.failed", "indexes": []}, "lines"),
    (stream(data_source="logs_stream", query_string="status:warning"), "lines"),
    (stream(data_source="apm_issue_stream", query_string=""), "Traces"),
    (stream(data_source="rum_issue_stream", query_string=""), "'rum_issue_stream'"),
    ({"type": "iframe", "url": "https://example.com"}, "another host"),
    ({"type": "image", "url": "https://example.com/a.png"}, "another host"),
    ({"type": "sunburst", "requests": [query(_CALLS)]}, "rows"),
    ({"type": "treemap", "requests": [query(_CALLS)]}, "rows"),
    ({"type": "scatterplot", "requests": {"x": {}, "y": {}}}, "'scatterplot'"),
    ({"type": "servicemap", "service": "a", "filters": ["env:*"]}, "traces"),
    ({"type": "powerpack", "powerpack_id": "1"}, "powerpack"),
]  # fmt: skip

_DEEP = 400
_INSIDE: Body = {"type": "note", "content": "deep"}
for _ in range(_DEEP):
    _INSIDE = {"type": "group", "widgets": [{"definition": _INSIDE}]}


def _logs(search: str, **compute: Any) -> Body:
    asked = {"data_source": "logs", "name": "q", "search": {"query": search},
             "compute": {"aggregation": "count", **compute}}  # fmt: skip
    return {"type": "timeseries", "requests": [{"queries": [asked]}]}


# Definitions of nobody who wants a dashboard.
HOSTILE: list[Body] = [
    _INSIDE,
    {"type": "group", "widgets": 5},
    {"type": "group", "widgets": [5, None, [], {"definition": []}]},
    {"type": ["timeseries"], "title": {"a": 1}},
    {"type": "timeseries", "requests": [{"q": _CALLS}] * 5000},
    {"type": "timeseries", "requests": [{"q": "(" * 5000 + _CALLS}]},
    {"type": "timeseries", "requests": [{"q": "-" * 5000 + _CALLS}]},
    {"type": "timeseries", "requests": [
        {**query(_CALLS), "formulas": [{"formula": "q**9**9**9"}]}]},
    {"type": "timeseries", "requests": [
        query("sum:aws.lambda.errors{*}.rollup(sum, " + "9" * 99 + ")")]},
    {"type": "timeseries", "requests": [{"q": _CALLS}],
     "markers": [{"value": "y = " + "9" * 400}]},
    _logs("(" * 150 + "a" + ")" * 150),
    _logs("NOT " * 190 + "a"),
    _logs("*a" * 60 + "b"),
    _logs("a", interval=10**40),
    {"type": "timeseries", "requests": [{"log_query": "x"}]},
    {"type": "timeseries", "requests": [{"log_query": {"multi_compute": 5}}]},
    {"type": "timeseries", "requests": [
        {"log_query": {"group_by": [{"facet": "@" + "a." * 9000}]}}]},
    {"type": "distribution", "requests": [{"request_type": "histogram", "query": []}]},
    _logs("a", interval=float("inf")),
    {"type": "query_value", "precision": 10**9, "requests": [
        {**query(_CALLS), "formulas": [{"formula": "q * 1e308 * 1e308"}]}]},
    {"type": "query_value", "requests": [{**query(_CALLS), "formulas": [{"formula": "1e999"}]}]},
    {"type": "toplist", "requests": [{**query(_CALLS), "formulas": [{"formula": "1e999"}]}]},
    {"type": "note", "content": "[" * 5000 + "> " * 5000},
    {"type": "list_stream", "requests": [5]},
    {"type": "event_stream", "query": {"a": []}},
    {"type": "slo", "slo_id": {"$ref": 5}},
]  # fmt: skip
