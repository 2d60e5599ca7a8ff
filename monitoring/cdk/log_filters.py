"""Errors and warnings in the functions' logs, counted by metric filters.

Source of the patterns' language: CloudWatch Logs user guide, "Filter pattern syntax".
"""

from __future__ import annotations

from aws_cdk import aws_logs as logs
from constructs import Construct

from monitoring import metrics
from monitoring.alarm_set import AlarmSet
from monitoring.model import Kind

# Our own lines are JSON; what has a signal of its own is not counted twice. What the runtime
# says is text.
_OURS = {
    metrics.LOG_ERRORS.name: (
        '{ ($.level = "ERROR") && ($.event != "record.failed") }',
        '?"Task timed out" ?"Runtime exited" ?"Runtime.ImportModuleError"',
    ),
    metrics.LOG_WARNINGS.name: (
        '{ ($.level = "WARNING") && ($.event != "webhook.failed") '
        '&& ($.event != "webhook.refused") }',
    ),
}
# The logs of others have any form.
_OTHERS = {
    metrics.LOG_ERRORS.name: ('?ERROR ?Error ?CRITICAL ?Exception ?"Task timed out"',),
    metrics.LOG_WARNINGS.name: ("?WARN ?WARNING ?Warning",),
}


def create_log_filters(scope: Construct, alarms: AlarmSet) -> None:
    """A filter for each thing that an alarm counts in a log."""
    patterns = _OURS if alarms.resources.ours else _OTHERS
    for alarm in alarms.alarms:
        for query in alarm.signal.queries.values():
            if query.metric.kind is not Kind.LOG:
                continue
            function = alarms.resources.by_role[query.role]
            for number, pattern in enumerate(patterns[query.metric.name]):
                logs.CfnMetricFilter(
                    scope,
                    f"{alarm.signal.id}-filter-{number}",
                    log_group_name=f"/aws/lambda/{function.name}",
                    filter_pattern=pattern,
                    metric_transformations=[
                        logs.CfnMetricFilter.MetricTransformationProperty(
                            metric_namespace=query.metric.namespace,
                            metric_name=f"{function.name}-{query.metric.name}",
                            metric_value="1",
                            unit="Count",
                        )
                    ],
                )
