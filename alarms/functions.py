"""Functions: what fails in them, what Lambda holds back, and what comes near a limit."""

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
            1, "Count", "A crash, a timeout or a lack of memory; two minutes of three rule out one."
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
        title=f"Lambda holds {role} back",
        impact=impact,
        covers=covers,
        severity=severity,
        queries={"throttles": Query(metrics.FUNCTION_THROTTLES, "Sum", role)},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            1, "Count", "Throttled requests are neither invocations nor errors: only this counts."
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
        title=f"{role} takes nearly as long as it may",
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
        "80 % of this function's own timeout; at the timeout Lambda ends it.",
        of=f"{role}.timeout",
        at_most=f"{role}.timeout",
    )


def _concurrency(
    role: str, impact: str, share: float, reason: str, severity: Severity, runbook: str
) -> Signal:
    return Signal(
        id=f"{role}-concurrency",
        runbook=runbook,
        title=f"{role} runs as often at a time as it may",
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
        title=f"Errors in the log of {role}",
        impact="Perhaps none yet: invocations succeed while something in them does not.",
        covers=(FailureMode.LOG_ERRORS,),
        severity=Severity.TICKET,
        queries={"errors": Query(metrics.LOG_ERRORS, "Sum", role)},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(1, "Count", "What is logged as an error is meant to be read."),
        period=period,
        datapoints=1,
        periods=periods,
        missing=Missing.NOT_BREACHING,
        missing_reason="The filter reports only what it finds.",
        log=role,
    )


def _log_warnings(role: str, runbook: str) -> Signal:
    return Signal(
        id=f"{role}-log-warnings",
        runbook=runbook,
        title=f"Warnings in the log of {role}",
        impact="None yet.",
        covers=(FailureMode.LOG_ERRORS,),
        severity=Severity.TICKET,
        queries={"warnings": Query(metrics.LOG_WARNINGS, "Sum", role)},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            5,
            "Count",
            "Single warnings pass by themselves. Failed attempts and refused requests are not "
            "among them: they have signals of their own.",
        ),
        period=300,
        datapoints=1,
        periods=1,
        missing=Missing.NOT_BREACHING,
        missing_reason="The filter reports only what it finds.",
        log=role,
    )


_QUOTA = "The account's concurrency is shared by all of its functions; at the quota all throttle."

SIGNALS = (
    _errors(
        "publish",
        "Senders get 500 and have to send again.",
        (FailureMode.QUEUE_REFUSES,),
        "publish-errors",
    ),
    _throttles(
        "publish",
        "Senders get 5xx and have to send again.",
        (FailureMode.QUEUE_REFUSES,),
        "publish-throttles",
        Severity.PAGE,
    ),
    _duration(
        "publish",
        "Senders wait, and some give up before they are answered.",
        (FailureMode.PUBLISH_SLOW,),
        "publish-duration",
        _of_timeout("publish"),
    ),
    _concurrency(
        "publish",
        "Soon senders get 5xx.",
        0.8,
        _QUOTA,
        Severity.TICKET,
        "publish-concurrency",
    ),
    _log_errors("publish", "publish-log-errors"),
    _log_warnings("publish", "publish-log-warnings"),
    _errors(
        "subscribe",
        "Webhooks wait: the function ends before it delivers them.",
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
        "Deliveries are slow, and soon fail for want of time.",
        (FailureMode.BACKEND_SLOW,),
        "subscribe-duration",
        Threshold(
            1.0,
            "Milliseconds",
            "All the time that subscribe gives the backend: what takes longer has timed out "
            "there, and little is left to write the record.",
            of="subscribe.backend_time",
            at_most="subscribe.timeout",
        ),
    ),
    _concurrency(
        "subscribe",
        "None by itself: this is the limit you set to protect the backend.",
        1.0,
        "At maxConcurrency groups wait for each other; the age of the oldest tells if it matters.",
        Severity.INFO,
        "subscribe-concurrency",
    ),
    # On until a webhook whose attempts fail with an error has been tried again without one.
    _log_errors(
        "subscribe",
        "subscribe-log-errors",
        period=60,
        periods="subscribe.longest_wait_minutes",
    ),
    _log_warnings("subscribe", "subscribe-log-warnings"),
)


def of_any(role: str) -> tuple[Signal, ...]:
    """What holds for any function."""
    return (
        _errors(
            role,
            "What the function does is not done.",
            (FailureMode.SUBSCRIBE_CRASHES,),
            "function-errors",
        ),
        _throttles(
            role,
            "What the function does waits or is refused.",
            (FailureMode.CONSUMER_STOPPED,),
            "function-throttles",
            Severity.PAGE,
        ),
        _duration(
            role,
            "Soon it is ended before it is done.",
            (
                FailureMode.BACKEND_SLOW,
                FailureMode.PUBLISH_SLOW,
            ),
            "function-duration",
            _of_timeout(role),
        ),
        _concurrency(
            role, "Soon it is throttled.", 0.8, _QUOTA, Severity.TICKET, "function-concurrency"
        ),
        _log_errors(role, "function-log-errors"),
        _log_warnings(role, "function-log-warnings"),
    )
