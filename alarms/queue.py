"""The queue: how long webhooks wait, how many, and whether anything consumes them."""

from __future__ import annotations

from monitoring.model import metrics
from monitoring.model.signals import (
    Comparison,
    Fact,
    FailureMode,
    Missing,
    Named,
    Query,
    Severity,
    Signal,
    Threshold,
)

_EMPTY = "An empty queue has no age, and a queue idle for hours reports nothing."
# Minutes in which every failing head is tried at least once: it waits no longer than that.
_TRIED_AGAIN = "subscribe.longest_wait_minutes"
# SQS counts messages at one moment of a minute, at which a healthy queue holds some by chance; none
# of them is that old.
_UNCONSUMED_SECONDS = 60
# The share of its concurrency at which subscribe is at its limit.
_BUSY = 0.9
# Failing webhooks, the longest-waiting first.
_FAILING = (
    'filter event in ["webhook.failed", "webhook.unattempted", "webhook.paused", '
    '"message.unreadable"]'
    " | stats max(attempt) as attempts, max(receives) as receives,"
    " max(age_ms) / 1000 as age_seconds, latest(http.status_code) as status_code,"
    " latest(error) as error by group_id, message_id"
    " | sort age_seconds desc | limit 50"
)


def _age(
    role: str, signal_id: str, runbook: str, severity: Severity, threshold: Threshold, impact: str
) -> Signal:
    return Signal(
        id=signal_id,
        runbook=runbook,
        title="Webhooks wait too long",
        impact=impact,
        covers=(
            FailureMode.BACKEND_UNREACHABLE,
            FailureMode.BACKEND_5XX,
            FailureMode.BACKEND_SLOW,
            FailureMode.SUBSCRIBE_CRASHES,
            FailureMode.CONSUMER_STOPPED,
            FailureMode.TRAFFIC_SURGE,
        ),
        severity=severity,
        queries={"age": Query(metrics.QUEUE_AGE, "Maximum", role)},
        comparison=Comparison.AT_LEAST,
        threshold=threshold,
        datapoints=3,
        periods=3,
        missing=Missing.NOT_BREACHING,
        missing_reason=_EMPTY,
        log="subscribe",
    )


def _depth(role: str, signal_id: str, runbook: str) -> Signal:
    return Signal(
        id=signal_id,
        runbook=runbook,
        title="The backlog is close to SQS's scan limit",
        impact=f"Groups without a webhook in the first {{{role}.scan_limit}} are not delivered.",
        covers=(FailureMode.TRAFFIC_SURGE, FailureMode.IN_FLIGHT_LIMIT),
        severity=Severity.TICKET,
        queries={"visible": Query(metrics.QUEUE_VISIBLE, "Maximum", role)},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            0.8,
            "Count",
            f"SQS looks for available groups in the first {{{role}.scan_limit}} messages only; "
            "{share} of that leaves time to act. Depth alone is not a fault; waiting is, and the "
            "signals on age report it.",
            of=f"{role}.scan_limit",
            at_most=f"{role}.scan_limit",
        ),
        datapoints=3,
        periods=3,
        missing=Missing.NOT_BREACHING,
        missing_reason=_EMPTY,
    )


def _in_flight(role: str, signal_id: str, runbook: str) -> Signal:
    return Signal(
        id=signal_id,
        runbook=runbook,
        title="Messages in flight are close to SQS's limit",
        impact="At the limit SQS stops handing out messages: no webhook is delivered.",
        covers=(FailureMode.IN_FLIGHT_LIMIT,),
        severity=Severity.TICKET,
        queries={"in_flight": Query(metrics.QUEUE_IN_FLIGHT, "Maximum", role)},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            0.8,
            "Count",
            f"SQS allows {{{role}.in_flight_limit}} messages in flight, and every failing group "
            "holds one of them; {share} leaves time to act.",
            of=f"{role}.in_flight_limit",
            at_most=f"{role}.in_flight_limit",
        ),
        datapoints=3,
        periods=3,
        missing=Missing.NOT_BREACHING,
        missing_reason=_EMPTY,
    )


