"""Templates of many settings against three sets of rules: ``make templates``.

It takes minutes, so the suite leaves it out.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from alarms import CATALOG
from settings import exposure, loader
from settings.paths import ROOT
from settings.schema import Settings
from tests.findings import (
    CHECKOV,
    CHECKOV_WITHOUT,
    LINT,
    NAG,
    NAG_OF_VARIANTS,
    matches,
)
from tests.quotas import uses
from tests.templates import Synthesized, synthesize
from tests.variants import VARIANTS
from webhook_buffer.operations.physical_names import by_stack

_CHECKOV = ROOT / ".build" / "checkov" / "bin" / "checkov"
Finding = tuple[str, str]
# The environments of cdk.json, too.
BLOCKS = {**VARIANTS, **loader.environments()}


@pytest.fixture(scope="session")
def variants(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Synthesized]:
    """Every variant, synthesized once, in a folder of its name."""
    folder = tmp_path_factory.mktemp("variants")
    environments = {}
    for name, block in BLOCKS.items():
        settings = Settings.model_validate(block)
        exposure.require_allowed(settings)
        (folder / name).mkdir()
        environments[name] = synthesize(settings, folder / name)
    return environments


@pytest.fixture(scope="session")
def linted(variants: dict[str, Synthesized]) -> set[Finding]:
    """What cfn-lint has to say, as (rule, message), each variant judged for its own region."""
    lint = str(Path(sys.executable).with_name("cfn-lint"))
    reported = set()
    for region in sorted({block["awsRegion"] for block in BLOCKS.values()}):
        here = [name for name, block in BLOCKS.items() if block["awsRegion"] == region]
        files = [str(stack.file) for name in here for stack in variants[name].stacks]
        command = [lint, "--regions", region, "--format", "json", "--template", *files]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert not result.stderr
        reported |= {
            (entry["Rule"]["Id"], entry["Message"]) for entry in json.loads(result.stdout or "[]")
        }
    return reported


@pytest.fixture(scope="session")
def checked(variants: dict[str, Synthesized]) -> dict[str, set[Finding]]:
    """What checkov has to say of each variant, as (check, ``type.logical id``)."""
    files = [str(stack.file) for variant in variants.values() for stack in variant.stacks]
    command = [
        str(_CHECKOV), "--framework", "cloudformation", "--skip-download", "--quiet", "--compact",
        "--output", "json", "--file", *files,
    ]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    report = json.loads(result.stdout)
    assert not report["summary"]["parsing_errors"]
    by_variant: dict[str, set[Finding]] = {name: set() for name in variants}
    for entry in report["results"]["failed_checks"]:
        name = Path(entry["file_abs_path"]).parent.name
        by_variant[name].add((entry["check_id"], entry["resource"]))
    return by_variant


def _reasons(name: str) -> Iterator[Finding]:
    """The known findings of checkov in a variant."""
    yield from CHECKOV
    for key, findings in CHECKOV_WITHOUT.items():
        if key not in BLOCKS[name]:
            yield from findings


@pytest.mark.parametrize("name", BLOCKS)
def test_arns_are_of_the_partition(variants: dict[str, Synthesized], name: str) -> None:
    """Every ARN that a template spells out is of its region's partition."""
    for stack in variants[name].stacks:
        spelled = set(re.findall(r"arn:(aws[a-z-]*):", stack.file.read_text()))
        assert spelled <= {stack.settings.partition}


@pytest.mark.parametrize("name", sorted(BLOCKS.keys() - {"local"}))
def test_preflight_knows_every_name(variants: dict[str, Synthesized], name: str) -> None:
    """Preflight looks for the names that the stacks take, and for no others."""
    for stack in variants[name].stacks:
        names = by_stack(stack.settings, CATALOG)[stack.file.name.removesuffix(".template.json")]
        assert set(names) == stack.named()


@pytest.mark.parametrize("name", BLOCKS)
def test_quotas_are_kept(variants: dict[str, Synthesized], name: str) -> None:
    """No template takes more of anything than AWS lets it have."""
    for stack in variants[name].stacks:
        assert [use for use in uses(stack.template) if use.taken > use.most] == []
        assert stack.file.stat().st_size < 1024 * 1024


@pytest.mark.parametrize("name", BLOCKS)
def test_nag_findings_are_explained(variants: dict[str, Synthesized], name: str) -> None:
    """cdk-nag's packs find nothing but what has a reason."""
    known = [*NAG, *NAG_OF_VARIANTS]
    findings = variants[name].findings
    assert {
        finding for finding in findings if not any(matches(finding, each) for each in known)
    } == set()


@pytest.mark.parametrize("known", NAG_OF_VARIANTS, ids=lambda known: known[0])
def test_reasons_for_nag_are_used(variants: dict[str, Synthesized], known: Finding) -> None:
    """A reason for a finding that no variant has is a leftover."""
    assert any(
        matches(finding, known) for variant in variants.values() for finding in variant.findings
    )


def test_cfn_lint_findings_are_explained(linted: set[Finding]) -> None:
    """cfn-lint has no error and no warning beyond those with a reason."""
    assert {finding for finding in linted if finding[0] not in LINT} == set()


@pytest.mark.parametrize("name", BLOCKS)
def test_checkov_findings_are_explained(checked: dict[str, set[Finding]], name: str) -> None:
    """checkov finds nothing but what has a reason, of encryption only where there is no key."""
    known = list(_reasons(name))
    assert {
        finding for finding in checked[name] if not any(matches(finding, each) for each in known)
    } == set()


@pytest.mark.parametrize(
    "known",
    [*CHECKOV, *(known for findings in CHECKOV_WITHOUT.values() for known in findings)],
    ids=lambda known: known[0],
)
def test_reasons_for_checkov_are_used(checked: dict[str, set[Finding]], known: Finding) -> None:
    """A reason for a finding that no variant has is a leftover."""
    assert any(matches(finding, known) for findings in checked.values() for finding in findings)
