"""Writes ``data/aws_metrics.json``: the metrics of AWS's services, with dimensions and units.

``python tools/extract_metrics.py DB METADATA`` reads two files that AWS publishes in packages:

- ``db.json.gz`` of the npm package ``@aws-cdk/aws-service-spec``, from which the CDK makes its
  canned metrics: names and dimensions;
- ``metric_metadata.json`` of the PyPI package ``awslabs-cloudwatch-mcp-server``, the catalog that
  CloudWatch's console shows: names, units, and the dimensions of recommended alarms.

Descriptions are left out. What neither has is in ``alarmproof/base/metric_rows.py``, with its
sources.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Source: CloudWatch API reference, MetricDatum, Unit. What is written in other words is left out.
_UNITS = frozenset(
    ("Bytes", "Bytes/Second", "Count", "Count/Second", "Gigabytes", "Megabytes", "Microseconds",
     "Milliseconds", "Percent", "Seconds")
)  # fmt: skip
Table = dict[str, dict[str, list[Any]]]
TARGET = Path(__file__).parents[1] / "src" / "alarmproof" / "data" / "aws_metrics.json"


def extracted(database: dict[str, Any], catalog: list[dict[str, Any]]) -> Table:
    """By namespace and metric: the sets of dimensions, each written ``A B``, and the unit."""
    sets: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    units: dict[tuple[str, str], str] = {}
    for namespace, name, dimensions in (*_of_database(database), *_of_catalog(catalog)):
        sets[namespace][name] |= dimensions
    for entry in catalog:
        unit = str(entry.get("unitInfo", "")).rstrip(".")
        if unit in _UNITS:
            units[entry["metricId"]["namespace"], entry["metricId"]["metricName"]] = unit
    return {
        namespace: {
            name: [sorted(sets[namespace][name]), units.get((namespace, name), "")]
            for name in sorted(sets[namespace])
        }
        for namespace in sorted(sets)
    }


def _of_database(database: dict[str, Any]) -> Iterator[tuple[str, str, set[str]]]:
    schema = database["schema"]
    sets = {
        entry["$id"]: " ".join(sorted(dimension["name"] for dimension in entry["dimensions"]))
        for entry in schema["dimensionSet"]["entities"]
    }
    used = schema["usesDimensionSet"]["forward"]
    for metric in schema["metric"]["entities"]:
        dimensions = {sets[use["$id"]] for use in used.get(metric["$id"], ())}
        yield metric["namespace"], metric["name"], dimensions


def _of_catalog(catalog: list[dict[str, Any]]) -> Iterator[tuple[str, str, set[str]]]:
    for entry in catalog:
        metric = entry["metricId"]
        dimensions = {
            " ".join(sorted(dimension["name"] for dimension in recommended["dimensions"]))
            for recommended in entry.get("alarmRecommendations", ())
        }
        yield metric["namespace"], metric["metricName"], dimensions


def _text(metrics: Table) -> str:
    """JSON with a line for each metric, so that a difference can be read."""
    namespaces = []
    for namespace, entries in metrics.items():
        lines = ",\n".join(f" {json.dumps(n)}: {json.dumps(e)}" for n, e in entries.items())
        namespaces.append(f"{json.dumps(namespace)}: {{\n{lines}\n}}")
    return "{\n" + ",\n".join(namespaces) + "\n}\n"


def main(database: str, catalog: str) -> None:
    """Writes the file."""
    metrics = extracted(
        json.loads(gzip.decompress(Path(database).read_bytes())),
        json.loads(Path(catalog).read_text("utf-8")),
    )
    TARGET.write_text(_text(metrics), "utf-8")
    print(f"{TARGET}: {len(metrics)} namespaces, {sum(map(len, metrics.values()))} metrics")


if __name__ == "__main__":
    main(*sys.argv[1:])
