"""Atomic writes of the files that commands write, and folders for their user only."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from alarmproof.base.files import replacing

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
        with replacing(file) as temporary:
            temporary.write_text(text, "utf-8")
    except OSError as error:
        raise FileError(error, file) from None


def check_writable(file: Path) -> None:
    """Checks that ``write`` can write a file, before the work whose result it keeps.

    Raises:
        FileError: When it can't.
    """
    file = file.resolve()
    try:
        if file.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not file.exists() or file.is_file():  # a device is left alone
            with tempfile.TemporaryFile(dir=file.parent):
                pass
    except OSError as error:
        raise FileError(error, file) from None


def private_folder(folder: Path) -> None:
    """Makes a folder, and those above it that are missing, for nobody but the user.

    Raises:
        FileError: When it can't be made.
    """
    try:
        for ancestor in (*reversed(folder.parents), folder):
            if not ancestor.exists():
                ancestor.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise FileError(error, folder) from None
