"""The parts of a policy document, whichever of its forms they are written in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alarmproof.base.values import listed


def principals(statement: Mapping[str, Any], element: str = "Principal") -> list[str]:
    """Everyone whom a statement names, of whatever kind.

    Args:
        element: ``Principal`` or ``NotPrincipal``.
    """
    principal = statement.get(element, {})
    if isinstance(principal, str):
        return [principal]
    return [name for names in principal.values() for name in listed(names)]
