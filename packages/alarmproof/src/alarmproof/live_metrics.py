"""Asks CloudWatch about metrics that no table and no template knows (``--live``).

Source: CloudWatch API reference, ListMetrics: it lists metrics that had data in the last two weeks,
so that one which is only published on failures may be missing although nothing is wrong.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Protocol, cast

from alarmproof.base import metric_table
from alarmproof.base.alarms import AnyAlarm
from alarmproof.base.definitions import Templates
from alarmproof.base.errors import InputError
from alarmproof.base.metric_data import MetricKey
from alarmproof.base.own_metrics import OwnMetrics
from alarmproof.base.values import Reference, Unknown
from alarmproof.lint import Finding
from alarmproof.rules.context import Context
from alarmproof.rules.outside import not_seen_live as rule

# A metric is looked for in so many pages of 500 at most.
_PAGES = 4


class Client(Protocol):
    """The part of boto3's CloudWatch client that is used."""

    def list_metrics(self, **parameters: Any) -> dict[str, Any]:
        """ListMetrics."""
        ...


def client() -> Client:
    """boto3's client, with the credentials and the region of the environment.

    Raises:
        InputError: When there is no region.
    """
    import boto3

    try:
        return cast("Client", boto3.client("cloudwatch"))
    except Exception as error:  # botocore's, as below
        raise _refused(error) from None


def findings(
    templates: Templates, cloudwatch: Client, own_metrics: Sequence[OwnMetrics] = ()
) -> list[Finding]:
    """A warning for each metric that neither the table knows nor CloudWatch has seen.

    Raises:
        InputError: When CloudWatch can't be asked.
    """
    seen: dict[MetricKey, str] = {}
    keys = []
    for alarm, metric in _unknown(templates, own_metrics):
        if metric not in seen:
            seen[metric] = _missing(cloudwatch, metric)
        if seen[metric]:
            source = alarm.source
            place = (alarm.name, source.file, source.line)
            keys.append(Finding(rule.id, rule.severity, *place, seen[metric], rule.remedy))
    return keys


def _unknown(
    templates: Templates, own: Sequence[OwnMetrics]
) -> Iterator[tuple[AnyAlarm, MetricKey]]:
    """Metrics with literal names that are not known, with their alarms."""
    publishing = Context(templates, declared=own).publishing
    for alarm in templates.alarms:
        for metric in alarm.metrics:
            texts = (metric.namespace, metric.name, *itertools.chain(*metric.dimensions))
            symbolic = any(isinstance(text, Reference | Unknown) for text in texts)
            known = metric_table.published(metric) or publishing.covers(metric)
            if not symbolic and not known and not metric.account:
                yield alarm, metric


def _missing(cloudwatch: Client, metric: MetricKey) -> str:
    """What CloudWatch lacks, in a sentence; empty where it has the metric."""
    wanted = sorted(metric.dimensions)
    others = 0
    parameters: dict[str, Any] = {"Namespace": metric.namespace, "MetricName": metric.name}
    for _ in range(_PAGES):
        answer = _asked(cloudwatch, parameters)
        for entry in answer.get("Metrics", ()):
            given = sorted(
                (dimension["Name"], dimension["Value"]) for dimension in entry.get("Dimensions", ())
            )
            if given == wanted:
                return ""
            others += 1
        if not answer.get("NextToken"):
            break
        parameters["NextToken"] = answer["NextToken"]
    else:
        return ""  # too many to say that it is not among them
    if others:
        return f"CloudWatch has {metric.namespace} {metric.name}, but not with these dimensions."
    return f"CloudWatch has not seen {metric.namespace} {metric.name} in the last two weeks."


def _asked(cloudwatch: Client, parameters: dict[str, Any]) -> dict[str, Any]:
    try:
        return cloudwatch.list_metrics(**parameters)
    except Exception as error:  # botocore's, whose import belongs to the extra
        raise _refused(error) from None


def _refused(error: Exception) -> InputError:
    return InputError(
        f"--live: CloudWatch can't be asked ({type(error).__name__}: {error}). It needs "
        "credentials with cloudwatch:ListMetrics, and AWS_REGION."
    )
