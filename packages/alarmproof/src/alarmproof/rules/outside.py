"""Rules whose findings are not about an alarm by itself: made where the fact is known.

``lint`` reports types and allowances; ``--live`` and ``--check-links`` ask somebody else.
Severities and allowances apply to them as to all others.
"""

from __future__ import annotations

from collections.abc import Iterator

from alarmproof.base.alarms import AnyAlarm
from alarmproof.rules.context import Context
from alarmproof.rules.registry import ERROR, WARNING, Hit, rule


@rule(
    "unknown-type",
    ERROR,
    finds="a type of resource that CloudWatch does not have",
    why="CloudFormation refuses the template.",
    remedy="Correct the type. If CloudFormation has it by now, allow this with a reason.",
)
def unknown_type(_context: Context, _alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Found among the resources."""
    yield from ()


@rule(
    "not-seen-live",
    WARNING,
    finds="a metric of one's own that CloudWatch has not seen for two weeks (`--live`)",
    why="It never has data, or only when something fails.",
    remedy="Check namespace, name and dimensions. ListMetrics shows the last two weeks only: a "
    "metric that is published only on failures may be right.",
)
def not_seen_live(_context: Context, _alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Found by asking CloudWatch."""
    yield from ()


@rule(
    "runbook-unreachable",
    WARNING,
    finds="a link to a runbook that does not answer (`--check-links`)",
    why="Whoever is notified does not find the runbook.",
    remedy="Correct the link, or publish the page.",
)
def runbook_unreachable(_context: Context, _alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Found by asking for the page."""
    yield from ()


@rule(
    "allowance",
    ERROR,
    finds="an allowance without a reason, of no rule, of nothing that is found, or past its last "
    "day",
    why="It hides nothing today, and may hide something tomorrow.",
    remedy="Remove it, or correct what the message names.",
)
def allowance(_context: Context, _alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Found among the allowances."""
    yield from ()


ASKED = frozenset((not_seen_live.id, runbook_unreachable.id))
"""Those that somebody else decides: an allowance of one may be of nothing today."""
