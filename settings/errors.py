"""What goes wrong in a user's hands: every error a command shows, in one tree.

The command line prints ``str(error)`` and exits with ``exit_code``; it never
shows a traceback for these. A message says what is wrong, where (file,
environment, key), and how to fix it.
"""

from __future__ import annotations

from pathlib import Path


class WebhookBufferError(Exception):
    """Base of every error that is for the user to read."""

    exit_code = 1


class SettingsError(WebhookBufferError):
    """When ``cdk.json`` can't be used: names file, environment, keys and remedies."""

    exit_code = 2

    def __init__(self, file: Path, environment: str | None, problems: list[str]) -> None:
        where = f"{file.name}: environment '{environment}'" if environment else file.name
        super().__init__("\n".join(f"{where}: {problem}" for problem in problems))
        self.problems = problems


class DefinitionError(WebhookBufferError):
    """When definitions in ``alarms/`` can't work: names each, what is wrong, and the remedy."""

    exit_code = 2

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class InputError(WebhookBufferError):
    """When an argument or a file given on the command line can't be used."""

    exit_code = 2


class ToolError(WebhookBufferError):
    """When a program we start (node, npm, cdk, the emulator) is missing, too old, or failed.

    ``log`` is where that program's output was kept.
    """

    def __init__(self, message: str, *, log: Path | None = None) -> None:
        super().__init__(f"{message}\nThe whole output is in {log}" if log else message)
        self.log = log


class NotDeployedError(WebhookBufferError):
    """When a command needs a deployed stack and there is none."""


class ProofFailedError(WebhookBufferError):
    """When a smoke test or the demo saw something other than what it claims."""


class DatadogError(WebhookBufferError):
    """When Datadog does not take or give what it was asked to."""
