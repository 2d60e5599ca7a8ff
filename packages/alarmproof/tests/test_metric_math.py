"""Metric math, by CloudWatch's rules for what is missing."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from alarmproof.base.errors import NotSupportedError
from alarmproof.base.expressions import compile_expression
from alarmproof.base.math_functions import ARGUMENTS, ELSEWHERE, NOT_IN_ALARMS, functions_table
from alarmproof.metric_math import Context, evaluate

_ = math.nan
A = [1, 2, _, 4, _]
B = [10, _, 30, 0, _]


def _made(text: str, **series: list[float]) -> list[float]:
    starts = np.array([[86_400.0 * 4 + 3600 * hour for hour in range(5)]])
    values = {
        name: np.array([points], dtype=float)
        for name, points in (series or {"a": A, "b": B}).items()
    }
    expression = compile_expression(text)
    evaluated = evaluate(expression, Context(values, ("a", "b"), starts, 300))
    return [float(value) for value in np.broadcast_to(evaluated, (1, 5))[0]]


CASES: list[tuple[str, list[float]]] = [
    ("a + b", [11, 2, 30, 4, _]),
    ("a - b", [-9, 2, -30, 4, _]),
    ("a * 2", [2, 4, _, 8, _]),
    ("a / b", [0.1, _, 0, _, _]),
    ("2 + 3 * 2 ^ 2", [14] * 5),
    ("-a", [-1, -2, _, -4, _]),
    ("(1 + 2) * 3 - 4 / 2", [7] * 5),
    ("a > 1", [0, 1, _, 1, _]),
    ("b > a", [1, 0, 1, 0, _]),
    ("a >= 2 AND b == 0", [0, 0, 0, 1, _]),
    ("a == 1 || b == 30", [1, 0, 1, 0, _]),
    ("IF(a > 1, b, 7)", [7, 0, _, 0, _]),
    ("IF(a > 1, a)", [_, 2, _, 4, _]),
    ("IF(b > a, b, a)", [10, 2, 30, 4, _]),
    ("IF(b, 1, 0)", [1, _, 1, 0, _]),
    ("FILL(a, 0)", [1, 2, 0, 4, 0]),
    ("FILL(a, b)", [1, 2, 30, 4, _]),
    ("FILL(a, REPEAT)", [1, 2, 2, 4, 4]),
    ("IF(b >= 0, FILL(a, REPEAT), 0)", [1, _, 2, 4, _]),
    ("SUM([a, b])", [11, 2, 30, 4, _]),
    ("SUM(METRICS())", [11, 2, 30, 4, _]),
    ('MAX(METRICS("b"))', [10, _, 30, 0, _]),
    ("MAX([a, b])", [10, 2, 30, 4, _]),
    ("AVG([a, b])", [5.5, 1, 15, 2, _]),
    ("STDDEV([a, b])", [4.5, 0, 0, 2, _]),
    ("MIN(a)", [1] * 5),
    ("SUM(a)", [7] * 5),
    ("AVG(a) + 0 * b", [7 / 5, _, 7 / 5, 7 / 5, _]),
    ("a - MIN(a)", [0, 1, _, 3, _]),
    ("DATAPOINT_COUNT(a)", [3] * 5),
    ("DATAPOINT_COUNT([a, b])", [2, 1, 1, 2, 0]),
    ("SUM(a) / DATAPOINT_COUNT(a)", [7 / 3] * 5),
    ("DIFF(a)", [_, 1, _, 2, _]),
    ("RATE(a)", [_, 1 / 300, _, 2 / 600, _]),
    ("RUNNING_SUM(a)", [1, 3, _, 7, _]),
    ("ABS(0 - a)", [1, 2, _, 4, _]),
    ("HOUR(a)", [0, 1, 2, 3, 4]),
    ("DAY(a)", [1] * 5),
    ("MINUTE(a) + 100 * DATE(a) + 10000 * MONTH(a)", [10_500] * 5),
    ("YEAR(a)", [1970] * 5),
    ("EPOCH(a) - 4 * 86400", [0, 3600, 7200, 10_800, 14_400]),
    ("TIME_SERIES(3)", [3] * 5),
    ("TIME_SERIES(MAX(a))", [4] * 5),
    ("LOG10(b)", [1, _, math.log10(30), _, _]),
    ("LOG(a)", [0, math.log(2), _, math.log(4), _]),
    ("CEIL(a / 3)", [1, 1, _, 2, _]),
    ("FLOOR(a / 3)", [0, 0, _, 1, _]),
    ("DIFF_TIME(a)", [_, 300, _, 600, _]),
    ("FILL(b, LINEAR)", [10, 20, 30, 0, _]),
    ("IF(b, 1, a)", [1, _, 1, 4, _]),
    ("IF(a > 1, 5, b)", [10, 5, _, 5, _]),
    ("IF(a < 2, 5, b)", [5, _, _, 0, _]),
    ("IF(2 > 1, a, b)", [1, 2, _, 4, _]),
    ("FIRST(SORT(METRICS(), SUM, DESC))", [10, _, 30, 0, _]),
    ("LAST(SORT(METRICS(), SUM, DESC))", [1, 2, _, 4, _]),
    ("FIRST(SLICE([a, b], 1))", [10, _, 30, 0, _]),
    ("SUM(SORT([a, b], MAX, ASC, 1))", [1, 2, _, 4, _]),
    ("a / METRIC_COUNT(METRICS())", [0.5, 1, _, 2, _]),
    ("SUM(METRICS() / 2)", [5.5, 1, 15, 2, _]),
    ("SUM(-[a, b])", [-11, -2, -30, -4, _]),
    ("METRIC_COUNT(REMOVE_EMPTY([a, b, a / 0])) * TIME_SERIES(1)", [2] * 5),
    ("PERIOD(a)", [300] * 5),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_expressions(text: str, expected: list[float]) -> None:
    """Beside a value what is missing is 0; IF drops, and gives 0 where its branch is missing."""
    assert _made(text) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("m1 < m2", [0, 0, 1, 0, _]),
        ("m1 >= 30", [1, 0, 0, 0, _]),
        ("m1 > 15 AND m2 > 15", [1, 0, 0, 0, _]),
        ("IF(c, x, y)", [30, 0, 20, _, _]),
        ("IF(c, 5, y)", [5, 5, 20, _, _]),
        ("IF(c, x, 5)", [30, 0, 5, 5, _]),
    ],
)
def test_the_examples_of_the_user_guide(text: str, expected: list[float]) -> None:
    """Source: CloudWatch user guide, "Metric math syntax and functions", both tables of values."""
    compared = {"m1": [30, 20, 0, 0, _], "m2": [20, _, 20, _, _]}
    chosen = {"c": [1, 1, 0, 0, _], "x": [30, _, 0, 0, 30], "y": [0, 0, 20, _, 20]}
    assert _made(text, **compared, **chosen) == pytest.approx(expected, nan_ok=True)


def test_every_function_is_tested_and_in_the_table() -> None:
    """Those that are evaluated have a case above; those that are not are refused by name."""
    called = {name for text, _ in CASES for name in re.findall(r"\b([A-Z_0-9]+)\(", text)}
    assert called == set(ARGUMENTS)
    table = functions_table()
    assert set(re.findall(r"`([A-Z_0-9]+)`", table)) == {*ARGUMENTS, *ELSEWHERE, *NOT_IN_ALARMS}
    for name in ELSEWHERE:
        with pytest.raises(NotSupportedError, match=f"the function {name} is not supported"):
            compile_expression(f"{name}(a)")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ANOMALY_DETECTION_BAND(a)", "the function ANOMALY_DETECTION_BAND is not supported"),
        ("SERVICE_QUOTA(a)", "because it reads the quotas of the account"),
        ("SUMM(a)", "the function SUMM is not known; did you mean SUM?"),
        ("SORT(a, AVG)", "SORT takes 3 to 4 arguments"),
        ("SORT([a], AVG, UP)", "'UP' is not known at character 16"),
        ("FILL(a, AVG)", "'AVG' is not expected in FILL"),
        ("SEARCH('x', 'Sum')", "CloudWatch refuses the function SEARCH in alarms at character 1"),
        ("a +", "it ends too early at character 4"),
        ("a ~ b", "'~ b' is not known at character 2"),
        ("a b", "'b' is not expected at character 3"),
        ("IF(a)", "IF takes 2 to 3 arguments at character 1"),
        ("(a", "it ends too early"),
        ("SELECT AVG(x)", "a Metrics Insights query"),
    ],
)
def test_what_is_not_known_is_refused(text: str, expected: str) -> None:
    """A function or a sign that is not known is not guessed but an error, with its place."""
    with pytest.raises(NotSupportedError) as refused:
        compile_expression(text)
    assert expected in str(refused.value)


def test_ids_and_looking_back() -> None:
    """An expression knows what it reads, and whether it needs what came before."""
    expression = compile_expression("IF(groups >= 2, FILL(failed, REPEAT), 0)")
    assert expression.ids == {"groups", "failed"}
    assert expression.looks_back
    assert not compile_expression("IF(e5 >= 3, 100 * e5 / n, 0)").looks_back
    assert compile_expression("a > AVG(a)").looks_back
    with pytest.raises(NotSupportedError, match="no query has the id 'c'"):
        _made("a + c")
    with pytest.raises(NotSupportedError, match="makes several series"):
        _made("METRICS() / 2")
