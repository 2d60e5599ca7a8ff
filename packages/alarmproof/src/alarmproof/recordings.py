"""Recorded series in files: JSON, CSV and Parquet, read when they are asked for.

``docs/replay.md`` has the three forms. Gaps between two timestamps are missing data.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from alarmproof import recordings_aws, recordings_parquet
from alarmproof.base import bounded_json, files
from alarmproof.base.arrays import Values
from alarmproof.base.errors import InputError
from alarmproof.base.metric_data import MetricKey, Series
from alarmproof.recorded_series import (
    Entry,
    Points,
    Recorded,
    dimensions,
    dimensions_text,
    iso,
    require_boundary,
    require_period,
    unix_seconds,
)

__all__ = ["Recorded", "load", "save"]

COLUMNS = ("time", "namespace", "metric", "dimensions", "statistic", "period", "value")
FORMS = (".json", ".csv", ".parquet")
_LINES = (".jsonl", ".ndjson")  # of a metric stream
_MOST = 2_000_000  # values of one series: nearly four years of minutes
# Values of a whole file that are in memory at once, gaps included; bytes of a file that is read
# whole. Parquet has no such limits.
_MOST_IN_MEMORY, _LARGEST = 20_000_000, 100_000_000


def load(file: Path) -> Recorded:
    """A recording from a file, by its suffix.

    Raises:
        InputError: When it can't be read; with the place in it.
    """
    readers = {
        ".json": _from_json, ".jsonl": _from_json, ".ndjson": _from_json, ".csv": _from_csv,
        ".parquet": recordings_parquet.load,
    }  # fmt: skip
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
    writers = {".json": _to_json, ".csv": _to_csv, ".parquet": recordings_parquet.save}
    writer = writers.get(file.suffix.lower())
    if writer is None:
        raise _unknown_form(file)
    with files.written(file) as temporary:
        writer(temporary, series)


def _unknown_form(file: Path) -> InputError:
    return InputError(f"{file}: unknown format; the name has to end in {', '.join(FORMS)}.")


def _placed(
    metric: MetricKey, statistic: str | None, period: int, times: Sequence[int], given: Values
) -> Series:
    """A series from values at times in any order.

    Raises:
        ValueError: When a time is not on the period's grid, or comes twice.
    """
    require_period(period)
    start, end = min(times), max(times)
    require_boundary(start, period)
    if np.isinf(given).any():
        raise ValueError("an infinite value")
    count = (end - start) // period + 1
    if count > _MOST:
        raise ValueError(f"{count:,} periods are more than {_MOST:,}")
    values = np.full(count, np.nan)
    taken = np.zeros(count, dtype=bool)
    for at, value in zip(times, given, strict=True):
        index, rest = divmod(at - start, period)
        if rest:
            raise ValueError(f"{iso(at)} is not a multiple of {period} s after {iso(start)}")
        if taken[index]:
            raise ValueError(f"{iso(at)} comes twice")
        taken[index], values[index] = True, value
    return Series(metric, statistic, start, period, values)


class _Room:
    """What is left of the memory that a file's series may take."""

    def __init__(self, file: Path) -> None:
        self._file, self._left = file, _MOST_IN_MEMORY

    def take(self, series: Series) -> Series:
        self._left -= len(series.values)
        if self._left < 0:
            raise InputError(
                f"{self._file}: more than {_MOST_IN_MEMORY:,} values, gaps included. Convert it to "
                "Parquet, which is read series by series."
            )
        return series


def _require_size(file: Path) -> None:
    if file.stat().st_size > _LARGEST:
        raise InputError(
            f"{file}: larger than {_LARGEST / 1e6:g} MB. Convert it to Parquet, which is read "
            "series by series."
        )


