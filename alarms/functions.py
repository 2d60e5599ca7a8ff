"""Functions: errors, throttles, and what is close to a limit."""

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

_IDLE = "Without invocations there is no data, and nothing is wrong."


def _errors(role: str, impact: str, covers: tuple[FailureMode, ...], runbook: str) -> Signal:
    return Signal(
        id=f"{role}-errors",
        runbook=runbook,
        title=f"{role} crashes",
        impact=impact,
        covers=covers,
        severity=Severity.PAGE,
        queries={"errors": Query(metrics.FUNCTION_ERRORS, "Sum", role)},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            1, "Count", "A crash, a timeout or out of memory; {window} rule out a single one."
        ),
        datapoints=2,
        periods=3,
        missing=Missing.NOT_BREACHING,
        missing_reason=_IDLE,
        log=role,
    )


def _throttles(
    role: str, impact: str, covers: tuple[FailureMode, ...], runbook: str, severity: Severity
) -> Signal:
    return Signal(
        id=f"{role}-throttles",
        runbook=runbook,
        title=f"Lambda throttles {role}",
        impact=impact,
        covers=covers,
        severity=severity,
        queries={"throttles": Query(metrics.FUNCTION_THROTTLES, "Sum", role)},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            1,
            "Count",
            "Throttles count as neither invocations nor errors: only this metric has them.",
        ),
        datapoints=2,
        periods=3,
        missing=Missing.NOT_BREACHING,
        missing_reason=_IDLE,
        log=role,
    )


def _duration(
    role: str, impact: str, covers: tuple[FailureMode, ...], runbook: str, threshold: Threshold
) -> Signal:
    return Signal(
        id=f"{role}-duration",
        runbook=runbook,
        title=f"{role} is close to its timeout",
        impact=impact,
        covers=covers,
        severity=Severity.TICKET,
        queries={"duration": Query(metrics.FUNCTION_DURATION, "p99", role)},
        comparison=Comparison.AT_LEAST,
        threshold=threshold,
        datapoints=3,
        periods=5,
        missing=Missing.NOT_BREACHING,
        missing_reason=_IDLE,
        log=role,
    )


def _of_timeout(role: str) -> Threshold:
    return Threshold(
        0.8,
        "Milliseconds",
        "{share} of the function's own timeout; at the timeout Lambda terminates it.",
        of=f"{role}.timeout",
        at_most=f"{role}.timeout",
    )


def _concurrency(
    role: str, impact: str, share: float, reason: str, severity: Severity, runbook: str
) -> Signal:
    return Signal(
        id=f"{role}-concurrency",
        runbook=runbook,
        title=f"{role} is near its concurrency limit",
        impact=impact,
        covers=(FailureMode.TRAFFIC_SURGE,),
        severity=severity,
        queries={"running": Query(metrics.FUNCTION_CONCURRENCY, "Maximum", role)},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            share, "Count", reason, of=f"{role}.concurrency", at_most=f"{role}.concurrency"
        ),
        datapoints=10,
        periods=10,
        missing=Missing.NOT_BREACHING,
        missing_reason=_IDLE,
    )


def _log_errors(role: str, runbook: str, *, period: int = 300, periods: int | str = 1) -> Signal:
    return Signal(
        id=f"{role}-log-errors",
        runbook=runbook,
        title=f"{role} logs errors",
        impact="Invocations succeed, but part of their work fails.",
        covers=(FailureMode.LOG_ERRORS,),
        severity=Severity.TICKET,
        queries={"errors": Query(metrics.LOG_ERRORS, "Sum", role)},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(1, "Count", "A line logged as an error is meant to be read."),
        period=period,
        datapoints=1,
        periods=periods,
        missing=Missing.NOT_BREACHING,
        missing_reason="The filter writes data only when it matches a line.",
        log=role,
    )


