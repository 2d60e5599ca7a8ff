"""Builds the editable install that ``make setup`` makes, and refuses every other.

The command reads cdk.json, docs/ and node_modules beside it, which no wheel has.
"""

from __future__ import annotations

from typing import NoReturn

from setuptools.build_meta import (
    build_editable,
    get_requires_for_build_editable,
    prepare_metadata_for_build_editable,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]


def build_wheel(*_: object, **__: object) -> NoReturn:
    """Refuses."""
    raise SystemExit("webhook-buffer is run from its checkout; run `make setup` there.")


build_sdist = prepare_metadata_for_build_wheel = build_wheel
