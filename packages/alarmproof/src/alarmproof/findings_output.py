"""How findings are printed: for people, and in the forms that programs ask for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from alarmproof.base.errors import InputError
from alarmproof.printable import counted, printable, styled

if TYPE_CHECKING:
    from alarmproof.lint import Finding

Format = Literal["text", "json", "sarif", "junit", "github", "checkstyle"]


@contextmanager
def failure_reported(form: Format, errors: Sequence[InputError] = ()) -> Iterator[None]:
    """Writes an error in the form that a program asked for, too, where nothing can be judged.

    Args:
        errors: of files that can't be used, beside the one that is raised.
    """
    try:
        yield
    except InputError as error:
        if form not in ("text", "json"):
            print(formatted([], form, [*(other for other in errors if other != error), error]))
        raise


def formatted(
    findings: Sequence[Finding],
    form: Format,
    errors: Sequence[InputError] = (),
    *,
    strict: bool = False,
) -> str:
    """The findings for a program, and what kept files from being judged; JSON has no place for it.

    Args:
        strict: whether warnings fail.
    """
    from alarmproof import formats

    messages = [str(error) for error in errors]
    if form == "sarif":
        from importlib.metadata import version

        return formats.as_sarif(findings, messages, version=version("alarmproof"))
    if form == "junit":
        return formats.as_junit(findings, messages, strict=strict)
    if form == "json":
        return formats.as_json(findings)
    forms = {"github": formats.as_github, "checkstyle": formats.as_checkstyle}
    return forms[form](findings, messages)


_COLORS = {"error": "red", "warning": "yellow", "note": "cyan"}


def print_findings(findings: Sequence[Finding], alarms: int, skipped: int) -> None:
    """Findings for people, and how many alarms were judged and files skipped."""
    for finding in findings:
        severity = styled(finding.severity, _COLORS[finding.severity])
        where = f"{finding.file}:{finding.line}"
        print(f"{severity} {finding.rule}: {printable(finding.alarm)} ({printable(where)})")
        print(f"  {printable(finding.message)} {printable(finding.remedy)}")
    counts = {
        severity: sum(finding.severity == severity for finding in findings) for severity in _COLORS
    }
    shown = [counted(counts[severity], severity) for severity in ("error", "warning")]
    if counts["note"]:
        shown.append(counted(counts["note"], "note"))
    print(f"{counted(alarms, 'alarm')}: {', '.join(shown)}.")
    if skipped:
        files = counted(skipped, "other JSON or YAML file")
        print(f"{files} skipped: not a template, a plan or alarms.")
