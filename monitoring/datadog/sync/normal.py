"""Bodies in one form, whoever wrote them: what means the same is the same in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from monitoring.datadog.definition import TEXT, Kind, with_digest
from monitoring.datadog.sync.fields import READ_ONLY, UNORDERED, Body
from monitoring.datadog.sync.widgets import positioned, without_ids

# Datadog answers either for the same monitor.
_SAME_TYPE = {"metric alert": "query alert"}
_NAME = re.compile(r"[A-Za-z_]\w*")


def normal(kind: Kind, body: Body) -> Body:
    """A body in the form in which bodies are compared."""
    found = _plain({name: value for name, value in body.items() if name not in READ_ONLY})
    for name in UNORDERED & found.keys():
        found[name] = _sorted(found[name])
    text = TEXT[kind]
    if isinstance(found.get(text), str):
        found[text] = with_digest(found[text], None).strip()
    return _NORMAL[kind](found)


def _monitor(found: Body) -> Body:
    if found.get("priority") == 0:
        del found["priority"]
    if isinstance(found.get("type"), str):
        found["type"] = _SAME_TYPE.get(found["type"], found["type"])
    options = found.get("options")
    if isinstance(options, dict):
        found["options"] = {
            name: _sorted(value) if name in UNORDERED else value
            for name, value in options.items()
            if value != {}
        }
    return found


def _slo(found: Body) -> Body:
    """With its thresholds as they are sent, and what it measures as a query, too."""
    if isinstance(found.get("thresholds"), list):
        found["thresholds"] = [
            {name: value for name, value in one.items() if not name.endswith("_display")}
            if isinstance(one, dict)
            else one
            for one in found["thresholds"]
        ]
    return found


def _dashboard(found: Body) -> Body:
    return without_ids(positioned(found))


def _downtime(found: Body) -> Body:
    if found.get("display_timezone") == "":
        del found["display_timezone"]
    schedule = found.get("schedule")
    if isinstance(schedule, dict):
        found["schedule"] = _dates(schedule)
        for one in found["schedule"].get("recurrences") or ():
            if isinstance(one, dict) and "start" in one and _any_day(one.get("rrule")):
                one["start"] = str(one["start"]).partition("T")[2]
    return found


def _any_day(rule: Any) -> bool:
    """Whether a rule means the same on whichever of its days it starts."""
    parts = dict(one.partition("=")[::2] for one in str(rule).upper().split(";"))
    every = parts.get("INTERVAL", "1") == "1" and "COUNT" not in parts and "UNTIL" not in parts
    days = parts.get("FREQ") == "WEEKLY" and "BYDAY" in parts
    return every and (days or parts.get("FREQ") == "DAILY")


_NORMAL: Mapping[Kind, Callable[[Body], Body]] = {
    Kind.MONITOR: _monitor,
    Kind.SLO: _slo,
    Kind.DASHBOARD: _dashboard,
    Kind.DOWNTIME: _downtime,
}


def query_of(specification: Any) -> Body | None:
    """The query that says the same as an SLO's ``sli_specification`` that counts events."""
    try:
        count = specification["count"]
        queries = {one["name"]: one["query"] for one in count["queries"]}
        good = _filled(count["good_events_formula"]["formula"], queries)
        if "total_events_formula" in count:
            total = _filled(count["total_events_formula"]["formula"], queries)
        else:
            bad = _filled(count["bad_events_formula"]["formula"], queries)
            total = f"({good}) + ({bad})"
    except (KeyError, TypeError):
        return None
    return {"numerator": good, "denominator": total}


def _filled(formula: str, queries: Mapping[str, str]) -> str:
    return _NAME.sub(lambda name: queries.get(name[0], name[0]), formula)


def _dates(value: Any) -> Any:
    """With every moment in one form: UTC where it has a zone, with its seconds."""
    if isinstance(value, dict):
        return {
            name: _moment(one) if name in ("start", "end") else _dates(one)
            for name, one in value.items()
        }
    return [_dates(one) for one in value] if isinstance(value, list) else value


def _moment(value: Any) -> Any:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return value
    return (moment.astimezone(UTC) if moment.tzinfo else moment).isoformat()


def _sorted(value: Any) -> Any:
    return sorted(value, key=str) if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    """Without what is null, and with whole numbers as such."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in sorted(value.items()) if one is not None}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
