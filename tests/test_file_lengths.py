"""A file that is long has one reason to be."""

from __future__ import annotations

from functools import cache

import pytest

from settings.paths import ROOT
from tests.source_tree import files

_LONG = 350
# Tests, and what stands for AWS in them, are read case by case.
_LONG_TESTS = 450
_REASONS = {
    "alarms/queue.py": "the queue's signals are read beside each other, as a list of numbers",
    "packages/alarmproof/src/alarmproof/reading/resolver.py": "all intrinsic functions, which call "
    "each other",
    "tests/lambdas/modelled_run.py": "one model, whose steps share its state",
    "tests/lambdas/parking_mutations.py": "a list of mutations, each a few lines",
    "tests/monitoring/fixtures.py": "one catalog, whose definitions refer to each other",
    "webhook_buffer/cli/app.py": "the options and help of every command, no code",
}


@cache
def _long() -> set[str]:
    counted = {
        name: len((ROOT / name).read_text("utf-8").splitlines())
        for name in files()
        if name.endswith(".py")
    }
    return {
        name
        for name, lines in counted.items()
        if lines > (_LONG_TESTS if "tests" in name.split("/") else _LONG)
    }


def test_a_long_file_has_a_reason() -> None:
    """What has grown is split by topic, or its reason is written here."""
    assert sorted(_long() - _REASONS.keys()) == []


@pytest.mark.parametrize("name", sorted(_REASONS))
def test_a_reason_is_needed(name: str) -> None:
    """A reason for a file that is short is taken away."""
    assert name in _long()
