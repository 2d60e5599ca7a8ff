"""``alarmproof.toml``: severities, rules that are off, patterns, and findings that are intended."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from alarmproof.base import files
from alarmproof.base.errors import InputError
from alarmproof.base.own_metrics import OwnMetrics
from alarmproof.base.schema import units
from alarmproof.base.values import listed
from alarmproof.lint import Allowance
from alarmproof.rules import RULES
from alarmproof.rules.registry import Severity

NAME = "alarmproof.toml"
_KEYS = ("max-reaction", "rules", "patterns", "allow", "metrics")
_LEVELS = ("off", *Severity)
_ALLOWANCE_KEYS = ("rule", "alarm", "reason", "until")
_METRICS_KEYS = ("namespace", "names", "dimensions", "unit")
_HEADER = re.compile(r"\s*\[\[?\s*[\"']?([\w-]+)[\"']?\s*\]")


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of the file: the one at the top has no name.

    Attributes:
        entry: which one, where there can be several; counted from 1.
    """

    name: str = ""
    entry: int = 1

    @property
    def is_entry(self) -> bool:
        return self.name in ("allow", "metrics")

    @property
    def label(self) -> str:
        """What to call it in messages."""
        if self.is_entry:
            return f"[[{self.name}]], entry {self.entry}"
        return f"[{self.name}]" if self.name else "this file"


_TOP = _Table()


@dataclass(frozen=True, slots=True)
class Config:
    """What a project asks of lint.

    Attributes:
        max_reaction: seconds; None where the file does not say it.
        severities: of rules, by id; None switches a rule off.
        patterns: ``name`` and ``runbook``, which names and runbook links have to match.
        own_metrics: what something outside of the templates publishes, by namespace.
    """

    max_reaction: int | None = None
    severities: Mapping[str, Severity | None] = field(default_factory=dict)
    patterns: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    allowances: tuple[Allowance, ...] = ()
    own_metrics: tuple[OwnMetrics, ...] = ()


def load(file: Path | None) -> Config:
    """The configuration of a file; of ``alarmproof.toml`` in this folder where none is named.

    Raises:
        InputError: When it can't be read, or has a key or a value that it can't have.
    """
    if file is None:
        file = Path(NAME)
        if not file.exists():
            return Config()
    text = files.read_text(file)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{file}: not TOML: {error}.") from None
    return _Reader(str(file), text.splitlines()).config(data)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the tables of a file; what is wrong is an error with its line.

    Attributes:
        lines: of the file, since the values of TOML have no lines.
    """

    file: str
    lines: Sequence[str]

    def config(self, data: dict[str, Any]) -> Config:
        self._require(_TOP, data, _KEYS)
        reaction = data.get("max-reaction")
        if reaction is not None and (type(reaction) is not int or reaction < 60):
            what = "max-reaction is not a number of seconds of at least 60."
            raise self._error(_TOP, "max-reaction", what)
        return Config(
            reaction,
            self._severities(data.get("rules", {})),
            self._patterns(data.get("patterns", {})),
            tuple(self._allowances(data.get("allow", []))),
            tuple(self._own_metrics(data.get("metrics", []))),
        )

    def _line(self, table: _Table, key: str = "") -> int:
        """Where a key of a table stands; else where the table begins."""
        begin = 1
        entry, inside = 0, not table.name
        for number, line in enumerate(self.lines, 1):
            header = _HEADER.match(line)
            if header and not table.name and header[1] == key:
                return number
            if header:
                entry += header[1] == table.name
                inside = header[1] == table.name and entry == table.entry
                begin = number if inside else begin
            elif (inside and _is_of(line, key)) or (not entry and _is_of(line, table.name)):
                return number
        return begin

    def _error(self, table: _Table, key: str, what: str) -> InputError:
        where = f"{table.label}: " if table.is_entry else ""
        return InputError(f"{self.file}:{self._line(table, key)}: {where}{what}")

    def _require(self, table: _Table, given: Any, known: Iterable[str]) -> None:
        """Raises InputError unless it is a table with known keys only."""
        if not isinstance(given, dict):
            raise InputError(f"{self.file}:{self._line(table)}: {table.label} is not a table.")
        for key in given:
            if key not in known:
                near = difflib.get_close_matches(key, list(known), n=1)
                hint = f" Did you mean '{near[0]}'?" if near else ""
                raise InputError(
                    f"{self.file}:{self._line(table, key)}: '{key}' is not a key of "
                    f"{table.label}.{hint}"
                )

    def _severities(self, given: Any) -> dict[str, Severity | None]:
        table = _Table("rules")
        self._require(table, given, [rule.id for rule in RULES])
        for name, level in given.items():
            if level not in _LEVELS:
                what = f"rules.{name} is {level!r}, not one of {', '.join(_LEVELS)}."
                raise self._error(table, name, what)
        return {name: None if level == "off" else Severity(level) for name, level in given.items()}

    def _patterns(self, given: Any) -> dict[str, re.Pattern[str]]:
        table = _Table("patterns")
        self._require(table, given, ("name", "runbook"))
        compiled = {}
        for name, pattern in given.items():
            try:
                compiled[name] = re.compile(pattern)
            except (re.error, TypeError) as error:
                what = f"patterns.{name} is not a regular expression ({error})."
                raise self._error(table, name, what) from None
        return compiled

    def _allowances(self, given: Any) -> Iterator[Allowance]:
        for number, entry in enumerate(listed(given), 1):
            table = _Table("allow", number)
            self._require(table, entry, _ALLOWANCE_KEYS)
            until = entry.get("until")
            if until is not None and type(until) is not date:
                raise self._error(table, "until", "until is not a date (2026-12-31).")
            texts = [entry.get(key, "") for key in ("rule", "alarm", "reason")]
            if not all(isinstance(text, str) for text in texts) or not texts[0] or not texts[1]:
                raise self._error(table, "", "rule, alarm and reason have to be texts.")
            yield Allowance(
                texts[0], texts[1], texts[2], self.file, until=until, line=self._line(table)
            )

    def _own_metrics(self, given: Any) -> Iterator[OwnMetrics]:
        for number, entry in enumerate(listed(given), 1):
            table = _Table("metrics", number)
            self._require(table, entry, _METRICS_KEYS)
            namespace, unit = entry.get("namespace", ""), entry.get("unit", "")
            if not isinstance(namespace, str) or not namespace or not isinstance(unit, str):
                what = "namespace has to be a text, and so has unit."
                raise self._error(table, "", what)
            if namespace.startswith("AWS/"):
                raise self._error(table, "namespace", f"{namespace} is AWS's own namespace.")
            if unit and unit not in units():
                near = difflib.get_close_matches(unit, units(), n=1)
                hint = f" Did you mean '{near[0]}'?" if near else ""
                what = f"unit is '{unit}', which CloudWatch does not have.{hint}"
                raise self._error(table, "unit", what)
            names, sets = entry.get("names", []), entry.get("dimensions", [])
            if not _are_texts(names) or not names:
                raise self._error(table, "names", "names is not a list of texts.")
            if not isinstance(sets, list) or not all(map(_are_texts, sets)):
                what = 'dimensions is not a list such as [["Service"], []].'
                raise self._error(table, "dimensions", what)
            yield OwnMetrics(namespace, frozenset(names), frozenset(map(frozenset, sets)), unit)


def _is_of(line: str, key: str) -> bool:
    """Whether a line gives a key's value."""
    return bool(key) and line.partition("=")[0].strip().strip("\"'") == key and "=" in line


def _are_texts(given: Any) -> bool:
    return isinstance(given, list) and all(isinstance(text, str) for text in given)
