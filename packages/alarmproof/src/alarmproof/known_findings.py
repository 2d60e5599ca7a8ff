"""Findings that are already known: those of a baseline file, and those of an earlier revision.

One is known by its rule, its file and its alarm. A file is named by its path from a folder: that of
the baseline, or the current one for a revision. What the message says can change without a change
of the fault.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from alarmproof.base import files
from alarmproof.base.errors import InputError
from alarmproof.lint import Finding

# Bytes of the files of a revision.
_LARGEST_REVISION = 500_000_000
_PATIENCE = 60


@dataclass(frozen=True, slots=True, order=True)
class Known:
    """A finding, by what stays the same when lines and numbers change.

    Attributes:
        file: its path from a folder, with slashes.
        alarm: its logical id.
    """

    rule: str
    file: str
    alarm: str

    @classmethod
    def of(cls, finding: Finding, folder: Path) -> Known:
        """A finding, its file seen from a folder."""
        return cls(finding.rule, _seen_from(folder, finding.file),
                   finding.logical_id or finding.alarm)  # fmt: skip


def _seen_from(folder: Path, file: str) -> str:
    return Path(os.path.relpath(file, folder)).as_posix()


@dataclass(frozen=True, slots=True)
class Baselines:
    """What is known already.

    Attributes:
        file: the baseline that is read; None for none.
        known: its findings.
        earlier: those of a revision, their files seen from the current folder.
        target: where to write all findings; None for nowhere.
    """

    file: Path | None = None
    known: frozenset[Known] = frozenset()
    earlier: frozenset[Known] = frozenset()
    target: Path | None = None

    @property
    def _folder(self) -> Path:
        return self.file.parent if self.file else Path()

    def applied(self, findings: Sequence[Finding]) -> list[Finding]:
        """The findings that are new; none where a baseline of them was just written."""
        if self.target:
            save(self.target, findings)
            return []
        return [
            finding
            for finding in findings
            if Known.of(finding, self._folder) not in self.known
            and Known.of(finding, Path()) not in self.earlier
        ]

    def unneeded(self, findings: Sequence[Finding], files: Iterable[str]) -> list[str]:
        """A sentence for each entry that is not found any more.

        Args:
            findings: all of them.
            files: that were read; entries of others may hold.
        """
        read = {_seen_from(self._folder, file) for file in files}
        gone = self.known - {Known.of(finding, self._folder) for finding in findings}
        return [
            f"{self.file}: {entry.rule} of {entry.alarm} ({entry.file}) is not found any more. "
            "Write the baseline again with --write-baseline."
            for entry in sorted(gone)
            if entry.file in read
        ]


def load(file: Path) -> frozenset[Known]:
    """The findings of a baseline file.

    Raises:
        InputError: When it can't be read, or is not one.
    """
    keys = [field.name for field in fields(Known)]
    try:
        given = json.loads(files.read_text(file, largest=100_000_000))
        texts = [[entry[key] for key in keys] for entry in given]
        usable = isinstance(given, list) and all(
            isinstance(text, str) for row in texts for text in row
        )
    except (ValueError, TypeError, KeyError):
        usable = False
    if not usable:
        raise InputError(f"{file}: not a baseline file. Write one with --write-baseline.")
    return frozenset(Known(*row) for row in texts)


def save(file: Path, findings: Sequence[Finding]) -> None:
    """Writes a baseline file of findings."""
    known = sorted({Known.of(finding, file.parent) for finding in findings})
    entries = [asdict(entry) for entry in known]
    files.write_text(file, json.dumps(entries, indent=1, ensure_ascii=False) + "\n")


def at_revision(
    revision: str, paths: Sequence[Path], lint: Callable[[list[Path]], Sequence[Finding]]
) -> frozenset[Known]:
    """What lint finds in the same paths at a revision of git, and in files that were moved since.

    Args:
        paths: relative to the current folder.

    Raises:
        InputError: When git does not have the revision, or a path is absolute.
    """
    origin = Path.cwd()
    _require_revision(origin, revision)
    moved = _moved(origin, revision, paths)
    with tempfile.TemporaryDirectory() as folder:
        wanted = [*paths, *(Path(old) for old in moved if not _is_within(old, paths))]
        there = [path for path in wanted if _extract(origin, revision, path, Path(folder))]
        if not there:
            return frozenset()
        with contextlib.chdir(folder):
            known = [Known.of(finding, Path()) for finding in lint(there)]
    return frozenset(replace(entry, file=moved.get(entry.file, entry.file)) for entry in known)


def _moved(origin: Path, revision: str, paths: Sequence[Path]) -> dict[str, str]:
    """Files of paths by the name that they have at a revision, where that is another."""
    renames = _git(
        origin, "diff", "--find-renames", "--diff-filter=R", "--name-status", "--relative", "-z",
        revision,
    )  # fmt: skip
    texts = (renames or b"").decode("utf-8", "surrogateescape").split("\0")
    pairs = zip(texts[1::3], texts[2::3], strict=False)
    return {old: new for old, new in pairs if _is_within(new, paths)}


def _is_within(file: str, paths: Sequence[Path]) -> bool:
    """Whether a file is one of some paths, or below one."""
    return any(Path(file).is_relative_to(path) for path in paths)


def _require_revision(origin: Path, revision: str) -> None:
    if _git(origin, "rev-parse", "--is-inside-work-tree") is None:
        raise InputError(
            f"--changed-since {revision}: {origin} is not in a git repository. Run alarmproof in "
            "the repository that has the files."
        )
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
