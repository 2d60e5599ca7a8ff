"""What has to hold of a drill, claim by claim, with what was seen."""

from __future__ import annotations

from collections.abc import Sequence

from monitoring.alarm_set import AlarmSet
from monitoring.model.signals import Severity
from webhook_buffer.laptop.drills.model import Expected
from webhook_buffer.laptop.drills.seen import Seen, is_of, marked
from webhook_buffer.laptop.drills.traffic import Traffic
from webhook_buffer.laptop.drills.verdict import Fired, Result
from webhook_buffer.laptop.inbox import Received
from webhook_buffer.live.pace import MINUTE, described
from webhook_buffer.live.session import Session

# Minutes within which users' failures have to page somebody, and real seconds that it may take
# besides.
_PAGE_MINUTES, _NOTIFIED_SECONDS = 3, 5.0


def judge(result: Result, seen: Seen, traffic: Traffic) -> None:
    """Adds every claim to a result."""
    session, received = seen.session(), seen.received()
    result.notified = [seen.notification(session, said) for said in received]
    _signals(result, seen, session)
    for expected in seen.wanted:
        _notified(result, seen, session, expected, received)
    _silence(result, seen, session, received)
    _pagerduty(result, seen, received)
    _page(result, seen, received)
    _webhooks(result, seen, traffic)


def judge_parked(result: Result, seen: Seen, traffic: Traffic) -> None:
    """Adds what has to be parked before the repair, and what has to be delivered beside it."""
    wanted = seen.drill.parks
    if wanted is not None:
        parked = seen.parked(traffic)
        reasons = ", ".join(sorted({webhook.reason for webhook in parked}))
        words = f"{len(parked)}{f' ({reasons})' if reasons else ''}"
        result.claim(f"{wanted or 'nothing'} parked", len(parked) == wanted, words)
    if seen.drill.behind:
        behind = len(seen.deliveries(traffic).behind)
        result.claim(
            f"at least {seen.drill.behind} behind it are delivered meanwhile",
            behind >= seen.drill.behind,
            str(behind),
        )


def _signals(result: Result, seen: Seen, session: Session) -> None:
    limits = {expected.signal: expected.limit for expected in seen.wanted}
    names = {alarm.name: alarm.signal.id for alarm in seen.place.alarms.alarms}
    minutes: dict[str, int] = {}
    for change in seen.fired(session):
        if signal := names.get(change.alarm):
            minutes.setdefault(signal, (change.at - seen.cause_minute) // MINUTE)
    result.fired = [Fired(name, minute, limits.get(name)) for name, minute in minutes.items()]
    for expected in seen.wanted:
        first = minutes.get(expected.signal)
        result.claim(
            f"{expected.signal} is on within {expected.limit} min",
            first is not None and first <= expected.limit,
            "never" if first is None else f"after {first} min",
        )


def _notified(
    result: Result, seen: Seen, session: Session, expected: Expected, received: Sequence[Received]
) -> None:
    for channel in seen.channels(expected):
        on, over = (
            [said for said in received if is_of(said, expected, channel, recovered=recovered)]
            for recovered in (False, True)
        )
        # A topic that reaches people without notify has CloudWatch's own words.
        drilled = channel in seen.drill.through or all(map(marked, [*on, *over]))
        what = "no notification"
        if on:
            what = f"after {seen.notification(session, on[0]).minute:.1f} min"
            what += ", marked as a drill" if drilled else ", not marked as a drill"
        result.claim(f"{channel} is notified of {expected.signal}", bool(on) and drilled, what)
        ended = f"after {seen.notification(session, over[0]).minute:.1f} min" if over else "never"
        result.claim(f"{channel} is notified of its end", bool(over), ended)


def _silence(result: Result, seen: Seen, session: Session, received: Sequence[Received]) -> None:
    on = {fired.signal for fired in result.fired}
    for signal in seen.drill.silent:
        result.claim(
            f"{signal} stays silent",
            signal not in on,
            "it fired" if signal in on else "it was never on",
        )
    titles = {
        title for expected in seen.wanted for title in (*expected.titles, expected.notifies.name)
    }
    for signal in seen.drill.follows:
        titles |= _titles(seen.place.alarms, signal)
    others = [
        said
        for said in received
        if not any(title in said.text for title in titles)
        and said.content.get("event_action") != "resolve"
    ]
    first = f"; {seen.notification(session, others[0]).title}" if others else ""
    result.claim("nobody is notified of anything else", not others,
                 f"{len(others)} notifications{first}")  # fmt: skip


def _titles(alarms: AlarmSet, signal: str) -> set[str]:
    alarm, incident = alarms.alarm(signal), alarms.incident(signal)
    titles = {alarm.signal.title} if alarm else set()
    return titles | ({incident.composite.title} if incident else set())


def _pagerduty(result: Result, seen: Seen, received: Sequence[Received]) -> None:
    channels = seen.place.target.settings.notifications
    pagers = {channel.id for channel in channels if channel.kind == "pagerduty"}
    opened = [
        said
        for said in received
        if said.channel in pagers and said.content.get("event_action") == "trigger"
    ]
    if pagers:
        result.claim("PagerDuty opens no incident", not opened, f"{len(opened)} events")


def _page(result: Result, seen: Seen, received: Sequence[Received]) -> None:
    pages = [
        said.at
        for expected in seen.wanted
        if expected.notifies.severity is Severity.PAGE
        for channel in seen.channels(expected)
        for said in received
        if is_of(said, expected, channel, recovered=False)
    ]
    if pages:
        result.page_seconds = min(pages) - seen.cause
        result.paged = result.page_seconds / result.pace
    if seen.drill.users_notice:
        unscaled = max(expected.after for expected in seen.wanted) + _NOTIFIED_SECONDS
        limit = _PAGE_MINUTES * result.pace + unscaled
        first = result.page_seconds
        result.claim(
            f"a page arrives within {limit:g} s: {_PAGE_MINUTES} min ({described(result.pace)}), "
            f"and {unscaled:g} s that no pace shortens",
            first is not None and first <= limit,
            "never" if first is None else f"after {first:.1f} s",
        )


def _webhooks(result: Result, seen: Seen, traffic: Traffic) -> None:
    sent = seen.deliveries(traffic)
    result.sent, result.accepted = len(traffic.ledger.sent), len(traffic.ledger.accepted)
    result.delivered = sent.delivered
    lost = f"{len(sent.lost)} of {result.accepted} accepted"
    result.claim("nothing is lost", not sent.lost, lost)
    result.claim("nothing is out of order", not sent.out_of_order, f"{len(sent.out_of_order)}")
    if traffic.ledger.dropped:
        result.claim(
            "nothing that was dropped is delivered", not sent.undead, f"{len(sent.undead)}"
        )
