"""Test cases of alarms: a YAML file of series and expected states.

Every mistake of a file is told at once, with its line.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from errors import InputError
from proof import notation
from proof.model import State, Values

NOBODY = "nobody"
KINDS = ("firing", "silent", "gap")
_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSeries:
    """A series of a case.

    Attributes:
        metric: ``NAMESPACE NAME``, or the name alone, or what it ends with after a hyphen.
        dimensions: None where the alarm says which.
        statistic: what each value is; None for one observation.
    """

    metric: str
    values: Values
    line: int
    dimensions: Mapping[str, str] | None = None
    statistic: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """A state at a time.

    Attributes:
        at: seconds since the first sample.
        notifies: who is told between the expectation before and this one; None for anything.
        alarm: another alarm than the case's.
    """

    at: int
    state: State
    line: int
    notifies: tuple[str, ...] | None = None
    alarm: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test.

    Attributes:
        interval: seconds between samples.
        kind: ``firing``, ``silent`` or ``gap``, or None.
        quiet: whether nobody is told of an ALARM in all its time.
    """

    file: str
    line: int
    title: str
    alarm: str
    interval: int
    series: tuple[CaseSeries, ...]
    expect: tuple[Expectation, ...]
    initial: State | None = None
    kind: str | None = None
    quiet: bool = False


def load(paths: Sequence[Path]) -> list[Case]:
    """The cases of files, and of all YAML files in folders.

    Raises:
        InputError: When there are none, or with all mistakes of all files.
    """
    files: list[Path] = []
    for path in paths:
        inside = sorted(one for one in path.rglob("*") if one.suffix in _SUFFIXES)
        files += inside if path.is_dir() else [path]
    found: list[Case] = []
    problems: list[str] = []
    for file in files:
        reader = _Reader(str(file))
        found += reader.cases(_node(file))
        problems += reader.problems
    if problems:
        raise InputError("\n".join(problems))
    if not found:
        raise InputError(f"No cases in {', '.join(map(str, paths))}: no YAML file with 'cases'.")
    return found


