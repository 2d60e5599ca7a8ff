"""The guide to a new alarm, followed to the letter in a copy of the tree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from settings.paths import ROOT
from tests.source_tree import Copy, copied

pytestmark = pytest.mark.slow

_GUIDE = (ROOT / "docs" / "add-an-alarm.md").read_text("utf-8")


def _step(number: int) -> tuple[str, str]:
    """The file that a step names before its code, and the code."""
    section = _GUIDE.partition(f"\n## {number}. ")[2].partition(f"\n## {number + 1}. ")[0]
    text, _, code = section.partition("```")
    file = re.findall(r"`((?:alarms|dashboards|docs)/[\w./-]+\.\w+)`", text)[-1]
    return file, code.partition("\n")[2].partition("\n```")[0] + "\n"


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy after steps 1 to 4, formatted, its documents regenerated as ``make docs`` does."""
    copy = copied(Path(tmp_path_factory.mktemp("guide"), "copy"))
    for number in (1, 2, 3):
        name, code = _step(number)
        file = copy.root / name
        text = file.read_text("utf-8").rstrip()
        if number == 1:
            assert text.endswith(")")
            file.write_text(f"{text[:-1]}{code.rstrip()},\n)\n", "utf-8")
        else:
            file.write_text(f"{text}\n{code}" if number == 3 else f"{text}\n\n{code}", "utf-8")
    panels = copy.root / "dashboards" / "buffer.py"
    before = '        signals=("backend-redirects",),\n'
    text = panels.read_text("utf-8")
    assert text.count(before) == 1
    panels.write_text(text.replace(before, _step(4)[1]), "utf-8")
    done = copy.run("ruff", "format", "alarms", "dashboards")
    assert done.returncode == 0, done.stdout + done.stderr
    copy.write_documents()
    return copy


@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("webhook-buffer", "alarms", "test"),
        (
            "pytest", "-q", "-p", "no:cacheprovider", "tests/alarms/test_catalog.py",
            "tests/monitoring/documents", "tests/test_readme.py", "tests/alarms/test_cases.py",
            "tests/monitoring/test_cost.py", "tests/dashboards/test_thresholds.py",
            "-k", "not deployed and not laptop",
        ),
    ],
    ids=lambda command: " ".join(command[:3]),
)  # fmt: skip
def test_after_the_guide_the_checks_pass(followed: Copy, command: tuple[str, ...]) -> None:
    """Whoever follows docs/add-an-alarm.md to its end has a tree that passes its checks."""
    done = followed.run(*command)
    assert done.returncode == 0, done.stdout + done.stderr