def _from_json(file: Path) -> list[Entry]:
    _require_size(file)
    text, room = file.read_text("utf-8"), _Room(file)
    try:
        if file.suffix.lower() in _LINES or recordings_aws.is_stream(text):
            return [
                Entry.of(room.take(_of_points(points))) for points in recordings_aws.of_stream(text)
            ]
        document = bounded_json.load(text)
        if recordings_aws.is_answer(document):
            return [
                Entry.of(room.take(_of_points(points)))
                for points in recordings_aws.of_answer(document)
            ]
    except (KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise InputError(f"{file}: not JSON of metrics: {error}") from None
    listed = document.get("series") if isinstance(document, dict) else document
    if not isinstance(listed, list):
        raise InputError(f"{file}: not a list of series, nor an object with one under 'series'.")
    series = []
    for number, entry in enumerate(listed, start=1):
        try:
            series.append(Entry.of(room.take(_of_json(entry))))
        except KeyError as error:
            raise InputError(f"{file}: series {number} lacks {error}.") from None
        except (AttributeError, OverflowError, TypeError, ValueError) as error:
            raise InputError(f"{file}: series {number}: {error}.") from None
    return series


def _of_points(points: Points) -> Series:
    """A series of values as CloudWatch gives them.

    Raises:
        ValueError: When a time or a value can't be.
    """
    values = np.array([math.nan if value is None else float(value) for value in points.values])
    times = [unix_seconds(time, "timestamp") for time in points.times]
    placed = _placed(points.metric, points.statistic, points.period, times, values)
    return dataclasses.replace(placed, unit=points.unit)


def _of_json(entry: Any) -> Series:
    if not isinstance(entry, dict):
        raise ValueError("not an object")
    metric = MetricKey.of(
        str(entry["namespace"]),
        str(entry["metric"]),
        dimensions(entry.get("dimensions") or {}),
        str(entry.get("account") or ""),
    )
    unit = entry.get("unit")
    values = np.array(
        [math.nan if value is None else float(value) for value in entry["values"]], dtype=float
    )
    period, statistic = int(entry.get("period", 60)), entry.get("statistic")
    if not len(values):
        raise ValueError("has no values")
    if "timestamps" in entry:
        times = [unix_seconds(timestamp, "timestamp") for timestamp in entry["timestamps"]]
        if len(times) != len(values):
            raise ValueError(f"{len(times)} timestamps for {len(values)} values")
    else:
        start = unix_seconds(entry["start"], "start")
        times = [start + period * index for index in range(len(values))]
    placed = _placed(metric, statistic, period, times, values)
    return placed if unit is None else dataclasses.replace(placed, unit=str(unit))


def _to_json(file: Path, series: Iterable[Series]) -> None:
    listed = [
        {
            "namespace": recorded.metric.namespace,
            "metric": recorded.metric.name,
            "dimensions": dict(recorded.metric.dimensions),
            **({"account": recorded.metric.account} if recorded.metric.account else {}),
            **({"unit": recorded.unit} if recorded.unit else {}),
            "statistic": recorded.statistic,
            "period": recorded.step,
            "start": iso(recorded.start),
            "values": [None if math.isnan(value) else value for value in recorded.values],
        }
        for recorded in series
    ]
    file.write_text(json.dumps({"series": listed}), "utf-8")


def _from_csv(file: Path) -> list[Entry]:
    _require_size(file)
    points: dict[tuple[MetricKey, str | None, int], tuple[list[int], list[float], int]] = {}
    with file.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        lacking = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if lacking:
            raise InputError(f"{file}:1: lacks the column {', '.join(lacking)}.")
        for line, row in enumerate(reader, start=2):
            try:
                metric = MetricKey.of(
                    row["namespace"], row["metric"], dimensions(row["dimensions"])
                )
                key = metric, row["statistic"] or None, int(row["period"] or 60)
                times, values, _ = points.setdefault(key, ([], [], line))
                times.append(unix_seconds(row["time"], "time"))
                values.append(float(row["value"]))
            except (csv.Error, OverflowError, TypeError, ValueError) as error:
                raise InputError(f"{file}:{line}: {error}.") from None
    series, room = [], _Room(file)
    for (metric, statistic, period), (times, values, line) in points.items():
        try:
            made = _placed(metric, statistic, period, times, np.array(values))
            series.append(Entry.of(room.take(made)))
        except ValueError as error:
            raise InputError(f"{file}:{line}: {metric}: {error}.") from None
    return series


def _to_csv(file: Path, series: Iterable[Series]) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for recorded in series:
            what = recorded.metric.namespace, recorded.metric.name, dimensions_text(recorded.metric)
            for index in np.flatnonzero(~np.isnan(recorded.values)):
                at = iso(recorded.start + recorded.step * int(index))
                value = repr(float(recorded.values[index]))
                writer.writerow([at, *what, recorded.statistic or "", recorded.step, value])
