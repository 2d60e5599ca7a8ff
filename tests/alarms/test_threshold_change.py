"""A threshold is changed in one place: nothing but its own cases and what is generated follows."""

from __future__ import annotations

import re
from pathlib import Path

from tests.source_tree import copied

_WRITE = (
    "from webhook_buffer.cli import docs\n"
    "for file, text in docs.generated().items(): docs.write(file, text)"
)


def test_a_changed_threshold_changes_cases_and_documents_alone(tmp_path: Path) -> None:
    """In a copy with queue-age-page at 10 minutes the machinery's tests and the documents pass."""
    copy = copied(tmp_path / "tree")
    file = copy.root / "alarms" / "queue.py"
    source, times = re.subn(
        r'("queue-age-page",\s+"queue-age-page",\s+Severity.PAGE,\s+Threshold\(\s*)900,',
        r"\g<1>600,",
        file.read_text("utf-8"),
    )
    assert times == 1
    file.write_text(source, "utf-8")
    written = copy.run("python", "-c", _WRITE)
    assert written.returncode == 0, written.stderr
    assert "≥ 10 min in 3 of 3 minutes" in (copy.root / "docs" / "alarms.md").read_text("utf-8")
    # All of the machinery but what talks to fake servers or synthesizes stacks.
    tests = copy.run(
        "pytest", "-q", "-p", "no:cacheprovider", "tests/alarms/test_catalog.py",
        "tests/dashboards/test_thresholds.py", "tests/monitoring", "-k",
        "not (sync or recordings or large_organization or test_stack or instrumentation or synth)",
    )  # fmt: skip
    assert tests.returncode == 0, tests.stdout
    cases = copy.run("webhook-buffer", "alarms", "test", "--env", "prd")
    failed = set(re.findall(r"^✗ (\S+) ", cases.stdout, re.MULTILINE))
    assert failed == {"queue-age-page"}
