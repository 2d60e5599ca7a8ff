"""Numbers as people write them."""

from __future__ import annotations

_TIMES = {"Seconds": 1.0, "Milliseconds": 0.001}
_STEPS = ((86_400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (0.001, "ms"))


def quantity(value: float, unit: str) -> str:
    """A number with its unit: ``15 min``, ``5.6 s``, ``7 d``, ``96,000``, ``14.4 %``.

    Args:
        unit: ``Count``, ``Seconds``, ``Milliseconds``, ``Percent`` or ``US dollars``.
    """
    if unit == "Percent":
        return f"{_number(value)} %"
    if unit == "US dollars":
        return f"{_number(value)} USD"
    if unit not in _TIMES:
        return _number(value)
    seconds = value * _TIMES[unit]
    for step, name in _STEPS:
        in_steps = round(seconds / step, 6)
        # One decimal at most, or the smaller unit says it better: 100 s, not 1.67 min.
        if abs(in_steps) >= 1 and round(in_steps, 1) == in_steps:
            return f"{_number(in_steps)} {name}"
    return f"{_number(seconds)} s"


def window(period: int, datapoints: int, periods: int) -> str:
    """How long a condition must hold: ``2 of 3 minutes``, ``1 h``, ``2 of 3 periods of 5 min``.

    Args:
        period: seconds.
        datapoints: how many of the last ``periods`` must breach.
    """
    length = quantity(period, "Seconds")
    if periods == 1:
        return length
    return f"{datapoints} of {periods} {'minutes' if period == 60 else f'periods of {length}'}"


def _number(value: float) -> str:
    return f"{value:,.3f}".rstrip("0").rstrip(".")
