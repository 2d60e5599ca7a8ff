"""Numbers in texts: a text names the number, and its source fills it in.

A signal's title, impact and reasons name it in braces: ``{threshold}`` and ``{window}`` of
the signal itself, ``{share}`` or ``{factor}`` of the fact that the threshold is a part or a
multiple of, one of the signal's ``numbers``, or any fact (``{queue.scan_limit}``). The runbook,
which people read as it stands, has the number between two comments that Markdown does not show:
``<!--queue-age-page.threshold-->15 min<!--/-->``. There a name is that of a signal or a Datadog
monitor with ``.threshold``, ``.window``, ``.share`` or ``.factor``, that of a signal with one of
its ``numbers``, a fact, or a settings key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from monitoring.model.signals import Signal, Threshold
from monitoring.quantities import quantity, window
from monitoring.resources import Resources
from settings.schema import Settings

# Double braces are Datadog's own variables.
_BRACES = re.compile(r"(?<!\{)\{([a-z0-9_.-]+)\}(?!\})")
_MARKED = re.compile(r"<!--([\w.-]+)-->.*?<!--/-->", re.DOTALL)
# A settings key's unit is the end of its name.
_KEY_UNITS = {
    "Seconds": ("Seconds", 1),
    "Minutes": ("Seconds", 60),
    "Days": ("Seconds", 86_400),
    "Objective": ("Percent", 1),
}


def numbers(
    threshold: Threshold, value: float, period: int, datapoints: int, periods: int
) -> dict[str, str]:
    """The numbers of one signal, by the names that its texts use.

    Args:
        value: the threshold in its unit.
        period: seconds.
    """
    texts = {
        "threshold": quantity(value, threshold.unit),
        "window": window(period, datapoints, periods),
    }
    if threshold.of:
        texts["share"] = quantity(100 * threshold.value, "Percent")
        texts["factor"] = quantity(threshold.value, "Count")
    return texts


def of_signal(signal: Signal, value: float, period: int, periods: int) -> dict[str, str]:
    """The numbers of a signal in an environment, by the names that its texts use."""
    further = {name: quantity(fact.value, fact.unit) for name, fact in signal.numbers.items()}
    return further | numbers(signal.threshold, value, period, signal.datapoints, periods)


def unknown(signal: Signal, resources: Resources) -> list[str]:
    """The names in braces in a signal's texts that do not exist."""
    own = ["threshold", "window", *(["share", "factor"] if signal.threshold.of else [])]
    own += signal.numbers
    reason = signal.threshold.reason
    texts = (signal.title, signal.impact, signal.missing_reason, reason)
    return [
        f"a text names {{{name}}}, which does not exist; write one of "
        f"{', '.join(f'{{{known}}}' for known in own)}, or a fact of monitoring/resources.py"
        for text in texts
        for name in _BRACES.findall(text)
        if name not in own and of_fact(name, resources) is None
    ]


def filled(signal: Signal, own: Mapping[str, str], resources: Resources) -> Signal:
    """A signal whose texts have their numbers; ``unknown`` has found none that is missing."""

    def number(match: re.Match[str]) -> str:
        known = own.get(match[1]) or of_fact(match[1], resources)
        assert known is not None, f"signal '{signal.id}': {match[0]}"
        return known

    def text(written: str) -> str:
        return _BRACES.sub(number, written)

    return replace(
        signal,
        title=text(signal.title),
        impact=text(signal.impact),
        missing_reason=text(signal.missing_reason),
        threshold=replace(signal.threshold, reason=text(signal.threshold.reason)),
    )


def of_fact(name: str, resources: Resources) -> str | None:
    """A fact's number in words; None for an unknown fact."""
    try:
        fact = resources.fact(name)
    except KeyError:
        return None
    return quantity(fact.value, fact.unit)


def of_setting(name: str, settings: Settings) -> str | None:
    """The number of a settings key in words; None if the key does not have a number."""
    value = getattr(settings, name, None) if name in type(settings).model_fields else None
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    unit, factor = next(
        (unit for end, unit in _KEY_UNITS.items() if name.endswith(end)), ("Count", 1)
    )
    return quantity(value * factor, unit)


def refreshed(text: str, number: Callable[[str], str | None]) -> str:
    """A part of the runbook with its numbers, each still between its comments.

    Args:
        number: by name; where it knows none, the text stays.
    """

    def fresh(match: re.Match[str]) -> str:
        known = number(match[1])
        return match[0] if known is None else f"<!--{match[1]}-->{known}<!--/-->"

    return _MARKED.sub(fresh, text)


def plain(text: str) -> str:
    """A text without the comments around its numbers."""
    return re.sub(r"<!--[\w./-]+-->", "", text)
