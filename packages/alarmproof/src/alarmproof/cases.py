"""Test cases of alarms: a YAML file of series and expected states.

Every mistake of a file is reported at once, with its line.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from alarmproof import notation, yaml_nodes
from alarmproof.base import files
from alarmproof.base.alarms import State
from alarmproof.base.arrays import Values
from alarmproof.base.errors import InputError
from alarmproof.series import BAND_STATISTICS, refusal
from alarmproof.yaml_nodes import Reader, line

NOBODY = "nobody"
KINDS = ("firing", "silent", "gap")
_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSeries:
    """A series of a case.

    Attributes:
        metric: ``NAMESPACE NAME``, or the name alone, or what it ends with after a hyphen.
        dimensions, account: None where the alarm says which.
        statistic: what each value is; None for one observation.
        unit: that the values are published with; None for that which the alarm asks for.
        interval: seconds between its samples.
    """

    metric: str
    values: Values
    line: int
    interval: int
    dimensions: Mapping[str, str] | None = None
    statistic: str | None = None
    account: str | None = None
    unit: str | None = None

    @property
    def end(self) -> int:
        """Seconds after the case's start at which its last sample ends."""
        return self.interval * len(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """A state, values, or both at a time.

    Attributes:
        at: seconds since the first sample.
        state: None where only values are expected.
        values: by query id, what it is in the evaluation of that time; the key ``""`` is what is
            compared with the threshold; NaN is missing.
        notifies: who is notified of the state between the expectation before and this one,
            or ``nobody`` of any state; None for anything.
        alarm: another alarm than the case's.
    """

    at: int
    state: State | None
    line: int
    values: Mapping[str, float] = field(default_factory=dict)
    notifies: tuple[str, ...] | None = None
    alarm: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test.

    Attributes:
        start: of the first sample, Unix seconds; None where it does not matter.
        kind: ``firing``, ``silent`` or ``gap``, or None.
        quiet: whether nobody is ever notified of an ALARM; for an alarm without actions,
            whether it is never in ALARM.
    """

    file: str
    line: int
    title: str
    alarm: str
    series: tuple[CaseSeries, ...]
    expect: tuple[Expectation, ...]
    start: int | None = None
    initial: State | None = None
    kind: str | None = None
    quiet: bool = False

    @property
    def end(self) -> int:
        """Seconds after its start at which the last sample ends."""
        return max((series.end for series in self.series), default=0)


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
    cases: list[Case] = []
    problems: list[str] = []
    for file, root in roots:
        reader = _Reader(str(file))
        cases += reader.cases(root)
        problems += reader.problems
    if problems:
        raise InputError("\n".join(problems))
    if not cases:
        raise InputError(f"No cases in {', '.join(map(str, paths))}: no YAML file with 'cases'.")
    return cases


def _is_about_cases(root: yaml.Node | None) -> bool:
    """Whether a file has the key ``cases``, or a likely misspelling of it."""
    keys = [str(key.value) for key, _ in root.value] if isinstance(root, yaml.MappingNode) else []
    return any(key.lower().startswith("case") for key in keys)


_FILE = ("interval", "start", "cases")
_CASE = ("title", "alarm", "interval", "start", "initial", "kind", "quiet", "series", "expect")
_SERIES = ("metric", "dimensions", "account", "statistic", "unit", "interval", "values")
_EXPECT = ("at", "state", "value", "values", "notifies", "alarm")


class _Reader(Reader):
    """Reads nodes into cases."""

    def cases(self, root: yaml.Node | None) -> list[Case]:
        if root is None:
            return []
        top = self.mapping(root, _FILE, "the file")
        interval = self._interval(top.get("interval"), 60)
        start = self._moment(top.get("start"), None)
        if "cases" not in top:
            self.wrong(root, "no 'cases'; the file is a mapping with a list of them")
            return []
        made = [self._case(node, interval, start) for node in self.items(top["cases"], "cases")]
        sound = [case for case in made if case]
        titles: dict[str, int] = {}
        for case in sound:
            if case.title in titles:
                self.problems.append(
                    f"{self.file}:{case.line}: the title '{case.title}' is also that of "
                    f"line {titles[case.title]}; give each case its own"
                )
            titles.setdefault(case.title, case.line)
        return sound

    def _case(self, node: yaml.Node, interval: int, start: int | None) -> Case | None:
        before = len(self.problems)
        given = self.mapping(node, _CASE, "a case", required=("title", "alarm", "series"))
        every = self._interval(given.get("interval"), interval)
        series = [self._series(item, every) for item in self.items(given.get("series"), "series")]
        if not series and isinstance(given.get("series"), yaml.SequenceNode):
            self.wrong(
                given["series"], "the list is empty; add at least one series (_x5 for no data)"
            )
        sound = len(self.problems) == before
        expect = [self._expectation(item) for item in self.items(given.get("expect"), "expect")]
        initial = self.one_of(given.get("initial"), tuple(State), "initial")
        kind = self.one_of(given.get("kind"), KINDS, "kind")
        quiet = self.one_of(given.get("quiet"), ("true", "false"), "quiet") == "true"
        if not expect and not quiet:
            self.wrong(node, "the case expects nothing; add 'expect', or 'quiet: true'")
        longest = max((held.end for held in series if held), default=0)
        for expectation in expect if sound else ():
            if expectation and expectation.at > longest:
                self.problems.append(
                    f"{self.file}:{expectation.line}: at {notation.duration(expectation.at)} is "
                    f"after the last sample, which ends at {notation.duration(longest)}; add "
                    "values (_x5 for none)"
                )
        times = [expectation.at for expectation in expect if expectation]
        if times != sorted(times):
            self.wrong(given["expect"], "the expectations are not in chronological order")
        begins = self._moment(given.get("start"), start)
        if len(self.problems) > before:
            return None
        return Case(
            file=self.file,
            line=line(node),
            title=self.text(given["title"]),
            alarm=self.text(given["alarm"]),
            start=begins,
            series=tuple(held for held in series if held),
            expect=tuple(expectation for expectation in expect if expectation),
            initial=State(initial) if initial else None,
            kind=kind,
            quiet=quiet,
        )

    def _series(self, node: yaml.Node, interval: int) -> CaseSeries | None:
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
            interval=self._interval(given.get("interval"), interval),
            dimensions=dimensions,
            statistic=self._statistic(given.get("statistic")),
            **{name: self.text(given[name]) for name in ("account", "unit") if name in given},
        )

    def _statistic(self, node: yaml.Node | None) -> str | None:
        if node is None:
            return None
        statistic = self.text(node)
        why = refusal(statistic)
        if why and statistic not in BAND_STATISTICS:
            self.wrong(node, f"{why[:-1]}, and {' and '.join(BAND_STATISTICS)}")
        return statistic

    def _expectation(self, node: yaml.Node) -> Expectation | None:
        given = self.mapping(node, _EXPECT, "an expectation", required=("at",))
        state = self.one_of(given.get("state"), tuple(State), "state")
        at = self._seconds(given.get("at"), None)
        values = self._values(given)
        if not given.keys() & {"state", "value", "values"}:
            self.wrong(node, "an expectation lacks 'state' (or 'value', or 'values')")
            return None
        if at is None or (state is None and "state" in given):
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
            state=None if state is None else State(state),
            line=line(node),
            values=values,
            notifies=notifies,
            alarm=self.text(given["alarm"]) if "alarm" in given else None,
        )

    def _values(self, given: Mapping[str, yaml.Node]) -> dict[str, float]:
        """The numbers that an expectation has, by query id."""
        nodes = {"": given["value"]} if "value" in given else {}
        if "values" in given:
            nodes |= self.mapping(given["values"], None, "values")
        values: dict[str, float] = {}
        for name, node in nodes.items():
            text = self.text(node)
            try:
                number = math.nan if text == "_" else float(text)
            except ValueError:
                number = math.inf
            if math.isinf(number) or (math.isnan(number) and text != "_"):
                self.wrong(node, f"'{text}' is not a number; write one, or _ for missing")
            values[name] = number
        return values

    def _moment(self, node: yaml.Node | None, default: int | None) -> int | None:
        if node is None:
            return default
        try:
            return notation.moment(self.text(node))
        except ValueError as error:
            self.wrong(node, str(error))
            return default

    def _interval(self, node: yaml.Node | None, default: int) -> int:
        seconds = self._seconds(node, default)
        if node and seconds == 0:
            self.wrong(node, "the interval is zero; write 1m or more")
        return seconds or default

    def _seconds(self, node: yaml.Node | None, default: int | None) -> int | None:
        """A duration; the default where there is none, or it can't be read."""
        if node is None:
            return default
        try:
            return notation.seconds(self.text(node))
        except ValueError as error:
            self.wrong(node, str(error))
            return default
