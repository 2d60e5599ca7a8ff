"""Downtimes, as Datadog's API v2 takes and returns them."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from webhook_buffer.laptop.fake_datadog import schema
from webhook_buffer.laptop.fake_datadog.store import Body, Call, RefusedError, Route, Store

_DEFAULTS: Body = {
    "display_timezone": "UTC",
    "message": None,
    "mute_first_recovery_notification": False,
    "notify_end_states": ["alert", "no data", "warn"],
    "notify_end_types": ["expired"],
}
# What two downtimes must not have in common, all of it.
_IDENTITY = ("message", "monitor_identifier", "scope", "schedule")
_USER = "3ad549bf-eba0-11e9-a77a-0705486660d0"
_NEVER = "9999-12-31T00:00:00+00:00"
_LIMIT = 30
_KEPT_CANCELED = timedelta(days=2)
# A start may be this late: clocks differ, and requests take a while.
_LATE = timedelta(minutes=1)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def _create(call: Call) -> Body:
    if wrong := schema.problem("downtime", call.fields):
        raise RefusedError(400, wrong)
    given = call.fields["data"]["attributes"]
    key, now = str(uuid.uuid4()), call.store.timestamp()
    attributes = {**_DEFAULTS, **given, "created": now, "modified": now, "canceled": None}
    attributes["schedule"] = _schedule(given.get("schedule"), call.store)
    _check(attributes, call.store)
    _check_duplicate(attributes, call.store)
    stored = {"type": "downtime", "id": key, "attributes": attributes}
    call.store["downtime"][key] = stored
    return _whole(stored, call.store)


def _list(call: Call) -> Body:
    current = call.query.get("current_only") == "true"
    listed = active(call.store) if current else list(_remembered(call.store).values())
    start = call.number("page[offset]", 0)
    page = listed[start : start + call.number("page[limit]", _LIMIT)]
    return {
        "data": [_shown(downtime, call.store) for downtime in page],
        "meta": {"page": {"total_filtered_count": len(listed)}},
    }


def _get(call: Call) -> Body:
    return {"data": _shown(_stored(call), call.store)}


def _update(call: Call) -> Body:
    stored = _stored(call)
    if wrong := schema.problem("downtime update", call.fields):
        raise RefusedError(400, wrong)
    if call.fields["data"]["id"] not in ("", call.id):
        raise RefusedError(400, "The id in the body is not the one in the path")
    before, given = stored["attributes"], call.fields["data"].get("attributes", {})
    if before["canceled"]:
        raise RefusedError(400, "cannot update a canceled downtime")
    attributes = {**before, **given, "modified": call.store.timestamp()}
    if "schedule" in given:
        start = before["schedule"].get("start")
        attributes["schedule"] = _schedule(given["schedule"], call.store, before["schedule"])
        running = _shown(stored, call.store)["attributes"]["status"] == "active"
        if running and start and start != attributes["schedule"].get("start"):
            raise RefusedError(400, "Start times of downtimes in progress cannot be changed")
    _check(attributes, call.store)
    stored["attributes"] = attributes
    return _whole(stored, call.store)


def _cancel(call: Call) -> None:
    stored = _remembered(call.store).get(call.id)
    if stored is None or stored["attributes"]["canceled"]:
        raise RefusedError(404, f"Downtime {call.id} not found")
    now = call.store.timestamp()
    stored["attributes"] |= {"canceled": now, "modified": now}


def _stored(call: Call) -> Body:
    try:
        return _remembered(call.store)[call.id]
    except KeyError:
        raise RefusedError(404, "Downtime not found") from None


def _remembered(store: Store) -> dict[str, Body]:
    """All but those that were canceled long ago."""
    oldest = store.clock() - _KEPT_CANCELED
    return {
        key: downtime
        for key, downtime in store["downtime"].items()
        if not (canceled := downtime["attributes"]["canceled"])
        or datetime.fromisoformat(canceled) > oldest
    }


def _check(attributes: Body, store: Store) -> None:
    """That a downtime can be."""
    scope = attributes["scope"]
    if scope != "*" and ":" not in scope:
        raise RefusedError(400, "All values must have a key")
    monitor = attributes["monitor_identifier"].get("monitor_id")
    if monitor is not None and str(monitor) not in store["monitor"]:
        raise RefusedError(400, "Monitor not found")
    attributes["display_timezone"] = attributes["display_timezone"] or "UTC"
    _zone(attributes["display_timezone"])


def _check_duplicate(attributes: Body, store: Store) -> None:
    """That no downtime that is not over says the same."""
    for other in store["downtime"].values():
        shown = _shown(other, store)["attributes"]
        if shown["status"] in ("active", "scheduled") and all(
            other["attributes"][name] == attributes[name] for name in _IDENTITY
        ):
            raise RefusedError(
                400, "This downtime is a duplicate of one or more existing downtimes"
            )


def active(store: Store) -> list[Body]:
    """The downtimes that are in force now."""
    shown = (_shown(downtime, store) for downtime in store["downtime"].values())
    return [downtime for downtime in shown if downtime["attributes"]["status"] == "active"]


def muting(downtimes: list[Body], monitor: Body) -> list[Body]:
    """Those downtimes that mute a monitor, as a monitor shows them; the longest first."""
    mutes = []
    for downtime in downtimes:
        attributes = downtime["attributes"]
        if _mutes(attributes, monitor):
            schedule = attributes["schedule"].get("current_downtime") or attributes["schedule"]
            begins, ends = (
                schedule[name] and int(datetime.fromisoformat(schedule[name]).timestamp())
                for name in ("start", "end")
            )
            mutes.append(
                {
                    "id": downtime["id"], "active": True, "monitor_id": monitor["id"],
                    "start": begins, "end": ends, "scope": [attributes["scope"]], "groups": [],
                }
            )  # fmt: skip
    return sorted(mutes, key=lambda mute: mute["end"] or float("inf"), reverse=True)


def _mutes(attributes: Body, monitor: Body) -> bool:
    identifier = attributes["monitor_identifier"]
    if "monitor_id" in identifier:
        return bool(identifier["monitor_id"] == monitor["id"])
    wanted = set(identifier.get("monitor_tags", ()))
    return "*" in wanted or wanted <= set(monitor["tags"])


def _schedule(given: Body | None, store: Store, before: Body | None = None) -> Body:
    """A schedule with what Datadog adds for good.

    Args:
        before: the one that it replaces: its start stays, unless another is named.
    """
    given, before = given or {}, before or {}
    began, known = before.get("start"), before.get("recurrences", [])
    if "recurrences" not in given:
        start = given.get("start") or began or store.timestamp()
        end = given.get("end")
        begins, ends = _time(start), _time(end) if end else None
        if ends and ends <= begins:
            raise RefusedError(400, "The end of a downtime must be after its start")
        return {"start": begins.isoformat(), "end": ends and ends.isoformat()}
    zone = given.get("timezone", "UTC")
    now = store.clock().astimezone(_zone(zone)).replace(tzinfo=None)
    recurrences = [
        recurrence | {"start": _seconds(recurrence.get("start")) or now.isoformat("T", "seconds")}
        for recurrence in given["recurrences"]
    ]
    for recurrence in recurrences:
        if not re.fullmatch(r"\d+[smhdw]", recurrence["duration"]):
            raise RefusedError(400, f"Invalid duration: {recurrence['duration']}")
        if (
            _time(recurrence["start"]).replace(tzinfo=None) < now - _LATE
            and recurrence not in known
        ):
            raise RefusedError(400, "The start of a recurring downtime must not be in the past")
        _rule(recurrence)
    return {"recurrences": recurrences, "timezone": zone}


def _time(text: str) -> datetime:
    """A point in time; in UTC where the text does not say."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError(400, f"Invalid date: {text}") from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _seconds(start: str | None) -> str | None:
    """A recurrence's start as it is answered: with its seconds."""
    if not start:
        return None
    _time(start)
    return datetime.fromisoformat(start).isoformat("T")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError):
        raise RefusedError(400, f"Invalid timezone: {name}") from None


