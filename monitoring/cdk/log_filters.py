"""Errors and warnings in the functions' logs, counted by metric filters.

Source of the patterns' language: CloudWatch Logs user guide, "Filter pattern syntax".
"""

from __future__ import annotations

from itertools import product

from aws_cdk import aws_logs as logs
from constructs import Construct

from monitoring.alarm_set import AlarmSet
from monitoring.log_counts import COUNTS
from monitoring.model import metrics
from monitoring.model.signals import Kind

# The logs of others have any form.
_OTHERS = {
    metrics.LOG_ERRORS.name: ('?ERROR ?Error ?CRITICAL ?Exception ?"Task timed out"',),
    metrics.LOG_WARNINGS.name: ("?WARN ?WARNING ?Warning",),
}


def create_log_filters(scope: Construct, alarms: AlarmSet) -> None:
    """A filter for each thing that an alarm counts in a log, after the logs of the scope."""
    made = {
        group.log_group_name: group
        for group in scope.node.find_all()
        if isinstance(group, logs.CfnLogGroup)
    }
    ours = {name: count.patterns for name, count in COUNTS.items()}
    patterns = ours if alarms.resources.ours else _OTHERS
    for alarm in alarms.alarms:
        for query in alarm.signal.queries.values():
            if query.metric.kind is not Kind.LOG:
                continue
            resource = alarms.resources.by_role[query.role]
            filters = product(resource.log_groups, patterns[query.metric.name])
            for number, (log_group, pattern) in enumerate(filters):
                counted = logs.CfnMetricFilter(
                    scope,
                    f"{alarm.signal.id}-filter-{number}",
                    log_group_name=log_group,
                    filter_pattern=pattern,
                    metric_transformations=[
                        logs.CfnMetricFilter.MetricTransformationProperty(
                            metric_namespace=query.metric.namespace,
                            metric_name=alarms.resources.measure(query).name,
                            metric_value="1",
                            unit="Count",
                        )
                    ],
                )
                if log_group in made:
                    counted.add_resource_dependency(made[log_group])
