"""Metrics as CloudWatch gives them away: answers of GetMetricData, and exported metric streams.

Source: CloudWatch API reference, GetMetricData, MetricDataQuery and MetricDataResult; CloudWatch
user guide, "CloudWatch metric stream output in JSON format".
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from alarmproof.base.metric_data import MetricKey
from alarmproof.recorded_series import Points, dimensions

# A metric stream's statistics, as CloudWatch calls them.
_STREAMED = {"max": "Maximum", "min": "Minimum", "sum": "Sum", "count": "SampleCount"}
_MINUTE = 60


def is_answer(document: Any) -> bool:
    """Whether a document is an answer of GetMetricData, or several pages of it."""
    pages = document if isinstance(document, list) else [document]
    return bool(pages) and all(
        isinstance(page, dict) and isinstance(page.get("MetricDataResults"), list) for page in pages
    )


def of_answer(document: Any) -> Iterator[Points]:
    """The series of an answer, or of several pages; math is left out.

    Raises:
        ValueError: When it does not say which metric an id stands for, or is malformed.
    """
    pages = document if isinstance(document, list) else [document]
    queries = {
        str(query.get("Id")): query
        for page in pages
        for query in page.get("MetricDataQueries") or ()
        if isinstance(query, dict)
    }
    values: dict[str, list[tuple[Any, Any]]] = {}
    for page in pages:
        for result in page["MetricDataResults"]:
            pairs = zip(result["Timestamps"], result["Values"], strict=True)
            values.setdefault(str(result["Id"]), []).extend(pairs)
    for name, listed in values.items():
        query = queries.get(name)
        if query is None:
            raise ValueError(
                f"nothing says which metric '{name}' stands for; add the request's "
                "MetricDataQueries to the file: jq -s '.[0] * .[1]' request.json answer.json"
            )
        stat = query.get("MetricStat")
        if stat and listed:
            metric = _metric(stat["Metric"], str(query.get("AccountId") or ""))
            times, numbers = zip(*listed, strict=True)
            yield Points(
                metric, str(stat["Stat"]), int(stat["Period"]), times, numbers, stat.get("Unit")
            )


def _metric(entry: Mapping[str, Any], account: str) -> MetricKey:
    return MetricKey.of(
        str(entry["Namespace"]),
        str(entry["MetricName"]),
        dimensions(entry.get("Dimensions") or []),
        account,
    )


def is_stream(text: str) -> bool:
    """Whether a text is JSON lines of a metric stream."""
    first = text.lstrip()[:4000].partition("\n")[0]
    return first.startswith("{") and '"metric_name"' in first and '"namespace"' in first


def of_stream(text: str) -> Iterator[Points]:
    """The series of a metric stream: four statistics of each minute, and others if it has them.

    Raises:
        ValueError: When a line is something else; it has the line.
    """
    points: dict[tuple[MetricKey, str, str | None], tuple[list[int], list[float]]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            metric = MetricKey.of(
                str(entry["namespace"]),
                str(entry["metric_name"]),
                dimensions(entry.get("dimensions") or {}),
            )
            unit, at = entry.get("unit"), int(entry["timestamp"]) // 1000
            for name, value in entry["value"].items():
                key = metric, _STREAMED.get(name, str(name)), _unit(unit)
                times, values = points.setdefault(key, ([], []))
                times.append(at)
                values.append(math.nan if value is None else float(value))
        except KeyError as error:
            raise ValueError(f"line {number} is not of a metric stream: it lacks {error}") from None
        except json.JSONDecodeError as error:
            raise ValueError(f"line {number} is not JSON: {error.msg}") from None
        except (AttributeError, RecursionError, TypeError, ValueError) as error:
            raise ValueError(f"line {number} is not of a metric stream ({error})") from None
    for (metric, statistic, unit), (times, values) in points.items():
        yield Points(metric, statistic, _MINUTE, times, values, unit)


def _unit(value: Any) -> str | None:
    return None if value in (None, "", "None") else str(value)
