"""What to look at: dashboards as data. ``DASHBOARDS`` is all of it, for the roots to hand in."""

from __future__ import annotations

from dashboards.overview import overview
from dashboards.serverless import serverless
from monitoring.model.dashboards import Board, Dashboards, Deployed


def _datadog(deployed: Deployed) -> tuple[Board, ...]:
    return (
        Board(
            "overview",
            "Webhook buffer — overview",
            "From what users notice down to the queue, with the thresholds of the alarms.",
            overview(deployed),
        ),
        serverless(deployed),
    )


DASHBOARDS = Dashboards(cloudwatch=overview, datadog=_datadog)
