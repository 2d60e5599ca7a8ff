"""Monitors' queries: whether they parse, and what they compare with."""

from __future__ import annotations

import re
from dataclasses import dataclass

from webhook_buffer.laptop.fake_datadog.store import RefusedError

INVALID = "The value provided for parameter 'query' is invalid"
_COMPARISON = re.compile(
    r"^(?P<left>.*?)\s*(?P<operator>>=|<=|==|!=|>|<)\s*(?P<number>-?\d+(\.\d+)?(e[+-]?\d+)?)\s*$",
    re.S,
)
_WINDOWED = re.compile(
    r"^\s*(?P<window>[a-z_]+\(.*?\b(last|current|next)_\d+(m|h|d|w|mo)\)):(?P<expression>.+)$", re.S
)
_METRIC = re.compile(r"[a-zA-Z][\w.]*\{[^{}]*\}")
# A function over metrics, such as ``anomalies(``; what is in quotes does not count.
_FUNCTION = re.compile(r"(?<![.\w])[a-z_0-9]+\(")
_SLO = re.compile(r"\b(?:error_budget|burn_rate)\(\"(?P<id>[^\"]*)\"\)")
_CLOSES = {")": "(", "]": "[", "}": "{"}
# How a query of each type starts; of other types only the comparison is known.
_STARTS = {
    "log alert": r"\s*(?:logs|formula)\(",
    "trace-analytics alert": r"\s*(?:trace-analytics|formula)\(",
    "slo alert": r"\s*(?:error_budget|burn_rate)\(",
    "rum alert": r"\s*(?:rum|formula)\(",
    "event-v2 alert": r"\s*(?:events|formula)\(",
}


@dataclass(frozen=True)
class Condition:
    """What a query alerts on.

    Args:
        above: whether values above the threshold are bad.
        type: what Datadog calls such a monitor, whatever it was called; None where it stays.
    """

    threshold: float
    above: bool
    type: str | None


def parsed(kind: str, query: str) -> Condition | None:
    """What a query of a monitor of this type alerts on; None where it compares nothing.

    Raises:
        RefusedError: When it does not parse.
    """
    if not _balanced(query):
        raise RefusedError(400, INVALID)
    if kind == "composite":
        if not re.fullmatch(r"[\d\s!&|()]*\d[\d\s!&|()]*", query):
            raise RefusedError(400, INVALID)
        return None
    if kind == "service check":
        if not re.match(r"\s*\"[^\"]+\"\.(over|by|exclude|last)\(", query):
            raise RefusedError(400, INVALID)
        return None
    if kind == "event alert":
        raise RefusedError(
            400, "'event alert' type is not supported, please use 'event-v2 alert' type."
        )
    compared = _COMPARISON.match(query)
    metric = kind in ("metric alert", "query alert")
    if not compared and not metric and kind not in _STARTS:
        return None
    if not compared:
        raise RefusedError(400, INVALID if metric else f"{INVALID}: invalid operator specified: ")
    if not re.match(_STARTS.get(kind, ""), query):
        raise RefusedError(400, INVALID)
    return Condition(
        threshold=float(compared["number"]),
        above=compared["operator"].startswith(">"),
        type=_type(compared["left"]) if metric else None,
    )


def slos(query: str) -> list[str]:
    """The SLOs that a query of type "slo alert" is about."""
    return _SLO.findall(query)


def _type(query: str) -> str | None:
    """What a metric monitor is called with this query, without its comparison.

    Source: recorded: a formula's monitor comes back as a metric alert, one over a calendar's
    window as a query alert; ``change(…)`` and arithmetic stay what they were.
    """
    if re.match(r"\s*formula\(", query):
        return "metric alert"
    windowed = _WINDOWED.match(query)
    if not windowed or not _METRIC.search(windowed["expression"]):
        raise RefusedError(400, INVALID)
    calendar = "current_" in windowed["window"]
    return "query alert" if calendar or _FUNCTION.search(windowed["expression"]) else None


def _balanced(query: str) -> bool:
    """Whether each bracket outside of quotes is closed by its like."""
    open_: list[str] = []
    for character in re.sub(r"\"(?:\\.|[^\"\\])*\"|'[^']*'", "", query):
        if character in _CLOSES.values():
            open_.append(character)
        elif character in _CLOSES and (not open_ or open_.pop() != _CLOSES[character]):
            return False
    return not open_
