"""Datadog's log searches, matched against log lines.

Source: Datadog documentation, "Log Search Syntax".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fnmatch import translate
from typing import Any

from monitoring.datadog.query import QueryError

_TOKEN = re.compile(
    r'\s*(?:(?P<sign>[()])|(?P<minus>-)?(?P<name>[@$]?[\w.-]+:)?'
    r'(?P<value>"(?:[^"\\]|\\.)*"|[^\s()]+))'
)  # fmt: skip
_COMPARED = re.compile(r"(>=|<=|>|<)(-?\d+(?:\.\d+)?)")
_MOST = 200

# Tags of a line (``functionname``), its fields, and its whole text.
Matches = Callable[[Mapping[str, str], Mapping[str, Any], str], bool]


def matcher(search: str) -> Matches:
    """A predicate: whether a line matches a search; variables match everything.

    Raises:
        QueryError: When it can't be read.
    """
    tokens: list[re.Match[str]] = []
    position = 0
    search = search.strip()
    while position < len(search):
        match = _TOKEN.match(search, position)
        if match is None or len(tokens) > _MOST:
            raise QueryError(f"can't be read: {search[:100]}")
        tokens.append(match)
        position = match.end()
    parser = _Parser(tokens)
    made = parser.alternatives()
    if parser.left:
        raise QueryError(f"has brackets that are not balanced: {search[:100]}")
    return made


class _Parser:
    def __init__(self, tokens: list[re.Match[str]]) -> None:
        self._tokens = tokens[::-1]

    @property
    def left(self) -> bool:
        return bool(self._tokens)

    def _word(self) -> str:
        return self._tokens[-1][0].strip() if self._tokens else ""

    def alternatives(self) -> Matches:
        every = [self._conjunction()]
        while self._word() == "OR":
            self._tokens.pop()
            every.append(self._conjunction())
        return (
            every[0] if len(every) == 1 else lambda *line: any(matches(*line) for matches in every)
        )

    def _conjunction(self) -> Matches:
        every: list[Matches] = []
        while self.left and self._word() not in ("OR", ")"):
            if self._word() == "AND":
                self._tokens.pop()
                continue
            every.append(self._term())
        return lambda *line: all(matches(*line) for matches in every)

    def _term(self) -> Matches:
        token = self._tokens.pop()
        if token["sign"] == "(":
            inside = self.alternatives()
            if self._word() != ")":
                raise QueryError("has brackets that are not balanced")
            self._tokens.pop()
            return inside
        if token[0].strip() == "NOT":
            if not self.left:
                raise QueryError("ends with NOT")
            return _negated(self._term())
        made = _single(token["name"] or "", token["value"])
        return _negated(made) if token["minus"] else made


def _negated(matches: Matches) -> Matches:
    return lambda *line: not matches(*line)


def _single(name: str, value: str) -> Matches:
    if not name and value.startswith("$"):
        return lambda *_: True
    wanted = _value(value)
    if not name and value.endswith(":"):
        raise QueryError(f"names no value of '{value}', or several in brackets")
    if not name:
        text = value.strip('"').lower()
        return lambda _tags, _fields, line: text in line.lower()
    if name.startswith("@"):
        path = name[1:-1].split(".")
        return lambda _tags, fields, _line: wanted(_field(fields, path))
    tag = name[:-1]
    if tag in ("status", "level"):
        return lambda _tags, fields, _line: wanted(str(fields.get("level", "")).lower())
    return lambda tags, _fields, _line: tag not in tags or wanted(tags[tag])


def facet(name: str, tags: Mapping[str, str], fields: Mapping[str, Any]) -> str | None:
    """A line's value of what a query groups by; None where it has none.

    Args:
        name: ``@http.status_code``, ``status``, ``service`` or another tag.
    """
    if name in ("status", "level"):
        value = str(fields.get("level", "")).lower()
    elif name in tags:
        value = tags[name]
    else:
        value = _field(fields, name.removeprefix("@").split("."))
    if value is None or value == "" or isinstance(value, Mapping | list):
        return None
    return str(value)


def _value(value: str) -> Callable[[Any], bool]:
    if compared := _COMPARED.fullmatch(value):
        sign, limit = compared[1], float(compared[2])
        return lambda value: _is_number(value) and _compare(float(value), sign, limit)
    text = value.strip('"')
    if "*" in text:
        pattern = re.compile(translate(text), re.IGNORECASE)
        return lambda value: value is not None and bool(pattern.match(str(value)))
    try:
        number = float(text)
    except ValueError:
        return lambda value: value is not None and str(value).lower() == text.lower()
    return lambda value: float(value) == number if _is_number(value) else str(value) == text


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _compare(number: float, sign: str, limit: float) -> bool:
    if sign.startswith(">"):
        return number > limit or (sign == ">=" and number == limit)
    return number < limit or (sign == "<=" and number == limit)


def _field(fields: Mapping[str, Any], path: list[str]) -> Any:
    value: Any = fields
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value
