"""Folders that commands make are their user's own; files are tried before long work."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from settings.errors import FileError
from webhook_buffer.operations.files import check_writable, private_folder


def test_made_folders_are_private(tmp_path: Path) -> None:
    """Every folder on the way that was missing is closed to others; those that were there stay."""
    (tmp_path / "there").mkdir(mode=0o755)
    folder = tmp_path / "there" / "state" / "emulator"
    private_folder(folder)
    private_folder(folder)
    assert [made.stat().st_mode & 0o777 for made in (folder, folder.parent)] == [0o700, 0o700]
    assert (tmp_path / "there").stat().st_mode & 0o777 == 0o755


def test_a_folder_that_can_not_be_made(tmp_path: Path) -> None:
    """Where a file is in the way, the error names the folder."""
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="file/state") as caught:
        private_folder(tmp_path / "file" / "state")
    assert caught.value.__context__
    assert isinstance(caught.value.__context__, OSError)
    assert caught.value.__context__.errno == errno.ENOTDIR


@pytest.mark.parametrize("name", [".", "missing/x.json", "file/x.json"])
def test_what_can_not_be_written_is_named_before(tmp_path: Path, name: str) -> None:
    """A folder, and a file in what is missing or is not a folder; trying leaves nothing."""
    (tmp_path / "file").write_text("kept")
    for good in ("new.json", "file", "/dev/null"):
        check_writable(tmp_path / good)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "kept"
    with pytest.raises(FileError, match=str(tmp_path)):
        check_writable(tmp_path / name)
