"""Finds alarms that are dead or dangerous, by the rules of ``alarmproof.lint_rules``."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from alarmproof import bounded_yaml, files
from alarmproof.errors import InputError
from alarmproof.lint_checks import Setting
from alarmproof.lint_rules import ERROR, RULES, Rule
from alarmproof.model import AnyAlarm, Source, Templates

METADATA = "alarmproof"


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem of an alarm.

    Attributes:
        why: what is wrong here, in a sentence.
        remedy: what to do, in a sentence.
    """

    rule: str
    severity: str
    alarm: str
    source: Source
    why: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Allowance:
    """A finding that is intended.

    Attributes:
        alarm: name, logical id or end of the name.
    """

    rule: str
    alarm: str
    reason: str
    source: str


def lint(
    templates: Templates, *, max_reaction: int = 300, allowances: Sequence[Allowance] = ()
) -> list[Finding]:
    """Everything that is wrong, in the order of the alarms.

    Args:
        max_reaction: seconds within which a breach has to set an alarm off.
        allowances: beyond those in the templates' metadata.
    """
    setting = Setting(templates, max_reaction)
    given = [*allowances, *_in_metadata(templates)]
    used: set[Allowance] = set()
    found: list[Finding] = []
    for alarm in templates.alarms:
        for rule in RULES:
            allowing = [one for one in given if one.rule == rule.id and _is(one.alarm, alarm)]
            for why in _reasons(rule, setting, alarm):
                used.update(allowing)
                if not any(one.reason for one in allowing):
                    found.append(
                        Finding(rule.id, rule.severity, alarm.name, alarm.source, why, rule.remedy)
                    )
    return [*found, *_of_allowances(given, used, templates)]


def _reasons(rule: Rule, setting: Setting, alarm: AnyAlarm) -> list[str]:
    """A rule's findings for an alarm.

    Raises:
        InputError: When a resource beside the alarm is not what CloudFormation's schema says.
    """
    try:
        return list(rule.check(setting, alarm))
    except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise InputError(
            f"{alarm.source}: {rule.id} can't judge it, because a resource it uses is malformed "
            f"({error})."
        ) from None


def load_allowances(file: Path) -> list[Allowance]:
    """Allowances of a YAML file: a list of ``{rule, alarm, reason}``.

    Raises:
        InputError: When it can't be read or is something else.
    """
    try:
        given = bounded_yaml.load(files.read_text(file))
    except ValueError as error:
        raise InputError(f"{file}: not YAML: {error}") from None
    if not isinstance(given, list) or not all(
        isinstance(one, dict) and one.keys() == {"rule", "alarm", "reason"} for one in given
    ):
        raise InputError(f"{file}: not a list of mappings with 'rule', 'alarm' and 'reason'.")
    return [
        Allowance(str(one["rule"]), str(one["alarm"]), str(one["reason"] or ""), str(file))
        for one in given
    ]


def _in_metadata(templates: Templates) -> Iterator[Allowance]:
    for alarm in templates.alarms:
        entry = templates.resources[alarm.source.file, alarm.source.logical_id]
        allowed = (entry.metadata.get(METADATA) or {}).get("allow") or {}
        for rule, reason in allowed.items():
            yield Allowance(str(rule), alarm.name, str(reason or ""), str(alarm.source))


def _of_allowances(
    given: Sequence[Allowance], used: set[Allowance], templates: Templates
) -> Iterator[Finding]:
    known = {rule.id for rule in RULES}
    for one in given:
        alarm = next((alarm for alarm in templates.alarms if _is(one.alarm, alarm)), None)
        source = alarm.source if alarm else Source(one.source, one.alarm)
        if one.rule not in known:
            near = difflib.get_close_matches(one.rule, known, n=1)
            why = f"'{one.rule}' is not a rule" + (f"; did you mean '{near[0]}'?" if near else ".")
        elif not one.reason.strip():
            why = f"{one.rule} is allowed without a reason."
        elif one not in used:
            why = f"{one.rule} is allowed, but alarmproof does not find it."
        else:
            continue
        remedy = "Remove it, or give a reason."
        yield Finding("allowance", ERROR, one.alarm, source, why, remedy)


def _is(name: str, alarm: AnyAlarm) -> bool:
    return name in (alarm.name, alarm.source.logical_id) or alarm.name.endswith(f"-{name}")


def as_json(findings: Sequence[Finding]) -> str:
    """The findings as a JSON list."""
    return json.dumps(
        [
            {
                "rule": one.rule, "severity": one.severity, "alarm": one.alarm,
                "file": one.source.file, "logical_id": one.source.logical_id, "why": one.why,
                "remedy": one.remedy,
            }
            for one in findings
        ],
        indent=2,
    )  # fmt: skip


def as_sarif(findings: Sequence[Finding], *, version: str) -> str:
    """The findings as SARIF 2.1.0, which code hosts show beside the code.

    Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
    """
    rules = [
        {
            "id": rule.id,
            "shortDescription": {"text": f"{rule.what[0].upper()}{rule.what[1:]}."},
            "help": {"text": f"{rule.why} {rule.remedy}"},
            "defaultConfiguration": {"level": rule.severity},
        }
        for rule in RULES
    ]
    results = [
        {
            "ruleId": one.rule,
            "level": one.severity,
            "message": {"text": f"{one.alarm}: {one.why} {one.remedy}"},
            "locations": [
                {
                    "physicalLocation": {"artifactLocation": {"uri": one.source.file}},
                    "logicalLocations": [{"name": one.source.logical_id, "kind": "resource"}],
                }
            ],
        }
        for one in findings
    ]
    driver = {"name": "alarmproof", "version": version, "rules": rules}
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }
    return json.dumps(document, indent=2)


def rules_table() -> str:
    """The rules as a Markdown table, for ``docs/lint.md``."""
    lines = [
        "| rule | severity | finds | what becomes of it | remedy |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| `{one.id}` | {one.severity} | {one.what} | {one.why} | {one.remedy} |" for one in RULES
    ]
    return "\n".join(lines)
