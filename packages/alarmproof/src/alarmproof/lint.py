"""Finds alarms that are dead or dangerous, by the rules of ``alarmproof.rules``."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

from alarmproof import advice, yaml_nodes
from alarmproof.base import bounded_yaml, files
from alarmproof.base.alarms import AnyAlarm
from alarmproof.base.defaults import MAX_REACTION
from alarmproof.base.definitions import Templates, is_called
from alarmproof.base.errors import InputError
from alarmproof.base.own_metrics import OwnMetrics
from alarmproof.rules import RULES
from alarmproof.rules.context import Context
from alarmproof.rules.outside import ASKED, unknown_type
from alarmproof.rules.outside import allowance as allowance_rule
from alarmproof.rules.registry import ERROR, NOTE, Hit, Rule, Severity

METADATA = "alarmproof"
_AS_DECLARED: Mapping[str, Severity | None] = {}
_NO_PATTERNS: Mapping[str, re.Pattern[str]] = {}


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem, mostly of an alarm.

    Attributes:
        alarm: its name, unique among those read together; another resource's logical id where the
            finding is about that.
        file, line: where it is defined; the line counted from 1.
        message: what is wrong here, in a sentence.
        remedy: what to do, in a sentence.
        strict: whether it fails with ``--strict``.
        shared: how the message begins for other alarms as well, and how it goes on for this one.
        logical_id: of the alarm, which other files that are read do not change.
    """

    rule: str
    severity: Severity
    alarm: str
    file: str
    line: int
    message: str
    remedy: str
    strict: bool = True
    shared: tuple[str, str] | None = None
    logical_id: str = ""


@dataclass(frozen=True, slots=True)
class Allowance:
    """A finding that is intended.

    Attributes:
        rule: an id, or a pattern with ``*``.
        alarm: name, logical id or end of the name; or a pattern with ``*``.
        source, line: where it stands, the line counted from 1.
        until: the last day that it holds; None for always.
    """

    rule: str
    alarm: str
    reason: str
    source: str
    until: date | None = None
    line: int = 1

    def allows(self, rule: str, subject: AnyAlarm | str) -> bool:
        """Whether it is about this rule and this alarm, or another resource's logical id."""
        if isinstance(subject, str):
            return fnmatchcase(rule, self.rule) and fnmatchcase(subject, self.alarm)
        return fnmatchcase(rule, self.rule) and _is_meant(self.alarm, subject)

    @property
    def expired(self) -> bool:
        """Whether its last day is over."""
        return self.until is not None and self.until < date.today()


def lint(
    templates: Templates,
    *,
    max_reaction: int = MAX_REACTION,
    allowances: Sequence[Allowance] = (),
    severities: Mapping[str, Severity | None] = _AS_DECLARED,
    patterns: Mapping[str, re.Pattern[str]] = _NO_PATTERNS,
    own_metrics: Sequence[OwnMetrics] = (),
    outside: Sequence[Finding] = (),
) -> list[Finding]:
    """Everything that is wrong, in the order of the alarms.

    Args:
        max_reaction: seconds within which a breach has to set an alarm off.
        allowances: beyond those in the templates' metadata.
        severities: of rules, in place of their own; None switches a rule off.
        patterns: ``name`` and ``runbook``, which names and runbook links have to match.
        own_metrics: what something outside of the templates publishes.
        outside: what asking CloudWatch and for the runbooks has found.
    """
    context = Context(templates, max_reaction, patterns, own_metrics)
    given = [*allowances, *_in_metadata(templates)]
    off = {name for name, severity in severities.items() if severity is None}
    used: set[Allowance] = set()
    alarms = {alarm.name: alarm for alarm in templates.alarms}
    findings: list[Finding] = []
    for alarm in templates.alarms:
        for rule in RULES:
            severity = severities.get(rule.id, rule.severity)
            hits = _hits(rule, context, alarm) if severity else []
            if not hits:
                continue
            if not _is_allowed(rule.id, alarm, given, used):
                fixed = severity if rule.id in severities else None
                findings += [_finding(rule, alarm, hit, fixed, templates) for hit in hits]
        if alarm.variants and "not-evaluated" not in off:
            findings.append(_undecided(alarm))
    for finding in (*_unread(templates, off), *_faults(templates), *outside):
        severity = severities.get(finding.rule, finding.severity)
        subject = alarms.get(finding.alarm, finding.alarm)
        if severity and not _is_allowed(finding.rule, subject, given, used):
            logical_id = subject if isinstance(subject, str) else subject.source.logical_id
            findings.append(replace(finding, severity=severity, logical_id=logical_id))
    if "allowance" in off:
        return findings
    return [*findings, *_of_allowances(given, used)]


