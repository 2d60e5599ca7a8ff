"""The programs on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from settings.errors import ToolError
from settings.paths import ROOT
from webhook_buffer.operations.cdk import check_node
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.preflight.model import Problem

_CLI = "aws-cdk"


def tools(_target: Environment, root: Path = ROOT) -> Iterator[Problem]:
    """Node, and the CDK CLI that ``package.json`` pins."""
    try:
        check_node()
    except ToolError as error:
        what, _, remedy = str(error).partition(". ")
        yield Problem(f"{what}.", remedy)
    pinned = json.loads((root / "package.json").read_text())["devDependencies"][_CLI]
    installed = root / "node_modules" / _CLI / "package.json"
    version = json.loads(installed.read_text())["version"] if installed.exists() else None
    if version != pinned:
        seen = f"is {version}" if version else "is not installed"
        yield Problem(f"The CDK CLI {seen}; package.json pins {pinned}.", "Run: make setup")
