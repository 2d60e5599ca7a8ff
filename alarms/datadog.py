"""What only Datadog can see of the buffer: enhanced metrics, logs, and traces."""

from __future__ import annotations

from monitoring.model.datadog import (
    DatadogMonitor,
    LogQuery,
    MetricQuery,
    Needs,
)
from monitoring.model.signals import Comparison, FailureMode, Severity, Threshold


def _of_function(
    role: str, what: str, covers: tuple[FailureMode, ...]
) -> tuple[DatadogMonitor, ...]:
    """The monitors of a function on the webhooks' path."""
    instrumented = (Needs.INSTRUMENTED,)
    return (
        DatadogMonitor(
            id=f"{role}-timeouts",
            runbook=f"{role}-duration",
            title=f"{role} times out",
            impact=f"Its work is repeated: {what}.",
            covers=covers,
            severity=Severity.TICKET,
            queries={"timeouts": MetricQuery("aws.lambda.enhanced.timeouts", role=role)},
            comparison=Comparison.AT_LEAST,
            threshold=Threshold(
                3,
                "Count",
                "CloudWatch counts timeouts as errors; a few a day are network glitches.",
            ),
            window=900,
            reading="{value} timeouts",
            needs=instrumented,
            role=role,
        ),
        DatadogMonitor(
            id=f"{role}-memory",
            runbook="function-memory",
            title=f"{role} is close to its memory limit",
            impact=f"At the limit Lambda terminates the function: {what}.",
            covers=(FailureMode.SUBSCRIBE_CRASHES,),
            severity=Severity.TICKET,
            queries={
                "used": MetricQuery("aws.lambda.enhanced.max_memory_used", "max", role),
                "given": MetricQuery("aws.lambda.enhanced.memorysize", "max", role),
            },
            expression="100 * used / given",
            comparison=Comparison.AT_LEAST,
            threshold=Threshold(90, "Percent", "One more large body may need what is left."),
            warning=8 / 9,
            recovery=17 / 18,
            window=900,
            reading="{value} of its memory was used",
            needs=instrumented,
            role=role,
        ),
        DatadogMonitor(
            id=f"{role}-crashes",
            runbook=f"{role}-errors",
            title=f"{role} crashes at {{{{@where.name}}}}",
            impact=f"Its work is repeated: {what}.",
            covers=(FailureMode.SUBSCRIBE_CRASHES, FailureMode.LOG_ERRORS),
            severity=Severity.TICKET,
            queries={
                "lines": LogQuery(f"@event:(function.failed OR load.failed) @function:*-{role}")
            },
            by=("@where",),
            comparison=Comparison.AT_LEAST,
            threshold=Threshold(
                1, "Count", "Each is a bug of ours, and its log line names the line of code."
            ),
            window=300,
            reading="{value} crashes",
            needs=(Needs.INSTRUMENTED, Needs.LOGS),
            role=role,
        ),
    )