def _is_allowed(
    rule: str, subject: AnyAlarm | str, given: Sequence[Allowance], used: set[Allowance]
) -> bool:
    """Whether an allowance that holds is for a finding; all that are for it become used."""
    allowing = [allowance for allowance in given if allowance.allows(rule, subject)]
    used.update(allowing)
    return any(allowance.reason.strip() and not allowance.expired for allowance in allowing)


def failed(findings: Sequence[Finding], *, strict: bool) -> bool:
    """Whether findings are a failure: errors are; with ``strict`` also what was not judged."""
    return any(finding.severity == ERROR or (strict and finding.strict) for finding in findings)


def _hits(rule: Rule, context: Context, alarm: AnyAlarm) -> list[Hit]:
    """A rule's findings for an alarm, in whichever world; each sentence once."""
    by_world = [_in_world(rule, context, variant) for variant in (alarm, *alarm.variants)]
    if rule.everywhere and not all(by_world):
        return []
    by_message: dict[str, Hit] = {}
    for world, hits in zip((alarm, *alarm.variants), by_world, strict=True):
        for hit in hits:
            always = not alarm.variants or all(hit in others for others in by_world)
            message = hit.message if always else f"With {world.world}: {hit.message}"
            by_message.setdefault(message, replace(hit, message=message))
    return list(by_message.values())


def _in_world(rule: Rule, context: Context, alarm: AnyAlarm) -> list[Hit]:
    try:
        return [Hit(hit) if isinstance(hit, str) else hit for hit in rule.check(context, alarm)]
    except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
        return [
            Hit(
                f"{rule.id} can't judge it, because a resource beside it is malformed ({error}).",
                NOTE,
                "Correct the resource.",
            )
        ]


def _undecided(alarm: AnyAlarm) -> Finding:
    """That an alarm is one of several, and no value says which."""
    return Finding(
        "not-evaluated",
        NOTE,
        alarm.name,
        alarm.source.file,
        alarm.source.line,
        f"It is not evaluated, because {alarm.refusal}.",
        "Give the value; every rule was applied to each case.",
        logical_id=alarm.source.logical_id,
    )


def _finding(
    rule: Rule, alarm: AnyAlarm, hit: Hit, fixed: Severity | None, templates: Templates
) -> Finding:
    return Finding(
        rule.id,
        fixed or hit.severity or rule.severity,
        alarm.name,
        alarm.source.file,
        alarm.source.line,
        advice.message(hit.message, alarm),
        advice.remedy(hit.remedy or rule.remedy, alarm, templates),
        rule.strict,
        hit.shared,
        alarm.source.logical_id,
    )


def _unread(templates: Templates, off: set[str]) -> Iterator[Finding]:
    for unread in templates.unread:
        if unread.known and "not-evaluated" in off:
            continue
        source = unread.source
        if unread.known:
            message = f"{unread.kind} '{source.logical_id}' is not evaluated, because {unread.why}."
            remedy = unread.remedy
            rule, severity = "not-evaluated", NOTE
        else:
            message = f"The type {unread.kind} is not known: {unread.why}."
            remedy = unknown_type.remedy
            rule, severity = unknown_type.id, unknown_type.severity
        yield Finding(rule, severity, source.logical_id, source.file, source.line, message, remedy)


