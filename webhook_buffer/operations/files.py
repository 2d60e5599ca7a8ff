"""Atomic writes of the files that commands write, and folders for their user only."""

from __future__ import annotations

from pathlib import Path

from alarmproof.files import replacing

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
