"""Every error the command shows, in one tree."""

from __future__ import annotations

from collections.abc import Sequence


class AlarmproofError(Exception):
    """Base of every error that is for the user to read; it says what, where and the remedy."""

    exit_code = 1


class InputError(AlarmproofError):
    """When an argument or a file can't be used."""

    exit_code = 2


class NotSupportedError(InputError):
    """When an alarm uses something the evaluator does not support; it never guesses."""


class SyntaxProblemError(NotSupportedError):
    """When math or a rule can't be read at all, by CloudWatch neither."""


class MissingExtraError(InputError):
    """When a command needs a package that is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        name = f"alarmproof[{extra}]"
        super().__init__(
            f"{what} needs the extra '{extra}': pipx install --force '{name}' "
            f"(without pipx: pip install '{name}')"
        )


class UnknownAlarmError(InputError):
    """When a name matches no alarm, or several."""

    def __init__(self, name: str, candidates: Sequence[str], *, ambiguous: bool) -> None:
        names = ", ".join(sorted(candidates)[:8]) or "none at all"
        what = "matches several alarms" if ambiguous else "is not an alarm here; there are"
        super().__init__(f"'{name}' {what}: {names}. Give one name in full.")


class AbsentAlarmError(InputError):
    """When a name is that of an alarm that the parameters' values leave out."""

    def __init__(self, name: str, condition: str) -> None:
        super().__init__(
            f"'{name}' is not created, because the condition {condition} does not hold. Give the "
            "value with which it does: --parameter NAME=VALUE."
        )
