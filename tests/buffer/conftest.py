"""The four environments' templates, synthesized once, with cdk-nag's findings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import settings


@dataclass(frozen=True)
class Synthesized:
    """A synthesized environment.

    Attributes:
        template: the template's document.
        file: where it is.
        findings: of cdk-nag, as (rule, construct path without the stack's name).
    """

    settings: settings.Settings
    template: Mapping[str, Any]
    file: Path
    findings: frozenset[tuple[str, str]]

    def resources(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """The resources of a type, by logical id."""
        found = self.template["Resources"]
        return {name: entry for name, entry in found.items() if entry["Type"] == kind}

    def properties(self, kind: str, **wanted: Any) -> Mapping[str, Any]:
        """The properties of the one resource of a type that has ``wanted``."""
        matching = [
            entry["Properties"]
            for entry in self.resources(kind).values()
            if wanted.items() <= entry["Properties"].items()
        ]
        assert len(matching) == 1, f"{len(matching)} resources of {kind} have {wanted}"
        found: Mapping[str, Any] = matching[0]
        return found


def synthesize(chosen: settings.Settings, folder: Path) -> Synthesized:
    """Synthesizes settings in this process, under both of cdk-nag's packs."""
    from app import build

    # isort: split
    from aws_cdk import App, Validations
    from cdk_nag import AwsSolutionsChecks, ServerlessChecks

    app = App(outdir=str(folder), context={"aws:cdk:disable-asset-staging": True})
    build(app, chosen)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    Validations.of(app).add_plugins(ServerlessChecks(app))
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()  # the packs have findings; test_rules.py explains each
    report = json.loads((folder / "validation-report.json").read_text())
    findings = {
        (violation["ruleName"], construct["constructPath"].partition("/")[2])
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    }
    file = folder / f"{chosen.prefix}.template.json"
    return Synthesized(chosen, json.loads(file.read_text()), file, frozenset(findings))


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Synthesized]:
    """Every environment that cdk.json ships."""
    return {
        name: synthesize(settings.load(name), tmp_path_factory.mktemp(name))
        for name in settings.environments()
    }
