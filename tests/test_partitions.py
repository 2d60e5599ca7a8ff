"""Templates for other partitions: nothing in them is of the commercial one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from settings import loader, schema
from tests.templates import Synthesized, synthesize

_ARN = re.compile(r"arn:(aws[a-z-]*):")


@pytest.fixture(scope="module")
def elsewhere(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[schema.Settings, Synthesized, Path]:
    """The environment stg in another partition; ``make templates`` has more of them."""
    settings = schema.Settings.model_validate(
        {**loader.environments()["stg"], "awsRegion": "cn-north-1"}
    )
    folder = tmp_path_factory.mktemp("elsewhere")
    return settings, synthesize(settings, folder), folder


@pytest.mark.slow
def test_arns_are_of_the_partition(
    elsewhere: tuple[schema.Settings, Synthesized, Path],
) -> None:
    """Every ARN that a template spells out is of its region's partition."""
    settings, synthesized, _ = elsewhere
    for stack in synthesized.stacks:
        spelled = set(_ARN.findall(json.dumps(stack.template)))
        assert spelled <= {settings.partition}
    assert settings.partition != "aws"


@pytest.mark.slow
def test_real_stacks_are_protected(
    elsewhere: tuple[schema.Settings, Synthesized, Path],
) -> None:
    """Stacks with a real backend can't be deleted by one click."""
    manifest = json.loads((elsewhere[2] / "manifest.json").read_text())
    stacks = [
        artifact["properties"]
        for artifact in manifest["artifacts"].values()
        if artifact["type"] == "aws:cloudformation:stack"
    ]
    assert [stack.get("terminationProtection") for stack in stacks] == [True, True]
