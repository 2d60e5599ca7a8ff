"""The metrics of the functions are what the functions write."""

from __future__ import annotations

from lambdas import metrics as written
from monitoring.model import metrics


def test_names_and_units_are_those_the_functions_write() -> None:
    """Model and functions, which share no code, agree on namespace, names and units."""
    assert metrics.NAMESPACE == written.NAMESPACE
    assert {one.name: one.unit for one in metrics.OURS} == written.UNITS
    assert metrics.FRESH_SECONDS == written.FRESH_SECONDS


def test_every_metric_of_ours_says_when_it_is_written() -> None:
    """No metric of the functions is documented without its writer."""
    assert [one.name for one in metrics.OURS if not one.written.startswith("by ")] == []
