"""Files that can't be read or written: one clear error, and nothing half-written."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from alarmproof.base import files
from alarmproof.base.errors import InputError


def test_files_that_can_t_be_read(tmp_path: Path) -> None:
    """Each is one line with the file and the reason."""
    (tmp_path / "latin").write_bytes("größer".encode("latin-1"))
    (tmp_path / "large").write_bytes(b"a" * 11)
    for name, expected in (
        ("gone", "gone: can't be read (No such file or directory)"),
        ("", ": can't be read (Is a directory)"),
        ("latin", "latin: not UTF-8 text (byte 2)"),
        ("large", "large: larger than 1e-05 MB"),
    ):
        with pytest.raises(InputError) as wrong:
            files.read_text(tmp_path / name, largest=10)
        assert expected in str(wrong.value)
        assert "\n" not in str(wrong.value)


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    """Editors on Windows write one."""
    (tmp_path / "bom").write_bytes(b"\xef\xbb\xbf{}")
    assert files.read_text(tmp_path / "bom") == "{}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gone/file", "No such file or directory"),
        ("folder", "Is a directory"),
        ("file/inside", "Not a directory"),
    ],
)
def test_files_that_can_t_be_written(tmp_path: Path, name: str, expected: str) -> None:
    """Each is one line, and leaves no temporary file behind."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=expected):
        files.write_text(tmp_path / name, "text")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]


def test_the_root_folder_is_no_file() -> None:
    """It has no name to put a temporary file beside."""
    with pytest.raises(InputError, match=r"^/: can't be written \(Is a directory\)\."):
        files.write_text(Path("/"), "text")


def test_a_full_device_is_an_error() -> None:
    """What the device refuses is not lost silently."""
    with pytest.raises(InputError, match="No space left on device"):
        files.write_text(Path("/dev/full"), "text")


def test_closed_streams_are_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever closes standard output or error gets no traceback for it."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    files.open_streams()
    with sys.stdout, sys.stderr:
        print("nowhere")


def test_what_was_there_stays_until_all_is_written(tmp_path: Path) -> None:
    """A failure in the middle leaves the old file, its mode and no other file."""
    file = tmp_path / "report.html"
    file.write_text("old")
    file.chmod(0o640)

    def interrupted() -> None:
        with files.written(file) as temporary:
            temporary.write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match=r"report\.html: can't be written"):
        interrupted()
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert file.read_text() == "old"
    files.write_text(file, "new")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new", 0o640)


def test_links_stay_links(tmp_path: Path) -> None:
    """The file that a link leads to is replaced, not the link."""
    (tmp_path / "link").symlink_to(tmp_path / "target")
    files.write_text(tmp_path / "link", "text")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "text"
