"""Imports run one way, folder by folder, so that each part can be read, run and bundled alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from settings.paths import ROOT
from tests.import_graph import imports, module_of, modules

# What each folder may import of ours besides itself. docs/imports.md shows it.
ALLOWED: dict[str, set[str]] = {
    "lambdas.base": set(),
    "lambdas": {
        "lambdas.base",
        "lambdas.sources",
    },
    "lambdas.sources": {
        "lambdas.base",
        "lambdas.sources.schemes",
    },
    "lambdas.sources.schemes": {
        "lambdas.base",
    },
    "alarmproof.base": set(),
    "alarmproof": {
        "alarmproof.base",
        "alarmproof.reading",
        "alarmproof.rules",
    },
    "alarmproof.reading": {
        "alarmproof.base",
    },
    "alarmproof.rules": {
        "alarmproof.base",
    },
    "settings": {
        "lambdas",
        "lambdas.base",
        "lambdas.sources",
        "lambdas.sources.schemes",
    },
    "monitoring.model": {"alarmproof.base"},
    "alarms": {"monitoring.model"},
    "dashboards": {"monitoring.model"},
    "functions": {"settings"},
    "buffer": {
        "functions",
        "lambdas",
        "lambdas.base",
        "lambdas.sources",
        "settings",
    },
    "monitoring": {"monitoring.model", "settings"},
    "monitoring.cloudwatch": {"monitoring", "monitoring.model", "settings"},
    "monitoring.datadog": {"monitoring", "monitoring.model", "settings"},
    "monitoring.datadog.sync": {
        "monitoring.datadog",
        "monitoring.datadog.sync.api",
        "settings",
    },
    "monitoring.datadog.sync.api": {
        "monitoring.datadog",
        "settings",
    },
    "monitoring.cdk": {
        "functions",
        "monitoring",
        "monitoring.cloudwatch",
        "monitoring.model",
        "settings",
    },
    "monitoring.documents": {
        "monitoring",
        "monitoring.datadog",
        "monitoring.model",
        "settings",
    },
    # composition.py, where the command and its laptop hand data to the machinery.
    "webhook_buffer": {
        "alarms",
        "dashboards",
        "monitoring",
        "monitoring.cloudwatch",
        "monitoring.datadog",
        "monitoring.datadog.sync.api",
        "settings",
    },
    "webhook_buffer.operations": {
        "alarmproof.base",
        "lambdas",
        "lambdas.base",
        "lambdas.sources",
        "lambdas.sources.schemes",
        "monitoring",
        "monitoring.datadog",
        "monitoring.datadog.sync.api",
        "monitoring.model",
        "settings",
    },
    "webhook_buffer.live": {
        "alarmproof",
        "alarmproof.base",
        "lambdas",
        "lambdas.base",
        "monitoring",
        "settings",
        "webhook_buffer.operations",
    },
    "webhook_buffer.benchmark": {
        "alarmproof",
        "alarmproof.base",
        "monitoring.model",
    },
    "webhook_buffer.laptop": {
        "lambdas",
        "monitoring.datadog",
        "monitoring.datadog.sync",
        "monitoring.datadog.sync.api",
        "settings",
        "webhook_buffer",
        "webhook_buffer.laptop.fake_datadog",
        "webhook_buffer.laptop.programs",
        "webhook_buffer.live",
        "webhook_buffer.operations",
    },
    "webhook_buffer.laptop.drills": {
        "alarmproof.base",
        "monitoring",
        "monitoring.model",
        "settings",
        "webhook_buffer.benchmark",
        "webhook_buffer.laptop",
        "webhook_buffer.laptop.programs",
        "webhook_buffer.live",
        "webhook_buffer.operations",
    },
    "webhook_buffer.laptop.fake_datadog": {"settings", "webhook_buffer.laptop.programs"},
    "webhook_buffer.laptop.programs": {
        "settings",
        "webhook_buffer.operations",
    },
    "webhook_buffer.console": {
        "alarmproof",
        "alarmproof.base",
        "lambdas",
        "lambdas.base",
        "monitoring",
        "monitoring.cloudwatch",
        "monitoring.datadog",
        "settings",
        "webhook_buffer",
        "webhook_buffer.laptop",
        "webhook_buffer.laptop.drills",
        "webhook_buffer.laptop.programs",
        "webhook_buffer.live",
        "webhook_buffer.operations",
    },
    "webhook_buffer.cli": {
        "alarmproof",
        "alarmproof.base",
        "alarms",
        "dashboards",
        "lambdas.base",
        "lambdas.sources",
        "monitoring",
        "monitoring.cloudwatch",
        "monitoring.datadog",
        "monitoring.datadog.sync",
        "monitoring.datadog.sync.api",
        "monitoring.documents",
        "monitoring.model",
        "settings",
        "webhook_buffer",
        "webhook_buffer.benchmark",
        "webhook_buffer.console",
        "webhook_buffer.laptop",
        "webhook_buffer.laptop.drills",
        "webhook_buffer.laptop.programs",
        "webhook_buffer.live",
        "webhook_buffer.operations",
    },
    "app": {"alarms", "buffer", "dashboards", "functions", "monitoring.cdk", "settings"},
}
# Libraries with one home each.
HOMES = {
    "aws_cdk": {"app", "buffer", "functions", "monitoring.cdk"},
    "datadog_cdk_constructs_v2": {"monitoring.cdk.datadog"},
    # The layer holds them; lambdas.base.tracing finds them loaded.
    "datadog_lambda": set(),
    "ddtrace": set(),
    # The fake rejects what the client's models do not know.
    "datadog_api_client": {"monitoring.datadog.sync.api", "webhook_buffer.laptop.fake_datadog"},
    "constructs": {"buffer", "functions", "monitoring.cdk"},
    "boto3": {"alarmproof.live_metrics", "webhook_buffer.operations"},
    "botocore": {"webhook_buffer.operations"},
    # In a process of its own: it takes seconds to load.
    "cfnlint": {"webhook_buffer.operations.template_lint"},
    # In the emulator's own process, which nothing else loads.
    "ministack": {
        "webhook_buffer.laptop.emulator_server",
        "webhook_buffer.laptop.function_logs",
        "webhook_buffer.laptop.function_updates",
        "webhook_buffer.laptop.gateway",
    },
    "hypercorn": {"webhook_buffer.console.server", "webhook_buffer.laptop.emulator_server"},
    "starlette": {"webhook_buffer.console"},
    "markdown_it": {"webhook_buffer.console.text"},
    "typer": {"alarmproof", "webhook_buffer.cli"},
    "rich": {"alarmproof", "webhook_buffer.cli"},
    "pydantic": {"settings"},
    "numpy": {
        "alarmproof",
        "webhook_buffer.benchmark",
        "webhook_buffer.console",
        "webhook_buffer.live",
        "webhook_buffer.operations.history",
    },
    "psutil": {"webhook_buffer.laptop"},
    "pyarrow": {"alarmproof.recordings_parquet"},
    "sentry_sdk": {"lambdas"},
}
_FILES = modules(sorted({name.partition(".")[0] for name in ALLOWED} - {"alarmproof"}))


def _module(whole: str) -> str | None:
    return module_of(whole, _FILES)


def _folder(module: str) -> str:
    """The longest folder with a rule that a module lies in."""
    names = [name for name in ALLOWED if f"{module}.".startswith(f"{name}.")]
    assert names, f"{module}: its folder has no rule"
    return max(names, key=len)


def _forbidden(module: str) -> Iterator[str]:
    """The imports of a module that its folder is not allowed to."""
    folder = _folder(module)
    for whole in imports(_FILES[module]):
        ours = _module(whole)
        if ours:
            other = _folder(ours)
            if other not in (folder, *ALLOWED[folder]):
                yield f"{module}: {folder} must not import {whole}"
        homes = HOMES.get(whole.partition(".")[0])
        if homes is not None and not any(f"{module}.".startswith(f"{home}.") for home in homes):
            yield f"{module}: {whole} belongs to {homes}"


@pytest.mark.parametrize("folder", ALLOWED)
def test_imports_run_one_way(folder: str) -> None:
    """A folder imports only what it is allowed to, and a library only at its home."""
    modules_here = [module for module in _FILES if _folder(module) == folder]
    assert modules_here
    assert [wrong for module in modules_here for wrong in _forbidden(module)] == []


def test_no_two_folders_import_each_other() -> None:
    """What a rule allows one way, no rule allows back, not even through others."""

    def reached(folder: str, seen: set[str]) -> set[str]:
        for other in ALLOWED[folder] - seen:
            seen.add(other)
            reached(other, seen)
        return seen

    for folder in ALLOWED:
        assert folder not in reached(folder, set()), f"{folder} imports itself through others"


def _parent(module: str) -> str:
    """The folder that a module lies in, with a rule or without."""
    return module if _FILES[module].name == "__init__.py" else module.rpartition(".")[0]


def test_no_two_folders_use_each_other() -> None:
    """However deep a folder lies, and whether it has a rule of its own or its parent's."""
    using = {
        (_parent(module), _parent(ours))
        for module, file in _FILES.items()
        for whole in imports(file)
        if (ours := _module(whole))
    }
    assert [pair for pair in using if pair[0] < pair[1] and pair[::-1] in using] == []


