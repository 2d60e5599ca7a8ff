"""Imports run one way, so that each part can be read, run and bundled by itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from settings import ROOT

OURS = {
    "alarms", "app", "buffer", "cli", "cli_alarms", "cli_datadog", "cli_demo", "cli_main",
    "cli_proof", "dashboards", "errors", "lambdas", "local", "monitoring", "operations", "proof",
    "settings",
    "settings_datadog", "settings_monitoring", "terminal",
}  # fmt: skip

# What each part may import of ours.
ALLOWED = {
    "lambdas": {"lambdas"},
    "errors": set(),
    "settings": {"errors", "lambdas", "settings_datadog", "settings_monitoring"},
    "settings_datadog": {"settings_monitoring"},
    "settings_monitoring": set(),
    "buffer": {"buffer", "errors", "lambdas", "settings"},
    "alarms": {"alarms", "monitoring", "settings"},
    "dashboards": {"alarms", "dashboards", "monitoring", "settings"},
    "monitoring": {
        "alarms",
        "buffer",
        "dashboards",
        "errors",
        "lambdas",
        "monitoring",
        "settings",
        "settings_datadog",
        "settings_monitoring",
    },
    "operations": {"alarms", "errors", "lambdas", "monitoring", "operations", "proof", "settings"},
    "local": {
        "errors",
        "lambdas",
        "local",
        "monitoring",
        "operations",
        "proof",
        "settings",
        "settings_monitoring",
    },
    "app": {"buffer", "errors", "monitoring", "settings"},
    "cli": {
        "cli_alarms",
        "cli_datadog",
        "cli_demo",
        "errors",
        "lambdas",
        "local",
        "monitoring",
        "operations",
        "settings",
        "terminal",
    },
    "cli_demo": {"errors", "local", "operations", "settings", "terminal"},
    "cli_alarms": {
        "cli_proof",
        "errors",
        "local",
        "monitoring",
        "operations",
        "proof",
        "settings",
        "terminal",
    },
    "cli_datadog": {
        "cli_alarms",
        "errors",
        "local",
        "monitoring",
        "operations",
        "settings",
        "terminal",
    },
    "cli_main": {"cli", "cli_proof", "errors"},
    "cli_proof": {"errors", "local", "monitoring", "operations", "proof", "settings"},
    "terminal": {"errors"},
    # Works on any template, so it knows nothing of ours.
    "proof": {"errors", "proof"},
}
# Libraries with one home each.
HOMES = {
    "aws_cdk": {"app", "buffer", "monitoring.cdk"},
    "datadog_cdk_constructs_v2": {"monitoring.cdk.datadog"},
    # The layer holds them; lambdas.tracing finds them loaded.
    "datadog_lambda": set(),
    "ddtrace": set(),
    # The stand-in rejects what the client's models do not know.
    "datadog_api_client": {"local.datadog", "operations.datadog.api"},
    "constructs": {"buffer", "monitoring.cdk"},
    "boto3": {"operations"},
    "typer": {"cli", "cli_alarms", "cli_datadog", "cli_main", "cli_proof"},
    "rich": {"cli_alarms", "cli_datadog", "cli_demo", "cli_main", "cli_proof", "terminal"},
    "pydantic": {"settings", "settings_datadog", "settings_monitoring"},
    "numpy": {"operations.history", "operations.recorder", "proof"},
    "plotly": {"proof.report"},
    "psutil": {"local"},
    "pyarrow": {"proof.recorded"},
    "sentry_sdk": {"lambdas"},
}
# What data may import of the machinery: the models it is written in, not what renders it.
MODEL = ("monitoring.model", "monitoring.metrics", "monitoring.datadog.model")


def _files() -> list[Path]:
    tops = [ROOT / f"{name}.py" for name in ALLOWED] + [
        path for name in ALLOWED for path in (ROOT / name).rglob("*.py")
    ]
    return sorted(path for path in tops if path.exists())


def _imports(file: Path) -> Iterator[tuple[str, str]]:
    """(top-level name, whole name) of every import, wherever it stands in the file."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.partition(".")[0], alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            module = node.module or ""
            yield module.partition(".")[0], module
            for alias in node.names:
                yield module.partition(".")[0], f"{module}.{alias.name}"


def _part(file: Path) -> str:
    return file.relative_to(ROOT).parts[0].removesuffix(".py")


@pytest.mark.parametrize("file", _files(), ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_run_one_way(file: Path) -> None:
    """A part imports only what it is allowed to, and a library only at its home."""
    part = _part(file)
    for top, whole in _imports(file):
        if top in OURS:
            assert top in ALLOWED[part], f"{part} must not import {whole}"
        if top in HOMES:
            homes = HOMES[top]
            module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            at_home = any(module == home or module.startswith(f"{home}.") for home in homes)
            assert at_home, f"{top} belongs to {homes}"


@pytest.mark.parametrize("part", ["alarms", "dashboards"])
def test_data_knows_the_model_only(part: str) -> None:
    """Signals and dashboards are data: they know the model, no renderer, no CDK, no HTTP."""
    for file in (ROOT / part).glob("*.py"):
        for top, whole in _imports(file):
            if top == "monitoring":
                known = any(f"{one}.".startswith(f"{whole}.") for one in MODEL)
                inside = any(f"{whole}.".startswith(f"{one}.") for one in MODEL)
                assert known or inside, f"{file.name} must not import {whole}"


def test_every_part_has_a_rule() -> None:
    """A new folder or module of ours gets a rule before it gets code."""
    python = {_part(path) for path in ROOT.glob("*.py")} | {
        path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name != "tests"
    }
    assert python == ALLOWED.keys()


def test_no_circles_within_a_part() -> None:
    """No module of ours imports itself through others."""
    graph = {
        ".".join(file.relative_to(ROOT).with_suffix("").parts): {name for _, name in _imports(file)}
        for file in _files()
    }

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"circle: {' → '.join([*trail, name])}"
        for other in graph.get(name, set()) & graph.keys():
            visit(other, (*trail, name))

    for name in graph:
        visit(name, ())
