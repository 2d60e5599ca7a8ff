"""Bodies in one form, whoever wrote them: what means the same is the same in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from monitoring.datadog.definition import TEXT, Body, Kind, with_digest
from monitoring.datadog.sync.fields import READ_ONLY, UNORDERED
from monitoring.datadog.sync.widgets import positioned, without_ids

# Datadog answers either for the same monitor.
_SAME_TYPE = {"metric alert": "query alert"}
_NAME = re.compile(r"[A-Za-z_]\w*")


def normal(kind: Kind, body: Body) -> Body:
    """A body in the form in which bodies are compared."""
    plain = _plain({name: value for name, value in body.items() if name not in READ_ONLY})
    for name in UNORDERED & plain.keys():
        plain[name] = _sorted(plain[name])
    text = TEXT[kind]
    if isinstance(plain.get(text), str):
        plain[text] = with_digest(plain[text], None).strip()
    return _NORMAL[kind](plain)


def _monitor(monitor: Body) -> Body:
    if monitor.get("priority") == 0:
        del monitor["priority"]
    if isinstance(monitor.get("type"), str):
        monitor["type"] = _SAME_TYPE.get(monitor["type"], monitor["type"])
    options = monitor.get("options")
    if isinstance(options, dict):
        monitor["options"] = {
            name: _sorted(value) if name in UNORDERED else value
            for name, value in options.items()
            if value != {}
        }
    return monitor


def _slo(slo: Body) -> Body:
    """With its thresholds as they are sent, and what it measures as a query, too."""
    if isinstance(slo.get("thresholds"), list):
        slo["thresholds"] = [
            {name: value for name, value in threshold.items() if not name.endswith("_display")}
            if isinstance(threshold, dict)
            else threshold
            for threshold in slo["thresholds"]
        ]
    return slo


def _dashboard(dashboard: Body) -> Body:
    return without_ids(positioned(dashboard))


def _downtime(downtime: Body) -> Body:
    if downtime.get("display_timezone") == "":
        del downtime["display_timezone"]
    schedule = downtime.get("schedule")
    if isinstance(schedule, dict):
        downtime["schedule"] = _dates(schedule)
        for recurrence in downtime["schedule"].get("recurrences") or ():
            if (
                isinstance(recurrence, dict)
                and "start" in recurrence
                and _any_day(recurrence.get("rrule"))
            ):
                recurrence["start"] = str(recurrence["start"]).partition("T")[2]
    return downtime


def _any_day(rule: Any) -> bool:
    """Whether a rule means the same on whichever of its days it starts."""
    parts = dict(part.partition("=")[::2] for part in str(rule).upper().split(";"))
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
        queries = {query["name"]: query["query"] for query in count["queries"]}
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
            name: _moment(inner) if name in ("start", "end") else _dates(inner)
            for name, inner in value.items()
        }
    return [_dates(item) for item in value] if isinstance(value, list) else value


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
        return {name: _plain(inner) for name, inner in sorted(value.items()) if inner is not None}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
