"""What is known about the metrics of AWS's services, from all sources.

``data/aws_metrics.json`` (generated, see ``tools/extract_metrics.py``) has names, dimensions and
units; ``data/listed_metrics.json`` (see ``metric_rows.LIST``) and ``aws_metrics``,
``metric_rows`` and ``metric_traits`` beside this module complete it, with sources.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from math import inf
from typing import Any

from alarmproof.base import metric_rows, metric_traits
from alarmproof.base.aws_metrics import SERVICES, Published
from alarmproof.base.metric_data import MetricKey


class Silence(StrEnum):
    """What a period without data means."""

    ALWAYS = "missing"
    """The metric is always there, so that data is late or lost."""
    TRAFFIC = "none, without traffic"
    """It is there while there is traffic, also as 0."""
    EVENT = "none"
    """It is there only when what it counts happens, never as 0."""
    UNKNOWN = "unknown"
    """Somebody else's metric."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A metric.

    Attributes:
        dimensions: the known sets of names under which it is published.
        exact: whether those are all.
        unit: that it is published with; empty where it is not known.
        least: the smallest sum of a period that has data.
        sample: the largest value of a single sample.
        most: the largest value of a datapoint that is not a sum.
        every: seconds between two datapoints, where that is more than a minute; else 0.
        failure: whether it counts something bad.
        negative: whether it can be below 0.
    """

    dimensions: frozenset[frozenset[str]]
    exact: bool
    unit: str
    silence: Silence
    least: float = 0
    sample: float = inf
    most: float = inf
    every: int = 0
    failure: bool = False
    negative: bool = False


_FAILURE = re.compile(
    r"Error|Fail|Throttl|Fault|Reject|Dropped|DeadLetter|TimedOut|Aborted|[45](?:XX|xx)"
)
# Source of the notion: Lambda developer guide, Elastic Load Balancing user guides; the names as
# CloudWatch's own services and agents use them.
_CUSTOM = ("CWAgent", "ContainerInsights", "ECS/ContainerInsights", "LambdaInsights",
           "CloudWatchSynthetics", "WAF")  # fmt: skip


def _data(name: str) -> Any:
    return json.loads(resources.files("alarmproof").joinpath(f"data/{name}").read_text("utf-8"))


@cache
def _generated() -> Mapping[str, Mapping[str, tuple[list[str], str]]]:
    loaded: Mapping[str, Mapping[str, tuple[list[str], str]]] = _data("aws_metrics.json")
    return loaded


@cache
def listed() -> Mapping[str, Mapping[str, Sequence[str]]]:
    """``names`` and ``dimensions`` by namespace, of ``alarmproof.base.metric_rows.LIST``."""
    loaded: Mapping[str, Mapping[str, Sequence[str]]] = _data("listed_metrics.json")
    return loaded


@cache
def names(namespace: str) -> frozenset[str]:
    """The known metrics of a namespace; empty where it is not known."""
    return frozenset(
        {
            *SERVICES.get(namespace, {}),
            *_generated().get(namespace, {}),
            *metric_rows.NAMES.get(namespace, ()),
            *listed().get(namespace, {}).get("names", ()),
        }
    )


def is_unverified(namespace: str, name: str) -> bool:
    """Whether no page was found that names the metric: whether it exists is not judged."""
    return name in metric_rows.UNVERIFIED.get(namespace, "").split()


@cache
def namespaces() -> frozenset[str]:
    """All namespaces that are known."""
    return frozenset({*SERVICES, *_generated(), *metric_rows.NAMES, *listed()})


# Names of services that people take for their namespaces. Source: CloudWatch user guide, "AWS
# services that publish CloudWatch metrics".
_OTHER_NAMES = {
    "AWS/ALB": "AWS/ApplicationELB", "AWS/NLB": "AWS/NetworkELB", "AWS/StepFunctions": "AWS/States",
    "AWS/OpenSearch": "AWS/ES", "AWS/MSK": "AWS/Kafka", "AWS/EventBridge": "AWS/Events",
    "AWS/MQ": "AWS/AmazonMQ", "AWS/DocumentDB": "AWS/DocDB", "AWS/EMR": "AWS/ElasticMapReduce",
    "AWS/Glue": "Glue", "AWS/KinesisFirehose": "AWS/Firehose", "AWS/ACM": "AWS/CertificateManager",
    "AWS/CloudWatchLogs": "AWS/Logs", "AWS/WAF2": "AWS/WAFV2", "AWS/APIGateway": "AWS/ApiGateway",
}  # fmt: skip


@cache
def namespace_like(namespace: str) -> str:
    """The namespace that was meant; empty where none is alike."""
    known = {namespace.lower(): namespace for namespace in namespaces()}
    return _OTHER_NAMES.get(namespace) or known.get(namespace.lower(), "")


@cache
def dimension_names(namespace: str) -> set[str]:
    """The dimensions that some metric of a namespace is known to have."""
    entries = (_entry(namespace, name) for name in names(namespace))
    of_sets = {name for entry in entries if entry for sets in entry.dimensions for name in sets}
    needed = (sets for (space, _), sets in metric_traits.NEEDED.items() if space == namespace)
    return of_sets.union(
        listed().get(namespace, {}).get("dimensions", ()),
        *itertools.chain.from_iterable(needed),
    )


@cache
def publishers(name: str) -> tuple[str, ...]:
    """The namespaces that are known to have a metric of a name."""
    return tuple(space for space in sorted(namespaces()) if name in names(space))


def is_complete(namespace: str) -> bool:
    """Whether a metric that is neither known nor unverified does not exist."""
    return namespace in SERVICES or namespace in metric_rows.COMPLETE


def is_largely_known(namespace: str) -> bool:
    """Whether a metric that is neither known nor unverified hardly exists."""
    return namespace in metric_rows.LARGELY


def published(metric: MetricKey) -> Entry | None:
    """What is known about a metric; None where it is not known."""
    return _entry(str(metric.namespace), str(metric.name))


@cache
def _entry(namespace: str, name: str) -> Entry | None:
    if name not in names(namespace):
        return None
    curated = SERVICES.get(namespace, {}).get(name)
    sets, unit = _generated().get(namespace, {}).get(name, ([], ""))
    if namespace in metric_traits.CONFIGURED:
        sets = []
    rows = metric_traits.DIMENSIONS.get(namespace, ())
    listed = frozenset(frozenset(row.split()) for row in (*sets, *rows))
    # The generated table names sets that the service's own page does not have.
    published_by = curated.dimensions if curated else listed
    finer = metric_traits.FINER.get(namespace)
    if finer:
        published_by |= {names | {finer} for names in published_by}
    silence = _silence(namespace, name, curated)
    traits = metric_traits.TRAITS.get(namespace, {})
    never_zero = silence is Silence.EVENT or name in traits.get("counts", ())
    return Entry(
        dimensions=published_by,
        exact=bool(curated or rows or (finer and sets)),
        unit=metric_traits.UNITS.get((namespace, name), unit),
        silence=silence,
        least=1 if never_zero else 0,
        sample=1 if name in traits.get("binary", ()) else inf,
        most=curated.most if curated else metric_traits.MOST.get((namespace, name), inf),
        every=metric_traits.EVERY.get((namespace, name), 0),
        failure=bool(_FAILURE.search(name)),
        negative=(namespace, name) in metric_traits.NEGATIVE,
    )


def _silence(namespace: str, name: str, curated: Published | None) -> Silence:
    traits = metric_traits.TRAITS.get(namespace, {})
    if (curated and curated.on_event) or name in traits.get("event", ()):
        return Silence.EVENT
    if "traffic" in traits and name not in traits.get("always", ()):
        return Silence.TRAFFIC
    return Silence.ALWAYS


def silence_of(metric: MetricKey) -> Silence:
    """What a period without data means; unknown for metrics that AWS does not publish."""
    entry = published(metric)
    if entry is not None:
        return entry.silence
    if is_unverified(metric.namespace, metric.name):
        return _silence(metric.namespace, metric.name, None)
    aws = metric.namespace.startswith("AWS/") or metric.namespace in _CUSTOM
    return Silence.ALWAYS if aws else Silence.UNKNOWN