def _node(file: Path) -> yaml.Node | None:
    try:
        return yaml.compose(file.read_text("utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise InputError(f"{file}: can't be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise InputError(f"{file}: is no text.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        what = getattr(error, "problem", None) or "can't be parsed"
        raise InputError(f"{file}{line}: no YAML: {what}.") from None


_CASE = ("title", "alarm", "interval", "initial", "kind", "quiet", "series", "expect")
_SERIES = ("metric", "dimensions", "statistic", "values")
_EXPECT = ("at", "state", "notifies", "alarm")


@dataclass(slots=True)
class _Reader:
    """Reads nodes into cases and keeps what is wrong with them."""

    file: str
    problems: list[str] = field(default_factory=list)

    def wrong(self, node: yaml.Node, what: str) -> None:
        self.problems.append(f"{self.file}:{_line(node)}: {what}")

    def cases(self, root: yaml.Node | None) -> list[Case]:
        if root is None:
            return []
        top = self._mapping(root, ("interval", "cases"), "the file")
        interval = self._seconds(top.get("interval"), 60)
        if "cases" not in top:
            self.wrong(root, "no 'cases'; the file is a mapping with a list of them")
            return []
        made = [self._case(node, interval) for node in self._list(top["cases"], "cases")]
        found = [one for one in made if one]
        titles: dict[str, int] = {}
        for case in found:
            if case.title in titles:
                self.problems.append(
                    f"{self.file}:{case.line}: the title '{case.title}' is that of line "
                    f"{titles[case.title]}, too; give each case its own"
                )
            titles.setdefault(case.title, case.line)
        return found

    def _case(self, node: yaml.Node, interval: int) -> Case | None:
        before = len(self.problems)
        given = self._mapping(node, _CASE, "a case", required=("title", "alarm", "series"))
        series = [self._series(one) for one in self._list(given.get("series"), "series")]
        expect = [self._expectation(one) for one in self._list(given.get("expect"), "expect")]
        initial = self._one_of(given.get("initial"), tuple(State), "initial")
        kind = self._one_of(given.get("kind"), KINDS, "kind")
        quiet = self._one_of(given.get("quiet"), ("true", "false"), "quiet") == "true"
        if not expect and not quiet:
            self.wrong(node, "nothing is expected; add 'expect', or 'quiet: true'")
        every = self._seconds(given.get("interval"), interval)
        longest = max((len(one.values) for one in series if one), default=0) * every
        for one in expect:
            if one and one.at > longest:
                self.problems.append(
                    f"{self.file}:{one.line}: at {notation.duration(one.at)} is after the last "
                    f"sample, which ends at {notation.duration(longest)}; add values (_x5 for none)"
                )
        times = [one.at for one in expect if one]
        if times != sorted(times):
            self.wrong(given["expect"], "the expectations are not in the order of time")
        if len(self.problems) > before:
            return None
        return Case(
            file=self.file,
            line=_line(node),
            title=self._text(given["title"]),
            alarm=self._text(given["alarm"]),
            interval=every,
            series=tuple(one for one in series if one),
            expect=tuple(one for one in expect if one),
            initial=State(initial) if initial else None,
            kind=kind,
            quiet=quiet,
        )

    def _series(self, node: yaml.Node) -> CaseSeries | None:
        given = self._mapping(node, _SERIES, "a series", required=("metric", "values"))
        if not {"metric", "values"} <= given.keys():
            return None
        try:
            values = notation.values(self._text(given["values"]))
        except ValueError as error:
            self.wrong(given["values"], str(error))
            return None
        dimensions = None
        if "dimensions" in given:
            entries = self._mapping(given["dimensions"], None, "dimensions")
            dimensions = {name: self._text(value) for name, value in entries.items()}
        return CaseSeries(
            metric=self._text(given["metric"]),
            values=values,
            line=_line(node),
            dimensions=dimensions,
            statistic=self._text(given["statistic"]) if "statistic" in given else None,
        )

    def _expectation(self, node: yaml.Node) -> Expectation | None:
        given = self._mapping(node, _EXPECT, "an expectation", required=("at", "state"))
        state = self._one_of(given.get("state"), tuple(State), "state")
        at = self._seconds(given.get("at"), 0)
        if state is None or "at" not in given:
            return None
        notifies = None
        if "notifies" in given:
            told = given["notifies"]
            many = isinstance(told, yaml.SequenceNode)
            notifies = tuple(map(self._text, told.value if many else [told]))
        return Expectation(
            at=at,
            state=State(state),
            line=_line(node),
            notifies=notifies,
            alarm=self._text(given["alarm"]) if "alarm" in given else None,
        )

    def _mapping(
        self,
        node: yaml.Node,
        known: tuple[str, ...] | None,
        what: str,
        required: Iterable[str] = (),
    ) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, f"{what} is a mapping (key: value)")
            return {}
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = self._text(key)
            if known is not None and name not in known:
                self.wrong(key, f"{what} has no key '{name}'{_near(name, known)}")
            elif name in found:
                self.wrong(key, f"the key '{name}' stands there twice")
            found[name] = value
        for name in required:
            if name not in found:
                self.wrong(node, f"{what} lacks '{name}'")
        return found

    def _list(self, node: yaml.Node | None, what: str) -> list[Any]:
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.wrong(node, f"'{what}' is a list (lines that begin with -)")
            return []
        return list(node.value)

    def _text(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            self.wrong(node, "a text is expected here")
            return ""
        return str(node.value)

    def _seconds(self, node: yaml.Node | None, default: int) -> int:
        if node is None:
            return default
        return self._tried(node, notation.seconds, default)

    def _tried(self, node: yaml.Node, read: Callable[[str], int], default: int) -> int:
        try:
            return read(self._text(node))
        except ValueError as error:
            self.wrong(node, str(error))
            return default

    def _one_of(self, node: yaml.Node | None, known: Sequence[str], what: str) -> str | None:
        if node is None:
            return None
        text = self._text(node)
        if text in known:
            return text
        self.wrong(node, f"{what} '{text}' is none of {', '.join(known)}")
        return None


def _near(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; it has {', '.join(known)}"


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
