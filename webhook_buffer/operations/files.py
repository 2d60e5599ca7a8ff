"""Atomic writes of the files that commands write."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from settings.errors import FileError


def write(file: Path, text: str) -> None:
    """Writes a file as UTF-8, whole or not at all; what was there stays until then.

    Args:
        file: in a folder that exists; a device is written to as it is.

    Raises:
        FileError: When it can't be written.
    """
    file = file.resolve()
    try:
        if file.exists() and not file.is_file():
            file.write_text(text, "utf-8")
        else:
            _replace(file, text)
    except OSError as error:
        raise FileError(error, file) from None


def _replace(file: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        beside.chmod(file.stat().st_mode & 0o777 if file.exists() else 0o666 & ~_umask())
        beside.replace(file)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
