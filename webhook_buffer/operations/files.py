"""Atomic writes of the files that commands write."""

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
