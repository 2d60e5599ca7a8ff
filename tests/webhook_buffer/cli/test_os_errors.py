"""What a full disk, a folder without permission or a strange path is answered with."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from settings.errors import FileError
from settings.paths import ROOT
from webhook_buffer.operations.files import write

pytestmark = pytest.mark.slow

_COMMAND = str(Path(sys.executable).with_name("webhook-buffer"))
# Source: capability.h and prctl.h. Without these two root is stopped by permissions like anyone.
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH, _PR_CAPBSET_DROP = 1, 2, 24


def _unprivileged(*words: str, state: Path) -> subprocess.CompletedProcess[str]:
    """A command run by somebody whom permissions stop."""

    def drop() -> None:
        if os.geteuid() == 0:
            for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
                assert ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) == 0

    return subprocess.run(
        words, cwd=ROOT, text=True, capture_output=True, check=False, stdin=subprocess.DEVNULL,
        env={**os.environ, "WEBHOOK_BUFFER_STATE": str(state), "HOME": str(state)},
        preexec_fn=drop,
    )  # fmt: skip


def _one_line(done: subprocess.CompletedProcess[str], *parts: str) -> None:
    assert done.returncode not in (0, 120), done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("Error: ")
    for part in parts:
        assert part in done.stderr


def test_a_full_disk_is_named() -> None:
    """What can't be written says which file, why, and what to do."""
    with pytest.raises(FileError, match=r"^/dev/full: No space left on device\. Free some disk"):
        write(Path("/dev/full"), "text")


def test_standard_output_on_a_full_disk() -> None:
    """A full disk behind a redirection is one line as well, for a table and for help."""
    for words in (["alarms", "list"], ["--help"]):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [_COMMAND, *words], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True,
                check=False,
            )  # fmt: skip
        _one_line(done, "Output: No space left on device. Free some disk space")


@pytest.mark.parametrize("line", ["alarms list | true", "--help | true", "--help >&-"])
def test_a_closed_pipe_is_silent(line: str) -> None:
    """Who pipes into `head` gets no complaint, for a table and for help; nor who closes it."""
    done = subprocess.run(
        ["/bin/sh", "-c", f"{_COMMAND} {line}"], cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_is_left_half_written(tmp_path: Path) -> None:
    """A file that becomes too large is named; what was there before is as it was."""
    kept = tmp_path / "dashboard" / "overview.json"
    kept.parent.mkdir()
    kept.write_text("before")

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = subprocess.run(
        [_COMMAND, "datadog", "render", str(tmp_path)], cwd=ROOT, text=True, capture_output=True,
        # The interpreter would keep what it compiles, cut off at the limit.
        check=False, preexec_fn=limited, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    _one_line(done, f"{kept}: File too large. Raise the limit on file sizes (ulimit -f)")
    written = [file for file in tmp_path.rglob("*") if file.is_file() and file != kept]
    assert all(json.loads(file.read_text()) for file in written)
    assert kept.read_text() == "before"


def test_written_files_keep_their_mode(tmp_path: Path) -> None:
    """A new file is as readable as the umask says, and a rewritten one as it was."""
    file = tmp_path / "file"
    write(file, "a")
    reference = tmp_path / "reference"
    reference.touch()
    assert stat.S_IMODE(file.stat().st_mode) == stat.S_IMODE(reference.stat().st_mode)
    file.chmod(0o640)
    write(file, "b")
    assert (stat.S_IMODE(file.stat().st_mode), file.read_text()) == (0o640, "b")


def test_a_typo_in_a_path_creates_no_folder(tmp_path: Path) -> None:
    """A folder that does not exist is an error that names it, and stays that way."""
    with pytest.raises(FileError, match=r"No such file or directory\. Correct the path"):
        write(tmp_path / "typo" / "file", "a")
    assert not (tmp_path / "typo").exists()


def test_a_folder_without_permission(tmp_path: Path) -> None:
    """A state or a target that may not be written is named, with what to do."""
    state = tmp_path / "state"
    state.mkdir(mode=0o555)
    remedy = "Permission denied. Change its permissions, or use a file or folder"
    _one_line(_unprivileged(_COMMAND, "up", state=state), f"{state}/emulator: {remedy}")
    folder = state / "rendered"
    rendered = _unprivileged(_COMMAND, "datadog", "render", str(folder), state=state)
    _one_line(rendered, str(folder), remedy)
    assert list(state.iterdir()) == []


def test_files_without_permission(tmp_path: Path) -> None:
    """A payload or a cdk.json that may not be read is named."""
    secret = tmp_path / "cdk.json"
    secret.write_text("{}")
    secret.chmod(0)
    sent = _unprivileged(_COMMAND, "send", str(tmp_path), state=tmp_path)
    _one_line(sent, f"{secret}: Permission denied. Change its permissions")
    script = (
        "from pathlib import Path\nfrom settings.loader import load\n"
        f"load('dev', file=Path({str(secret)!r}))"
    )
    loaded = _unprivileged(sys.executable, "-c", script, state=tmp_path)
    assert f"FileError: {secret}: Permission denied. Change its permissions" in loaded.stderr


def test_a_path_with_a_space_and_an_accent(tmp_path: Path) -> None:
    """A checkout whose path has both synthesizes, by the command and by the CDK's own."""
    copy = tmp_path / "x é y"
    tracked = subprocess.run(
        [shutil.which("git") or "git", "ls-files", "-z", "-co", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    for name in filter(None, tracked):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    for name in (".venv", "node_modules"):
        (copy / name).symlink_to(ROOT / name)
    (copy / ".build").mkdir()
    for folder in (ROOT / ".build").glob("[db]*-*"):  # dependencies and byte-code: made once
        (copy / ".build" / folder.name).symlink_to(folder)
    done = subprocess.run(
        [str(copy / ".venv/bin/python"), "-c", "from webhook_buffer.cli.main import main; main()",
         "synth", "--env", "dev"],
        cwd=copy, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Templates: .webhook-buffer/dev/cdk.out" in done.stdout
    assert (copy / ".webhook-buffer/dev/cdk.out/webhook-buffer-dev.template.json").is_file()
