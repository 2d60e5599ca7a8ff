"""Lints the templates of others, and shows each error: none of them should have one.

``python -m valid_templates FOLDER…`` (in this folder) reads every file below that has an alarm:
JSON and YAML templates, and Terraform plans, but those that a folder called ``bad`` says to be
wrong. It prints for each package how many templates and alarms it has, then each error with its
file; a template that can't be read is named with the reason. Exit code 1 with an error.
"""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from alarmproof.base.errors import AlarmproofError
from alarmproof.lint import Finding, lint
from alarmproof.template import read

_ENDINGS = (".json", ".yaml", ".yml", ".template")
_SIGNS = (b"AWS::CloudWatch::Alarm", b"AWS::CloudWatch::CompositeAlarm",
          b"aws_cloudwatch_metric_alarm")  # fmt: skip
_IS_TEMPLATE = re.compile(rb'^\s*"?Resources"?\s*:|"planned_values"', re.MULTILINE)
_LARGEST = 5_000_000


def candidates(folder: Path) -> Iterator[Path]:
    """The files that have an alarm, by what they contain."""
    for file in sorted(folder.rglob("*")):
        small = file.is_file() and file.stat().st_size < _LARGEST
        if file.suffix in _ENDINGS and small and "bad" not in file.parts:
            content = file.read_bytes()
            if _IS_TEMPLATE.search(content) and any(sign in content for sign in _SIGNS):
                yield file


def main(*folders: str) -> int:
    """Prints what was read and what was found."""
    errors: list[Finding] = []
    rules: Counter[str] = Counter()
    unread: dict[str, str] = {}
    for folder in map(Path, folders):
        counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for file in candidates(folder):
            try:
                templates = read([file])
            except AlarmproofError as reason:
                unread[str(file)] = str(reason)
                continue
            if not templates.alarms:
                continue
            package = counts[file.relative_to(folder).parts[0]]
            package[0] += 1
            package[1] += len(templates.alarms)
            findings = lint(templates)
            rules.update(f"{finding.severity} {finding.rule}" for finding in findings)
            errors += [finding for finding in findings if finding.severity == "error"]
        for package_name, (files, alarms) in sorted(counts.items()):
            print(f"{package_name}: {files} templates, {alarms} alarms")
    for name, count in sorted(rules.items()):
        print(f"{count:6} {name}")
    for error in errors:
        print(f"{error.file}:{error.line}: {error.rule}: {error.alarm}: {error.message}")
    for path, why in sorted(unread.items()):
        print(f"not read: {why if path in why else f'{path}: {why}'}")
    return int(bool(errors))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
