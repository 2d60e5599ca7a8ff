"""The files that people write: listed, compared before and after a run, and copied for a test."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from settings.paths import ROOT

# .gitignore lists names only, so that a tree without Git's own folder can be read, too.
_IGNORED = shutil.ignore_patterns(
    ".git",
    *(
        line.rstrip("/")
        for line in (ROOT / ".gitignore").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ),
)


def files(root: Path = ROOT) -> Iterator[str]:
    """The path below the root of every file that is not ignored."""
    for folder, folders, names in os.walk(root):
        ignored = _IGNORED(folder, [*folders, *names])
        folders[:] = [name for name in folders if name not in ignored]
        for name in names:
            file = Path(folder, name)
            if name not in ignored and file.is_file():
                yield file.relative_to(root).as_posix()


def hashes(root: Path = ROOT) -> dict[str, str]:
    """The digest of every file that is not ignored, by its path below the root."""
    return {name: hashlib.sha256((root / name).read_bytes()).hexdigest() for name in files(root)}


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """One line for each file that was written, changed or deleted between two ``hashes``."""
    return [
        f"{name}: {'deleted' if name not in after else 'changed' if name in before else 'written'}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


@dataclass(frozen=True)
class Copy:
    """A copy of the tree, which a test may change as a person would change the tree itself."""

    root: Path

    def run(self, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Runs a command of the virtual environment in the copy, with the copy's own modules."""
        program = Path(sys.executable).with_name(command[0])
        path = os.pathsep.join([str(self.root), str(self.root / "packages/alarmproof/src")])
        return subprocess.run(
            [str(program), *command[1:]], cwd=self.root, text=True, capture_output=True,
            check=False, stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200"} | environ,
        )  # fmt: skip

    def write_documents(self) -> None:
        """What ``make docs`` does, but for the benchmark's page: simulating it takes a minute."""
        done = self.run("python", "-c", "from webhook_buffer.cli.docs import refresh; refresh()")
        assert done.returncode == 0, done.stdout + done.stderr


def copied(folder: Path) -> Copy:
    """Copies every file that is not ignored, and bytecode; Node's packages are linked."""
    shutil.copytree(ROOT, folder, ignore=lambda *both: _IGNORED(*both) - {"__pycache__"})
    for installed in ("node_modules",):
        if (ROOT / installed).exists():
            (folder / installed).symlink_to(ROOT / installed)
    return Copy(folder)
