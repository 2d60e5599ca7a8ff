"""In what two answers differ, if what changes from one object to the next is left aside."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from tests.datadog_recordings.reading import Call, made_at

# Answers as Datadog gives them today; older ones lack what came since.
_SINCE = {
    "monitor": datetime(2025, 11, 1, tzinfo=UTC),  # assets, draft_status
    "slo": datetime(2026, 3, 1, tzinfo=UTC),  # sli_specification
    "dashboard": datetime(2025, 7, 1, tzinfo=UTC),  # without is_read_only
    "downtime": datetime(2023, 1, 1, tzinfo=UTC),
}
# There in some answers to the same request and not in others; on what it depends is not recorded.
_NOW_AND_THEN = frozenset(
    {"assets", "avalanche_window", "experience_type", "restricted", "restricted_roles", "run_as"}
)

# Datadog's own, another one each time: there it has to be, and of its type.
_OWN = frozenset(
    {"author_handle", "author_name", "canceled", "created", "created_at", "creator", "end", "id",
     "modified", "modified_at", "monitor_ids", "org_id", "public_url", "query", "slo_id", "start",
     "status", "token", "url", "overall_state", "overall_state_modified", "widget_ids",
     "monitor_id", "deleted_monitor_id", "deleted_dashboard_id"}
)  # fmt: skip
# Nothing at one time, and something at another.
_SOMETIMES = frozenset({"author_name", "canceled", "end", "overall_state_modified"})
_UNORDERED = frozenset({"tags", "notify_end_states", "notify_end_types", "restricted_roles"})


def current(call: Call) -> bool:
    """Whether an answer is as Datadog's are today."""
    moment = made_at(call.object)
    return moment is not None and moment >= _SINCE[call.kind]


def differences(kind: str, theirs: Any, ours: Any) -> tuple[str, ...]:
    """The fields in which the fake's answer differs from Datadog's, as words."""
    return tuple(_differ(kind, theirs, ours))


def _differ(path: str, theirs: Any, ours: Any) -> Iterator[str]:
    name = path.rpartition(".")[2]
    if name == "creator":
        if type(theirs) is not type(ours):
            yield f"{path} is {ours!r:.40}, not {theirs!r:.40}"
    elif isinstance(theirs, dict) and isinstance(ours, dict):
        for field in sorted(theirs.keys() | ours.keys()):
            inner = f"{path}.{field}"
            if field in _NOW_AND_THEN and (field in ours) != (field in theirs):
                continue
            if field not in ours:
                yield f"{inner} is missing"
            elif field not in theirs:
                yield f"{inner} is too much"
            else:
                yield from _differ(inner, theirs[field], ours[field])
    elif isinstance(theirs, list) and isinstance(ours, list) and name not in _OWN:
        if name in _UNORDERED:
            theirs, ours = sorted(theirs, key=str), sorted(ours, key=str)
        if len(theirs) != len(ours):
            yield f"{path} has {len(ours)} elements, not {len(theirs)}"
        for their, our in zip(theirs, ours, strict=False):
            yield from _differ(path, their, our)
    elif name in _OWN:
        if (theirs is None) != (ours is None) and name not in _SOMETIMES:
            yield f"{path} is {ours!r:.40}, not {theirs!r:.40}"
    elif theirs != ours or isinstance(theirs, bool) != isinstance(ours, bool):
        yield f"{path} is {ours!r:.40}, not {theirs!r:.40}"
