"""Alarms as a person reads them: state, why, what was measured, what to do."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from alarmproof.base.alarms import MetricAlarm
from alarmproof.base.errors import AlarmproofError
from alarmproof.evaluate import datapoints
from alarmproof.recordings import Recorded

from lambdas.amounts import amount
from monitoring.alarm_set import Alarm, AlarmSet, CompositeAlarm
from monitoring.datadog.graphs import UNITS
from monitoring.quantities import quantity
from monitoring.resources import UNKNOWN_API
from webhook_buffer.console.reductions import rounded
from webhook_buffer.console.text import sections
from webhook_buffer.live.judge import Judge
from webhook_buffer.live.pace import MINUTE
from webhook_buffer.live.session import Session
from webhook_buffer.live.status import of_laptop

Shown = dict[str, Any]

_CHANGES = 200
_SIDES = {
    "GreaterThanThreshold": "above",
    "GreaterThanOrEqualToThreshold": "at or above",
    "LessThanThreshold": "below",
    "LessThanOrEqualToThreshold": "at or below",
}
_MISSING = {
    "breaching": "A period without data counts as bad.",
    "notBreaching": "A period without data counts as good.",
    "ignore": "Without data the state stays as it is.",
    "missing": "Without data the state is INSUFFICIENT_DATA.",
}


class Alarms:
    """The alarms of one environment, and what a session says of them."""

    def __init__(self, alarms: AlarmSet, judge: Judge) -> None:
        self._set, self._judge = alarms, judge
        every: list[Alarm | CompositeAlarm] = [*alarms.composites, *alarms.alarms]
        self._by_id = {_id(alarm): alarm for alarm in every}
        self.ids = {alarm.name: _id(alarm) for alarm in every}

    @property
    def headings(self) -> Collection[str]:
        """The headings of the runbook."""
        return sections(self._set.runbook.read_text("utf-8")).keys()

    def document(self, session: Session) -> Mapping[str, Any]:
        """Verdicts on a session that no engine judges, in the engine's form."""
        end = int(session.now) // MINUTE * MINUTE
        verdicts = self._judge.judge(session, max(end, session.start))
        return {
            "judged": end,
            "pace": session.clock.pace,
            "verdicts": [
                {n: getattr(verdict, n) for n in verdict.__slots__} for verdict in verdicts
            ],
        }

    def values(self, session: Session) -> Mapping[str, float | None]:
        """The newest value of each alarm by what a session has, by its physical name."""
        return self._judge.newest(session, int(session.now) // MINUTE * MINUTE)

    def listed(self, document: Mapping[str, Any]) -> list[Shown]:
        """Every alarm, those that are on first."""
        listed = []
        for entry in of_laptop(self._set, document):
            alarm = self._by_id[str(entry.id)]
            listed.append(
                {
                    **entry.document(),
                    "severity": alarm.severity.value,
                    "composite": isinstance(alarm, CompositeAlarm),
                    "incident": self._incident(alarm),
                }
            )
        return listed

    def alarm(self, key: str, session: Session, document: Mapping[str, Any]) -> Shown | None:
        """One alarm with all that is known of it; None for an unknown one."""
        alarm = self._by_id.get(key)
        if alarm is None:
            return None
        entry = next((row for row in self.listed(document) if row["id"] == key), None)
        states = {verdict["alarm"]: verdict["state"] for verdict in document["verdicts"]}
        composite = isinstance(alarm, CompositeAlarm)
        signal = alarm.composite if isinstance(alarm, CompositeAlarm) else alarm.signal
        heading = key if composite else str(getattr(signal, "runbook", key))
        return {
            **(entry or {"id": key, "name": alarm.name, "title": signal.title, "state": "unknown"}),
            "impact": signal.impact,
            "why": self._why(alarm, states, entry, session),
            "rule": self._rule(alarm),
            "covers": self._covers(alarm, states),
            "changes": [
                {"at": change.at, "real": change.real, "state": change.state,
                 "reason": change.reason, "notified": change.notified}
                for change in reversed(session.timeline)
                if change.alarm == alarm.name
            ][:_CHANGES],
            "chart": None if isinstance(alarm, CompositeAlarm) else self._chart(alarm, session),
            "runbook": {
                "heading": heading,
                "content": sections(self._set.runbook.read_text("utf-8")).get(heading, []),
            },
        }  # fmt: skip

    def runbook(self, heading: str) -> Shown | None:
        """A section of the runbook, and the alarm it is of; None for an unknown heading."""
        content = sections(self._set.runbook.read_text("utf-8")).get(heading)
        if content is None:
            return None
        alarm = heading if heading in self._by_id else None
        return {"heading": heading, "content": content, "alarm": alarm}

    def _incident(self, alarm: Alarm | CompositeAlarm) -> str | None:
        incident = self._set.incident(_id(alarm))
        return incident.composite.id if incident else None

    def _rule(self, alarm: Alarm | CompositeAlarm) -> str:
        """When it goes on, in words."""
        if isinstance(alarm, CompositeAlarm):
            return "Goes on when any of the combinations below is on."
        signal = alarm.signal
        limit = quantity(alarm.threshold, signal.threshold.unit)
        side = _SIDES.get(signal.comparison.value, "beyond")
        many = "one period"
        if alarm.periods > 1:
            many = f"{signal.datapoints} of {alarm.periods} periods"
        are = "are" if alarm.periods > 1 else "is"
        return (
            f"Goes on when {many} of {quantity(alarm.period, 'Seconds')} {are} {side} {limit}. "
            f"{_MISSING.get(signal.missing.value, '')}"
        )

    def _why(
        self,
        alarm: Alarm | CompositeAlarm,
        states: Mapping[str, str],
        entry: Shown | None,
        session: Session,
    ) -> str:
        """Why it is in its state, in words."""
        if entry is None:
            return "No verdict on it is known yet."
        state, value = entry["state"], entry["value"]
        if session.on_aws and entry["reason"]:
            return f"{entry['reason']} (CloudWatch's words)"
        if isinstance(alarm, CompositeAlarm):
            on = [
                part.signal.id
                for group in alarm.parts
                for part in group
                if states.get(part.name) == "ALARM"
            ]
            said = f"{', '.join(dict.fromkeys(on))} in ALARM." if on else "No part of it is on."
        elif value is None:
            said = f"There were no data in its periods. {_MISSING[alarm.signal.missing.value]}"
        else:
            limit = quantity(alarm.threshold, alarm.signal.threshold.unit)
            bad = {"ALARM": "is bad for long enough", "OK": "is not bad for long enough"}
            said = f"Newest value: {value}; threshold: {limit}. It {bad.get(state, '')}."
        incident = self._incident(alarm)
        if state == "ALARM" and incident:
            said += f" The incident '{incident}' notifies of it."
        if entry["suppressed"]:
            said += f" Nobody is notified: {entry['suppressed']}."
        return said

    def _covers(self, alarm: Alarm | CompositeAlarm, states: Mapping[str, str]) -> list[Shown]:
        """The parts of an incident, or the metrics of an alarm."""
        if isinstance(alarm, CompositeAlarm):
            return [
                {
                    "parts": [
                        {"id": part.signal.id, "title": part.signal.title,
                         "state": states.get(part.name, "unknown")}
                        for part in group
                    ],
                    "unless": [part.signal.id for part in alarm.explained(group)],
                }
                for group in alarm.parts
            ]  # fmt: skip
        return [
            {"metric": f"{measure.namespace} {measure.name}", "statistic": measure.statistic,
             "of": ", ".join(
                 value for value in measure.dimensions.values() if value != UNKNOWN_API
             )}
            for measure in alarm.measures.values()
        ]  # fmt: skip

    def _chart(self, alarm: Alarm, session: Session) -> Shown:
        """What was compared with the threshold, over the session."""
        parsed = next((a for a in self._judge.alarms if a.name == alarm.name), None)
        end = int(session.now) // MINUTE * MINUTE
        # What looks back further begins in what was made up before the session.
        start = max(session.start - alarm.period * alarm.periods, end - 24 * 3600)
        unit = alarm.signal.threshold.unit
        shown: Shown = {
            "unit": UNITS.get(unit, ""), "times": [], "values": [], "threshold": alarm.threshold,
            "side": _SIDES.get(alarm.signal.comparison.value, "beyond"),
            "threshold_words": amount(alarm.threshold, unit),
            "begun": None if session.on_aws else session.start,
        }  # fmt: skip
        if not isinstance(parsed, MetricAlarm) or end <= start:
            return shown
        back = max(0, start - 25 * 3600)
        recorded: Recorded = session.cells.recorded(
            [parsed], start=back, minutes=(end - back) // MINUTE
        )  # fmt: skip
        try:
            values = datapoints(parsed, recorded, start=start, end=end)
        except AlarmproofError as error:
            return shown | {"reason": str(error)}
        times = [end - MINUTE * (len(values) - place) for place in range(len(values))]
        return shown | {"times": times, "values": rounded(values)}


def _id(alarm: Alarm | CompositeAlarm) -> str:
    return alarm.composite.id if isinstance(alarm, CompositeAlarm) else alarm.signal.id
