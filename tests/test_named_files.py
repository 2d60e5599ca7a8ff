"""What documents and code name in this repository is there, so that a reader finds it."""

from __future__ import annotations

import re
from pathlib import Path

from settings.paths import ROOT
from tests.source_tree import files

FILES = sorted(files())
PRODUCT = [name for name in FILES if name.endswith(".py") and "tests/" not in name]
# The changelog and the results of drills say what was.
DOCUMENTS = [name for name in FILES if name.endswith(".md") and name != "CHANGELOG.md"]
FOLDERS = "|".join(sorted({name.partition("/")[0] for name in FILES if name.count("/")}))
# Of Lambda's runtime, written by a command, or with a word that stands for others.
ELSEWHERE = {
    "awslambdaric/bootstrap.py",
    "bootstrap.py",
    "alarms/imported/",
    "dashboards/imported/",
    "docs/rules/ID.md",
}


def _text(name: str) -> str:
    return Path(ROOT, name).read_text("utf-8")


def _matches(path: str) -> list[str]:
    """The files that a path leads to, which may leave out the folders before it."""
    return [name for name in FILES if name == path or name.endswith(f"/{path}")]


def test_documents_name_files_that_exist() -> None:
    """A path in backticks is that of a file or folder of this repository."""
    paths = {
        (document, path)
        for document in DOCUMENTS
        for path in re.findall(rf"`((?:{FOLDERS})/[\w./-]*|[\w/-]+\.py)`", _text(document))
        if path not in ELSEWHERE
    }
    assert len(paths) > 100
    assert [
        pair for pair in sorted(paths) if not Path(ROOT, pair[1]).exists() and not _matches(pair[1])
    ] == []


def test_documents_name_what_their_files_have() -> None:
    """Of "`NAME` in `file.py`", the file has the name."""
    named = {
        (document, name, path)
        for document in DOCUMENTS
        for name, path in re.findall(r"`(\w+)` in\s+`([\w/]+\.py)`", _text(document))
    }
    assert len(named) > 3
    assert [
        (document, name, path)
        for document, name, path in sorted(named)
        if not any(re.search(rf"\b{name}\b", _text(match)) for match in _matches(path))
    ] == []


def test_code_names_files_that_exist() -> None:
    """A comment, text or error that sends somebody to a file names one that is there."""
    paths = re.compile(rf"\b(?<![/<.-])((?:{FOLDERS})/[\w/-]+\.(?:py|md))\b")
    named = {
        (file, path)
        for file in PRODUCT
        for path in paths.findall(_text(file))
        if path not in ELSEWHERE
    }
    assert len(named) > 20
    assert [pair for pair in sorted(named) if not _matches(pair[1])] == []