def _stopped(role: str, signal_id: str, runbook: str, minutes: int) -> Signal:
    """Nothing consumes a queue.

    Args:
        minutes: as many in a row; one where messages are consumed as soon as they are there.
    """
    return Signal(
        id=signal_id,
        runbook=runbook,
        title="Nothing consumes webhooks from the queue",
        impact="No webhook reaches the backend; all of them wait.",
        covers=(FailureMode.CONSUMER_STOPPED,),
        severity=Severity.PAGE,
        queries={
            "visible": Query(metrics.QUEUE_VISIBLE, "Minimum", role),
            "deleted": Query(metrics.QUEUE_DELETED, "Sum", role),
            "in_flight": Query(metrics.QUEUE_IN_FLIGHT, "Maximum", role),
            "age": Query(metrics.QUEUE_AGE, "Maximum", role),
        },
        expression=(
            f"IF((age >= {_UNCONSUMED_SECONDS}) AND (deleted == 0) AND (in_flight == 0), "
            "visible, 0)"
        ),
        numbers={"waited": Fact(_UNCONSUMED_SECONDS, "Seconds")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            1,
            "Count",
            "A message that has waited for {waited}, while none is in flight and none is deleted, "
            "has no consumer.",
        ),
        datapoints=minutes,
        periods=minutes,
        missing=Missing.NOT_BREACHING,
        missing_reason=_EMPTY,
        log="subscribe",
    )


SIGNALS = (
    _age(
        "queue",
        "queue-age-page",
        "queue-age-page",
        Severity.PAGE,
        Threshold(
            900,
            "Seconds",
            "A delay of {threshold} is what users of webhooks notice and report.",
            at_most="queue.retention",
        ),
        "Webhooks reach the backend more than {threshold} late.",
    ),
    Signal(
        id="queue-age-ticket",
        title="Webhooks are starting to wait",
        impact="Some webhooks reach the backend more than {threshold} late.",
        covers=(
            FailureMode.BACKEND_UNREACHABLE,
            FailureMode.BACKEND_5XX,
            FailureMode.BACKEND_SLOW,
            FailureMode.POISONED_GROUP,
            FailureMode.SUBSCRIBE_CRASHES,
            FailureMode.CONSUMER_STOPPED,
            FailureMode.TRAFFIC_SURGE,
        ),
        severity=Severity.TICKET,
        queries={
            "age": Query(metrics.QUEUE_AGE, "Maximum", "queue"),
            "head": Query(metrics.HEAD_AGE, "Maximum", "buffer"),
        },
        expression="IF(head > age, head, age)",
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            300,
            "Seconds",
            "Retries of a transient fault are over by then. SQS leaves messages that were received "
            "several times out of its own age, so the age at failed attempts counts as well.",
            at_most="queue.retention",
        ),
        datapoints=1,
        periods=_TRIED_AGAIN,
        missing=Missing.NOT_BREACHING,
        missing_reason=_EMPTY,
        log="subscribe",
        log_query=_FAILING,
    ),
    _depth("queue", "backlog-depth", "backlog-depth"),
    Signal(
        id="backlog-growing",
        title="The backlog grows while deliveries are at their limit",
        impact="Every webhook waits longer than the one before it, until the surge is over.",
        covers=(FailureMode.TRAFFIC_SURGE,),
        severity=Severity.TICKET,
        queries={
            "visible": Query(metrics.QUEUE_VISIBLE, "Maximum", "queue"),
            "sent": Query(metrics.QUEUE_SENT, "Sum", "queue"),
            "deleted": Query(metrics.QUEUE_DELETED, "Sum", "queue"),
            "running": Query(metrics.FUNCTION_CONCURRENCY, "Maximum", "subscribe"),
        },
        expression=(
            f"IF((sent > deleted) AND (running >= {_BUSY} * {{subscribe.concurrency}}), "
            "60 * visible / deleted, 0)"
        ),
        numbers={"busy": Fact(100 * _BUSY, "Percent")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            900,
            "Seconds",
            "The value is the time to drain: waiting messages divided by the deliveries of the "
            "last minute. A webhook that arrives now waits that long; users notice {threshold}.",
        ),
        datapoints=3,
        periods=5,
        missing=Missing.NOT_BREACHING,
        missing_reason="Without deliveries there is no drain rate; other signals report that.",
        log="subscribe",
    ),
    _in_flight("queue", "in-flight-limit", "in-flight-limit"),
    Signal(
        id="message-nearing-retention",
        title="A webhook is close to the end of its retention",
        impact="A webhook that its sender believes delivered will be lost silently.",
        covers=(FailureMode.NEARING_RETENTION,),
        severity=Severity.PAGE,
        queries={
            "age": Query(metrics.QUEUE_AGE, "Maximum", "queue"),
            "head": Query(metrics.HEAD_AGE, "Maximum", "buffer"),
        },
        # Zeros end it; for what is missing CloudWatch would look at the hour before.
        expression="MAX([FILL(head, 0), FILL(age, 0)])",
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            0.5,
            "Seconds",
            "{share} of the retention has passed; the rest is left to act. SQS has no metric for "
            "expired messages.",
            of="queue.retention",
            at_most="queue.retention",
        ),
        period=3600,
        datapoints=1,
        periods=1,
        missing=Missing.NOT_BREACHING,
        missing_reason=_EMPTY,
        log="subscribe",
        log_query=_FAILING,
    ),
    Signal(
        id="blocked-group",
        title="A group is blocked by its first webhook while others flow",
        impact="Webhooks of one customer, order or repository do not arrive at all.",
        covers=(FailureMode.POISONED_GROUP,),
        severity=Severity.TICKET,
        queries={
            "blocked": Query(metrics.BLOCKED_GROUP, "Sum", "buffer"),
            "delivered": Query(metrics.BACKEND_2XX, "Sum", "buffer"),
        },
        expression="IF((blocked > 0) AND (delivered > 0), blocked, 0)",
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            1,
            "Count",
            "subscribe counts a failed attempt as blocked once its webhook has failed too often or "
            "waited too long; in the same minute another webhook was delivered.",
            counted="failed attempts",
        ),
        datapoints=2,
        periods="subscribe.two_waits_minutes",
        missing=Missing.NOT_BREACHING,
        missing_reason="Between the attempts at a blocked webhook, minutes pass without any.",
        log="subscribe",
        log_query=_FAILING,
        names=Named.BLOCKED,
    ),
    _stopped("queue", "consumer-stopped", "consumer-stopped", minutes=1),
    Signal(
        id="dropped-duplicates",
        title="SQS drops webhooks as duplicates",
        impact="Harmless if senders resend; webhooks are lost if the ids are not unique.",
        covers=(FailureMode.DUPLICATES_DROPPED,),
        severity=Severity.INFO,
        queries={"dropped": Query(metrics.QUEUE_DUPLICATES, "Sum", "queue")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            1,
            "Count",
            "Each was acknowledged but will not be delivered; make sure that is intended.",
        ),
        period=300,
        datapoints=1,
        periods=1,
        missing=Missing.NOT_BREACHING,
        missing_reason="An idle queue reports nothing and drops nothing.",
        log="publish",
    ),
)


