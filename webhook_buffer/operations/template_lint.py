"""What CloudFormation would refuse of templates, found by cfn-lint in a process of its own.

cfn-lint and its rules take about two seconds to load, which here pass while the CDK synthesizes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Self

from settings.errors import ToolError

SKIP = "--no-lint"


@dataclass(frozen=True)
class Finding:
    """Something in a template that CloudFormation would refuse.

    Attributes:
        file: the template's name.
        rule: cfn-lint's, such as ``E3034``.
        path: where it is: ``("Resources", "Queue", "Properties", "VisibilityTimeout")``.
        message: what is wrong, a phrase.
    """

    file: str
    rule: str
    path: tuple[str | int, ...]
    message: str

    @property
    def resource(self) -> str:
        """The logical id; empty where it is not about a resource."""
        return str(self.path[1]) if self.path[:1] == ("Resources",) and self.path[1:] else ""

    @property
    def property(self) -> str:
        """The innermost name; empty where there is none."""
        return str(self.path[-1]) if self.path else ""


class Linter:
    """cfn-lint for a region, loading from construction on. A context: it ends with the block."""

    def __init__(self, region: str) -> None:
        # Without bytecode it would compile sympy and networkx for three seconds every time.
        environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, region],
            env=environ, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        if self._process.stdin and not self._process.stdin.closed:
            self._process.communicate()

    def findings(self, templates: Sequence[Path]) -> list[Finding]:
        """All errors in some templates; asked once.

        Raises:
            ToolError: When cfn-lint fails.
        """
        files = json.dumps([str(file.resolve()) for file in templates])
        output, errors = self._process.communicate(files)
        if self._process.returncode:
            reason = (errors.strip().splitlines() or ["it said nothing"])[-1]
            raise ToolError(f"cfn-lint failed: {reason}. To do without it: {SKIP}")
        return [
            Finding(entry["file"], entry["rule"], tuple(entry["path"]), entry["message"])
            for entry in json.loads(output)
        ]


def _main(region: str) -> None:
    """Loads cfn-lint, then lints the files that standard input names, each in a fork."""
    from cfnlint.config import ConfigMixIn
    from cfnlint.runner import Runner

    global _runner
    _runner = Runner(
        ConfigMixIn(
            [],
            regions=[_known(region)],
            ignore_checks=["W", "I"],  # errors are what is refused
            config_file=os.devnull,  # whatever this machine has
        )
    )
    files = json.loads(sys.stdin.read() or "[]")
    if not files:
        print("[]")
        return
    with get_context("fork").Pool(len(files)) as pool:
        print(json.dumps([entry for entries in pool.map(_errors, files) for entry in entries]))


def _known(region: str) -> str:
    """A region newer than cfn-lint is judged like the primary one."""
    from cfnlint.helpers import REGION_PRIMARY, REGIONS

    return region if region in REGIONS else REGION_PRIMARY


_runner: Any = None


def _errors(file: str) -> list[dict[str, Any]]:
    path = Path(file)
    return [
        {
            "file": path.name,
            "rule": match.rule.id,
            "path": list(getattr(match, "path", ())),
            "message": match.message,
        }
        for match in _runner.validate_template(json.loads(path.read_text("utf-8")))
    ]


if __name__ == "__main__":
    _main(sys.argv[1])
