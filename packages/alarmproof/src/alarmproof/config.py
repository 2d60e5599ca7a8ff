"""``alarmproof.toml``: severities, rules that are off, patterns, and findings that are intended."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from alarmproof import files
from alarmproof.errors import InputError
from alarmproof.lint import Allowance
from alarmproof.own_metrics import OwnMetrics
from alarmproof.rules import RULES
from alarmproof.rules.registry import Severity

NAME = "alarmproof.toml"
_KEYS = ("max-reaction", "rules", "patterns", "allow", "metrics")
_LEVELS = ("off", *Severity)
_ALLOWANCE_KEYS = ("rule", "alarm", "reason", "until")
_METRICS_KEYS = ("namespace", "names", "dimensions", "unit")


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
    try:
        data = tomllib.loads(files.read_text(file))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{file}: not TOML: {error}.") from None
    _require(file, "", data, _KEYS)
    reaction = data.get("max-reaction")
    if reaction is not None and (type(reaction) is not int or reaction < 60):
        raise InputError(f"{file}: max-reaction is not a number of seconds of at least 60.")
    return Config(
        reaction,
        _severities(file, data.get("rules", {})),
        _patterns(file, data.get("patterns", {})),
        tuple(_allowances(file, data.get("allow", []))),
        tuple(_own_metrics(file, data.get("metrics", []))),
    )


def _require(file: Path, where: str, given: Any, known: Iterable[str]) -> None:
    """Raises InputError unless it is a table with known keys only."""
    if not isinstance(given, dict):
        raise InputError(f"{file}: '{where}' is not a table.")
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key, list(known), n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise InputError(f"{file}: '{key}' is not a key of '{where or 'the file'}'.{hint}")


def _severities(file: Path, given: Any) -> dict[str, Severity | None]:
    _require(file, "rules", given, [rule.id for rule in RULES])
    for name, level in given.items():
        if level not in _LEVELS:
            allowed = ", ".join(_LEVELS)
            raise InputError(f"{file}: rules.{name} is '{level}', which is not one of {allowed}.")
    return {name: None if level == "off" else Severity(level) for name, level in given.items()}


def _patterns(file: Path, given: Any) -> dict[str, re.Pattern[str]]:
    _require(file, "patterns", given, ("name", "runbook"))
    compiled = {}
    for name, pattern in given.items():
        try:
            compiled[name] = re.compile(pattern)
        except (re.error, TypeError) as error:
            message = f"{file}: patterns.{name} is not a regular expression ({error})."
            raise InputError(message) from None
    return compiled


def _allowances(file: Path, given: Any) -> Iterable[Allowance]:
    for number, entry in enumerate(given if isinstance(given, list) else [given], 1):
        _require(file, f"allow, entry {number}", entry, _ALLOWANCE_KEYS)
        until = entry.get("until")
        if until is not None and type(until) is not date:
            raise InputError(f"{file}: allow, entry {number}: until is not a date (2026-12-31).")
        texts = [entry.get(key, "") for key in ("rule", "alarm", "reason")]
        if not all(isinstance(text, str) for text in texts) or not texts[0] or not texts[1]:
            message = f"{file}: allow, entry {number}: rule, alarm and reason have to be texts."
            raise InputError(message)
        yield Allowance(texts[0], texts[1], texts[2], str(file), until)


def _own_metrics(file: Path, given: Any) -> Iterable[OwnMetrics]:
    for number, entry in enumerate(given if isinstance(given, list) else [given], 1):
        where = f"metrics, entry {number}"
        _require(file, where, entry, _METRICS_KEYS)
        namespace, unit = entry.get("namespace", ""), entry.get("unit", "")
        if not isinstance(namespace, str) or not namespace or not isinstance(unit, str):
            raise InputError(f"{file}: {where}: namespace has to be a text, and so has unit.")
        if namespace.startswith("AWS/"):
            raise InputError(f"{file}: {where}: {namespace} is AWS's own namespace.")
        names, sets = entry.get("names", []), entry.get("dimensions", [])
        if not _are_texts(names) or not names:
            raise InputError(f"{file}: {where}: names is not a list of texts.")
        if not isinstance(sets, list) or not all(map(_are_texts, sets)):
            message = f'{file}: {where}: dimensions is not a list such as [["Service"], []].'
            raise InputError(message)
        yield OwnMetrics(namespace, frozenset(names), frozenset(map(frozenset, sets)), unit)


def _are_texts(given: Any) -> bool:
    return isinstance(given, list) and all(isinstance(text, str) for text in given)
