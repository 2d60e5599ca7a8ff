"""The notification of an alarm for a person: pure, and the same for every channel.

CloudWatch says which alarm changed and why; the guides, written along with the alarms, add what
that means and what to do. An alarm without a guide is described in CloudWatch's words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from lambdas.alarm_events import ALARM, OK, SEVERITIES, Reading, Transition
from lambdas.alarm_guide import AlarmGuide, AlarmGuides
from lambdas.amounts import duration, ordinal, threshold_in, value_in
from lambdas.blocking import MOST, Webhook, plain
from lambdas.links import command_for_log, links_of

_QUARTER_OF_AN_HOUR = 15 * 60 * 1000
_DRILL, _RECOVERED = "DRILL", "Recovered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """The content of every channel's message.

    Attributes:
        state: ``ALARM`` or ``OK``.
        signal: the signal's id; None for an alarm without a guide.
        title: what is wrong, in a few words.
        incident: the title of the alarm itself, where ``title`` is that of one of its parts.
        changed_at: milliseconds since the epoch; so are the other times.
        since: the start of the incident; None when unknown.
        times: how often the alarm has fired in this incident.
        recovered_at: when the alarm recovered, if an ALARM arrives after that.
        value, threshold: in words, with their unit; a count says what it counts.
        reason: CloudWatch's sentence, where there is no value.
        also: other parts that are firing.
        webhooks: those that it is about, as ``lambdas.blocking`` finds them.
        steps: what to do first; commands stand in backticks.
        log_command: what shows more of the log on a laptop, which has no console.
        links: ``runbook``, ``logs``, ``dashboard`` and ``alarm``, those there are.
        drill: whether a drill set it off.
    """

    state: str
    severity: str
    alarm: str
    signal: str | None
    title: str
    incident: str | None
    service: str
    environment: str
    now: int
    changed_at: int
    since: int | None
    times: int
    recovered_at: int | None
    value: str | None
    threshold: str | None
    reason: str | None
    impact: str | None
    steps: tuple[str, ...]
    also: tuple[str, ...]
    log_command: str | None
    links: Mapping[str, str]
    webhooks: tuple[Webhook, ...] = ()
    drill: bool = False

    @property
    def named(self) -> str:
        """The title, marked where it is an incident's end, or a drill's."""
        said = f"{_RECOVERED}: {self.title}" if self.recovered else self.title
        return f"{_DRILL}: {said}" if self.drill else said

    @property
    def recovered(self) -> bool:
        return self.state == OK

    @property
    def lasted_seconds(self) -> float | None:
        """How long the incident lasted, once it is over."""
        known = self.recovered and self.since is not None
        return max(0, self.changed_at - (self.since or 0)) / 1000 if known else None

    @property
    def headline(self) -> str:
        label = "RECOVERED" if self.recovered else self.severity.upper()
        label = f"{_DRILL} {label}" if self.drill else label
        return f"{label} {self.service} {self.environment}: {self.title}"

    @property
    def measured(self) -> str | None:
        """``62 % of the attempts failed, threshold 50 %``."""
        if self.drill and not (self.value or self.recovered):
            return "no measurement: this is a drill"
        if self.value and self.threshold:
            return f"{self.value}, threshold {self.threshold}"
        return self.value

    @property
    def summary(self) -> str:
        """The essentials, in one or two sentences."""
        said = self._said
        return f"{_DRILL}: {said}" if self.drill else said

    @property
    def _said(self) -> str:
        what = f"{self.title} in {self.environment}"
        if self.recovered:
            if self.lasted_seconds is None:
                return f"{_RECOVERED}: {what}. Its duration is unknown."
            return f"{_RECOVERED}: {what}. It lasted {duration(self.lasted_seconds)}."
        said = f"{what} since {self.clock(self.changed_at)}"
        said += f": {self.measured}." if self.measured else "."
        if self.times > 1 and self.since is not None:
            said += f" This is the {ordinal(self.times)} time since {self.clock(self.since)}."
        if self.recovered_at is not None:
            said += f" It recovered at {self.clock(self.recovered_at)}."
        return said

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """Everything beside the summary: labels and texts."""
        said = {
            "Incident": self.incident,
            "Impact": None if self.recovered else self.impact,
            "Now": self.measured if self.recovered else None,
            "Also firing": "; ".join(self.also),
            "Webhooks": "; ".join(self._webhooks),
            "CloudWatch says": self.reason,
            "Logs": self.log_command
            and f"`{self.log_command}`; add `--group GROUP` to see one group only",
        }
        return tuple((label, text) for label, text in said.items() if text)

    @property
    def _webhooks(self) -> list[str]:
        """``message `m` of group `g`, since 03:12 UTC``."""
        named = [
            f"message `{plain(webhook.message_id)}` of group `{plain(webhook.group_id)}`"
            + (f", since {self.clock(webhook.since)}" if webhook.since is not None else "")
            for webhook in self.webhooks[:MOST]
        ]
        return [*named, "and more"] if len(self.webhooks) > MOST else named

    def clock(self, at: int) -> str:
        """``03:12 UTC``, with the date if it is not today."""
        moment, today = (
            datetime.fromtimestamp(moment_ms / 1000, UTC) for moment_ms in (at, self.now)
        )
        return (
            f"{moment:%H:%M} UTC"
            if moment.date() == today.date()
            else f"{moment:%Y-%m-%d %H:%M} UTC"
        )


def build(
    transition: Transition,
    guides: AlarmGuides,
    *,
    parts: Sequence[Reading] = (),
    webhooks: tuple[Webhook, ...] = (),
    since: int | None,
    times: int = 1,
    recovered_at: int | None = None,
    drill: bool = False,
    now: int,
) -> Notification:
    """The notification of a transition.

    Args:
        parts: the parts of a composite alarm that are firing.
        webhooks, since, times, recovered_at, drill: as the notification has them.
        now: milliseconds since the epoch.
    """
    about = _subject(transition, guides, parts)
    own, guide = about.own, about.guide
    over = transition.state == OK
    unit = guide.unit if guide else "Count"
    value = value_in(about.reading.reason, unit, guide.counted if guide else "")
    window = _window(transition, since=since, recovered_at=recovered_at, now=now)
    return Notification(
        state=transition.state,
        severity=severity(transition, guides),
        alarm=transition.alarm,
        signal=own.id if own else None,
        title=guide.title if guide else _title(transition),
        incident=own.title if own and about.part else None,
        service=guides.service,
        environment=guides.environment,
        now=now,
        changed_at=transition.changed_at,
        since=since,
        times=times,
        recovered_at=recovered_at,
        value=value,
        threshold=threshold_in(about.reading, unit),
        reason=None if value or drill or (over and own) else about.reading.reason or None,
        impact=own.impact if own else transition.description or None,
        steps=guide.steps if guide and not over else (),
        also=about.also,
        log_command=command_for_log(guides, guide, window, now),
        links=links_of(transition, guides, guide, window),
        webhooks=webhooks,
        drill=drill,
    )


def has_value(transition: Transition) -> bool:
    """Whether CloudWatch's sentence has a value; one that somebody set by hand has none."""
    return value_in(transition.reading.reason, "Count") is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """What a transition is about.

    Attributes:
        own: the guide of the alarm itself; None for an alarm the guides do not know.
        part: the part of a composite alarm that explains most, if one is on.
        guide: the part's guide, else the alarm's own.
        reading: the part's, else the alarm's own.
        also: titles of the other parts that are on, each once: a burn rate's windows share one.
    """

    own: AlarmGuide | None
    part: Reading | None
    guide: AlarmGuide | None
    reading: Reading
    also: tuple[str, ...]


