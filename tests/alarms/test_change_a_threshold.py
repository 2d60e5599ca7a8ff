"""A threshold is changed in one place; after that the documents are written and all is well."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.source_tree import TESTS_OF_DEFINITIONS, Copy, copied

pytestmark = pytest.mark.slow


def _edit(file: Path, pattern: str, replacement: str) -> None:
    text, edits = re.subn(pattern, replacement, file.read_text("utf-8"))
    assert edits, f"{file.name} has nothing like {pattern}"
    file.write_text(text, "utf-8")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy in which queue-age-page has another threshold, its cases follow, docs are written."""
    copy = copied(tmp_path_factory.mktemp("threshold") / "tree")
    threshold = r'("queue-age-page",\s+Severity\.PAGE,\s+Threshold\(\s+)900'
    _edit(copy.root / "alarms" / "queue.py", threshold, r"\g<1>600")
    cases = copy.root / "alarms" / "cases" / "queue.yaml"
    parts = re.split(r"(?m)^(?=  - title:)", cases.read_text("utf-8"))
    changed = [
        part.replace("900x", "600x").replace("899x", "599x")
        if "alarm: queue-age-page\n" in part
        else part
        for part in parts
    ]
    cases.write_text("".join(changed), "utf-8")
    copy.write_documents()
    return copy


def test_no_document_has_the_old_number(tree: Copy) -> None:
    """Both rows of docs/alarms.md and the runbook's section have the new number alone."""
    page = (tree.root / "docs" / "alarms.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if re.match(r"\| \[?queue-age-page\b(?!-)", line)]
    assert len(rows) == 2
    runbook = (tree.root / "docs" / "runbook.md").read_text("utf-8")
    section = runbook.partition("\n## queue-age-page\n")[2].partition("\n## ")[0]
    for text in (*rows, section):
        assert "10 min" in text
        assert "15 min" not in text.replace("--minutes 15", "")


def test_nothing_else_has_to_change_in_one_place(tree: Copy) -> None:
    """Every test that a threshold can touch passes in the copy."""
    done = tree.run("pytest", "-q", "-x", "-p", "no:cacheprovider", *TESTS_OF_DEFINITIONS)
    assert done.returncode == 0, f"{done.stdout[-4000:]}{done.stderr[-2000:]}"
