"""What attempts, and webhooks that wait for their next, add to the metrics."""

from __future__ import annotations

from lambdas.base.envelope import Envelope
from lambdas.base.metrics import FRESH_SECONDS
from lambdas.config import SubscribeConfig
from lambdas.delivery import Outcome

# The counter of each outcome, by its number.
_OUTCOMES = {
    **{status: f"Backend{status}xx" for status in (2, 3, 4, 5)},
    6: "BackendTimeout",
    7: "BackendConnectionError",
}


def of_attempt(
    config: SubscribeConfig, webhook: Envelope, outcome: Outcome, *, number: int, age_ms: int
) -> dict[str, float]:
    """An attempt's metrics. A heartbeat is not traffic: only its arrival counts.

    Args:
        number: which attempt, counted from 1.
        age_ms: since the webhook's receipt at the API.
    """
    if webhook.heartbeat:
        return {"HeartbeatArrived": 1} if outcome.delivered else {}
    kind = _outcome(outcome)
    values = {_OUTCOMES[kind]: 1.0, "BackendDuration": outcome.duration_ms}
    if age_ms <= 1000 * FRESH_SECONDS:
        values["BackendOutcome"] = kind
    if outcome.delivered:
        return {**values, "DeliveryLag": age_ms}
    return {**values, **of_waiting(config, webhook, attempts=number, age_ms=age_ms)}


def of_waiting(
    config: SubscribeConfig, webhook: Envelope, *, attempts: int | None, age_ms: int
) -> dict[str, float]:
    """The metrics of a webhook that stays at its group's head.

    Args:
        attempts: that failed; None if not known.
        age_ms: since the webhook's receipt at the API.
    """
    if webhook.heartbeat:
        return {}
    values = {"HeadAge": age_ms / 1000}
    if (attempts or 0) >= config.blocked_attempts or age_ms >= 1000 * config.blocked_seconds:
        values["BlockedGroup"] = 1
    return values


def _outcome(outcome: Outcome) -> int:
    """An outcome's number, as the metric BackendOutcome has it."""
    if outcome.status is None:
        return 6 if outcome.error in ("ConnectTimeout", "ReadTimeout") else 7
    # A status below 200 or above 599 is not an answer to a webhook either.
    return outcome.status // 100 if 200 <= outcome.status < 600 else 5
