"""amounts: a value is read with its unit, as a person would say it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.amounts import amount, duration, ordinal, value_in


@pytest.mark.parametrize(
    ("reason", "unit", "value"),
    [
        ("Threshold Crossed: 1 datapoint [8.0 (05/07/24 15:19:00)] was greater than or equal to "
         "the threshold (5.0).", "Count", "8"),
        ("Threshold Crossed: 1 out of the last 20 datapoints [613.0 (16/03/24 12:15:00)] was "
         "greater than or equal to the threshold (1.0) and 19 missing datapoints were treated as "
         "[NonBreaching] (minimum 1 datapoint for OK -> ALARM transition).", "Count", "613"),
        ("Threshold Crossed: 5 out of the last 5 datapoints were less than the threshold (65.0). "
         "The most recent datapoints which crossed the threshold: [0.0 (29/04/20 23:32:00), 4.0 "
         "(29/04/20 23:31:00)] (minimum 5 datapoints for OK -> ALARM transition).", "Count", "0"),
        ("Threshold Crossed: 3 datapoints [2.0 (19/08/26 05:50:00), 3.0 (20/07/26 05:47:00), 1.0 "
         "(31/12/25 23:00:00)] were greater than the threshold (0.0).", "Count", "2"),
        ("Threshold Crossed: 2 datapoints [1.0 (31/12/25 23:59:00), 9.5 (01/01/26 00:00:00)] were "
         "greater than the threshold (0.0).", "Percent", "9.5 %"),
        ("Threshold Crossed: 1 datapoint [12.5 (10/03/24 08:00:00)] was not greater than the "
         "threshold (80.0).", "Percent", "12.5 %"),
        ("Threshold Crossed: 1 datapoint [320.0 (10/03/24 08:00:00)] was greater than the "
         "threshold (300.0).", "Seconds", "5 min 20 s"),
        ("Threshold Crossed: 1 datapoint [1.5E-5 (10/03/24 08:00:00)] was greater than the "
         "threshold (0.0).", "Count", "1.5e-05"),
        ("Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints "
         "were treated as [Breaching].", "Count", "no data"),
        ("Threshold Crossed: 1 datapoint [2.0 (19/08/26 09:36:00)] was not less than or equal to "
         "the threshold (0.0) and 7 missing datapoints were treated as [Breaching].", "Count",
         "2, no data in 7 periods"),
        ("Threshold Crossed: 1 datapoint was received for 3 periods and 1 missing datapoint was "
         "treated as [Breaching].", "Count", "no data in 1 period"),
        ("Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints "
         "were treated as [NonBreaching].", "Count", "no data"),
        ("forced test reason", "Count", None),
        ("why ALARM", "Percent", None),
        ("", "Count", None),
    ],
)  # fmt: skip
def test_value_in_recorded_reasons(reason: str, unit: str, value: str | None) -> None:
    """The most recent value of every form of CloudWatch's sentence is read, if it has one."""
    assert value_in(reason, unit) == value


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (62.0, "Percent", "62 %"), (33.3333, "Percent", "33.3 %"), (1.44, "Percent", "1.44 %"),
        (99.96, "Percent", "100 %"), (0.0, "Count", "0"), (1234567.0, "Count", "1,234,567"),
        (0.0, "Seconds", "0 s"), (0.25, "Seconds", "250 ms"), (0.9999, "Seconds", "1,000 ms"),
        (12.5, "Seconds", "12.5 s"), (300.0, "Seconds", "5 min"), (320.4, "Seconds", "5 min 20 s"),
        (3599.6, "Seconds", "1 h"), (7500.0, "Seconds", "2 h 5 min"),
        (7203.0, "Seconds", "2 h"), (90_061.0, "Seconds", "1 d 1 h"),
        (-90.0, "Seconds", "-1 min 30 s"),
        (850.0, "Milliseconds", "850 ms"), (24_000.0, "Milliseconds", "24 s"),
        (float("inf"), "Seconds", "inf"),
    ],
)  # fmt: skip
def test_amounts(value: float, unit: str, text: str) -> None:
    """A number comes with its unit, as a person would say it."""
    assert amount(value, unit) == text


@given(seconds=st.floats(0, 1e9))
def test_durations_are_close(seconds: float) -> None:
    """A duration in words is at most one of its smaller unit's share away from the truth."""
    sizes = {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86_400}
    words = duration(seconds).replace(",", "").split()
    shown = sum(float(n) * sizes[u] for n, u in zip(words[::2], words[1::2], strict=True))
    assert abs(shown - seconds) <= max(0.001, 0.05 * seconds)


@pytest.mark.parametrize(
    ("value", "counted", "text"),
    [
        ("2.0", "failed attempts", "2 failed attempts"),
        ("1.0", "failed attempts", "1 failed attempt"),
        ("0.0", "heartbeats", "0 heartbeats"),
        ("1.0", "messages in flight", "1 message in flight"),
        ("1.0", "errors or warnings", "1 error or warning"),
        ("1.0", "throttled or failed requests", "1 throttled or failed request"),
        ("1500.0", "waiting messages", "1,500 waiting messages"),
        ("3.0", "", "3"),
    ],
)
def test_a_count_says_what_it_counts(value: str, counted: str, text: str) -> None:
    """A bare number means nothing to whoever is woken by it."""
    reason = f"1 datapoint [{value} (24/11/26 03:11:00)] was greater than the threshold (1.0)."
    assert value_in(reason, "Count", counted) == text


def test_a_share_says_of_what_it_is() -> None:
    """Whatever its value; where nothing is known of that, it stands alone."""
    reason = "1 datapoint [1.0 (24/11/26 03:11:00)] was greater than the threshold (1.0)."
    assert value_in(reason, "Percent", "of the attempts failed") == "1 % of the attempts failed"
    assert value_in(reason, "Percent") == "1 %"


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (13, "13th"), (22, "22nd")],
)
def test_ordinals(number: int, text: str) -> None:
    """Numbers are counted as in English."""
    assert ordinal(number) == text
