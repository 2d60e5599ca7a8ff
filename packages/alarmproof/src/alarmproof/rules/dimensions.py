"""Whether a metric is published under an alarm's dimensions, and with such values."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterator, Set

from alarmproof.base import metric_table
from alarmproof.base.alarms import AnyAlarm
from alarmproof.base.aws_metrics import SERVICES
from alarmproof.base.metric_data import MetricKey
from alarmproof.base.metric_traits import BEGINS, DISK_METRICS, NAMES_OF_RESOURCES, NEEDED, PARTS
from alarmproof.base.values import Reference, Unknown
from alarmproof.rules.context import Context, metric_queries
from alarmproof.rules.registry import ERROR, NOTE, WARNING, Hit, rule


def sets(published: frozenset[frozenset[str]]) -> str:
    """Sets of dimensions, as a message shows them."""
    return "; or ".join(sorted(map(shown, published)))


def shown(names: frozenset[str]) -> str:
    """A set of dimensions, as a message shows it."""
    return " + ".join(sorted(names)) or "none"


def are_unknown(metric: MetricKey) -> bool:
    """Whether the names of its dimensions are not known before the deployment."""
    return any(isinstance(name, Unknown) for name, _ in metric.dimensions)


@rule(
    "unknown-dimension",
    ERROR,
    finds="dimensions under which the metric is not published",
    why="It never has data.",
    remedy="Name exactly the dimensions of one published set.",
)
def unknown_dimension(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Every published set is shown; without a complete list it is a warning.

    Then only slips and names that no metric of the namespace has are reported.
    """
    for metric in alarm.metrics:
        given = frozenset(name for name, _ in metric.dimensions)
        if are_unknown(metric):
            continue
        own = context.own_metrics.get(metric.namespace)
        if own and own.dimensions and given not in own.dimensions and metric.name in own.names:
            yield (
                f"{metric.name} is declared with the dimensions {sets(own.dimensions)}, and here "
                f"they are: {shown(given)}."
            )
        yield from _regional(context, metric, given)
        yield from _of_disks(context, metric, given)
        entry = metric_table.published(metric)
        if entry and not entry.exact and given not in entry.dimensions:
            lacking = _lacking(metric, given)
            if lacking:
                yield Hit(f"{metric.name} is not published without {lacking}.", WARNING)
                continue
        if entry is None or given in entry.dimensions:
            continue
        known = metric_table.dimension_names(metric.namespace)
        if not entry.dimensions:
            yield from _misspelled(metric, given, known)
            continue
        message = (
            f"{metric.name} is published with the dimensions {sets(entry.dimensions)}, and here "
            f"they are: {shown(given)}."
        )
        strange = sorted(given - known)
        if entry.exact:
            # Rows beside the complete lists have the sets that the service's page names.
            yield Hit(message, None if metric.namespace in SERVICES else WARNING)
        elif slips := list(_slips(given, frozenset(itertools.chain(*entry.dimensions)))):
            yield Hit(f"{message} Did you mean {slips[0]}?", WARNING)
        elif strange:
            unknown = f"alarmproof knows no metric of {metric.namespace} with '{strange[0]}'"
            yield Hit(f"{message} {unknown}.", WARNING)


def _lacking(metric: MetricKey, given: frozenset[str]) -> str:
    """The dimensions that are missing for every set; empty where one is whole."""
    space, name = str(metric.namespace), str(metric.name)
    needed = NEEDED.get((space, name)) or NEEDED.get((space, ""), ())
    lacking = [sorted(set(names) - given) for names in needed]
    return "" if not lacking or any(not names for names in lacking) else " and ".join(lacking[0])


def _misspelled(metric: MetricKey, given: frozenset[str], known: Set[str]) -> Iterator[Hit]:
    """Where it is not known which dimensions the metric has, but which its namespace has."""
    for meant in itertools.islice(_slips(given, known), 1):
        yield Hit(
            f"alarmproof knows no metric of {metric.namespace} with these dimensions: "
            f"{shown(given)}. Did you mean {meant}?",
            WARNING,
        )


def _slips(names: frozenset[str], known: Set[str]) -> Iterator[str]:
    """Known names of dimensions that were meant by names that are not known."""
    low = {name.lower(): name for name in known}
    for name in sorted(names - known):
        near = difflib.get_close_matches(name.lower(), low, n=1, cutoff=0.85)
        if near:
            yield low[near[0]]


def _regional(context: Context, metric: MetricKey, given: frozenset[str]) -> Iterator[Hit]:
    """A web ACL without ``Region``, which only CloudFront's are.

    Source: WAF developer guide, "Monitoring with Amazon CloudWatch", the table of dimensions.
    """
    if metric.namespace != "AWS/WAFV2" or "WebACL" not in given or "Region" in given:
        return
    scopes = {acl.resolved.get("Scope") for acl in context.of_type("AWS::WAFv2::WebACL")}
    if "CLOUDFRONT" not in scopes:
        yield Hit(
            f"{metric.name} is published with the dimension Region, except for the web ACLs of "
            "CloudFront.",
            WARNING if "REGIONAL" in scopes else NOTE,
            "Add the dimension Region, unless the web ACL is CloudFront's.",
        )


