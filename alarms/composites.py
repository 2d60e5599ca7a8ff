"""Incidents: several signals that are one thing to whoever is notified."""

from __future__ import annotations

from monitoring.model.signals import Composite, Severity

COMPOSITES = (
    Composite(
        id="deliveries-failing",
        title="Webhooks do not reach the backend",
        impact="Webhooks wait in the queue and arrive late.",
        severity=Severity.PAGE,
        any_of=(
            "backend-down",
            "backend-rejecting",
            "consumer-stopped",
            "subscribe-errors",
            "subscribe-throttles",
            "queue-age-page",
            "heartbeat-missing",
            ("slo-delivered-fast-long", "slo-delivered-fast-short"),
        ),
        # Heartbeats end with the API, which has an incident of its own.
        # One blocked group is a ticket however old its webhooks get; it must not hide an outage.
        unless={
            "heartbeat-missing": ("api-5xx", "heartbeat-refused", "slo-accepted-fast-long"),
            "queue-age-page": ("blocked-group",),
        },
    ),
    Composite(
        id="deliveries-degraded",
        title="Webhooks reach the backend late",
        impact="Some webhooks arrive late; more will follow.",
        severity=Severity.TICKET,
        any_of=(
            "backend-slow",
            "queue-age-ticket",
            "backlog-growing",
            "subscribe-duration",
            "subscribe-log-errors",
            "subscribe-log-warnings",
            ("slo-delivered-slow-long", "slo-delivered-slow-short"),
        ),
        suppressed_by="deliveries-failing",
    ),
    Composite(
        id="senders-refused",
        title="Senders are refused",
        impact="Senders get errors: webhooks are lost unless their senders retry.",
        severity=Severity.PAGE,
        any_of=(
            "api-5xx",
            "publish-errors",
            "publish-throttles",
            "heartbeat-refused",
            ("slo-accepted-fast-long", "slo-accepted-fast-short"),
        ),
    ),
    Composite(
        id="accepting-degraded",
        title="Webhook intake is degraded",
        impact="Senders wait for their response; some will be refused.",
        severity=Severity.TICKET,
        any_of=(
            "api-latency",
            "publish-duration",
            "publish-concurrency",
            "publish-log-errors",
            "publish-log-warnings",
            ("slo-accepted-slow-long", "slo-accepted-slow-short"),
        ),
        suppressed_by="senders-refused",
    ),
)
