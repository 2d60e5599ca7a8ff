"""Queries as trees: what Datadog takes can be evaluated, or says why not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.datadog import query_tree
from monitoring.datadog.query import QueryError
from monitoring.datadog.query_tree import Atom, Binary, Call, Name, Number


def test_a_metric_with_all_its_parts() -> None:
    """Aggregation, scope without variables, grouping, and methods with their arguments."""
    text = "sum:aws.lambda.errors{$env,functionname:a} by {region}.as_count().rollup(sum, 60)"
    assert query_tree.metric(text) == Atom(
        aggregation="sum", metric="aws.lambda.errors", tags=("functionname:a",),
        variables=("env",), by=("region",),
        methods=(("as_count", ()), ("rollup", ("sum", "60"))),
    )  # fmt: skip


def test_without_an_aggregation_it_is_the_average() -> None:
    """As Datadog reads it."""
    made = query_tree.metric("aws.lambda.duration{*}")
    assert isinstance(made, Atom)
    assert (made.aggregation, made.tags) == ("avg", ())


def test_arithmetic_binds_as_usual() -> None:
    """``100 * a / (b + 1)``, and a sign in front."""
    made = query_tree.formula("100 * a / (b + -1)", ["a", "b"])
    left = Binary("*", Number(100.0), Name("a"))
    right = Binary("+", Name("b"), Binary("-", Number(0.0), Number(1.0)))
    assert made == Binary("/", left, right)


def test_functions_keep_their_constants() -> None:
    """``top(…, 5, 'mean', 'desc')``."""
    made = query_tree.metric("top(avg:a.b{*} by {functionname}, 5, 'mean', 'desc')")
    assert isinstance(made, Call)
    assert (made.function, made.constants) == ("top", (5.0, "mean", "desc"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("sum:a.b{env:x OR env:y}", "scope"),
        ("sum:a.b{!env:x}", "scope"),
        ("sum:a.b{env:x*}", "scope"),
        ("sum:a.b{*} +", "brackets"),
        ("sum:a.b{*} ** 2", "can't be read"),
        ("__import__('os').system('x')", "can't be read"),
        ("f(sum:a.b{*}, x)", "constant"),
        ("(" * 50 + "sum:a.b{*}" + " + 1)" * 50, "deep"),
    ],
)
def test_what_cannot_be_evaluated_says_why(text: str, reason: str) -> None:
    """An error of the query's own, never a number of something else."""
    with pytest.raises(QueryError, match=reason):
        query_tree.metric(text)


@given(st.text(alphabet="sum:a.b{}*()+-/, $xy\"'_0", max_size=60))
def test_no_text_is_a_crash(text: str) -> None:
    """A stranger's dashboard may hold anything."""
    try:
        query_tree.metric(text)
    except QueryError:
        pass