def _faults(templates: Templates) -> Iterator[Finding]:
    rules = {rule.id: rule for rule in RULES}
    for fault in templates.faults:
        rule, source = rules[fault.rule], fault.source
        yield Finding(
            rule.id, rule.severity, source.logical_id, source.file, source.line, fault.why,
            rule.remedy,
        )  # fmt: skip


def load_allowances(file: Path) -> list[Allowance]:
    """Allowances of a YAML file: a list of ``{rule, alarm, reason}``.

    Raises:
        InputError: When it can't be read or is something else.
    """
    text = files.read_text(file)
    try:
        given = bounded_yaml.load(text)
        nodes = getattr(bounded_yaml.compose(text), "value", [])
    except ValueError as error:
        raise InputError(f"{file}: not YAML: {error}") from None
    if not isinstance(given, list) or not all(
        isinstance(entry, dict) and entry.keys() == {"rule", "alarm", "reason"} for entry in given
    ):
        raise InputError(f"{file}: not a list of mappings with 'rule', 'alarm' and 'reason'.")
    return [
        Allowance(
            str(entry["rule"]), str(entry["alarm"]), str(entry["reason"] or ""), str(file),
            line=yaml_nodes.line(node),
        )
        for entry, node in zip(given, nodes, strict=True)
    ]  # fmt: skip


def _in_metadata(templates: Templates) -> Iterator[Allowance]:
    for alarm in templates.alarms:
        entry = templates.resource_of(alarm)
        ours = entry.metadata.get(METADATA) if entry else None
        allowed = ours.get("allow") if isinstance(ours, dict) else None
        for rule, reason in (allowed if isinstance(allowed, dict) else {}).items():
            yield Allowance(str(rule), alarm.name, str(reason or ""), alarm.source.file,
                            line=alarm.source.line)  # fmt: skip


def _of_allowances(given: Sequence[Allowance], used: set[Allowance]) -> Iterator[Finding]:
    known = {rule.id for rule in RULES}
    for allowance in given:
        if not any(fnmatchcase(rule, allowance.rule) for rule in known):
            near = difflib.get_close_matches(allowance.rule, known, n=1)
            why = f"'{allowance.rule}' is not a rule" + (
                f"; did you mean '{near[0]}'?" if near else "."
            )
            remedy = "Correct it, or remove it."
        elif not allowance.reason.strip():
            why = f"{allowance.rule} is allowed without a reason."
            remedy = "Give a reason, or remove it."
        elif allowance.expired:
            why = f"{allowance.rule} was allowed until {allowance.until}, which is over."
            remedy = "Remove it, or give a later day."
        elif allowance not in used and allowance.rule not in ASKED:
            why = f"{allowance.rule} is allowed, but alarmproof does not find it."
            remedy = "Remove it."
        else:
            continue
        source = (allowance.source, allowance.line)
        yield Finding(allowance_rule.id, ERROR, allowance.alarm, *source, why, remedy)


def _is_meant(name: str, alarm: AnyAlarm) -> bool:
    """Whether a name, or a pattern of names, is this alarm's."""
    if "*" in name:
        known = (alarm.name, alarm.source.logical_id, alarm.declared_name or "")
        return any(fnmatchcase(pattern, name) for pattern in known)
    return is_called(name, alarm)


def rules_table() -> str:
    """The rules as a Markdown table, for ``docs/lint.md``."""
    lines = [
        "| rule | severity | finds | what becomes of it | remedy |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| [`{rule.id}`](rules/{rule.id}.md) | {rule.severity} | {rule.finds} | {rule.why} | "
        f"{rule.remedy} |"
        for rule in RULES
    ]
    return "\n".join(lines)
