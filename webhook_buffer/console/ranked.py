"""Widgets that are lists of numbers, the largest first: rankings, tables, and changes.

Source: Datadog documentation, "Top List Widget", "Table Widget" and "Change Widget".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from webhook_buffer.console.evaluation import Request
from webhook_buffer.console.numbers import Numbers

Shown = dict[str, Any]

_ROWS = 25
# Seconds from what a change is compared with, by ``compare_to``.
_EARLIER = {
    "hour_before": 3600, "day_before": 86_400, "week_before": 7 * 86_400,
    "month_before": 28 * 86_400,
}  # fmt: skip


def ranked(requests: Sequence[Mapping[str, Any]], numbers: Numbers, start: int, end: int) -> Shown:
    """Each formula's number over the stretch, group by group.

    Raises:
        UnmeasuredError: When the session can't have them.
    """
    rows: list[Shown] = []
    for body in requests:
        request = Request(body)
        computed = request.as_numbers(numbers, start, end)
        for (_, formula), groups in zip(request.formulas, computed, strict=True):
            rows += [
                {"label": request.label(formula, group), "value": value,
                 "unit": request.unit(formula)}
                for group, value in groups.items()
            ]  # fmt: skip
    return _listed(rows, "Nothing in this time.")


def changes(requests: Sequence[Mapping[str, Any]], numbers: Numbers, start: int, end: int) -> Shown:
    """By how much each number differs from the one of the same stretch earlier.

    Raises:
        UnmeasuredError: When the session can't have them.
    """
    rows: list[Shown] = []
    for body in requests:
        request = Request(_present(body))
        shift = _EARLIER.get(str(body.get("compare_to")), _EARLIER["hour_before"])
        relative = body.get("change_type") == "relative"
        now = request.as_numbers(numbers, start, end)
        before = request.as_numbers(numbers, start - shift, end - shift)
        for (_, formula), groups, earlier in zip(request.formulas, now, before, strict=True):
            unit = "percent" if relative else request.unit(formula)
            rows += [
                {"label": request.label(formula, group), "unit": unit,
                 "value": _difference(value, earlier.get(group, np.nan), relative=relative)}
                for group, value in groups.items()
            ]  # fmt: skip
    return _listed(rows, "The session has nothing that this time can be compared with.")


def _present(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """A request without the formulas that only name what it is compared with."""
    formulas = [
        formula
        for formula in body.get("formulas") or ()
        if not str(formula["formula"]).startswith(tuple(f"{name}(" for name in _EARLIER))
    ]
    return {**body, "formulas": formulas}


def _difference(value: float, before: float, *, relative: bool) -> float:
    if not relative:
        return value - before
    return 100 * (value - before) / before if before else np.nan


def _listed(rows: list[Shown], empty: str) -> Shown:
    there = [row for row in rows if np.isfinite(row["value"])]
    there.sort(key=lambda row: -row["value"])
    return {"rows": there[:_ROWS], **({} if there else {"empty": empty})}
