"""Recorded series in files: JSON, CSV and Parquet, read when they are asked for.

``docs/replay.md`` has the three forms. Gaps between two timestamps are missing data.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from alarmproof import extras, files
from alarmproof.arrays import Values
from alarmproof.errors import InputError
from alarmproof.model import MetricKey, Series

COLUMNS = ("time", "namespace", "metric", "dimensions", "statistic", "period", "value")
FORMS = (".json", ".csv", ".parquet")
_MOST = 2_000_000  # values of one series: nearly four years of minutes


@dataclass(frozen=True, slots=True)
class _Entry:
    """A series that may not have been read yet."""

    metric: MetricKey
    start: int
    end: int
    load: Callable[[], Series]


class Recorded:
    """A recording of many series.

    Attributes:
        start, end: of the whole, Unix seconds.
    """

    def __init__(self, entries: Sequence[_Entry]) -> None:
        self._entries: dict[MetricKey, list[_Entry]] = {}
        for one in entries:
            self._entries.setdefault(one.metric, []).append(one)
        self.start = min((one.start for one in entries), default=0)
        self.end = max((one.end for one in entries), default=0)

    @classmethod
    def of(cls, series: Iterable[Series]) -> Recorded:
        """A recording of series that are in memory."""
        return cls([_Entry(one.metric, one.start, one.end, lambda one=one: one) for one in series])  # type: ignore[misc]

    @property
    def metrics(self) -> tuple[MetricKey, ...]:
        return tuple(sorted(self._entries))

    def series(self, metric: MetricKey) -> Sequence[Series]:
        return [one.load() for one in self._entries.get(metric, ())]

    def every(self) -> Iterator[Series]:
        """All series, one after the other."""
        for entries in self._entries.values():
            for one in entries:
                yield one.load()


def load(file: Path) -> Recorded:
    """A recording from a file, by its suffix.

    Raises:
        InputError: When it can't be read; with the place in it.
    """
    readers = {".json": _from_json, ".csv": _from_csv, ".parquet": _from_parquet}
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise _unknown_form(file)
    try:
        entries = reader(file)
    except OSError as error:
        raise files.unreadable(file, error) from None
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not UTF-8 text (byte {error.start}).") from None
    if not entries:
        raise InputError(f"{file}: no series in it.")
    return Recorded(entries)


def save(file: Path, series: Iterable[Series]) -> None:
    """Writes series into a file, by its suffix; whole, or not at all.

    Raises:
        InputError: When the suffix is unknown, or the file can't be written.
    """
    writers = {".json": _to_json, ".csv": _to_csv, ".parquet": _to_parquet}
    writer = writers.get(file.suffix.lower())
    if writer is None:
        raise _unknown_form(file)
    with files.written(file) as temporary:
        writer(temporary, series)


def _unknown_form(file: Path) -> InputError:
    return InputError(f"{file}: unknown format; the name has to end in {', '.join(FORMS)}.")


def dimensions_text(metric: MetricKey) -> str:
    """Dimensions as one text: ``QueueName=orders;Stage=live``."""
    return ";".join(f"{name}={value}" for name, value in metric.dimensions)


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _time(value: Any) -> int:
    """Unix seconds, or ISO 8601.

    Raises:
        ValueError: When it is neither.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return round(value)
    text = str(value)
    if text.replace(".", "", 1).isdigit():
        return round(float(text))
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _dimensions(value: Any) -> dict[str, str]:
    """From a mapping, CloudWatch's list of Name and Value, or one text.

    Raises:
        ValueError: When it is none of these.
    """
    if isinstance(value, Mapping):
        return {str(name): str(one) for name, one in value.items()}
    if isinstance(value, list):
        return {str(one["Name"]): str(one["Value"]) for one in value}
    pairs = [part.partition("=") for part in str(value or "").split(";") if part]
    if not all(name and sign for name, sign, _ in pairs):
        raise ValueError(f"'{value}' are not dimensions; write Name=value;Name=value")
    return {name: one for name, _, one in pairs}


def _placed(
    metric: MetricKey, statistic: str | None, period: int, times: Sequence[int], given: Values
) -> Series:
    """A series from values at times in any order.

    Raises:
        ValueError: When a time is not on the period's grid, or comes twice.
    """
    if period < 60 or period % 60:
        raise ValueError(f"period {period} is not a multiple of 60 seconds")
    start, end = min(times), max(times)
    if start % 60:
        raise ValueError(f"{_iso(start)} is not a full minute")
    count = (end - start) // period + 1
    if count > _MOST:
        raise ValueError(f"{count:,} periods are more than {_MOST:,}")
    values = np.full(count, np.nan)
    taken = np.zeros(count, dtype=bool)
    for at, value in zip(times, given, strict=True):
        index, rest = divmod(at - start, period)
        if rest:
            raise ValueError(f"{_iso(at)} is not a multiple of {period} s after {_iso(start)}")
        if taken[index]:
            raise ValueError(f"{_iso(at)} comes twice")
        taken[index], values[index] = True, value
    return Series(metric, statistic, start, period, values)


def _held(series: Series) -> _Entry:
    return _Entry(series.metric, series.start, series.end, lambda: series)