def _rule(recurrence: Body) -> rrule:
    """When a recurrence begins, in local time."""
    start = datetime.fromisoformat(recurrence["start"]).replace(tzinfo=None)
    try:
        rule = rrulestr(recurrence["rrule"], dtstart=start)
        # An interval of nothing would never come to the next one.
        if not isinstance(rule, rrule) or re.search(r"INTERVAL=0+(;|$)", recurrence["rrule"]):
            raise ValueError
    except (AttributeError, TypeError, ValueError):
        raise RefusedError(400, f"Invalid rrule: {recurrence['rrule']}") from None
    return rule


def _next_window(recurrence: Body, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """When a recurrence is in force: now, or else next; never again for one that is over."""
    duration = recurrence["duration"]
    lasts = timedelta(seconds=int(duration[:-1]) * _UNITS[duration[-1]])
    local = now.astimezone(zone).replace(tzinfo=None)
    begins = _rule(recurrence).after(local - lasts)
    if begins is None:
        never = datetime.fromisoformat(_NEVER)
        return never, never
    start = begins.replace(tzinfo=zone).astimezone(UTC)
    return start, start + lasts


def _shown(stored: Body, store: Store) -> Body:
    """A downtime as it is answered now."""
    now, attributes = store.clock(), dict(stored["attributes"])
    schedule = attributes["schedule"]
    if "recurrences" in schedule:
        zone = ZoneInfo(schedule["timezone"])
        start, end = min(
            _next_window(recurrence, zone, now) for recurrence in schedule["recurrences"]
        )
        current = {"start": start.isoformat(), "end": end.isoformat()}
        attributes["schedule"] = {**schedule, "current_downtime": current}
    else:
        start = datetime.fromisoformat(schedule["start"])
        end = datetime.fromisoformat(schedule["end"] or _NEVER)
    if attributes["canceled"]:
        attributes["status"] = "canceled"
    else:
        attributes["status"] = "scheduled" if now < start else "ended" if end <= now else "active"
    # They come in any order; here in another one each second.
    states = attributes["notify_end_states"]
    turned = int(now.timestamp()) % (len(states) or 1)
    attributes["notify_end_states"] = states[turned:] + states[:turned]
    return {**stored, "attributes": attributes}


def _whole(stored: Body, store: Store) -> Body:
    """An answer to a change: with what a downtime is related to."""
    monitor = stored["attributes"]["monitor_identifier"].get("monitor_id")
    related = {
        "created_by": {"data": {"type": "users", "id": _USER}},
        "monitor": {"data": monitor and {"type": "monitor", "id": str(monitor)}},
    }
    return {"data": _shown(stored, store) | {"relationships": related}, "included": []}


_ONE = "/api/v2/downtime/(?P<id>[0-9a-f-]+)"
ROUTES = (
    Route("POST", "/api/v2/downtime", "monitors_downtime", _create),
    Route("GET", "/api/v2/downtime", "monitors_downtime", _list),
    Route("GET", _ONE, "monitors_downtime", _get),
    Route("PATCH", _ONE, "monitors_downtime", _update),
    Route("DELETE", _ONE, "monitors_downtime", _cancel),
)