def test_only_roots_import_data() -> None:
    """Machinery is handed signals and dashboards: the command's by its composition alone."""
    roots = {"app", "webhook_buffer.composition", "webhook_buffer.cli.docs"}
    data = {"alarms", "dashboards"}
    importing = {
        module
        for module, file in _FILES.items()
        if module.partition(".")[0] not in data
        and data & {whole.partition(".")[0] for whole in imports(file)}
    }
    assert importing == roots


def test_every_rule_is_used() -> None:
    """A permission nobody needs is taken away, so that the picture is the code."""
    used: dict[str, set[str]] = {name: set() for name in ALLOWED}
    for module, file in _FILES.items():
        folder = _folder(module)
        ours = {_module(whole) for whole in imports(file)} - {None}
        used[folder] |= {_folder(name) for name in ours if name} - {folder}
    unused = {name: ALLOWED[name] - used[name] for name in ALLOWED if ALLOWED[name] - used[name]}
    assert not unused


def test_the_root_holds_one_module() -> None:
    """Beside the folders there is app.py and no other Python module; a new folder gets a rule."""
    assert [path.name for path in ROOT.glob("*.py")] == ["app.py"]
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert folders == {name.partition(".")[0] for name in ALLOWED} - {"app", "alarmproof"}


def test_no_circles_within_a_folder() -> None:
    """No module of ours imports itself through others."""
    graph = {
        name: {module for whole in imports(file) if (module := _module(whole)) and module != name}
        for name, file in _FILES.items()
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"circle: {' → '.join([*trail, name])}"
        if name not in done:
            for other in graph[name]:
                visit(other, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_the_page_of_imports_has_these_rules() -> None:
    """docs/imports.md's table is what is enforced here."""
    page = (ROOT / "docs" / "imports.md").read_text("utf-8")
    for folder, others in ALLOWED.items():
        names = ", ".join(f"`{name}`" for name in sorted(others)) or "nothing of ours"
        assert f"| `{folder}` | {names} |" in page


def test_the_pictures_have_every_folder() -> None:
    """A newcomer finds each folder and its parts in the page's picture and CONTRIBUTING's table."""
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    picture = page.partition("\n## The parts")[2].split("```")[1]
    table = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## Repository layout")[2]
    rows = dict(re.findall(r"^\| `([\w/.]+?)/?`(?:, `\w+/`)* \| (.*)$", table, re.MULTILINE))
    drawn = set(re.findall(r"\w+", picture))
    for folder in (name for name in ALLOWED if name.count(".") < 2):
        top, _, part = folder.partition(".")
        assert (part.rpartition(".")[2] or top) in drawn, folder
        if top == "webhook_buffer" and part and "." not in part:
            assert f"`{part}/`" in rows[top], folder


def test_what_the_index_names_is_there() -> None:
    """Every path of the page's index exists."""
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    index = page.partition("\n## Where to find it")[2].partition("\n## ")[0]
    paths = set(re.findall(r"`([\w.-]+/[\w./-]*)`", index))
    assert paths
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []
