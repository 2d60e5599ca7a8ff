"""What the README says is there, is there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from lambdas.messages import mail_step
from monitoring.alarm_guide import alarm_guides
from settings.loader import load
from settings.paths import ROOT
from webhook_buffer.cli import app
from webhook_buffer.composition import alarm_set

README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z]+(?:-[a-z]+)*)", README))))
def test_make_targets_exist(target: str) -> None:
    """Every ``make`` target that the README names is in the Makefile."""
    assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)


def test_commands_exist() -> None:
    """Every ``webhook-buffer`` command that the README names is one."""
    known = {c.name or c.callback.__name__ for c in app.app.registered_commands if c.callback}
    known |= {str(group.name) for group in app.app.registered_groups}
    named = set(re.findall(r"webhook-buffer ([a-z]+)\b(?![:\]])", README))
    assert named <= known


@pytest.mark.parametrize(
    ("file", "link"),
    [
        (file, link)
        for file in (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")))
        for link in sorted(set(re.findall(r"\]\(([^)h][^)]*)\)", file.read_text())))
    ],
    ids=lambda part: part.name if isinstance(part, Path) else part,
)
def test_links_lead_somewhere(file: Path, link: str) -> None:
    """Every link within the project leads to a file, and to a heading or anchor of it."""
    path, _, anchor = link.partition("#")
    target = (file.parent / path) if path else file
    assert target.exists()
    if anchor:
        text = target.read_text()
        headings = re.findall(r"^#+ (.+?)\s*$", text, re.MULTILINE)
        slugs = {
            re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings
        }
        assert anchor in slugs | set(re.findall(r'<a id="([^"]+)">', text))


def test_layout_is_the_layout() -> None:
    """Every file and folder in the layout exists, and every folder of code is in it."""
    layout = README.partition("## Layout")[2].split("```")[1]
    named = set(re.findall(r"[a-z_]+(?:/|\.py|\.json)", layout))
    assert all((ROOT / name).exists() for name in named)
    folders = {f"{path.parent.name}/" for path in ROOT.glob("*/__init__.py")}
    assert folders <= named


def test_demo_output_is_the_demo_s() -> None:
    """The rows of the demo's tables are those that the demo prints."""
    source = (ROOT / "webhook_buffer/cli/demo.py").read_text().partition("def _published")[2]
    printed = set(re.findall(r'\("([A-Z][A-Za-z -]+)",', source))
    shown = set(re.findall(r"^│ ([A-Z][A-Za-z -]+?) +│", README, re.MULTILINE))
    assert shown == printed


def test_drift_is_shown_as_the_command_prints_it() -> None:
    """The README's lines of drift are made of the command's own words."""
    shown = README.partition("This is `drift`")[2].split("```")[1]
    files = (ROOT / "webhook_buffer/cli").glob("datadog*.py")
    source = "".join(file.read_text() for file in files)
    for words in ("was changed by hand; it differs in:", "changed by hand,", "To undo: "):
        assert words in shown
        assert words in source


def test_the_mail_is_what_a_drill_sends() -> None:
    """The README's mail has the texts of the signal, its incident and the runbook."""
    mail = README.partition("PAGE webhook-buffer local")[2].partition("```")[0]
    entries = alarm_guides(alarm_set(load("local")))["alarms"]
    entry = entries["webhook-buffer-local-backend-down"]
    incident = entries["webhook-buffer-local-deliveries-failing"]
    steps = [mail_step(step) for step in entry["steps"]]
    for text in (entry["title"], incident["title"], incident["impact"], *steps):
        assert text in mail


def _shell_blocks() -> list[str]:
    """The README's blocks of commands to paste; those that begin with a prompt show output."""
    blocks = re.findall(r"^```\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    first = ("webhook-buffer ", "make ", "alias ")
    return [block for block in blocks if block.startswith(first)]


@pytest.mark.parametrize("block", _shell_blocks(), ids=lambda block: block.split("#")[0].strip())
def test_blocks_can_be_pasted(block: str, tmp_path: Path) -> None:
    """A shell runs each line of a block as one command whose words are those before the comment."""
    called = tmp_path / "called"
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("webhook-buffer", "make"):
        (tools / name).write_text(f'#!/bin/sh\necho "{name} $*" >> {called}\n')
        (tools / name).chmod(0o755)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(tools)
    subprocess.run(
        ["/bin/bash", "-c", f"shopt -s expand_aliases\n{block}"], cwd=tmp_path, check=True,
        env={"PATH": str(tools)}, capture_output=True, text=True,
    )  # fmt: skip
    lines = [line.split("#")[0] for line in block.splitlines() if not line.startswith("alias")]
    expected = [" ".join(line.replace("wb ", "webhook-buffer ").split()) for line in lines]
    assert called.read_text().splitlines() == expected
