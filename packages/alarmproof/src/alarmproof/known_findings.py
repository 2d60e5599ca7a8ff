"""Findings that are already known: those of a baseline file, and those of an earlier revision."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from alarmproof import files
from alarmproof.errors import InputError
from alarmproof.formats import fingerprint
from alarmproof.lint import Finding

# Bytes of the files of a revision.
_LARGEST_REVISION = 500_000_000
_PATIENCE = 60


@dataclass(frozen=True, slots=True)
class Baselines:
    """What is known already.

    Attributes:
        known: fingerprints.
        target: where to write those of all findings; None for nowhere.
    """

    known: frozenset[str] = frozenset()
    target: Path | None = None

    def applied(self, findings: Sequence[Finding]) -> list[Finding]:
        """The findings that are new; none where a baseline of them was just written."""
        if self.target:
            save(self.target, findings)
            return []
        return without(findings, self.known)


def load(file: Path) -> frozenset[str]:
    """The fingerprints of a baseline file.

    Raises:
        InputError: When it can't be read, or is not one.
    """
    try:
        given = json.loads(files.read_text(file, largest=100_000_000))
    except ValueError:
        given = None
    if not isinstance(given, list) or not all(isinstance(entry, str) for entry in given):
        raise InputError(f"{file}: not a baseline file. Write one with --write-baseline.")
    return frozenset(given)


def save(file: Path, findings: Sequence[Finding]) -> None:
    """Writes a baseline file of findings."""
    known = sorted({fingerprint(finding) for finding in findings})
    files.write_text(file, json.dumps(known, indent=1, ensure_ascii=False) + "\n")


def without(findings: Sequence[Finding], known: frozenset[str]) -> list[Finding]:
    """Those that are not known."""
    return [finding for finding in findings if fingerprint(finding) not in known]


def at_revision(
    revision: str, paths: Sequence[Path], lint: Callable[[list[Path]], Sequence[Finding]]
) -> frozenset[str]:
    """The fingerprints of what lint finds in the same paths at a revision of git.

    Args:
        paths: relative to the current folder.

    Raises:
        InputError: When git does not have the revision, or a path is absolute.
    """
    origin = Path.cwd()
    _require_revision(origin, revision)
    with tempfile.TemporaryDirectory() as folder:
        there = [path for path in paths if _extract(origin, revision, path, Path(folder))]
        if not there:
            return frozenset()
        with contextlib.chdir(folder):
            return frozenset(map(fingerprint, lint(there)))


def _require_revision(origin: Path, revision: str) -> None:
    checked = _git(origin, "rev-parse", "--verify", "--quiet", "--end-of-options",
                   f"{revision}^{{commit}}")  # fmt: skip
    if checked is None:
        raise InputError(
            f"--changed-since {revision}: git has no such revision here. In CI, fetch it first "
            "(fetch-depth: 0)."
        )


def _extract(origin: Path, revision: str, path: Path, folder: Path) -> bool:
    """Writes a path as the revision has it below a folder; False where it is not there."""
    if path.is_absolute():
        raise InputError(f"{path}: with --changed-since, name paths relative to this folder.")
    archive = _git(origin, "archive", "--format=tar", revision, "--", str(path))
    if archive is None:
        return False
    with tarfile.open(fileobj=io.BytesIO(archive)) as tree:
        if sum(member.size for member in tree) > _LARGEST_REVISION:
            raise InputError(f"{path}: at {revision} it has more than 500 MB.")
        tree.extractall(folder, filter="data")
    return True


def _git(folder: Path, *arguments: str) -> bytes | None:
    """What git prints; None where it fails."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],  # noqa: S607 - whichever git the user has
            capture_output=True,
            check=False,
            timeout=_PATIENCE,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"--changed-since needs git, which can't be run ({error}).") from None
    return done.stdout if done.returncode == 0 else None