def of_any(role: str) -> tuple[Signal, ...]:
    """The signals of any queue, on SQS's own metrics only."""
    return (
        _age(
            role,
            f"{role}-age-ticket",
            "existing-queue",
            Severity.TICKET,
            Threshold(
                300, "Seconds", "As for the buffer's own queue.", at_most=f"{role}.retention"
            ),
            "Messages are handled more than {threshold} late.",
        ),
        _age(
            role,
            f"{role}-age-page",
            "existing-queue",
            Severity.PAGE,
            Threshold(
                900, "Seconds", "As for the buffer's own queue.", at_most=f"{role}.retention"
            ),
            "Messages are handled more than {threshold} late.",
        ),
        Signal(
            id=f"{role}-nearing-retention",
            runbook="existing-queue",
            title="A message is close to the end of its retention",
            impact="A message will be lost silently.",
            covers=(FailureMode.NEARING_RETENTION,),
            severity=Severity.PAGE,
            queries={"age": Query(metrics.QUEUE_AGE, "Maximum", role)},
            comparison=Comparison.AT_LEAST,
            threshold=Threshold(
                0.5,
                "Seconds",
                "{share} of the retention has passed; the rest is left to act.",
                of=f"{role}.retention",
                at_most=f"{role}.retention",
            ),
            period=3600,
            datapoints=1,
            periods=1,
            missing=Missing.NOT_BREACHING,
            missing_reason=_EMPTY,
        ),
        _depth(role, f"{role}-depth", "existing-queue"),
        _in_flight(role, f"{role}-in-flight-limit", "existing-queue"),
        # Its consumer may poll every other minute.
        _stopped(role, f"{role}-consumer-stopped", "existing-queue", minutes=2),
    )
