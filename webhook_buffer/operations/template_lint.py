"""What CloudFormation would refuse of templates, found by cfn-lint in a process of its own.

cfn-lint and its rules take about a second to load, which here passes while the CDK synthesizes, and
two to judge an environment's templates. What it judged last is kept, so that templates that are the
same again, as in a ``deploy`` after a ``diff``, cost nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Self

from lambdas.base.safe_json import json_object
from settings.errors import ToolError
from webhook_buffer.operations.files import write

SKIP = "--no-lint"
# Errors are what is refused.
_IGNORED = ("W", "I")
# Hashes of assets and releases, which no rule looks into: other code is the same template.
_HASH = re.compile(r"\b[0-9a-f]{64}\b|(?<=\+)[0-9a-f]{12}\b")
# What cfn-lint finds in a template: the rule, the path, the message.
_Verdict = list[tuple[str, tuple[str | int, ...], str]]


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

    def __init__(self, region: str, verdicts: Path) -> None:
        """Starts cfn-lint.

        Args:
            verdicts: the file that keeps what it finds in the latest templates.
        """
        self._verdicts = verdicts
        self._judge = " ".join((version("cfn-lint"), region, *_IGNORED))
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
            FileError: When what it finds can't be kept.
        """
        digests = {file: self._digest(file) for file in templates}
        known = self._known()
        unknown = [file for file, digest in digests.items() if digest not in known]
        if unknown:
            judged = self._judged(unknown)
            known |= {digests[file]: verdict for file, verdict in judged.items()}
            kept = {digest: known[digest] for digest in digests.values()}
            write(self._verdicts, json.dumps(kept))
        return [
            Finding(file.name, rule, tuple(path), message)
            for file, digest in digests.items()
            for rule, path, message in known[digest]
        ]

    def _digest(self, file: Path) -> str:
        """What a verdict rests on: the template, and who judges it."""
        template = _HASH.sub("", file.read_text("utf-8"))
        return hashlib.sha256(f"{self._judge}\n{template}".encode()).hexdigest()

    def _known(self) -> dict[str, _Verdict]:
        """The verdicts that are kept; none where they can't be read."""
        try:
            return json_object(self._verdicts.read_bytes()) or {}
        except OSError:
            return {}

    def _judged(self, templates: Sequence[Path]) -> Mapping[Path, _Verdict]:
        files = json.dumps([str(file.resolve()) for file in templates])
        output, errors = self._process.communicate(files)
        if self._process.returncode:
            reason = (errors.strip().splitlines() or ["it said nothing"])[-1]
            raise ToolError(f"cfn-lint failed: {reason}. To skip it: {SKIP}")
        return dict(zip(templates, json.loads(output), strict=True))


def _main(region: str) -> None:
    """Loads cfn-lint, then lints the files that standard input names, each in a fork."""
    from cfnlint.config import ConfigMixIn
    from cfnlint.runner import Runner

    global _runner
    _runner = Runner(
        ConfigMixIn(
            [],
            regions=[_known(region)],
            ignore_checks=list(_IGNORED),
            config_file=os.devnull,  # whatever this machine has
        )
    )
    files = json.loads(sys.stdin.read() or "[]")
    if files:
        with get_context("fork").Pool(len(files)) as pool:
            print(json.dumps(pool.map(_verdict, files)))


def _known(region: str) -> str:
    """A region newer than cfn-lint is judged like the primary one."""
    from cfnlint.helpers import REGION_PRIMARY, REGIONS

    return region if region in REGIONS else REGION_PRIMARY


_runner: Any = None


def _verdict(file: str) -> _Verdict:
    template = json.loads(Path(file).read_text("utf-8"))
    return [
        (match.rule.id, tuple(getattr(match, "path", ())), match.message)
        for match in _runner.validate_template(template)
    ]


if __name__ == "__main__":
    _main(sys.argv[1])