MONITORS: tuple[DatadogMonitor, ...] = (
    *_of_function("publish", "senders wait and retry", (FailureMode.PUBLISH_SLOW,)),
    *_of_function("subscribe", "the backend may get a webhook twice", (FailureMode.BACKEND_SLOW,)),
    DatadogMonitor(
        id="cold-starts",
        title="Many requests hit a cold start of publish",
        impact="Senders wait most of a second longer for their response.",
        covers=(FailureMode.PUBLISH_SLOW,),
        severity=Severity.INFO,
        queries={
            "cold": MetricQuery(
                "aws.lambda.enhanced.invocations", role="publish", tags={"cold_start": "true"}
            ),
            "all": MetricQuery("aws.lambda.enhanced.invocations", role="publish"),
        },
        expression="100 * cold / all",
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            50,
            "Percent",
            "With a webhook a minute a function stays warm; this many suggest a restart loop.",
        ),
        recovery=0.8,
        window=3600,
        reading="{value} of the invocations were cold starts",
        needs=(Needs.INSTRUMENTED,),
        role="publish",
    ),
    DatadogMonitor(
        id="backend-requests-slow",
        runbook="backend-slow",
        title="Requests to the backend are close to their timeout",
        impact="Attempts begin to time out and are repeated.",
        covers=(FailureMode.BACKEND_SLOW,),
        severity=Severity.INFO,
        queries={"took": MetricQuery("trace.backend.request", "p95")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            0.8,
            "Seconds",
            "Close to what an attempt may take. CloudWatch reports it sooner; the traces of slow "
            "requests show where the time went.",
            of="subscribe.backend_time",
        ),
        warning=0.75,
        recovery=0.9,
        window=900,
        reading="95 of 100 requests took up to {value}",
        needs=(Needs.TRACES, Needs.BUFFER),
    ),
    DatadogMonitor(
        id="webhooks-late",
        runbook="slo-delivered",
        title="Webhooks wait longer than promised",
        impact="Webhooks reach the backend later than the objective allows.",
        covers=(
            FailureMode.BACKEND_UNREACHABLE,
            FailureMode.BACKEND_5XX,
            FailureMode.BACKEND_SLOW,
            FailureMode.SUBSCRIBE_CRASHES,
            FailureMode.CONSUMER_STOPPED,
            FailureMode.TRAFFIC_SURGE,
        ),
        severity=Severity.INFO,
        queries={
            "age": MetricQuery("aws.sqs.approximate_age_of_oldest_message", "max", "queue"),
        },
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            1,
            "Seconds",
            "The objective's own target; the time beyond it uses up the error budget.",
            of="slo.delivery_target",
        ),
        window=300,
        reading="the oldest webhook waited {value}",
        needs=(Needs.BUFFER,),
    ),
    DatadogMonitor(
        id="traffic-unusual",
        runbook="no-traffic",
        title="Traffic is unusual for this time of the week",
        impact="A sender may have stopped, or may be resending everything.",
        covers=(FailureMode.TRAFFIC_STOPS, FailureMode.TRAFFIC_SURGE),
        severity=Severity.INFO,
        queries={"requests": MetricQuery("aws.apigateway.count", role="api")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(1, "Count", "All of the last half hour is outside the usual band."),
        recovery=0.2,
        unusual=3,
        window=14_400,
        reading="all of the last half hour was outside the usual band",
        needs=(Needs.BUFFER,),
    ),
    DatadogMonitor(
        id="datadog-blind",
        title="Datadog receives no data from the functions",
        impact="Monitors in Datadog can no longer fire.",
        covers=(FailureMode.ALERT_PATH_BROKEN,),
        severity=Severity.TICKET,
        # Log lines, whose count is zero where there are none. A metric monitor skips a window
        # without data, and has no state at all before the first data. Source: Datadog
        # documentation, "Logs Monitor" ("No data and below alerts") and "Configure Monitors".
        queries={"lines": LogQuery()},
        comparison=Comparison.BELOW,
        threshold=Threshold(
            1, "Count", "Every heartbeat causes several lines; three in a row are missing then."
        ),
        window="heartbeat.silence",
        reading="{value} log lines",
        needs=(Needs.INSTRUMENTED, Needs.LOGS, Needs.HEARTBEAT),
    ),
    DatadogMonitor(
        id="function-cost",
        title="The functions cost more than they should",
        impact="None for users; the bill grows.",
        covers=(FailureMode.TRAFFIC_SURGE,),
        severity=Severity.INFO,
        queries={"cost": MetricQuery("aws.lambda.enhanced.estimated_cost")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            5,
            "US dollars",
            "About three million invocations of 200 ms with 512 MB on arm64 in a day.",
        ),
        recovery=0.8,
        window=86_400,
        reading="the functions cost {value}",
        needs=(Needs.INSTRUMENTED,),
    ),
)
