"""The SLOs in Datadog, and how fast their error budgets go.

The fast burn rests on what the functions send by themselves: metrics that Datadog reads from
CloudWatch are 10 to 20 minutes late (``monitoring/datadog/metrics.py``).
"""

from __future__ import annotations

from collections.abc import Mapping

from alarms import slo
from monitoring.model.datadog import (
    BurnRate,
    DatadogMonitor,
    LogQuery,
    MetricQuery,
    Needs,
    Objective,
)
from monitoring.model.signals import Comparison, Severity, Threshold

_ATTEMPTS = "@event:(webhook.delivered OR webhook.failed)"
# CloudWatch pages for the same burn, so each speed is one severity lower here.
_LOWER = {Severity.PAGE: Severity.TICKET, Severity.TICKET: Severity.INFO}
_FAST, _SLOW = slo.SPEEDS


def _slow_burn(objective: str) -> DatadogMonitor:
    """Datadog's own burn rate, over windows to which 20 minutes make little difference."""
    title, impact, covers = slo.WORDS[objective]
    speed, factor, long, short, severity = _SLOW
    return DatadogMonitor(
        id=f"slo-{objective}-burn-{speed}",
        runbook=f"slo-{objective}",
        title=f"{title} ({speed} burn)",
        impact=impact,
        covers=covers,
        severity=_LOWER[severity],
        queries={"burn": BurnRate(objective, long, short)},
        comparison=Comparison.ABOVE,
        threshold=Threshold(
            factor,
            "Count",
            f"{factor:g} times the rate that uses up the budget in exactly 30 days. CloudWatch "
            "notifies of it minutes earlier; this monitor knows all 30 days.",
        ),
        window=long,
        reading="the error budget was used up {value} times as fast as 30 days allow",
        needs=(Needs.BUFFER,),
    )


def _fast_burn(
    objective: str,
    *,
    queries: Mapping[str, MetricQuery | LogQuery],
    expression: str,
    reading: str,
    counted: str,
    needs: Needs,
    role: str,
) -> DatadogMonitor:
    """The share that uses up the budget too fast, of what the functions report within a minute.

    One window only, as any share has: it ends up to an hour after the last failure.
    """
    title, impact, covers = slo.WORDS[objective]
    speed, factor, long, _, severity = _FAST
    return DatadogMonitor(
        id=f"slo-{objective}-{speed}",
        runbook=f"slo-{objective}",
        title=f"{title} ({speed} burn)",
        impact=impact,
        covers=covers,
        severity=_LOWER[severity],
        queries=queries,
        expression=expression,
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            factor,
            "Percent",
            f"{factor:g} times the rate that uses up the budget in exactly 30 days. {counted}",
            of=f"slo.{objective}_budget",
        ),
        window=long,
        reading=reading,
        needs=(Needs.BUFFER, Needs.INSTRUMENTED, needs),
        role=role,
    )


MONITORS: tuple[DatadogMonitor, ...] = (
    _fast_burn(
        "accepted",
        # An answer with 5xx is an error of the invocation, too. Source: datadog_lambda
        # ``tracing.py``, ``mark_trace_as_error_for_5xx_responses``.
        queries={
            "failed": MetricQuery("aws.lambda.enhanced.errors", role="publish"),
            "n": MetricQuery("aws.lambda.enhanced.invocations", role="publish"),
        },
        # Source: Datadog documentation, "Add a Minimum Request Threshold for Error Rate Alerts".
        expression="100 * failed / n * is_greater(failed, 4)",
        reading="{value} of the requests failed",
        counted="From five failures on: a share of few requests means nothing. Throttled requests "
        "never reach the function; CloudWatch, which pages, counts them.",
        needs=Needs.INSTRUMENTED,
        role="publish",
    ),
    _slow_burn("accepted"),
    _fast_burn(
        "delivered",
        queries={
            "late": LogQuery(f"{_ATTEMPTS} @age_ms:>{{slo.delivery_target}}"),
            "attempts": LogQuery(_ATTEMPTS),
        },
        expression="100 * (late - 4) / attempts",
        reading="{value} of the attempts were of webhooks already late",
        counted="Four late attempts are not counted: a share of few means nothing. CloudWatch "
        "pages for the same share of deliveries.",
        needs=Needs.LOGS,
        role="subscribe",
    ),
    _slow_burn("delivered"),
)

OBJECTIVES: tuple[Objective, ...] = (
    Objective(
        key="accepted",
        title="Webhooks are accepted",
        promise="The share of requests that are not answered with 5xx.",
        budget="slo.accepted_budget",
        queries={
            "n": MetricQuery("aws.apigateway.count", role="api"),
            "failed": MetricQuery("aws.apigateway.5xx", role="api"),
        },
        good="n - failed",
        total="n",
    ),
    Objective(
        key="delivered",
        title="Webhooks are delivered in time",
        promise="The share of time in which no webhook waits longer than the target.",
        budget="slo.delivered_budget",
        monitors=("webhooks-late",),
    ),
)
