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
    r"^\s*(?P<window>[a-z_]+\(.*?\b(last|current)_\d+(m|h|d|w|mo)\)):(?P<expression>.+)$", re.S
)
_METRIC = re.compile(r"[a-zA-Z][\w.]*\{[^{}]*\}")
# One aggregated metric: all that is a "metric alert" for Datadog.
_SIMPLE = re.compile(r"\s*(?:avg|sum|min|max):[\w.]+\{[^{}]*\}(?:\s*by\s*\{[^{}]*\})?\s*")
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
        needs_query_alert: whether Datadog calls such a monitor a "query alert".
    """

    threshold: float
    above: bool
    needs_query_alert: bool


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
        if not re.match(r"\s*\"[^\"]+\"\.over\(", query):
            raise RefusedError(400, INVALID)
        return None
    if kind == "event alert":
        raise RefusedError(
            400, "'event alert' type is not supported, please use 'event-v2 alert' type."
        )
    compared = _COMPARISON.match(query)
    metric = kind in ("metric alert", "query alert")
    if not compared:
        raise RefusedError(400, INVALID if metric else f"{INVALID}: invalid operator specified: ")
    if not re.match(_STARTS.get(kind, ""), query):
        raise RefusedError(400, INVALID)
    return Condition(
        threshold=float(compared["number"]),
        above=compared["operator"].startswith(">"),
        needs_query_alert=metric and not _simple(compared["left"]),
    )


def slos(query: str) -> list[str]:
    """The SLOs that a query of type "slo alert" is about."""
    return _SLO.findall(query)


def _simple(query: str) -> bool:
    """Whether a metric monitor's query, without its comparison, is one aggregated metric."""
    windowed = _WINDOWED.match(query)
    if not windowed or not _METRIC.search(windowed["expression"]):
        raise RefusedError(400, INVALID)
    of_last = re.fullmatch(r"\w+\(last_\w+\)", windowed["window"])
    return bool(of_last and _SIMPLE.fullmatch(windowed["expression"]))


def _balanced(query: str) -> bool:
    """Whether each bracket outside of quotes is closed by its like."""
    open_: list[str] = []
    for character in re.sub(r"\"(?:\\.|[^\"\\])*\"|'[^']*'", "", query):
        if character in _CLOSES.values():
            open_.append(character)
        elif character in _CLOSES and (not open_ or open_.pop() != _CLOSES[character]):
            return False
    return not open_