def _subject(transition: Transition, guides: AlarmGuides, parts: Sequence[Reading]) -> _Subject:
    own = guides.alarms.get(transition.alarm)
    on = _in_order(parts, own) if transition.state == ALARM else []
    part = next((reading for reading in on if reading.alarm in guides.alarms), None)
    reading = part or transition.reading
    if own and own.parts and not part:
        # A composite has no threshold of its own; the emulator says 0.
        reading = replace(reading, threshold=None)
    guide = guides.alarms[part.alarm] if part else own
    titles = [
        guides.alarms[other.alarm].title if other.alarm in guides.alarms else other.alarm
        for other in on
    ]
    also = tuple(title for title in dict.fromkeys(titles) if not guide or title != guide.title)
    return _Subject(own=own, part=part, guide=guide, reading=reading, also=also)


def _window(
    transition: Transition, *, since: int | None, recovered_at: int | None, now: int
) -> tuple[int, int]:
    """Which logs to look at: from before the incident until its end, or until now."""
    start, end = transition.changed_at, now if recovered_at is None else recovered_at
    if transition.state == OK:
        start, end = start if since is None else since, transition.changed_at
    return start - _QUARTER_OF_AN_HOUR, end


def severity(transition: Transition, guides: AlarmGuides) -> str:
    """From the topic, else from the guides; the worst when neither has it."""
    guide = guides.alarms.get(transition.alarm)
    return transition.severity or (guide.severity if guide else SEVERITIES[0])


def _in_order(parts: Sequence[Reading], guide: AlarmGuide | None) -> list[Reading]:
    """The parts in the guide's order, the most specific first."""
    order = guide.parts if guide else ()
    known = {part.alarm: part for part in parts}
    return [known[name] for name in order if name in known]


def _title(transition: Transition) -> str:
    name = transition.alarm
    return f"Alarm {name}" if transition.readable else "A message that is not from an alarm"
