"""Objectives over 30 days, and how fast their error budgets burn.

A long window shows that it matters, a short one that it is still going on; a composite joins them.
Windows and factors: Google's SRE workbook, "Alerting on SLOs", as sloth's
``internal/alert/windows/google-30d.yaml`` has them (page: 2 % of the budget in 1 h, checked
over 5 min; ticket: 10 % in 1 day, over 2 h).
"""

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

# (name, factor, long window, short window, severity)
SPEEDS = (
    ("fast", 14.4, 3600, 300, Severity.PAGE),
    ("slow", 3.0, 86_400, 7200, Severity.TICKET),
)
# objective -> what a share of it is
_COUNTED = {"accepted": "of the requests failed", "delivered": "of the webhooks were late"}
# objective -> (title, impact, failure modes)
WORDS: dict[str, tuple[str, str, tuple[FailureMode, ...]]] = {
    "accepted": (
        "Too many webhooks are refused",
        "Senders are refused more often than the objective allows.",
        (
            FailureMode.QUEUE_REFUSES,
            FailureMode.PUBLISH_SLOW,
        ),
    ),
    "delivered": (
        "Too many webhooks are late",
        "Webhooks arrive late more often than the objective allows.",
        (
            FailureMode.BACKEND_UNREACHABLE,
            FailureMode.BACKEND_5XX,
            FailureMode.BACKEND_SLOW,
            FailureMode.SUBSCRIBE_CRASHES,
            FailureMode.CONSUMER_STOPPED,
            FailureMode.TRAFFIC_SURGE,
        ),
    ),
}
_IDLE = "Without events no budget is used."


def _signal(
    objective: str,
    speed: tuple[str, float, int, int, Severity],
    window: str,
    queries: dict[str, Query],
    expression: str,
    log: str,
) -> Signal:
    name, factor, long, short, severity = speed
    title, impact, covers = WORDS[objective]
    return Signal(
        id=f"slo-{objective}-{name}-{window}",
        runbook=f"slo-{objective}",
        title=f"{title} ({name} burn)",
        impact=impact,
        covers=covers,
        severity=severity,
        queries=queries,
        expression=expression,
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            factor,
            "Percent",
            "{factor} times the rate that uses up the budget in exactly 30 days.",
            of=f"slo.{objective}_budget",
            counted=_COUNTED[objective],
        ),
        period=long if window == "long" else short,
        datapoints=1,
        periods=1,
        missing=Missing.NOT_BREACHING,
        missing_reason=_IDLE,
        log=log,
    )


def _accepted(window: str) -> tuple[dict[str, Query], str]:
    queries = {
        "failed": Query(metrics.HTTP_5XX, "Sum", "api"),
        "n": Query(metrics.HTTP_COUNT, "Sum", "api"),
    }
    # At least five refusals: a share of few requests means nothing.
    share = "100 * failed / n"
    return queries, share if window == "short" else f"IF(failed >= 5, {share}, 0)"


def _delivered(window: str) -> tuple[dict[str, Query], str]:
    in_time = Query(metrics.DELIVERY_LAG, "PR(:{slo.delivery_target})", "buffer")
    if window == "short":
        return {"in_time": in_time}, "100 - in_time"
    n = Query(metrics.DELIVERY_LAG, "SampleCount", "buffer")
    # At least five late webhooks: a share of few means nothing; with room for rounding.
    return {"in_time": in_time, "n": n}, "IF(n * (100 - in_time) > 450, 100 - in_time, 0)"


SIGNALS = tuple(
    signal
    for speed in SPEEDS
    for window in ("long", "short")
    for signal in (
        _signal(
            "accepted",
            speed,
            window,
            *_accepted(window),
            "publish",
        ),
        _signal(
            "delivered",
            speed,
            window,
            *_delivered(window),
            "subscribe",
        ),
    )
)
