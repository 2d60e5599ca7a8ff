"""A failed case, drawn."""

from __future__ import annotations

from pathlib import Path

import pytest
from alarmproof import ascii_chart
from alarmproof.cases import load
from alarmproof.runner import run
from alarmproof.template import parse

CASE = """
cases:
  - title: a dip
    alarm: Low
    initial: OK
    series:
      - {metric: Requests, values: "%s"}
    expect:
      - {at: 3m, state: OK}
      - {at: %s, state: OK}
"""


def _drawn(tmp_path: Path, values: str, at: str, width: int = 80) -> list[str]:
    low = {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmName": "shop-requests-through-the-front-door",
            "Namespace": "Shop",
            "MetricName": "Requests",
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 3,
            "Threshold": 5,
            "ComparisonOperator": "LessThanThreshold",
            "AlarmActions": ["arn:aws:sns:eu-west-1:111122223333:shop-page"],
        },
    }
    file = tmp_path / "a.yaml"
    file.write_text(CASE % (values, at))
    [outcome] = run(load([file]), parse({"Resources": {"Low": low}}, "t.json"))
    text = ascii_chart.failed(outcome, width=width)
    return text.replace(f"{tmp_path}/", "").splitlines()


DIP = """\
  ✗ at 6m shop-requests-through-the-front-door should be in OK, but is in ALARM
    (a.yaml:10)

  shop-requests-through-the-front-door
       10 ┤███     ██
          ┤███     ██
          ┤███     ██
        5 ┤███┄┄┄┄┄██
          ┤███     ██
          ┤███     ██
          ┤███     ██
   missing       __
     state ·····███··
  expected   ✓  ✗
           0m
           · OK  █ ALARM  ? INSUFFICIENT_DATA, from OK
        6m → ALARM: Threshold Crossed"""


def test_a_drawing_has_the_datapoints_the_states_and_what_was_expected(tmp_path: Path) -> None:
    """One column a minute: the value, the state that came of it, and where it should be other."""
    drawn = "\n".join(_drawn(tmp_path, "10x2 0x2 _x2 10x1", "6m"))
    assert drawn.startswith(DIP)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_drawing_fits_the_terminal(tmp_path: Path, width: int) -> None:
    """Reasons are folded, long series thinned out."""
    drawn = _drawn(tmp_path, "10x90 0x200 10x90", "3h", width)
    assert max(map(len, drawn)) <= width


def test_a_short_alarm_of_a_long_series_is_seen(tmp_path: Path) -> None:
    """A column of several minutes shows the value nearest to an alarm, and the alarm."""
    drawn = _drawn(tmp_path, "10x91 0x2 10x90", "95m")
    [top] = [line for line in drawn if line.lstrip().startswith("10 ┤")]
    [states] = [line for line in drawn if line.lstrip().startswith("state")]
    assert " " in top.split("┤")[1].rstrip()
    assert states.count("█") == 1
