"""What the lines of a dashboard ask Datadog for: metrics with tags and variables, and log lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitoring.alarm_set import AlarmSet
from monitoring.datadog import metrics
from monitoring.datadog.metrics import DatadogMetric, Source
from monitoring.model.dashboards import Formula, Graph, Line, LogCount, Series
from monitoring.model.signals import Kind
from monitoring.resources import Resource

Body = dict[str, Any]

# The variables that every dashboard has, in the order in which they are shown.
VARIABLES = ("env", "service", "region")
_PERCENTILE = re.compile(r"p\d{1,2}")


class BoardError(ValueError):
    """When a dashboard's data can't become a widget; it names the panel and the field."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a request.

    Attributes:
        metric: that it asks for; None of log lines.
    """

    body: Body
    metric: DatadogMetric | None


class Sources:
    """Makes the queries of one environment's dashboards."""

    def __init__(self, alarms: AlarmSet) -> None:
        self._watched = alarms.resources
        self._settings = alarms.settings

    def query(
        self, one: Graph, place: int, line: Line | Series | LogCount | Formula
    ) -> Query | None:
        """A line's query; None of a formula, which uses others'."""
        where = f"panel '{one.title}', lines[{place}]"
        name = name_of(line, place)
        period = self._watched.number(one.period)
        match line:
            case Formula():
                return None
            case LogCount():
                compute: Body = {"aggregation": "count"}
                if not one.number:
                    compute["interval"] = period * 1000
                return Query(
                    {
                        "data_source": "logs",
                        "name": name,
                        "indexes": ["*"],
                        "search": {"query": self.logs(line.search, line.role, where)},
                        "compute": compute,
                        "group_by": [],
                    },
                    None,
                )
            case Line():
                space, whole, scope = self._of_cloudwatch(line, where)
                rate = False
            case Series():
                space, whole, rate = line.aggregation, line.name, line.rate
                scope = dict(line.tags)
                if line.role:
                    scope |= self._scope(line, where)
        metric = metrics.known(whole)
        if metric is None:
            raise BoardError(
                f"{where}.name: '{whole}' is no metric in monitoring/datadog/metrics.py; add it "
                "there with its unit and source"
            )
        unknown = sorted(set(scope) - metric.tags)
        if unknown:
            raise BoardError(f"{where}.tags: '{whole}' has no tag '{unknown[0]}'")
        text = _metric_query(metric, space, scope, period=0 if one.number else period, rate=rate)
        body: Body = {"data_source": "metrics", "name": name, "query": text}
        if one.number:
            body["aggregator"] = "percentile" if _PERCENTILE.fullmatch(space) else space
        return Query(body, metric)

    def _of_cloudwatch(self, line: Line, where: str) -> tuple[str, str, dict[str, str]]:
        query = line.query
        found = metrics.of(query.metric, query.statistic)
        if found is None:
            raise BoardError(
                f"{where}.query: Datadog has no {query.statistic} of {query.metric.name}; take "
                "what it has, or count log lines"
            )
        resource = self.resource(query.role, f"{where}.query")
        return *found, metrics.scope(resource, query.metric)

    def _scope(self, line: Series, where: str) -> dict[str, str]:
        resource = self.resource(line.role, f"{where}.role")
        metric = metrics.known(line.name)
        if metric and metric.source is Source.TRACES:
            # Source: datadog-lambda, tracing.py: the function's span has its name as resource.
            return {"resource_name": resource.name.lower()}
        return metrics.scope(resource)

    def resource(self, role: str, where: str) -> Resource:
        """A role's resource, or the function that is called so.

        Raises:
            BoardError: When the environment has none.
        """
        found = self._watched.by_role.get(role)
        if found:
            return found
        if role in self._settings.functions:
            return Resource(role, Kind.FUNCTION, self._settings.function_name(role))
        raise BoardError(f"{where}: '{role}' is nothing that this environment has")

    def logs(self, search: str, role: str, where: str) -> str:
        """A search for log lines of the service, or of a role's function."""
        parts = ["$env $service $region"]
        if role:
            # Extension and forwarder put this tag on what they send (assumed).
            parts.append(f"functionname:{self.resource(role, where).name.lower()}")
        return " ".join([*parts, *([search] if search else [])])


def name_of(line: Line | Series | LogCount | Formula, place: int) -> str:
    """What formulas call a line's query."""
    return (not isinstance(line, Formula) and line.id) or f"q{place}"


def _metric_query(
    metric: DatadogMetric, space: str, scope: Mapping[str, str], *, period: int, rate: bool
) -> str:
    """``sum:aws.lambda.errors{$env,…,functionname:…}.as_count().rollup(sum, 60)``.

    The period is part of it, so that a count means what its threshold means, and no short maximum
    is averaged away, whatever time is shown.
    """
    variables = [f"${name}" for name in VARIABLES if name in metric.tags]
    chosen = [f"{name}:{value}" for name, value in sorted(scope.items())]
    text = f"{space}:{metric.name}{{{','.join([*variables, *chosen])}}}"
    if rate:
        return f"{text}.as_rate()"
    if _PERCENTILE.fullmatch(space):
        return text
    counted = ".as_count()" if space == "sum" and metric.type != "gauge" else ""
    return f"{text}{counted}.rollup({space}, {period})" if period else f"{text}{counted}"
