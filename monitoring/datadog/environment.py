"""What the lines of a dashboard ask Datadog for: metrics with tags and variables, and log lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from monitoring.alarm_set import AlarmSet
from monitoring.datadog import metrics
from monitoring.datadog.metrics import DatadogMetric, Source
from monitoring.model import signals as cloudwatch
from monitoring.model.dashboards import Line, LogCount, Panel, Series
from monitoring.model.signals import Kind
from monitoring.resources import Resource

Body = dict[str, Any]

# The tags with which an event marks a deployment on every graph, beside its env and service.
DEPLOYMENT = "event:deployment"
# The variables that every dashboard has, in the order in which they are shown.
VARIABLES = ("env", "service", "region")
# The time of a point, in the explorers' parameters. Source: Datadog documentation, "Context Links",
# and the links that public dashboards hold.
_LOG_TIME = "from_ts={{timestamp_start}}&to_ts={{timestamp_end}}&live=false"
_TRACE_TIME = "start={{timestamp_start}}&end={{timestamp_end}}&paused=true&historicalData=true"
_PERCENTILE = re.compile(r"p\d{1,2}")


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a request.

    Attributes:
        metric: that it asks for; None of log lines.
    """

    body: Body
    metric: DatadogMetric | None


class Sources:
    """Makes the queries of one environment's dashboards.

    Attributes:
        problems: of the sources that can't be queried, with where each stands.
    """

    def __init__(self, alarms: AlarmSet) -> None:
        self._resources = alarms.resources
        self._settings = alarms.settings
        self.problems: list[str] = []

    def has(self, line: Line) -> bool:
        """Whether Datadog has a line in this environment: whether its sender is instrumented."""
        match line.datadog:
            case None:
                return False
            case LogCount(role=role):
                return self.instrumented(role)
            case Series() as series:
                metric = metrics.known(series.name)
                if metric is None:
                    return True
                if metric.source is Source.TRACES and not self.traced:
                    return False
                polled = metric.source is Source.POLLED and not series.needs
                return polled or self.instrumented(series.needs or series.role)
            case _:
                return True

    @property
    def traced(self) -> bool:
        datadog = self._settings.datadog
        return datadog is not None and datadog.tracing

    def instrumented(self, role: str) -> bool:
        """Whether a role's function sends to Datadog; without a role, whether any does.

        A role that is unknown might, so that asking for it is an error.
        """
        if role and self._named(role) is None:
            return True
        functions = self._settings.datadog_functions
        return role in functions if role else bool(functions)

    def query(self, panel: Panel, name: str, line: Line) -> Query | None:
        """A line's query; None where it can't be made.

        Args:
            name: what formulas call it.
        """
        where = f"panel '{panel.title}', line '{line.label}'"
        period = 0 if panel.number else self._resources.number(panel.period)
        if isinstance(line.datadog, LogCount):
            return self._count(line.datadog, name, where, period)
        series = self._series(line, where)
        if series is None:
            return None
        metric = metrics.known(series.name)
        if metric is None:
            self.wrong(
                f"{where}: '{series.name}' is not in monitoring/datadog/metrics.py; add it there "
                "with its unit and source"
            )
            return None
        unknown = sorted(set(series.tags) - metric.tags)
        if unknown:
            self.wrong(f"{where}: '{series.name}' has no tag '{unknown[0]}'")
            return None
        body: Body = {
            "data_source": "metrics",
            "name": name,
            "query": _metric_query(metric, series, period=period),
        }
        if panel.number:
            percentile = _PERCENTILE.fullmatch(series.aggregation)
            body["aggregator"] = "percentile" if percentile else series.aggregation
        return Query(body, metric)

    def _series(self, line: Line, where: str) -> Series | None:
        """What a line queries, by Datadog's names; its tags include the resource's."""
        if isinstance(line.datadog, Series):
            return replace(line.datadog, tags=self._scope(line.datadog, where))
        assert isinstance(line.datadog, cloudwatch.Query)
        asked = line.datadog
        known = metrics.of(asked.metric, asked.statistic)
        if known is None:
            self.wrong(
                f"{where}: Datadog has no {asked.statistic} of {asked.metric.name}; use one "
                "that it has, or count log lines"
            )
            return None
        aggregation, name = known
        resource = self.resource(asked.role, where)
        tags = metrics.scope(resource, asked.metric) if resource else {}
        return Series(name, aggregation, tags=tags)

    def links(self, panel: Panel) -> list[Body]:
        """Where Datadog has the log lines and traces of what a panel shows, over the time of the
        point that somebody clicks on; none where no function of it sends any.

        They take the place of Datadog's own links, which search by a metric's tags: log lines and
        traces do not have those of queues, tables and APIs. Source: Datadog documentation,
        "Context Links"; API reference, "Dashboards": ``custom_links``.
        """
        functions: set[str] = set()
        searches: list[str] = []
        for line in panel.lines:
            if not isinstance(line, Line) or line.datadog is None:
                continue
            functions |= self._functions(line.datadog)
            if isinstance(line.datadog, LogCount):
                searches.append(line.datadog.search)
        if not functions:
            return []
        chosen = " ".join(f"{{{{${name}}}}}" for name in ("env", "service"))
        counted = f" {_any(searches)}" if searches else ""
        lines = f"{chosen} {_any([f'functionname:{name}' for name in sorted(functions)])}{counted}"
        links = [_link("logs", f"/logs?query={lines}&{_LOG_TIME}")]
        if self.traced:
            spans = _any([f"resource_name:{name}" for name in sorted(functions)])
            search = f"{chosen} operation_name:aws.lambda {spans}"
            links.append(_link("traces", f"/apm/traces?query={search}&{_TRACE_TIME}"))
        return links

    def _functions(self, source: cloudwatch.Query | Series | LogCount) -> set[str]:
        """The functions that know more of a line, of those that send to Datadog."""
        needs = source.needs if isinstance(source, Series) else ""
        resource = self._named(source.role or needs)
        roles = [resource.used_by] if resource else [] if source.role else self._settings.functions
        return {
            self._settings.function_name(role).lower()
            for role in roles
            if role in self._settings.datadog_functions
        }

    def wrong(self, problem: str) -> None:
        """Keeps a problem until all are known."""
        self.problems.append(f"dashboard {problem}")

    def _count(self, logs: LogCount, name: str, where: str, period: int) -> Query:
        compute: Body = {"aggregation": "count"}
        if period:
            compute["interval"] = period * 1000
        return Query(
            {
                "data_source": "logs",
                "name": name,
                "indexes": ["*"],
                "search": {"query": self.logs(logs.search, logs.role, where)},
                "compute": compute,
                "group_by": [],
            },
            None,
        )

    def _scope(self, series: Series, where: str) -> dict[str, str]:
        scope = dict(series.tags)
        resource = self.resource(series.role, where) if series.role else None
        if resource is None:
            return scope
        metric = metrics.known(series.name)
        if metric and metric.source is Source.TRACES:
            # Source: datadog-lambda, tracing.py: the function's span has its name as resource.
            return scope | {"resource_name": resource.name.lower()}
        return scope | metrics.scope(resource)

    def _named(self, role: str) -> Resource | None:
        """A role's resource, or the function that is called so."""
        if role not in self._resources.by_role and role in self._settings.functions:
            name = self._settings.function_name(role)
            return Resource(role, Kind.FUNCTION, name, used_by=role)
        return self._resources.by_role.get(role)

    def resource(self, role: str, where: str) -> Resource | None:
        """The same, but a missing resource is a problem."""
        resource = self._named(role)
        if resource is None:
            self.wrong(f"{where}: this environment has no '{role}'")
        return resource

    def logs(self, search: str, role: str, where: str) -> str:
        """A search for log lines of the service, or of a role's function."""
        parts = ["$env $service $region"]
        resource = self.resource(role, where) if role else None
        if resource:
            # Extension and forwarder put this tag on what they send (assumed).
            parts.append(f"functionname:{resource.name.lower()}")
        return " ".join([*parts, *([search] if search else [])])


def _any(terms: Sequence[str]) -> str:
    """A search for any of some terms."""
    return terms[0] if len(terms) == 1 else f"({' OR '.join(terms)})"


def _link(replaced: str, target: str) -> Body:
    return {"override_label": replaced, "link": target}


def _metric_query(metric: DatadogMetric, series: Series, *, period: int) -> str:
    """``sum:aws.lambda.errors{$env,…,functionname:…}.as_count().rollup(sum, 60)``.

    The period is part of it, so that a count means what its threshold means, and no short maximum
    is averaged away, whatever time is shown.
    """
    space = series.aggregation
    variables = [f"${name}" for name in VARIABLES if name in metric.tags]
    chosen = [f"{name}:{value}" for name, value in sorted(series.tags.items())]
    text = f"{space}:{metric.name}{{{','.join([*variables, *chosen])}}}"
    if series.rate:
        return f"{text}.as_rate()"
    if _PERCENTILE.fullmatch(space):
        return text
    counted = ".as_count()" if space == "sum" and metric.type != "gauge" else ""
    return f"{text}{counted}.rollup({space}, {period})" if period else f"{text}{counted}"
