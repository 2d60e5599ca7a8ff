"""Damaged files: a few hundred of a fixed seed; ``fuzz.py`` goes on for longer."""

from __future__ import annotations

import random
from pathlib import Path

import fuzz


def test_damaged_files_are_one_clear_error_or_are_judged(tmp_path: Path) -> None:
    """No other exception than ours, no endless work, no endless message."""
    chance = random.Random(20261126)
    for number in range(250):
        fuzz.expression(chance)
        assert fuzz.attempt(chance, tmp_path) is None, f"input {number}"
