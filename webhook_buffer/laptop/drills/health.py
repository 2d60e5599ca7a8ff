"""Whether a drill may begin, and whether all is well right before its cause."""

from __future__ import annotations

from monitoring.model.signals import Severity
from settings.errors import InputError
from webhook_buffer.laptop.drills.seen import Place, Seen
from webhook_buffer.laptop.drills.traffic import Traffic
from webhook_buffer.laptop.practice import Mode
from webhook_buffer.live.session import Follower, Session
from webhook_buffer.live.webhooks import Attempt


def require_start(place: Place) -> None:
    """Checks that a drill neither hides nor ends what somebody else has caused.

    Raises:
        InputError: When somebody broke the faux backend, or was notified of what is still on.
    """
    mode = place.backend.mode
    if mode != Mode():
        raise InputError(
            f"The faux backend {mode.words}. A drill needs a healthy one; "
            "to restore it: webhook-buffer backend up"
        )
    session = Follower(place.live.session_file).update()
    on = _incidents(place, session) if session else []
    if on:
        raise InputError(
            f"In ALARM: {', '.join(on)}. A drill begins a new session, which would end that "
            "without a repair. See it: webhook-buffer alarms status. Run the drill when it is "
            "over, or start the laptop afresh: webhook-buffer down, then webhook-buffer up"
        )


def _incidents(place: Place, session: Session) -> list[str]:
    """What people were asked to act on and is still on, but for what a drill has caused."""
    names = {whole.name: whole.composite.id for whole in place.alarms.composites}
    for alarm in place.alarms.alarms:
        if set(alarm.topics) - {Severity.INFO.value}:
            names[alarm.name] = alarm.signal.id
    last = {change.alarm: change for change in session.timeline if change.alarm in names}
    return sorted(
        names[change.alarm]
        for change in last.values()
        if change.state == "ALARM" and change.notified and not session.drilled(change.real)
    )


def problem(seen: Seen, traffic: Traffic) -> str | None:
    """What is wrong before the cause, so that nothing would be proven by it; None where all is
    well."""
    session = seen.session()
    on = [
        expected.signal
        for expected in seen.wanted
        if "ALARM"
        in {seen.state(session, named.name) for named in (expected.alarm, expected.notifies)}
    ]
    if on:
        return f"in ALARM already: {', '.join(on)}. See: webhook-buffer alarms status"
    groups = {sent.group for sent in traffic.ledger.sent}
    last = [
        webhook.attempts[-1]
        for webhook in session.webhooks.values()
        if webhook.group in groups and webhook.attempts
    ]
    failing = [attempt for attempt in last if not _succeeded(attempt)]
    if failing:
        why = failing[-1].error or f"status {failing[-1].status}"
        return f"{len(failing)} of {len(last)} webhooks failed ({why}). See: webhook-buffer logs"
    return None


def _succeeded(attempt: Attempt) -> bool:
    return attempt.status is not None and 200 <= attempt.status < 300
