"""``webhook-buffer alarms``: list, explain and set off alarms."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from monitoring import cost, wording
from monitoring.alarm_guide import steps, steps_of
from monitoring.alarm_set import Alarm, AlarmSet, CompositeAlarm
from settings.loader import load
from webhook_buffer.cli import alarm_drill, alarm_status, alarmproof, recording
from webhook_buffer.cli.alarm_tables import notified_as, show_alarms, show_cost, show_incidents
from webhook_buffer.cli.benchmark import bench
from webhook_buffer.cli.options import LOCAL, Env, Json, alarm_ids
from webhook_buffer.cli.terminal import console, show
from webhook_buffer.composition import checked
from webhook_buffer.operations import drill

alarms_app = typer.Typer(rich_markup_mode=None)

alarmproof.add_to(alarms_app)
alarms_app.command()(bench)


@alarms_app.command("list")
def list_alarms(env: Env = LOCAL, as_json: Json = False) -> None:
    """List every alarm and incident, and the monthly cost; a wide terminal shows more columns."""
    alarms = checked(load(env))
    if as_json:
        console.print_json(data=_document(alarms))
        return
    show_alarms(alarms)
    show_incidents(alarms)
    for reason, signals in by_reason(alarms).items():
        console.print(f"Left out: {', '.join(signals)}: {reason}")
    show_cost(alarms)
    console.print("Details: webhook-buffer alarms show ID; failure modes: docs/alarms.md")


@alarms_app.command("show")
def show_alarm(
    name: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="A signal's or incident's id, as `list` shows it.",
            autocompletion=alarm_ids,
        ),
    ],
    env: Env = LOCAL,
    as_json: Json = False,
) -> None:
    """Explain one alarm: when and why it fires, who is notified, and the first steps."""
    alarms = checked(load(env))
    composite = next(
        (candidate for candidate in alarms.composites if candidate.composite.id == name), None
    )
    if as_json:
        document = _incident(composite, alarms) if composite else _explained(alarms, name)
        console.print_json(data=document)
        return
    rows = _of_composite(composite, alarms) if composite else _of_alarm(alarms, name)
    show([(name, _text(value)) for name, value in rows])


alarms_app.command("drill")(alarm_drill.drill)
alarms_app.command("status")(alarm_status.status)
alarms_app.command("record")(recording.record)
alarms_app.command("record-failures")(recording.record_failures)


def by_reason(alarms: AlarmSet) -> dict[str, list[str]]:
    """What is left out, by reason."""
    signals: dict[str, list[str]] = {}
    for signal, reason in alarms.left_out.items():
        signals.setdefault(reason, []).append(signal)
    return signals


def _document(alarms: AlarmSet) -> dict[str, Any]:
    """What `list` shows, for other programs."""
    return {
        "alarms": [_entry(alarm, alarms) for alarm in alarms.alarms],
        "incidents": [_incident(composite, alarms) for composite in alarms.composites],
        "leftOut": dict(alarms.left_out),
        "dollarsPerMonth": round(cost.total(cost.monthly(alarms)), 2),
    }


def _entry(alarm: Alarm, alarms: AlarmSet) -> dict[str, Any]:
    incident = alarms.incident(alarm.signal.id)
    return {
        "id": alarm.signal.id,
        "name": alarm.name,
        "title": alarm.signal.title,
        "condition": wording.condition(alarm),
        "severity": alarm.severity.value,
        "incident": incident.composite.id if incident else None,
        "covers": [mode.key for mode in alarm.signal.covers],
        "dollarsPerMonth": round(cost.of_alarm(alarm), 2),
    }


def _explained(alarms: AlarmSet, name: str) -> dict[str, Any]:
    """What `show` shows of an alarm, for other programs."""
    what = drill.set_off(alarms, name)
    alarm, channels = what.alarm, list(what.channels)
    signal = alarm.signal
    return {
        **_entry(alarm, alarms),
        "impact": signal.impact,
        "threshold": alarm.threshold,
        "unit": signal.threshold.unit,
        "reason": signal.threshold.reason,
        "expression": alarm.expression,
        "metrics": [
            {
                "id": query,
                "namespace": measure.namespace,
                "name": measure.name,
                "statistic": measure.statistic,
                "dimensions": dict(measure.dimensions),
            }
            for query, measure in alarm.measures.items()
        ],
        "missingData": signal.missing.value,
        "evaluatedBy": signal.evaluated_by.value,
        "notifies": channels,
        "firstSteps": steps_of(alarm, alarms),
        "runbook": f"{alarms.settings.runbookUrl}#{signal.runbook}",
    }


def _incident(alarm: CompositeAlarm, alarms: AlarmSet) -> dict[str, Any]:
    composite = alarm.composite
    return {
        "id": composite.id,
        "name": alarm.name,
        "title": composite.title,
        "impact": composite.impact,
        "severity": composite.severity.value,
        "activeWhile": wording.parts(alarm),
        "silentDuring": composite.suppressed_by,
        "firstSteps": steps(composite.id, alarms),
    }


def _text(value: str | list[str]) -> str:
    """A value for a table; lists are numbered."""
    if isinstance(value, str):
        return value
    return "\n".join(f"{n}. {text}" for n, text in enumerate(value, start=1))


def _of_alarm(alarms: AlarmSet, name: str) -> list[tuple[str, str | list[str]]]:
    what = drill.set_off(alarms, name)
    alarm, channels = what.alarm, list(what.channels)
    signal = alarm.signal
    metrics = [
        f"{query}: {measure.namespace} {measure.name} {measure.statistic} "
        + ", ".join(f"{key}={value}" for key, value in measure.dimensions.items())
        for query, measure in alarm.measures.items()
    ]
    return [
        ("Alarm", alarm.name),
        ("What is wrong", signal.title),
        ("Impact", signal.impact),
        ("Condition", wording.condition(alarm)),
        ("Expression", alarm.expression or "the metric, unchanged"),
        ("Metrics", "\n".join(metrics)),
        ("Why this number", signal.threshold.reason),
        ("Missing data", f"{wording.missing(alarm)}: {signal.missing_reason}"),
        ("Severity", alarm.severity.value),
        ("Evaluated by", wording.EVALUATORS[signal.evaluated_by]),
        ("Notified as", notified_as(alarms, name)),
        ("Notifies", ", ".join(channels) or "no channel; see 'notifications' in docs/settings.md"),
        ("Covers", "\n".join(f"{mode}: {mode.description}" for mode in signal.covers)),
        ("First steps", steps_of(alarm, alarms)),
        ("Runbook", f"{alarms.settings.runbookUrl}#{signal.runbook}"),
        ("Cost", f"${cost.of_alarm(alarm):.2f} a month"),
    ]


def _of_composite(alarm: CompositeAlarm, alarms: AlarmSet) -> list[tuple[str, str | list[str]]]:
    composite = alarm.composite
    silent = composite.suppressed_by
    return [
        ("Alarm", alarm.name),
        ("What is wrong", composite.title),
        ("Impact", composite.impact),
        ("Active while", wording.parts(alarm)),
        ("Silent during", silent or "-"),
        ("Severity", alarm.severity.value),
        ("First steps", steps(composite.id, alarms)),
    ]
