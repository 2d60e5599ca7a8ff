"""The templates against AWS's rules: every finding that stands has its reason."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.findings import LINT, NAG, matches
from tests.templates import Synthesized

pytestmark = pytest.mark.xdist_group("synth")


def test_nag_findings_are_explained(synthesized: dict[str, Synthesized]) -> None:
    """cdk-nag's AwsSolutions and Serverless packs find nothing but what has a reason here."""
    unexplained = {
        finding
        for environment in synthesized.values()
        for finding in environment.findings
        if not any(matches(finding, known) for known in NAG)
    }
    assert not unexplained


@pytest.mark.parametrize("known", NAG, ids=lambda known: known[0])
def test_acknowledgements_are_used(
    synthesized: dict[str, Synthesized], known: tuple[str, str]
) -> None:
    """A reason for a finding that nothing has is a leftover."""
    findings = {finding for environment in synthesized.values() for finding in environment.findings}
    assert any(matches(finding, known) for finding in findings)


@pytest.mark.slow
def test_cfn_lint_is_silent(synthesized: dict[str, Synthesized]) -> None:
    """cfn-lint has no error and no warning beyond the ignored ones."""
    files = [
        str(stack.file) for environment in synthesized.values() for stack in environment.stacks
    ]
    lint = str(Path(sys.executable).with_name("cfn-lint"))
    command = [lint, "--ignore-checks", *LINT, "--template", *files]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
