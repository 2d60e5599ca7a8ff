"""Test cases of alarms: a YAML file of series and expected states.

Every mistake of a file is reported at once, with its line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from alarmproof import files, notation, yaml_nodes
from alarmproof.arrays import Values
from alarmproof.errors import InputError
from alarmproof.model import State
from alarmproof.yaml_nodes import Reader, line

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
        notifies: who is notified of the state between the expectation before and this one,
            or ``nobody`` of any state; None for anything.
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
        quiet: whether nobody is ever notified of an ALARM; for an alarm without actions,
            whether it is never in ALARM.
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
    """The cases of files; in a folder, only YAML files with a ``cases`` key are read.

    Raises:
        InputError: When there are no cases, or with all mistakes of all files.
    """
    roots: list[tuple[Path, yaml.Node | None]] = []
    for path in paths:
        if not path.is_dir():
            roots.append((path, yaml_nodes.compose(path)))
            continue
        try:
            inside = sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES)
        except OSError as error:
            raise files.unreadable(path, error) from None
        roots += [
            (file, root) for file in inside if _is_about_cases(root := yaml_nodes.compose(file))
        ]
    found: list[Case] = []
    problems: list[str] = []
    for file, root in roots:
        reader = _Reader(str(file))
        found += reader.cases(root)
        problems += reader.problems
    if problems:
        raise InputError("\n".join(problems))
    if not found:
        raise InputError(f"No cases in {', '.join(map(str, paths))}: no YAML file with 'cases'.")
    return found


def _is_about_cases(root: yaml.Node | None) -> bool:
    """Whether a file has the key ``cases``, or a likely misspelling of it."""
    keys = [str(key.value) for key, _ in root.value] if isinstance(root, yaml.MappingNode) else []
    return any(key.lower().startswith("case") for key in keys)


_FILE = ("interval", "cases")
_CASE = ("title", "alarm", "interval", "initial", "kind", "quiet", "series", "expect")
_SERIES = ("metric", "dimensions", "statistic", "values")
_EXPECT = ("at", "state", "notifies", "alarm")


class _Reader(Reader):
    """Reads nodes into cases."""

    def cases(self, root: yaml.Node | None) -> list[Case]:
        if root is None:
            return []
        top = self.mapping(root, _FILE, "the file")
        interval = self._interval(top.get("interval"), 60)
        if "cases" not in top:
            self.wrong(root, "no 'cases'; the file is a mapping with a list of them")
            return []
        made = [self._case(node, interval) for node in self.items(top["cases"], "cases")]
        found = [one for one in made if one]
        titles: dict[str, int] = {}
        for case in found:
            if case.title in titles:
                self.problems.append(
                    f"{self.file}:{case.line}: the title '{case.title}' is also that of "
                    f"line {titles[case.title]}; give each case its own"
                )
            titles.setdefault(case.title, case.line)
        return found

    def _case(self, node: yaml.Node, interval: int) -> Case | None:
        before = len(self.problems)
        given = self.mapping(node, _CASE, "a case", required=("title", "alarm", "series"))
        series = [self._series(one) for one in self.items(given.get("series"), "series")]
        if not series and isinstance(given.get("series"), yaml.SequenceNode):
            self.wrong(
                given["series"], "the list is empty; add at least one series (_x5 for no data)"
            )
        expect = [self._expectation(one) for one in self.items(given.get("expect"), "expect")]
        initial = self.one_of(given.get("initial"), tuple(State), "initial")
        kind = self.one_of(given.get("kind"), KINDS, "kind")
        quiet = self.one_of(given.get("quiet"), ("true", "false"), "quiet") == "true"
        if not expect and not quiet:
            self.wrong(node, "the case expects nothing; add 'expect', or 'quiet: true'")
        every = self._interval(given.get("interval"), interval)
        longest = max((len(one.values) for one in series if one), default=0) * every
        for one in expect:
            if one and one.at > longest:
                self.problems.append(
                    f"{self.file}:{one.line}: at {notation.duration(one.at)} is after the last "
                    f"sample, which ends at {notation.duration(longest)}; add values (_x5 for none)"
                )
        times = [one.at for one in expect if one]
        if times != sorted(times):
            self.wrong(given["expect"], "the expectations are not in chronological order")
        if len(self.problems) > before:
            return None
        return Case(
            file=self.file,
            line=line(node),
            title=self.text(given["title"]),
            alarm=self.text(given["alarm"]),
            interval=every,
            series=tuple(one for one in series if one),
            expect=tuple(one for one in expect if one),
            initial=State(initial) if initial else None,
            kind=kind,
            quiet=quiet,
        )

    def _series(self, node: yaml.Node) -> CaseSeries | None:
        given = self.mapping(node, _SERIES, "a series", required=("metric", "values"))
        if not {"metric", "values"} <= given.keys():
            return None
        try:
            values = notation.values(self.text(given["values"]))
        except ValueError as error:
            self.wrong(given["values"], str(error))
            return None
        dimensions = None
        if "dimensions" in given:
            entries = self.mapping(given["dimensions"], None, "dimensions")
            dimensions = {name: self.text(value) for name, value in entries.items()}
        return CaseSeries(
            metric=self.text(given["metric"]),
            values=values,
            line=line(node),
            dimensions=dimensions,
            statistic=self.text(given["statistic"]) if "statistic" in given else None,
        )

    def _expectation(self, node: yaml.Node) -> Expectation | None:
        given = self.mapping(node, _EXPECT, "an expectation", required=("at", "state"))
        state = self.one_of(given.get("state"), tuple(State), "state")
        at = self._seconds(given.get("at"), 0)
        if state is None or "at" not in given:
            return None
        notifies = None
        if names := given.get("notifies"):
            many = isinstance(names, yaml.SequenceNode)
            notifies = tuple(map(self.text, names.value if many else [names]))
            if not any(notifies):
                self.wrong(names, "'notifies' is empty; write names, or nobody")
            if NOBODY in notifies and len(notifies) > 1:
                self.wrong(names, "write either 'nobody' or names, not both")
        return Expectation(
            at=at,
            state=State(state),
            line=line(node),
            notifies=notifies,
            alarm=self.text(given["alarm"]) if "alarm" in given else None,
        )

    def _interval(self, node: yaml.Node | None, default: int) -> int:
        found = self._seconds(node, default)
        if node and not found:
            self.wrong(node, "the interval is zero; write 1m or more")
        return found

    def _seconds(self, node: yaml.Node | None, default: int) -> int:
        if node is None:
            return default
        try:
            return notation.seconds(self.text(node))
        except ValueError as error:
            self.wrong(node, str(error))
            return default
