"""What CI systems read is well-formed, and names things that exist."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from alarmproof import cli
from typer.testing import CliRunner

PACKAGE = Path(__file__).parents[1]


def test_the_action_passes_inputs_as_variables() -> None:
    """No input becomes a part of a script, and the options that it uses exist."""
    action = yaml.safe_load((PACKAGE / "action.yml").read_text("utf-8"))
    scripts = [step["run"] for step in action["runs"]["steps"] if "run" in step]
    assert not any("${{" in script for script in scripts)
    assert "--format github" in scripts[-1]
    assert set(action["inputs"]) == {"paths", "arguments"}


def test_the_hook_runs_a_command_that_exists() -> None:
    """pre-commit appends the changed files, which are templates."""
    [hook] = yaml.safe_load((PACKAGE / ".pre-commit-hooks.yaml").read_text("utf-8"))
    name, command, *options = hook["entry"].split()
    assert name == "alarmproof"
    help_text = CliRunner().invoke(cli.app, [command, "--help"]).output
    assert all(option in help_text for option in options)
    matching = re.compile(hook["files"])
    assert matching.search("cdk.out/Shop.template.json")
    assert matching.search("sam/template.yaml")
    assert not matching.search("package.json")
