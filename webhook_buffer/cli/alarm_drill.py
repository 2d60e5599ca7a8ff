"""``webhook-buffer alarms drill``: set an alarm off, and see who is notified and how."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from settings.errors import InputError
from settings.loader import load
from settings.schema import Settings
from webhook_buffer.cli.options import LOCAL, Env, Yes, alarm_ids
from webhook_buffer.cli.terminal import console, step
from webhook_buffer.composition import alarm_set
from webhook_buffer.laptop import inbox, laptop
from webhook_buffer.live import states
from webhook_buffer.operations import drill as drills
from webhook_buffer.operations import drill_record
from webhook_buffer.operations.drill import SetOff
from webhook_buffer.operations.environment import Environment, outputs

# How long what is set off counts as the drill's: CloudWatch resets it within a minute.
_MARKED_SECONDS = 300.0

PagerDuty = Annotated[
    bool, typer.Option("--pagerduty", help="Have PagerDuty open an incident for it, too.")
]


def drill(
    name: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="A signal's id, as `list` shows it.", autocompletion=alarm_ids
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
    alarms = alarm_set(settings)
    what = drills.set_off(alarms, name)
    target = laptop.target(settings)
    outputs(target)  # or there is nothing to set off
    drills.end_other_parts(target, what)
    channels = _notified(settings, what, pagerduty=pagerduty)
    if not settings.on_laptop and not yes:
        said = ", ".join(channels) or "no channel"
        typer.confirm(f"Set off {_names(what)} in '{env}' and notify {said}?", abort=True)
    until = time.time() + _MARKED_SECONDS
    marked = dict.fromkeys(what.names, (time.time(), until))
    drill_record.write(target, f"alarms drill {name}", marked, pagerduty=pagerduty)
    if not settings.on_laptop:
        for part in what.parts:
            drills.force(target, part, "ALARM")
        console.print(f"{_names(what)}: in ALARM; CloudWatch resets it by itself.", soft_wrap=True)
        return
    try:
        _show(target, what, channels)
    finally:
        drill_record.remove(target)


def _notified(settings: Settings, what: SetOff, *, pagerduty: bool) -> list[str]:
    """The ids of the channels that receive it."""
    quiet = {channel.id for channel in settings.notifications if channel.kind == "pagerduty"}
    return [channel for channel in what.channels if pagerduty or channel not in quiet]


def _show(target: Environment, what: SetOff, channels: list[str]) -> None:
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
    with inbox.opened(target) as received, laptop.held([*what.names, *held]):
        _set(target, what, "OK", notify=False)
        received.settle()
        try:
            for state in ("ALARM", "OK"):
                received.next_second()
                with step(f"{what.alarm.signal.id} → {state}"):
                    _set(target, what, state, notify=True)
                    notifications = received.expect(channels, recovered=state == "OK")
                for notification in notifications:
                    console.rule(f"[bold]{notification.channel}[/]", align="left")
                    console.print(notification.text, markup=False, soft_wrap=True)
        finally:
            _set(target, what, "OK", notify=False)


def _set(target: Environment, what: SetOff, state: str, *, notify: bool) -> None:
    """Sets the parts. While live alarms run, an incident's actions wait for whoever asks."""
    for part in what.parts:
        drills.force(target, part, state)
    if notify and what.incident and laptop.live_alarms().running():
        states.perform(target, what.incident.name, state, drills.reason(state))


def _names(what: SetOff) -> str:
    return " and ".join(part.name for part in what.parts)