def _from_json(file: Path) -> list[_Entry]:
    try:
        document = json.loads(file.read_text("utf-8"))
    except (RecursionError, ValueError) as error:
        raise InputError(f"{file}: not JSON: {error}") from None
    listed = document.get("series") if isinstance(document, dict) else document
    if not isinstance(listed, list):
        raise InputError(f"{file}: not a list of series, nor an object with one under 'series'.")
    found = []
    for number, entry in enumerate(listed, start=1):
        try:
            found.append(_held(_of_json(entry)))
        except KeyError as error:
            raise InputError(f"{file}: series {number} lacks {error}.") from None
        except (TypeError, ValueError) as error:
            raise InputError(f"{file}: series {number}: {error}.") from None
    return found


def _of_json(entry: Any) -> Series:
    if not isinstance(entry, dict):
        raise ValueError("not an object")
    metric = MetricKey.of(
        str(entry["namespace"]), str(entry["metric"]), _dimensions(entry.get("dimensions") or {})
    )
    values = np.array(
        [math.nan if one is None else float(one) for one in entry["values"]], dtype=float
    )
    period, statistic = int(entry.get("period", 60)), entry.get("statistic")
    if not len(values):
        raise ValueError("has no values")
    if "timestamps" in entry:
        times = [_time(one) for one in entry["timestamps"]]
        if len(times) != len(values):
            raise ValueError(f"{len(times)} timestamps for {len(values)} values")
    else:
        start = _time(entry["start"])
        times = [start + period * index for index in range(len(values))]
    return _placed(metric, statistic, period, times, values)


def _to_json(file: Path, series: Iterable[Series]) -> None:
    listed = [
        {
            "namespace": one.metric.namespace,
            "metric": one.metric.name,
            "dimensions": dict(one.metric.dimensions),
            "statistic": one.statistic,
            "period": one.step,
            "start": _iso(one.start),
            "values": [None if math.isnan(value) else value for value in one.values],
        }
        for one in series
    ]
    file.write_text(json.dumps({"series": listed}), "utf-8")


def _from_csv(file: Path) -> list[_Entry]:
    points: dict[tuple[MetricKey, str | None, int], tuple[list[int], list[float], int]] = {}
    with file.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        lacking = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if lacking:
            raise InputError(f"{file}:1: lacks the column {', '.join(lacking)}.")
        for line, row in enumerate(reader, start=2):
            try:
                metric = MetricKey.of(
                    row["namespace"], row["metric"], _dimensions(row["dimensions"])
                )
                key = metric, row["statistic"] or None, int(row["period"] or 60)
                times, values, _ = points.setdefault(key, ([], [], line))
                times.append(_time(row["time"]))
                values.append(float(row["value"]))
            except (TypeError, ValueError) as error:
                raise InputError(f"{file}:{line}: {error}.") from None
    found = []
    for (metric, statistic, period), (times, values, line) in points.items():
        try:
            found.append(_held(_placed(metric, statistic, period, times, np.array(values))))
        except ValueError as error:
            raise InputError(f"{file}:{line}: {metric}: {error}.") from None
    return found


def _to_csv(file: Path, series: Iterable[Series]) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for one in series:
            what = one.metric.namespace, one.metric.name, dimensions_text(one.metric)
            for index in np.flatnonzero(~np.isnan(one.values)):
                at = _iso(one.start + one.step * int(index))
                value = repr(float(one.values[index]))
                writer.writerow([at, *what, one.statistic or "", one.step, value])


def _from_parquet(file: Path) -> list[_Entry]:
    """One row, in a row group of its own, for each series: what is not asked for is not read."""
    extras.require("parquet", "Parquet")
    import pyarrow
    from pyarrow import parquet

    try:
        opened = parquet.ParquetFile(file)
        described = opened.read(
            columns=["namespace", "metric", "dimensions", "statistic", "start", "period", "count"]
        ).to_pylist()
    except (pyarrow.ArrowInvalid, KeyError) as error:
        raise InputError(f"{file}: not a recording in Parquet: {error}") from None
    if opened.num_row_groups != len(described):
        raise InputError(
            f"{file}: it needs one row group for each series; docs/replay.md describes the format."
        )

    def entry(number: int, row: Mapping[str, Any]) -> _Entry:
        metric = MetricKey.of(row["namespace"], row["metric"], _dimensions(row["dimensions"]))
        start, step = int(row["start"]), int(row["period"])

        def read() -> Series:
            column = opened.read_row_group(number, columns=["values"])["values"]
            values = column.chunk(0).flatten().to_numpy(zero_copy_only=False).astype(float)
            return Series(metric, row["statistic"], start, step, values)

        return _Entry(metric, start, start + step * int(row["count"]), read)

    return [entry(number, row) for number, row in enumerate(described)]


def _to_parquet(file: Path, series: Iterable[Series]) -> None:
    extras.require("parquet", "Parquet")
    import pyarrow
    from pyarrow import parquet

    schema = pyarrow.schema(
        [
            ("namespace", pyarrow.string()),
            ("metric", pyarrow.string()),
            ("dimensions", pyarrow.string()),
            ("statistic", pyarrow.string()),
            ("start", pyarrow.int64()),
            ("period", pyarrow.int64()),
            ("count", pyarrow.int64()),
            ("values", pyarrow.list_(pyarrow.float64())),
        ]
    )
    with parquet.ParquetWriter(file, schema) as writer:
        for one in series:
            columns = [
                [one.metric.namespace], [one.metric.name], [dimensions_text(one.metric)],
                [one.statistic], [one.start], [one.step], [len(one.values)], [one.values],
            ]  # fmt: skip
            writer.write_table(pyarrow.table(columns, schema=schema))
