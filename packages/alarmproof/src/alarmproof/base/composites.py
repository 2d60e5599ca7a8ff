"""Composite alarms: rules over the states of other alarms, and suppressed actions.

Source: CloudWatch API reference, PutCompositeAlarm (rules); CloudWatch user guide, "Suppressing
composite alarm actions" (wait and extension).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

from alarmproof.base.alarms import AnyAlarm, CompositeAlarm, State
from alarmproof.base.errors import InputError, NotSupportedError, SyntaxProblemError
from alarmproof.base.history import Change, History, Notification

# Whether a rule holds, by the states of all alarms.
Rule = Callable[[Mapping[str, State]], bool]

_TOKEN = re.compile(r'\s*(?:"([^"]*)"|\'([^\']*)\'|([(),])|([^\s(),"\']+))')
# Source: CloudWatch API reference, PutCompositeAlarm, AlarmRule.
_LONGEST = 10_240
_STATES = {"ALARM": State.ALARM, "OK": State.OK, "INSUFFICIENT_DATA": State.INSUFFICIENT_DATA}


@lru_cache(maxsize=4096)
def parse(rule: str) -> tuple[Rule, frozenset[str]]:
    """A rule, and the names of the alarms in it.

    Raises:
        NotSupportedError: When it can't be read.
    """
    if len(rule) > _LONGEST:
        raise SyntaxProblemError(f"alarm rule '{rule[:40]}…': longer than {_LONGEST} characters")
    try:
        return _Parser(rule).parse()
    except RecursionError:
        raise NotSupportedError(f"alarm rule '{rule[:40]}…': nested too deeply") from None


def written_names(alarm: CompositeAlarm) -> frozenset[str]:
    """The alarms that a composite alarm names, its suppressor among them, as they are written.

    None where its rule can't be read.
    """
    try:
        names = parse(alarm.rule)[1]
    except NotSupportedError:
        names = frozenset()
    return names | {alarm.suppressor} if alarm.suppressor else names


def parts(alarm: CompositeAlarm) -> frozenset[str]:
    """The names of the alarms that a composite alarm depends on; see ``written_names``."""
    return frozenset(map(alarm.part, written_names(alarm)))


def _rule(alarm: CompositeAlarm) -> Rule:
    """An alarm's rule.

    Raises:
        NotSupportedError: When it can't be read; with the alarm.
    """
    try:
        return parse(alarm.rule)[0]
    except NotSupportedError as error:
        raise NotSupportedError(f"{alarm.source}: {error}") from None


def with_parts(alarms: Iterable[AnyAlarm], among: Iterable[AnyAlarm]) -> list[AnyAlarm]:
    """Alarms, and all of those at hand that their rules and suppressors lead to.

    Raises:
        NotSupportedError: When a rule can't be read.
    """
    by_name = {alarm.name: alarm for alarm in among}
    needed: dict[str, AnyAlarm] = {}
    pending = list(alarms)
    while pending:
        alarm = pending.pop()
        if alarm.name not in needed:
            needed[alarm.name] = alarm
            if isinstance(alarm, CompositeAlarm):
                _rule(alarm)
                pending += [by_name[name] for name in sorted(parts(alarm)) if name in by_name]
    return list(needed.values())


class _Parser:
    """Recursive descent; OR binds least, then AND, then NOT."""

    def __init__(self, rule: str) -> None:
        self._rule = rule
        self._tokens = []
        position, text = 0, rule.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if not match:
                raise self._error(f"'{text[position:][:10]}' can't be read")
            quoted = match[1] if match[1] is not None else match[2]
            self._tokens.append((quoted if quoted is not None else match[3] or match[4], quoted))
            position = match.end()
        self._at = 0
        self._names: set[str] = set()

    def parse(self) -> tuple[Rule, frozenset[str]]:
        rule = self._any()
        if self._at < len(self._tokens):
            raise self._error(f"'{self._tokens[self._at][0]}' is not expected")
        return rule, frozenset(self._names)

    def _error(self, what: str) -> SyntaxProblemError:
        return SyntaxProblemError(f"alarm rule '{self._rule}': {what}")

    def _peek(self) -> str:
        if self._at >= len(self._tokens) or self._tokens[self._at][1] is not None:
            return ""
        return self._tokens[self._at][0].upper()

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise self._error("it ends too early")
        self._at += 1
        return self._tokens[self._at - 1][0]

    def _expect(self, sign: str) -> None:
        token = self._next()
        if token != sign:
            raise self._error(f"'{sign}' is expected in place of '{token}'")

    def _any(self) -> Rule:
        parts = [self._all()]
        while self._peek() == "OR":
            self._next()
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else lambda states: any(part(states) for part in parts)

    def _all(self) -> Rule:
        parts = [self._one()]
        while self._peek() == "AND":
            self._next()
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda states: all(part(states) for part in parts)

    def _one(self) -> Rule:
        word = self._peek()
        if word == "NOT":
            self._next()
            inner = self._one()
            return lambda states: not inner(states)
        if word == "(":
            self._next()
            inner = self._any()
            self._expect(")")
            return inner
        if word in ("TRUE", "FALSE"):
            self._next()
            return lambda _: word == "TRUE"
        if word in _STATES:
            self._next()
            self._expect("(")
            name = self._name()
            self._expect(")")
            return lambda states: states[name] is _STATES[word]
        if word == "AT_LEAST":
            self._next()
            return self._at_least()
        raise self._error(f"'{self._next()}' is not expected")

    def _name(self) -> str:
        name = self._next()
        name = name.partition(":alarm:")[2] or name
        self._names.add(name)
        return name

    def _at_least(self) -> Rule:
        """``AT_LEAST(2, ALARM, (a, b, c))``, or a share: ``AT_LEAST(50%, …)``."""
        self._expect("(")
        number = self._next()
        self._expect(",")
        word = self._next().upper()
        negated = word == "NOT"
        word = self._next().upper() if negated else word
        if word not in _STATES:
            raise self._error(f"'{word}' is not a state")
        self._expect(",")
        self._expect("(")
        names = [self._name()]
        while self._peek() == ",":
            self._next()
            names.append(self._name())
        self._expect(")")
        self._expect(")")
        share = number.endswith("%")
        try:
            least = float(number.rstrip("%")) / 100 * len(names) if share else float(number)
        except ValueError:
            raise self._error(f"'{number}' is not a number") from None
        return lambda states: (
            sum((states[name] is _STATES[word]) is not negated for name in names) >= least
        )


def histories(
    alarms: Sequence[CompositeAlarm],
    others: Mapping[str, History],
    *,
    start: int,
    end: int,
    initial: Mapping[str, State],
) -> dict[str, History]:
    """The histories of composite alarms, from those of the others.

    Raises:
        InputError: When one names an alarm that does not exist, or they refer to each other in a
            circle.
        NotSupportedError: When a rule can't be read.
    """
    rules = {}
    for alarm in alarms:
        rule = _rule(alarm)
        if alarm.refusal:
            raise NotSupportedError(f"{alarm.source}: not evaluated, because {alarm.refusal}.")
        rules[alarm.name] = (alarm, rule, parts(alarm))
    evaluated: dict[str, History] = {}
    waiting: list[str] = []

    def history(name: str, of: AnyAlarm | None) -> History:
        if name in others:
            return others[name]
        if name not in rules:
            where = f"{of.source}: " if of else ""
            raise InputError(
                f"{where}the alarm '{name}' is not in the templates; add the one that has it."
            )
        if name not in evaluated:
            alarm, rule, names = rules[name]
            if name in waiting:
                raise InputError(
                    f"{alarm.source}: composite alarms refer to each other in a circle."
                )
            waiting.append(name)
            made = {part: history(part, alarm) for part in sorted(names)}
            before = initial.get(name)
            evaluated[name] = _history(alarm, rule, made, start, end, before)
        return evaluated[name]

    for alarm in alarms:
        history(alarm.name, None)
    return evaluated


def _history(
    alarm: CompositeAlarm,
    rule: Rule,
    parts: Mapping[str, History],
    start: int,
    end: int,
    initial: State | None,
) -> History:
    states = {name: part.initial for name, part in parts.items()}
    written = {name: alarm.part(name) for name in written_names(alarm)}

    def holds() -> bool:
        return rule({name: states[part] for name, part in written.items()})

    state = initial or (State.ALARM if holds() else State.OK)
    if initial is None and all(state is State.INSUFFICIENT_DATA for state in states.values()):
        state = State.INSUFFICIENT_DATA
    begun = state
    events: dict[int, list[tuple[str, Change]]] = {}
    for name, part in parts.items():
        for change in part.changes:
            events.setdefault(change.at, []).append((name, change))
    changes = []
    for at in sorted(events):
        for name, change in events[at]:
            states[name] = change.state
        now = State.ALARM if holds() else State.OK
        if now is not state:
            state = now
            causes = ", ".join(f"{name} to {change.state}" for name, change in events[at])
            changes.append(Change(at, state, f"Alarm rule re-evaluated after: {causes}."))
    suppressor = parts.get(alarm.part(alarm.suppressor)) if alarm.suppressor else None
    performed = _performed(alarm, changes, suppressor, end)
    notifications = tuple(
        Notification(at, alarm.name, now, action)
        for at, now in performed
        for action in alarm.actions(now)
    )
    return History(alarm, start, end, begun, tuple(changes), notifications)


def _performed(
    alarm: CompositeAlarm,
    changes: Sequence[Change],
    suppressor: History | None,
    end: int,
) -> list[tuple[int, State]]:
    """When actions are performed, and for which state.

    A change waits for the suppressor to go to ALARM; while it is there nothing is done; after it
    the extension runs. Another change discards what runs and starts the wait again. Then the
    actions of the state of that time are performed, if it changed since they were performed last.
    """
    if suppressor is None:
        return [(change.at, change.state) for change in changes]
    changed = {change.at: change.state for change in changes}
    times = sorted({*changed, *(change.at for change in suppressor.changes)})
    performed: list[tuple[int, State]] = []
    before = suppressor.initial
    due: int | None = None
    pending: State | None = None
    for at in [*times, end + 1]:
        if due is not None and due < at:
            if pending and due <= end:
                performed.append((due, pending))
                pending = None
            due = None
        if at > end:
            break
        now = suppressor.state(at)
        if at in changed:
            pending = changed[at]
        if now is State.ALARM:
            due = None
        elif at in changed:
            due = at + alarm.wait
        elif before is State.ALARM:
            due = at + alarm.extension
        before = now
    return performed
