"""``webhook-buffer alarms drill``: set an alarm off, and see who is notified and how."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated

import typer

from settings.errors import InputError
from settings.loader import load
from settings.schema import Settings
from webhook_buffer.cli.options import LOCAL, Env, Yes, alarm_ids
from webhook_buffer.cli.terminal import console, step
from webhook_buffer.composition import alarm_set
from webhook_buffer.laptop import inbox, laptop
from webhook_buffer.laptop.journal import Journal
from webhook_buffer.live import states
from webhook_buffer.live.control import Control
from webhook_buffer.operations import drill as drills
from webhook_buffer.operations import drill_record
from webhook_buffer.operations.drill import SetOff
from webhook_buffer.operations.environment import Environment, outputs

# How long what is set off counts as the drill's. CloudWatch resets an alarm within a minute, and
# until then it can't fire for real; the end of it belongs to what was set off.
_MARKED_SECONDS = 60.0

PagerDuty = Annotated[
    bool, typer.Option("--pagerduty", help="Have PagerDuty open an incident for it, too.")
]


def drill(
    name: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="A signal's id, as `list` shows it; not an incident's.",
            autocompletion=alarm_ids,
        ),
    ],
    env: Env = LOCAL,
    pagerduty: PagerDuty = False,
    yes: Yes = False,
) -> None:
    """Set an alarm off, show the notifications, and let it recover.

    Every notification says that it is a drill. On the laptop they are shown here. On AWS your real
    channels are notified; PagerDuty opens an incident only with --pagerduty.
    """
    settings = load(env)
    what = drills.set_off(alarm_set(settings), name)
    target = laptop.environment(settings)
    outputs(target)  # or there is nothing to set off
    channels = _notified(settings, what, pagerduty=pagerduty)
    if settings.on_laptop:
        _on_laptop(target, what, channels, pagerduty=pagerduty)
    else:
        _on_aws(target, what, channels, pagerduty=pagerduty, yes=yes)


def _on_aws(
    target: Environment, what: SetOff, channels: list[str], *, pagerduty: bool, yes: bool
) -> None:
    drills.check_not_active(target, what)
    if not yes:
        env, said = target.settings.environment, ", ".join(channels) or "no channel"
        typer.confirm(f"Set off {_names(what)} in '{env}' and notify {said}?", abort=True)
    _announce(target, what, pagerduty=pagerduty)
    for part in what.parts:
        drills.force(target, part.name, "ALARM")
    console.print(f"{_names(what)}: in ALARM; CloudWatch resets it by itself.", soft_wrap=True)


def _on_laptop(target: Environment, what: SetOff, channels: list[str], *, pagerduty: bool) -> None:
    """One drill at a time; what it changes is in the journal, as of any other."""
    journal = Journal(laptop.STATE)
    journal.begin(what.alarm.signal.id, target)
    try:
        drills.check_not_active(target, what)
        _show(target, what, channels, journal, pagerduty=pagerduty)
    finally:
        journal.undo(target)


def _announce(target: Environment, what: SetOff, *, pagerduty: bool) -> None:
    """Has notify mark what is set off next."""
    now = time.time()
    marked = dict.fromkeys(what.names, (now, now + _MARKED_SECONDS))
    name = f"alarms drill {what.alarm.signal.id}"
    drill_record.write(target, name, marked, pagerduty=pagerduty)


def _notified(settings: Settings, what: SetOff, *, pagerduty: bool) -> list[str]:
    """The ids of the channels that receive it."""
    quiet = {channel.id for channel in settings.notifications if channel.kind == "pagerduty"}
    return [channel for channel in what.channels if pagerduty or channel not in quiet]


def _show(
    target: Environment, what: SetOff, channels: list[str], journal: Journal, *, pagerduty: bool
) -> None:
    settings = target.settings
    if not channels:
        severity = (what.incident or what.alarm).severity.value
        raise InputError(
            f"No channel of '{settings.environment}' receives '{what.alarm.signal.id}' in a drill. "
            f"Add '{severity}' to a channel's severities in cdk.json."
        )
    through = f" as part of {what.incident.composite.id}" if what.incident else ""
    console.print(f"[bold]{_names(what)}[/] will notify {', '.join(channels)}{through}.",
                  soft_wrap=True)  # fmt: skip
    held = [alarm.name for part in (what.incident.parts if what.incident else ()) for alarm in part]
    journal.note(kind="control", before=asdict(Control.read(laptop.live_alarms().folder)))
    with inbox.opened(target) as received, laptop.held([*what.names, *held]):
        received.settle()
        journal.note(kind="record")
        incident = what.incident.name if what.incident else None
        journal.note(kind="set-off", parts=[part.name for part in what.parts], incident=incident)
        for state in ("ALARM", "OK"):
            received.next_second()
            if state == "ALARM":
                _announce(target, what, pagerduty=pagerduty)
            with step(f"{what.alarm.signal.id} → {state}"):
                _set(target, what, state)
                notifications = received.expect(channels, recovered=state == "OK")
            for notification in notifications:
                console.rule(f"[bold]{notification.channel}[/]", align="left")
                console.print(notification.text, markup=False, soft_wrap=True)


def _set(target: Environment, what: SetOff, state: str) -> None:
    """Sets the parts. While live alarms run, an incident's actions wait for whoever asks."""
    for part in what.parts:
        drills.force(target, part.name, state)
    if what.incident and laptop.live_alarms().running():
        states.perform(target, what.incident.name, state, drills.reason(state))


def _names(what: SetOff) -> str:
    return " and ".join(part.name for part in what.parts)
