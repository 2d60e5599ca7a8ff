"""The record: whether what happened to a webhook can be written down."""

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

# CloudWatch never lets missing data end an alarm on AWS/DynamoDB, and DynamoDB publishes what
# is not zero. Adding nothing times the consumed capacity gives a zero with every write.
_ONLY_FAULTS = (
    "CloudWatch ignores missing data of AWS/DynamoDB whatever is asked; the consumed capacity in "
    "the expression brings a zero with the next read or write."
)


SIGNALS = (
    Signal(
        id="record-failed",
        title="Records of webhooks can't be written",
        impact="None for senders; what became of these webhooks is in the log only.",
        covers=(FailureMode.RECORD_FAILS,),
        severity=Severity.TICKET,
        queries={"failed": Query(metrics.RECORD_FAILED, "Sum", "buffer")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            1, "Count", "Each is tried twice already; what fails then stays unwritten."
        ),
        datapoints=1,
        periods="subscribe.longest_wait_minutes",
        missing=Missing.NOT_BREACHING,
        missing_reason="Written only when it happens.",
        log="subscribe",
    ),
    Signal(
        id="table-faults",
        title="DynamoDB holds writes back, or fails",
        impact="Deliveries take longer; records may be missing.",
        covers=(FailureMode.RECORD_FAILS,),
        severity=Severity.INFO,
        queries={
            "throttled": Query(metrics.TABLE_WRITE_THROTTLES, "Sum", "table"),
            "failed": Query(metrics.TABLE_UPDATE_ERRORS, "Sum", "table"),
            "capacity": Query(metrics.TABLE_WRITES, "Sum", "table"),
        },
        expression="throttled + failed + 0 * capacity",
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            1, "Count", "A throttled write or an HTTP 500; record-failed says whether it matters."
        ),
        datapoints=2,
        periods=3,
        missing=Missing.IGNORE,
        missing_reason=_ONLY_FAULTS,
        log="subscribe",
    ),
)


def of_any(role: str) -> tuple[Signal, ...]:
    """What holds for any table."""
    return (
        Signal(
            id=f"{role}-throttles",
            runbook="table-throttles",
            title="DynamoDB holds reads or writes back",
            impact="What uses the table is slow, or fails.",
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
            threshold=Threshold(
                1, "Count", "Throttled requests are tried again by the SDKs, and then fail."
            ),
            datapoints=2,
            periods=3,
            missing=Missing.IGNORE,
            missing_reason=_ONLY_FAULTS,
        ),
    )
