"""A threshold is changed in one place; after that the documents are written and all is well."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.source_tree import Copy, copied

pytestmark = pytest.mark.slow

# What `make check` runs of what a threshold can touch, without what needs a synthesized stack.
_TESTS = (
    "tests/alarms/test_cases.py",
    "tests/alarms/test_catalog.py",
    "tests/alarms/test_stale_numbers.py",
    "tests/dashboards/test_dashboards.py",
    "tests/monitoring/documents",
    "tests/monitoring/datadog/test_monitors.py",
    "tests/dashboards/test_thresholds.py",
    "tests/monitoring/test_alarm_guide.py",
    "tests/monitoring/test_alarm_set.py",
    "tests/monitoring/test_cost.py",
    "tests/monitoring/test_wording.py",
    "tests/webhook_buffer/cli/test_docs.py",
    "tests/test_readme.py",
)
_NEEDS_A_STACK = (
    "not proven_is_what_is_deployed and not cases_can_fail and not on_the_laptop_a_suppressor"
)


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
    options = ("-q", "-x", "-p", "no:cacheprovider", "-k", _NEEDS_A_STACK)
    done = tree.run("pytest", *options, *_TESTS)
    assert done.returncode == 0, f"{done.stdout[-4000:]}{done.stderr[-2000:]}"