def _of_disks(context: Context, metric: MetricKey, given: frozenset[str]) -> Iterator[Hit]:
    """A disk's metric without its path and file system, which only an aggregation has.

    Only where the templates have the agent's configuration. Source: CloudWatch user guide,
    "Manually create or edit the CloudWatch agent configuration file", ``aggregation_dimensions``
    and ``drop_device``.
    """
    lacking = sorted({"fstype", "path"} - given)
    if (
        metric.namespace == "CWAgent"
        and metric.name in DISK_METRICS
        and lacking
        and context.agent_configurations
        and not any("aggregation_dimensions" in text for text in context.agent_configurations)
    ):
        yield Hit(
            f"{metric.name} is not published without {' and '.join(lacking)}: the agent's "
            "configuration has no aggregation_dimensions.",
            WARNING,
            "Name the dimensions path, fstype and, without drop_device, device; or aggregate.",
        )


@rule(
    "wrong-value",
    WARNING,
    finds="a dimension's value that is an ARN, an address, a name or an id where CloudWatch has "
    "another of these",
    why="It never has data.",
    remedy="Give the value in the form that the message names.",
)
def wrong_value(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Only values that the template says outright."""
    for metric in alarm.metrics:
        if metric_table.published(metric) is None:
            continue
        for name, value in metric.dimensions:
            if isinstance(value, Reference | Unknown) or "${" in value:
                continue
            expected = BEGINS.get((metric.namespace, name)) or BEGINS.get(("", name))
            if expected and not value.startswith(expected):
                yield f"{name} is '{value}', and its values begin with '{expected}'."
            elif expected and value.count("/") + 1 < PARTS.get(name, 0):
                yield (
                    f"{name} is '{value}', and its values end with an id: "
                    f"{expected}NAME/0123456789abcdef."
                )
            elif name == "FunctionName" and ":" in value and not value.startswith("arn:"):
                yield (
                    f"{name} is '{value}'; a version or an alias is the dimension Resource beside "
                    "the name."
                )
            elif name in NAMES_OF_RESOURCES and value.startswith(("arn:", "https://")):
                yield f"{name} is '{value}', and its values are names."
            elif name == "Resource" and metric.namespace == "AWS/Lambda" and (
                value.startswith("arn:") or value.endswith((".Version", ".Alias"))
            ):  # fmt: skip
                yield f"{name} is '{value}', and its values are FUNCTION:VERSION or FUNCTION:ALIAS."
            elif name == "StorageType" and metric.namespace == "AWS/S3":
                yield from _storage_type(metric.name, value)


def _storage_type(name: str, value: str) -> Iterator[str]:
    """Source: S3 user guide, "Metrics and dimensions", S3 dimensions in CloudWatch."""
    if (name == "NumberOfObjects") != (value == "AllStorageTypes"):
        only = "only with" if name == "NumberOfObjects" else "not with"
        yield f"{name} is published {only} the StorageType AllStorageTypes, and here it is {value}."


@rule(
    "fargate-cluster",
    WARNING,
    finds="a cluster's utilization or reservation where all of its services run on Fargate",
    why="It is measured on the cluster's EC2 instances, so it never has data.",
    remedy="Watch the services: ClusterName with ServiceName.",
)
def fargate_cluster(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Source: ECS developer guide, "Amazon ECS CloudWatch metrics"."""
    for metric in alarm.metrics:
        given = dict(metric.dimensions)
        if metric.namespace != "AWS/ECS" or set(given) != {"ClusterName"}:
            continue
        cluster = context.resource(
            "AWS::ECS::Cluster", given["ClusterName"], stack=alarm.source.stack
        )
        services = [
            service
            for service in context.of_type("AWS::ECS::Service")
            if cluster is not None
            and context.resource(
                "AWS::ECS::Cluster", service.resolved.get("Cluster"), stack=service.source.stack
            )
            is cluster
        ]
        if services and all(
            service.resolved.get("LaunchType") == "FARGATE" for service in services
        ):
            name = metric.dimensions[0][1]
            yield f"All services of '{name}' in these templates run on Fargate."


@rule(
    "basic-monitoring",
    WARNING,
    finds="a period below five minutes on an instance with basic monitoring",
    why="Its metrics come every five minutes, so most periods are without data.",
    remedy="Set the period to 300, or turn on detailed monitoring (Monitoring: true).",
)
def basic_monitoring(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Source: EC2 user guide, "Manage detailed monitoring for your EC2 instances"; status checks
    come every minute.
    """
    for query, metric in metric_queries(alarm):
        if metric.namespace != "AWS/EC2" or metric.name.startswith("StatusCheck"):
            continue
        name = dict(metric.dimensions).get("InstanceId")
        instance = name and context.resource("AWS::EC2::Instance", name, stack=alarm.source.stack)
        given = instance.resolved.get("Monitoring", False) if instance else True
        if str(given).lower() == "false" and 0 < (query.period or 0) < _BASIC:
            yield f"'{name}' has basic monitoring, and the period is {query.period} s."


_BASIC = 300
