"""The metrics of the functions are what the functions write."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from lambdas.base import metrics as written
from lambdas.sources.schemes.reasons import Reason
from monitoring.model import metrics
from settings.paths import ROOT

# Reasons for requests that belong to no source.
_UNMATCHED = {"prefix", "no-source"}


def test_names_and_units_are_those_the_functions_write() -> None:
    """Model and functions, which share no code, agree on namespace, names and units."""
    assert metrics.NAMESPACE == written.NAMESPACE
    assert {metric.name: metric.unit for metric in metrics.OURS} == written.UNITS
    assert metrics.FRESH_SECONDS == written.FRESH_SECONDS


def test_refusals_have_the_reasons_that_publish_gives() -> None:
    """The reasons that dashboards draw are those in the code that refuses, and no others."""
    files = (ROOT / "lambdas" / "publish.py", ROOT / "lambdas" / "sources" / "intake.py")
    given = {reason for file in files for reason in _reasons(ast.parse(file.read_text("utf-8")))}
    assert _UNMATCHED.isdisjoint(given)
    assert sorted({*given, *Reason}) == sorted(metrics.REFUSALS)


def _reasons(tree: ast.Module) -> Iterator[str]:
    """The reasons that are spelled out where something is refused."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            continue
        if call.func.id == "refusal":
            values = [keyword.value for keyword in call.keywords if keyword.arg == "reason"]
        else:
            values = call.args[3:4] if call.func.id == "_refused" else []
        yield from (str(value.value) for value in values if isinstance(value, ast.Constant))


def test_every_metric_of_ours_says_when_it_is_written() -> None:
    """No metric of the functions is documented without its writer."""
    assert [metric.name for metric in metrics.OURS if not metric.written.startswith("by ")] == []
