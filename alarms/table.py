"""The table: whether the record of each webhook can be written and read."""

from __future__ import annotations

from monitoring.model import metrics
from monitoring.model.signals import (
    Comparison,
    FailureMode,
    Missing,
    Query,
    Severity,
    Signal,
    Threshold,
)

# Missing data never ends an alarm on AWS/DynamoDB, and DynamoDB publishes only what is not zero.
# Adding zero times the consumed capacity gives a zero with every write.
_ONLY_FAULTS = (
    "CloudWatch ignores missing data of AWS/DynamoDB whatever the setting; the consumed capacity "
    "in the expression adds a zero with the next read or write."
)


SIGNALS = (
    Signal(
        id="record-failed",
        title="Delivery records can't be written or read",
        impact=(
            "None for senders; only the log has the outcome of these webhooks. Webhooks that "
            "failed before are not attempted again until their record can be read."
        ),
        covers=(FailureMode.RECORD_FAILS,),
        severity=Severity.TICKET,
        queries={"failed": Query(metrics.RECORD_FAILED, "Sum", "buffer")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            1,
            "Count",
            "Each call has been retried already. What is not written then stays unwritten; what is "
            "not read is read again before the next attempt.",
        ),
        datapoints=1,
        periods="subscribe.longest_wait_minutes",
        missing=Missing.NOT_BREACHING,
        missing_reason="Written only when it happens.",
        log="subscribe",
    ),
    Signal(
        id="table-faults",
        title="DynamoDB throttles or fails",
        impact="Deliveries take longer; records may be missing.",
        covers=(FailureMode.RECORD_FAILS,),
        severity=Severity.INFO,
        queries={
            "writes": Query(metrics.TABLE_WRITE_THROTTLES, "Sum", "table"),
            "reads": Query(metrics.TABLE_READ_THROTTLES, "Sum", "table"),
            "failed": Query(metrics.TABLE_UPDATE_ERRORS, "Sum", "table"),
            "capacity": Query(metrics.TABLE_WRITES, "Sum", "table"),
        },
        expression="writes + reads + failed + 0 * capacity",
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            1,
            "Count",
            "A throttled write or read, or an HTTP 500; record-failed shows whether it matters.",
            counted="throttled or failed requests",
        ),
        datapoints=2,
        periods=3,
        missing=Missing.IGNORE,
        missing_reason=_ONLY_FAULTS,
        log="subscribe",
    ),
)


def of_any(role: str) -> tuple[Signal, ...]:
    """The signals of any table."""
    return (
        Signal(
            id=f"{role}-throttles",
            runbook="table-throttles",
            title="DynamoDB throttles reads or writes",
            impact="Whatever uses the table is slow or fails.",
            covers=(FailureMode.RECORD_FAILS,),
            severity=Severity.TICKET,
            queries={
                "reads": Query(metrics.TABLE_READ_THROTTLES, "Sum", role),
                "writes": Query(metrics.TABLE_WRITE_THROTTLES, "Sum", role),
                "read": Query(metrics.TABLE_READS, "Sum", role),
                "written": Query(metrics.TABLE_WRITES, "Sum", role),
            },
            expression="reads + writes + 0 * (read + written)",
            comparison=Comparison.AT_LEAST,
            threshold=Threshold(1, "Count", "SDKs retry throttled requests, and then fail."),
            datapoints=2,
            periods=3,
            missing=Missing.IGNORE,
            missing_reason=_ONLY_FAULTS,
        ),
    )
