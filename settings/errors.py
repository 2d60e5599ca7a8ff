"""Every error that a command shows to a user, in one tree.

The command line prints ``str(error)`` and exits with ``exit_code``; it never
shows a traceback for these. A message says what is wrong, where (file,
environment, key), and how to fix it.
"""

from __future__ import annotations

import errno
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
    """When definitions in the source tree can't work: names each, what is wrong, the remedy."""

    exit_code = 2

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class InputError(WebhookBufferError):
    """When an argument or a file given on the command line can't be used."""

    exit_code = 2


class ToolError(WebhookBufferError):
    """When a child process (node, npm, cdk, the emulator) is missing, too old, or failed.

    ``log`` is where that program's output was kept.
    """

    def __init__(self, message: str, *, log: Path | None = None) -> None:
        super().__init__(f"{message}\nThe whole output is in {log}" if log else message)
        self.log = log


class AwsRefusalError(WebhookBufferError):
    """When AWS refuses a call.

    Attributes:
        operation: that it refuses.
        code: AWS's own: ``AccessDenied``, ``ThrottlingException``.
        remedy: what to do; empty where only AWS's message says it.
    """

    def __init__(self, message: str, *, operation: str, code: str, remedy: str) -> None:
        super().__init__(f"{message} {remedy}".rstrip())
        self.operation = operation
        self.code = code
        self.remedy = remedy


class CallerError(WebhookBufferError):
    """When the credentials at hand are of another account than the environment's."""

    exit_code = 2


class PreflightError(WebhookBufferError):
    """When a deployment would fail for something that is visible before it."""


class NotDeployedError(WebhookBufferError):
    """When a command needs a deployed stack that does not exist."""


class ProofFailedError(WebhookBufferError):
    """When a smoke test or the demo saw something other than what it claims."""


class DatadogError(WebhookBufferError):
    """When Datadog refuses or fails a request."""


class FileError(WebhookBufferError):
    """When a file or folder can't be read or written: names it, the reason and the remedy.

    Args:
        file: where it happened, if the error does not say so itself.
    """

    def __init__(self, error: OSError, file: Path | None = None) -> None:
        where, reason = file or error.filename, error.strerror or str(error)
        if error.args and isinstance(error.args[0], list):  # of shutil.copytree
            _, where, reason = error.args[0][0]
        remedy = _REMEDIES.get(error.errno or 0, "Correct this and run the command again.")
        super().__init__(f"{where or 'Output'}: {reason}. {remedy}")


_PERMISSION = "Change its permissions, or use a file or folder that you may write to."
_REMEDIES = {
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.EROFS: "Use a file or folder on a file system that can be written to.",
    errno.ENOSPC: "Free some disk space and run the command again.",
    errno.EDQUOT: "Free some disk space and run the command again.",
    errno.EFBIG: "Raise the limit on file sizes (ulimit -f) and run the command again.",
    errno.EISDIR: "Name a file.",
    errno.ENOTDIR: "Part of this path is a file, not a folder.",
    errno.ENOENT: "Correct the path, or create its folder.",
}
