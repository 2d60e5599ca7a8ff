"""The extras that are named are those that can be installed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from alarmproof.extras import PACKAGES

PACKAGE = Path(__file__).parents[1]
TEXTS = [
    *(PACKAGE / "src").rglob("*.py"),
    *PACKAGE.glob("*.md"),
    *(PACKAGE / "docs").rglob("*.md"),
    PACKAGE / "action.yml",
]
_NAMED = re.compile(
    r"needs? (?:the extra )?'(\w+)'|\bextra [`'](\w+)[`']|alarmproof\[([\w,]+)\]", re.I
)


@pytest.fixture(scope="module")
def extras() -> dict[str, list[str]]:
    """Those of pyproject.toml, with what each installs."""
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text("utf-8"))["project"]
    defined: dict[str, list[str]] = project["optional-dependencies"]
    return defined


def test_an_extra_that_a_text_names_is_there(extras: dict[str, list[str]]) -> None:
    """Help, errors and documents name no extra that pip would only warn about."""
    named = {
        (file.name, extra)
        for file in TEXTS
        for groups in _NAMED.findall(file.read_text("utf-8"))
        for extra in ",".join(groups).split(",")
        if extra
    }
    assert {extra for _, extra in named} >= {"test", "parquet", "live"}
    assert [pair for pair in sorted(named) if pair[1] not in extras] == []


def test_an_extra_installs_what_is_asked_for(extras: dict[str, list[str]]) -> None:
    """Whoever installs the extra that an error names has the package that was missing."""
    assert PACKAGES.keys() == extras.keys()
    for extra, package in PACKAGES.items():
        assert any(re.match(rf"{package}\b", needed) for needed in extras[extra])