def _log_warnings(role: str, runbook: str) -> Signal:
    return Signal(
        id=f"{role}-log-warnings",
        runbook=runbook,
        title=f"{role} logs warnings",
        impact="No webhook is affected yet.",
        covers=(FailureMode.LOG_ERRORS,),
        severity=Severity.TICKET,
        queries={"warnings": Query(metrics.LOG_WARNINGS, "Sum", role)},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            5,
            "Count",
            "Single warnings resolve themselves. Failed attempts and refused requests do not count "
            "here: they have signals of their own.",
        ),
        period=300,
        datapoints=1,
        periods=1,
        missing=Missing.NOT_BREACHING,
        missing_reason="The filter writes data only when it matches a line.",
        log=role,
    )


_QUOTA = "All functions of the account share its concurrency; at the quota all are throttled."

SIGNALS = (
    _errors(
        "publish",
        "Senders get 500 and have to retry.",
        (FailureMode.QUEUE_REFUSES,),
        "publish-errors",
    ),
    _throttles(
        "publish",
        "Senders get 5xx and have to retry.",
        (FailureMode.QUEUE_REFUSES,),
        "publish-throttles",
        Severity.PAGE,
    ),
    _duration(
        "publish",
        "Senders wait, and some give up before they get a response.",
        (FailureMode.PUBLISH_SLOW,),
        "publish-duration",
        _of_timeout("publish"),
    ),
    _concurrency(
        "publish",
        "Soon senders will get 5xx.",
        0.8,
        _QUOTA,
        Severity.TICKET,
        "publish-concurrency",
    ),
    _log_errors("publish", "publish-log-errors"),
    _log_warnings("publish", "publish-log-warnings"),
    _errors(
        "subscribe",
        "Webhooks wait: the function fails before it delivers them.",
        (FailureMode.SUBSCRIBE_CRASHES,),
        "subscribe-errors",
    ),
    _throttles(
        "subscribe",
        "Webhooks wait: Lambda does not run the function that delivers them.",
        (FailureMode.CONSUMER_STOPPED,),
        "subscribe-throttles",
        Severity.PAGE,
    ),
    _duration(
        "subscribe",
        "Deliveries are slow, and will soon run out of time.",
        (FailureMode.BACKEND_SLOW,),
        "subscribe-duration",
        Threshold(
            1.0,
            "Milliseconds",
            "All the time that subscribe allows the backend: slower requests have timed out, and "
            "little time is left to write the record.",
            of="subscribe.backend_time",
            at_most="subscribe.timeout",
        ),
    ),
    _concurrency(
        "subscribe",
        "Expected under load: this is the limit you set to protect the backend.",
        1.0,
        "At maxConcurrency groups wait for each other; the signals on age show if it matters.",
        Severity.INFO,
        "subscribe-concurrency",
    ),
    # Fires until a webhook whose attempts logged an error has been tried again without one.
    _log_errors(
        "subscribe",
        "subscribe-log-errors",
        period=60,
        periods="subscribe.longest_wait_minutes",
    ),
    _log_warnings("subscribe", "subscribe-log-warnings"),
)


def of_any(role: str) -> tuple[Signal, ...]:
    """The signals of any function."""
    return (
        _errors(
            role,
            "The function's work is not done.",
            (FailureMode.SUBSCRIBE_CRASHES,),
            "function-errors",
        ),
        _throttles(
            role,
            "The function's work is delayed or refused.",
            (FailureMode.CONSUMER_STOPPED,),
            "function-throttles",
            Severity.PAGE,
        ),
        _duration(
            role,
            "Soon Lambda will terminate it before it finishes.",
            (
                FailureMode.BACKEND_SLOW,
                FailureMode.PUBLISH_SLOW,
            ),
            "function-duration",
            _of_timeout(role),
        ),
        _concurrency(
            role, "Soon it will be throttled.", 0.8, _QUOTA, Severity.TICKET, "function-concurrency"
        ),
        _log_errors(role, "function-log-errors"),
        _log_warnings(role, "function-log-warnings"),
    )
