"""Packages that only some commands need."""

from __future__ import annotations

from importlib.util import find_spec

from alarmproof.base.errors import MissingExtraError

PACKAGES = {"test": "numpy", "parquet": "pyarrow", "live": "boto3"}


def require(extra: str, what: str) -> None:
    """Checks that an extra is installed.

    Args:
        what: needs it, for the message.

    Raises:
        MissingExtraError: When it is not installed.
    """
    if find_spec(PACKAGES[extra]) is None:
        raise MissingExtraError(what, extra)
