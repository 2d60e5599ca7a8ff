"""Reading and writing users' files: one clear error for each fault, and nothing half-written."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from alarmproof.base.errors import InputError

# Source: CloudFormation user guide, "Understand CloudFormation quotas": a template body has at
# most 1 MB. Case files are far smaller.
LARGEST = 4_000_000


def read_text(file: Path, *, largest: int = LARGEST) -> str:
    """A UTF-8 file's text.

    Args:
        largest: bytes.

    Raises:
        InputError: When it can't be read, is larger, or is not UTF-8.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(largest + 1)
    except OSError as error:
        raise unreadable(file, error) from None
    if len(content) > largest:
        raise InputError(f"{file}: larger than {largest / 1e6:g} MB, which is the limit.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{file}: not UTF-8 text (byte {error.start}). Save it as UTF-8, or name another file."
        ) from None


def open_streams() -> None:
    """Gives standard output and error a place where the caller has closed them (``>&-``)."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))


def unreadable(file: Path, error: OSError) -> InputError:
    """The error for a file that can't be read."""
    reason = error.strerror or error
    return InputError(f"{file}: can't be read ({reason}). Check the path and its permissions.")


def write_text(file: Path, text: str) -> None:
    """Writes a UTF-8 file, whole or not at all.

    Raises:
        InputError: When it can't be written; an existing file is then unchanged.
    """
    with written(file) as temporary:
        temporary.write_text(text, "utf-8")


@contextmanager
def written(file: Path) -> Iterator[Path]:
    """A temporary file beside ``file``, which replaces it in the end.

    Raises:
        InputError: When the file can't be written.
    """
    try:
        if file.is_file() and not os.access(file, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        with replacing(file) as temporary:
            yield temporary
    except OSError as error:
        raise InputError(
            f"{file}: can't be written ({error.strerror or error}). Check the path, its "
            "permissions and the space that is left, then run the command again."
        ) from None


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """A temporary file beside ``file``, which replaces it at the end and keeps its mode.

    A device or a pipe (``/dev/stdout``) is written to directly.

    Raises:
        OSError: When the file can't be written; an existing file is then unchanged.
    """
    target = file.resolve()
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    temporary = target.with_name(f".{target.name[:200]}.{os.getpid()}.tmp")
    try:
        if target.exists() and not target.is_file():
            yield target
            return
        if target.exists():
            temporary.touch()
            shutil.copymode(target, temporary)
        yield temporary
        temporary.replace(target)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
