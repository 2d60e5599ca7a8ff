"""Recorded series in Parquet: a row, in a row group of its own, for each series.

What is not asked for is not read. A file's own figures are checked before anything is read of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from alarmproof import extras
from alarmproof.base.errors import InputError
from alarmproof.base.metric_data import MetricKey, Series
from alarmproof.recorded_series import (
    Entry,
    dimensions,
    dimensions_text,
    require_boundary,
    require_period,
    unix_seconds,
)

_DESCRIBED = ("namespace", "metric", "dimensions", "statistic", "start", "period", "count")
_OPTIONAL = ("account", "unit")
_MOST_SERIES, _MOST_VALUES = 100_000, 6_000_000  # of one series: eleven years of minutes


def load(file: Path) -> list[Entry]:
    """The series of a file, not read yet.

    Raises:
        InputError: When it is not a recording, or says of itself what can't be.
    """
    extras.require("parquet", "Parquet")
    import pyarrow
    from pyarrow import parquet

    try:
        opened = parquet.ParquetFile(file)
        groups = opened.metadata.num_row_groups
        if groups != opened.metadata.num_rows or groups > _MOST_SERIES:
            raise InputError(
                f"{file}: it needs one row group for each series, and {_MOST_SERIES:,} at most; "
                "docs/replay.md describes the format."
            )
        names = set(opened.schema_arrow.names)
        lacking = [name for name in (*_DESCRIBED, "values") if name not in names]
        if lacking:
            raise InputError(f"{file}: it lacks the column {', '.join(lacking)}.")
        columns = [*_DESCRIBED, *(name for name in _OPTIONAL if name in names)]
        described = opened.read(columns=columns).to_pylist()
    except (pyarrow.ArrowException, KeyError) as error:
        raise InputError(f"{file}: not a recording in Parquet: {error}") from None
    series = []
    for number, row in enumerate(described):
        try:
            series.append(_entry(file, opened, number, row))
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            raise InputError(f"{file}: series {number + 1}: {error}.") from None
    return series


def _entry(file: Path, opened: Any, number: int, row: Mapping[str, Any]) -> Entry:
    metric = MetricKey.of(
        str(row["namespace"]), str(row["metric"]), dimensions(row["dimensions"]),
        str(row.get("account") or ""),
    )  # fmt: skip
    start = unix_seconds(int(row["start"]), "start")
    step, count = int(row["period"]), int(row["count"])
    require_period(step)
    require_boundary(start, step)
    if not 0 < count <= _MOST_VALUES:
        raise ValueError(f"count is {count:,}, and has to be 1 to {_MOST_VALUES:,}")

    def read() -> Series:
        return Series(
            metric, row["statistic"], start, step, _values(file, opened, number, count),
            row.get("unit") or None,
        )  # fmt: skip

    return Entry(metric, start, start + step * count, read)


def _values(file: Path, opened: Any, number: int, count: int) -> Any:
    """One series' values.

    Raises:
        InputError: When there are more or fewer than the file says, or one is infinite.
    """
    import pyarrow

    group = opened.metadata.row_group(number)
    sizes = [
        group.column(index).total_uncompressed_size
        for index in range(group.num_columns)
        if group.column(index).path_in_schema.startswith("values")
    ]
    # A value takes 8 bytes and its place in the list a few bits.
    if sum(sizes) > 16 * _MOST_VALUES:
        raise InputError(f"{file}: series {number + 1} has more than {_MOST_VALUES:,} values.")
    try:
        column = opened.read_row_group(number, columns=["values"])["values"]
        flat = column.combine_chunks().flatten()
        values = flat.to_numpy(zero_copy_only=False).astype(float)
    except (pyarrow.ArrowException, AttributeError, TypeError, ValueError) as error:
        raise InputError(f"{file}: series {number + 1} can't be read: {error}") from None
    if len(values) != count or np.isinf(values).any():
        raise InputError(
            f"{file}: series {number + 1} says that it has {count:,} finite values, and has "
            f"{len(values):,}, or infinite ones."
        )
    return values


def save(file: Path, series: Iterable[Series]) -> None:
    """Writes series, one after the other."""
    extras.require("parquet", "Parquet")
    import pyarrow
    from pyarrow import parquet

    text, number = pyarrow.string(), pyarrow.int64()
    schema = pyarrow.schema(
        [
            ("namespace", text), ("metric", text), ("dimensions", text), ("account", text),
            ("unit", text), ("statistic", text), ("start", number), ("period", number),
            ("count", number), ("values", pyarrow.list_(pyarrow.float64())),
        ]
    )  # fmt: skip
    with parquet.ParquetWriter(file, schema) as writer:
        for recorded in series:
            metric = recorded.metric
            columns = [
                [metric.namespace], [metric.name], [dimensions_text(metric)], [metric.account],
                [recorded.unit], [recorded.statistic], [recorded.start], [recorded.step],
                [len(recorded.values)], [recorded.values],
            ]  # fmt: skip
            writer.write_table(pyarrow.table(columns, schema=schema))
