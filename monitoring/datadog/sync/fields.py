"""Which fields count when two bodies are compared.

A field that we send counts always. One that we do not send counts only if people edit it by hand
in Datadog, and did: those are listed here, each with the value it has where nobody did. All else
in an answer is Datadog's own: today's fields, and those to come.

Source: recorded answers of Datadog's API to objects sent without those fields, and its API
reference for defaults.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from monitoring.datadog.definition import Body, Kind

DEFAULTS: Mapping[Kind, Body] = {
    Kind.MONITOR: {
        "priority": None, "tags": [], "restricted_roles": [], "draft_status": "published",
        "assets": [], "options": {},
    },
    Kind.SLO: {"description": "", "tags": [], "groups": [], "monitor_ids": []},
    Kind.DASHBOARD: {
        "description": "", "notify_list": [], "template_variables": [],
        "template_variable_presets": [], "tags": [], "restricted_roles": [], "is_read_only": False,
        "default_timeframe": None, "tabs": [],
    },
    Kind.DOWNTIME: {
        "message": "", "display_timezone": "UTC", "mute_first_recovery_notification": False,
        "notify_end_states": ["alert", "no data", "warn"], "notify_end_types": ["expired"],
    },
}  # fmt: skip
_OPTIONS: Body = {
    "new_host_delay": 300, "new_group_delay": 60, "groupby_simple_monitor": False,
    "notify_no_data": False, "notify_audit": False, "include_tags": True, "locked": False,
    "renotify_interval": 0, "renotify_occurrences": 0, "renotify_statuses": [], "timeout_h": 0,
    "escalation_message": "", "require_full_window": True, "evaluation_delay": 0,
    "on_missing_data": "default", "enable_logs_sample": False, "no_data_timeframe": 0,
    "min_failure_duration": 0, "min_location_failed": 0, "notify_by": [], "device_ids": [],
    "group_retention_duration": "", "notification_preset_name": "show_all",
    "threshold_windows": {}, "scheduling_options": {}, "thresholds": {},
}  # fmt: skip
_THRESHOLDS = dict.fromkeys(
    ("critical", "critical_recovery", "ok", "unknown", "warning", "warning_recovery")
)
_VARIABLE = dict.fromkeys(("default", "defaults", "available_values", "prefix", "values", "type"))
_WIDGET: Body = dict.fromkeys(
    ("alias", "autoscale", "background_color", "banner_img", "color", "color_preference",
     "conditional_formats", "content", "custom_links", "custom_unit", "description",
     "display_type", "events", "font_size", "formulas", "group_by", "has_padding", "is_hidden",
     "label", "layout", "legend_columns", "legend_layout", "legend_size", "limit", "live_span",
     "markers", "max", "metadata", "min", "number_format", "on_right_yaxis", "palette",
     "precision", "q", "queries", "requests", "right_yaxis", "scale", "show_error_budget",
     "show_legend", "show_tick", "show_title", "sort", "style", "text_align", "tick_edge",
     "tick_pos", "time", "time_windows", "timeseries_background", "title", "title_align",
     "title_size", "vertical_align", "view_mode", "view_type", "widgets", "xaxis", "yaxis")
)  # fmt: skip
_INSIDE: Mapping[Kind, Mapping[str, Body]] = {
    Kind.MONITOR: {r"options": _OPTIONS, r"options\.thresholds": _THRESHOLDS},
    Kind.SLO: {r"thresholds\.\d+": dict.fromkeys(("warning",))},
    Kind.DASHBOARD: {
        r"template_variable(s|_presets)\..*": _VARIABLE,
        r"tabs\.\d+": dict.fromkeys(("widget_ids",)),
        r"widgets\b.*": _WIDGET,
    },
    Kind.DOWNTIME: {},
}
# Lists whose order means nothing, and need not be the one that was sent.
UNORDERED = frozenset(
    {"tags", "monitor_ids", "notify_end_states", "notify_end_types", "notify_list",
     "restricted_roles", "renotify_statuses"}
)  # fmt: skip
# What Datadog alone says, or drops when it is sent.
READ_ONLY = frozenset(
    {"author_handle", "author_name", "canceled", "classification", "created", "created_at",
     "creator", "deleted", "experience_type", "id", "matching_downtimes", "modified",
     "modified_at", "monitor_tags", "multi", "org_id", "overall_state", "overall_state_modified",
     "restricted", "restriction_policy", "run_as", "status", "type_id", "url"}
)  # fmt: skip
# What follows from an SLO's thresholds, or says once more what it measures.
DERIVED = frozenset({"target_threshold", "warning_threshold", "timeframe", "sli_specification"})


def by_hand(kind: Kind, path: str) -> Body:
    """The fields of the object at a path that people edit, each with its default."""
    if not path:
        return DEFAULTS[kind]
    return next((fields for form, fields in _INSIDE[kind].items() if re.fullmatch(form, path)), {})


def is_default(value: Any, default: Any) -> bool:
    """Whether a field has the value that it has where nobody edited it."""
    return value == default or value in ("", [], {}, None) or (default is None and value is False)
