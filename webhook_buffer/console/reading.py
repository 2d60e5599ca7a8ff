"""What a console on AWS reads for its page, and what that costs: known before anything is asked."""

from __future__ import annotations

import numpy as np
from alarmproof import template
from alarmproof.base.metric_data import MetricKey
from numpy.typing import NDArray

from monitoring.alarm_set import AlarmSet
from monitoring.cloudwatch.alarms import template as alarms_template
from monitoring.cost import DATED, PRICES
from webhook_buffer.console.boards import Boards
from webhook_buffer.console.cloudwatch_board import CloudWatchBoard, metrics_of
from webhook_buffer.console.log_counts import LogCounts
from webhook_buffer.console.numbers import Numbers
from webhook_buffer.console.published import Published
from webhook_buffer.live.aws import BACK, LINES_BACK, POLL_SECONDS, Reads
from webhook_buffer.live.cells import Cells
from webhook_buffer.live.pace import MINUTE, REAL_TIME
from webhook_buffer.live.session import Session
from webhook_buffer.live.sources import roles_of
from webhook_buffer.live.values import Key, Limits
from webhook_buffer.operations.history import wanted

_POLLS = 3600 / POLL_SECONDS
# Calls of a poll that CloudWatch may charge like a metric each: states, and their history.
_CALLS = 2


class _Asked(Cells):
    """Cells that have nothing, and remember what they were asked."""

    def __init__(self, alarms: AlarmSet) -> None:
        super().__init__(roles_of(alarms.settings))
        self.asked: dict[tuple[Key, str], None] = {}

    def known(self, _: Key) -> bool:
        return True

    def statistics(
        self, key: Key, statistic: str, *, start: int, count: int, step: int = MINUTE
    ) -> NDArray[np.float64]:
        del start  # it has nothing at any time
        self.asked[key, statistic] = None
        if statistic == "Average" and step > MINUTE:
            self.asked[key, "SampleCount"] = None
        return np.full(count, np.nan)


def reads(alarms: AlarmSet, published: Published) -> Reads:
    """Every metric and statistic that the alarms and dashboards of an environment read."""
    cells = _Asked(alarms)
    session = new_session(alarms, now=float(BACK))
    session.cells = cells
    numbers = Numbers(session, alarms, LogCounts(alarms.settings.prefix))
    span = (0, BACK)
    for body in published.boards.values():
        boards = Boards(
            session, numbers, LogCounts(alarms.settings.prefix), published.slos, published.site
        )
        boards.shown(body, *span)
    CloudWatchBoard(session, numbers, {}, {}).shown(published.cloudwatch, *span, "")
    pairs = wanted(template.parse(alarms_template(alarms), "alarms").alarms)
    metrics = [metric for metric, _ in pairs] + list(metrics_of(published.cloudwatch))
    by_key = {key: metric for metric in metrics if (key := cells.key(metric)) is not None}
    made = {pair: key for pair in pairs if (key := cells.key(pair[0])) is not None}
    for key, statistic in cells.asked:
        known = by_key.get(key) or _of_resource(alarms, key)
        if known is not None:
            made[known, statistic] = key
    return made


def _of_resource(alarms: AlarmSet, key: Key) -> MetricKey | None:
    """The metric of a function or a queue that only a dashboard of Datadog's asks for."""
    namespace, name, role = key
    resource = alarms.resources.by_role.get(role or "buffer")
    if resource is None or not (role or namespace == "WebhookBuffer"):
        return None
    return MetricKey.of(namespace, name, resource.dimensions)


def new_session(alarms: AlarmSet, *, now: float) -> Session:
    """A session on AWS: of metrics a day is read, of log lines some minutes."""
    return Session.begun(
        alarms.settings.environment, real=now - BACK, pace=REAL_TIME, limits=Limits(),
        roles=roles_of(alarms.settings), on_aws=True, lines_from=now - LINES_BACK,
    )  # fmt: skip


def cost(reads: Reads) -> str:
    """What it costs an hour, in words."""
    price = PRICES["metric read"]
    hourly = _POLLS * (len(reads) + _CALLS) * price.amount / price.units
    return (
        f"Reading CloudWatch costs at most ${hourly:.2f} an hour: {len(reads)} metrics a minute at "
        f"${price.amount:g} per {price.units:,} ({price.source}; {DATED}). Log lines are read with "
        "FilterLogEvents, which is not charged (assumed)."
    )
