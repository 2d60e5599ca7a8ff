"""Findings that say the same of several alarms, as one for people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from alarmproof.lint import Finding

_MOST_SHOWN = 8


def fingerprint(finding: Finding) -> str:
    """What stays the same when lines move."""
    return f"{finding.rule} | {finding.file} | {finding.alarm} | {finding.message}"


def joined(findings: Sequence[Finding]) -> list[Finding]:
    """For people: what is the same of several alarms as one finding, at the first of them."""
    groups: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        begins = finding.shared[0] if finding.shared else fingerprint(finding)
        groups[finding.rule, begins].append(finding)
    return [_of_group(group) for group in groups.values()]


def _of_group(group: Sequence[Finding]) -> Finding:
    first, alarms = group[0], {finding.alarm for finding in group}
    if first.shared is None or len(group) == 1:
        return first
    others = len(alarms) - 1
    endings = list(dict.fromkeys(finding.shared[1] for finding in group if finding.shared))
    more = len(endings) - _MOST_SHOWN
    listed = ", ".join(endings[:_MOST_SHOWN]) + (f", and {more} more" if more > 0 else "")
    who = f" and {others} other alarm{'' if others == 1 else 's'}" if others else ""
    return replace(first, alarm=f"{first.alarm}{who}", message=f"{first.shared[0]}: {listed}.")
