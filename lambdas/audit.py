"""Once an hour: were accepted webhooks lost, that is, neither delivered nor queued?

Nothing but metrics is read, and those of SQS are approximate, so the audit reports only what no
reading of them explains: what is uncertain is subtracted. It would rather find a loss an hour late
than wake somebody for nothing; it reports a loss every hour, until the loss leaves the window.
"""

from __future__ import annotations

import os
import time
from typing import Any

from lambdas import observe

with observe.loading():
    from collections.abc import Mapping, Sequence
    from dataclasses import dataclass

    from lambdas import aws, metrics, parked_watch
    from lambdas.timestamps import iso


@dataclass(frozen=True, slots=True)
class AuditConfig:
    """``audit``'s environment.

    Attributes:
        queue_name: of the FIFO queue, as CloudWatch's dimension has it.
        dimensions: values of ``metrics.DIMENSIONS``: whose webhooks.
        parking: the table of parked webhooks.
        keep: how long it keeps one, seconds.
    """

    queue_name: str
    dimensions: tuple[str, ...]
    parking: str
    keep: int

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> AuditConfig:
        return cls(
            environ["QUEUE_NAME"],
            (environ["SERVICE"], environ["ENVIRONMENT"]),
            environ["PARKING_TABLE"],
            int(environ["PARKING_KEEP_SECONDS"]),
        )


with observe.loading():
    CONFIG = AuditConfig.read(os.environ)

# Minutes that are looked at, and how long metrics may take to be there.
WINDOW = 360
_SETTLE = 5
# Minutes at either end of the window among which the quietest is taken.
_EDGE = 60
# SQS may misjudge one of this many queued messages. Assumed: its guide says only "approximate".
_APPROXIMATE = 50

_READ_SECONDS = 5.0
_RESERVE_SECONDS = 2.0
# Of an invocation's time, for what is parked.
_PARKED_SHARE = 0.3

_QUEUE = "AWS/SQS"
# What is read, under names of ours.
_COUNTS = {
    "accepted": (metrics.NAMESPACE, "Accepted"),
    "delivered": (metrics.NAMESPACE, "Backend2xx"),
    "consumed": (metrics.NAMESPACE, "Consumed"),
    "parked": (metrics.NAMESPACE, "Parked"),
    "released": (metrics.NAMESPACE, "Released"),
    "heartbeats": (metrics.NAMESPACE, "HeartbeatArrived"),
    "sent": (_QUEUE, "NumberOfMessagesSent"),
    "duplicates": (_QUEUE, "NumberOfDeduplicatedSentMessages"),
}
# A message is in one of these states; one that waits for its next attempt is in flight.
_DEPTHS = {
    "visible": (_QUEUE, "ApproximateNumberOfMessagesVisible"),
    "in_flight": (_QUEUE, "ApproximateNumberOfMessagesNotVisible"),
    "delayed": (_QUEUE, "ApproximateNumberOfMessagesDelayed"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """What CloudWatch has of one minute.

    Attributes:
        accepted, delivered, consumed: webhooks, counted by publish and subscribe.
        parked: webhooks that left the queue for the parking store.
        released: of those delivered, the ones that came from there.
        heartbeats: that arrived; they are no webhooks, but messages in the queue.
        sent: messages that came into the queue, heartbeats too.
        duplicates: sent again, and not queued again.
        depth: messages in the queue; None where it reported nothing.
    """

    accepted: float = 0
    delivered: float = 0
    consumed: float = 0
    parked: float = 0
    released: float = 0
    heartbeats: float = 0
    sent: float = 0
    duplicates: float = 0
    depth: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The webhooks of a stretch of time; ``accepted - delivered - queued`` should be nothing.

    Attributes:
        accepted: without those that were sent twice.
        delivered: from the queue, or parked, or consumed, as a test flag asked.
        queued: by how many more at the end than at the start.
        uncertain: how many the readings at the ends may be wrong by.
        unaccounted: what is missing beyond that.
        since, until: the minutes after which the stretch begins and ends.
    """

    accepted: int
    delivered: int
    queued: int
    uncertain: int
    unaccounted: int
    since: int
    until: int


def balance(minutes: Sequence[Minute]) -> Balance | None:
    """Where the webhooks went between the quietest minutes near either end.

    No more is called unaccounted for than was lost, given that metrics of one thing fall into the
    same or neighboring minutes, and that depths are at most a minute old:

    - Where no webhook moves in a minute and its neighbors, what was accepted and delivered lies
      wholly before or after it, and the queue's depth is known; should SQS have misjudged it,
      the lowest of the three counts at the start and the highest at the end. Where webhooks do
      move, each of their counts may have fallen on the wrong side: all are uncertain.
    - A heartbeat makes a depth too high. At the end that hides a loss until a later audit; at
      the start it would make one up. How many waited there is known: they arrived, and were not
      sent since (``sent`` without webhooks). Those that crossed either end are uncertain, as far
      as the depth at the start may hold them.
    - What is counted twice makes a loss smaller, never bigger: a webhook that was delivered
      again because it could not be deleted; one that publish sent again because SQS's reply was
      missing, a duplicate that was accepted once. So does one that SQS accepted while its sender
      received 503, and a depth that the start lacks, which counts as 0.

    So a busy buffer's single loss shows only once three minutes in a row are quiet. While
    webhooks wait at the start, one that publish acknowledged and never sent looks like a
    heartbeat that waited, and heartbeats closer than five minutes hide what expires.

    Args:
        minutes: all of the window's, the oldest first.

    Returns:
        None when the depth is unknown in the whole of the last hour.
    """
    starts = range(1, _EDGE)
    ends = [at for at in range(len(minutes) - _EDGE, len(minutes) - 1) if _depths(minutes, at)]
    if not ends:
        return None
    start = min(starts, key=lambda at: (_moved(minutes, at), at))
    end = min(ends, key=lambda at: (_moved(minutes, at), -at))
    between = minutes[start + 1 : end + 1]
    accepted = sum(one.accepted - one.duplicates for one in between)
    delivered = sum(map(_left, between))
    before, after = min(_depths(minutes, start), default=0), max(_depths(minutes, end))

    beats_sent = max(0, sum(one.sent for one in between) - accepted)
    beats_waited = sum(one.heartbeats for one in between) - beats_sent
    queued = after - before + min(before, max(0, beats_waited))

    webhooks, messages = map(sum, zip(_moved(minutes, start), _moved(minutes, end), strict=True))
    uncertain = webhooks + min(before, messages) + max(before, after) // _APPROXIMATE
    return Balance(
        accepted=round(accepted),
        delivered=round(delivered),
        queued=round(queued),
        uncertain=round(uncertain),
        unaccounted=max(0, round(accepted - delivered - queued - uncertain)),
        since=start,
        until=end,
    )


def _around(minutes: Sequence[Minute], at: int) -> Sequence[Minute]:
    """A minute and its neighbors."""
    return minutes[at - 1 : at + 2]


def _depths(minutes: Sequence[Minute], at: int) -> list[float]:
    """The depths that were reported around a minute; none where its own was not."""
    found = [one.depth for one in _around(minutes, at) if one.depth is not None]
    return found if minutes[at].depth is not None else []


def _left(minute: Minute) -> float:
    """How many webhooks left the queue; what is released had left it before."""
    return minute.delivered - minute.released + minute.consumed + minute.parked


def _moved(minutes: Sequence[Minute], at: int) -> tuple[float, float]:
    """How often webhooks were counted around a minute, and messages of any kind."""
    around = _around(minutes, at)
    webhooks = sum(one.accepted + abs(_left(one)) + 2 * one.released for one in around)
    return webhooks, sum(one.sent + one.heartbeats for one in around)


@observe.observed
def handler(_event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Reads the window that ended a few minutes ago, and reports how it balances.

    Only a loss becomes a metric: CloudWatch charges for those in the hours they are written.
    """
    whole = context.get_remaining_time_in_millis() / 1000
    parked_watch.look(CONFIG.parking, keep=CONFIG.keep, within=_PARKED_SHARE * whole)
    end = (int(time.time()) // 60 - _SETTLE) * 60
    start = end - 60 * WINDOW
    try:
        remaining = context.get_remaining_time_in_millis() / 1000 - _RESERVE_SECONDS
        series = _read(start, end, within=remaining)
    except aws.AwsError as error:
        observe.log("WARNING", "audit.skipped", aws_error=error.code)
        return {}
    if not any(series.values()):
        observe.log("INFO", "audit.skipped")
        return {}
    found = balance([_minute(series, at) for at in range(start, end, 60)])
    if found is None:
        observe.log("WARNING", "audit.skipped", error="NoQueueMetrics")
        return {}
    lost = found.unaccounted > 0
    observe.log(
        "ERROR" if lost else "INFO",
        "audit.unaccounted" if lost else "audit.balanced",
        metrics={"Unaccounted": found.unaccounted} if lost else None,
        accepted=found.accepted,
        delivered=found.delivered,
        queued=found.queued,
        uncertain=found.uncertain,
        unaccounted=found.unaccounted,
        since=iso(1000 * (start + 60 * (found.since + 1)), "seconds"),
        until=iso(1000 * (start + 60 * (found.until + 1)), "seconds"),
    )
    return {}


# Values by the minute's beginning (seconds since the epoch), by what they are of.
_Series = Mapping[str, Mapping[int, float]]


def _read(start: int, end: int, *, within: float) -> _Series:
    """All values of a window, page by page; those that CloudWatch lacks are missing.

    Source: CloudWatch API reference, GetMetricData: a start is included, an end is not; a call
    takes 500 metrics and 100,800 values, and a page may hold less; what has more pages is
    PartialData until its last one.

    Raises:
        AwsError: When not everything could be read.
    """
    request: dict[str, Any] = {
        "MetricDataQueries": [
            *(_query(name, *metric, "Sum") for name, metric in _COUNTS.items()),
            *(_query(name, *metric, "Maximum") for name, metric in _DEPTHS.items()),
        ],
        "StartTime": start,
        "EndTime": end,
        "ScanBy": "TimestampAscending",
    }
    deadline = time.monotonic() + within
    series: dict[str, dict[int, float]] = {name: {} for name in (*_COUNTS, *_DEPTHS)}
    status: dict[str, str] = {}
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise aws.AwsError("Timeout", retryable=True)
        reply = aws.CLOUDWATCH.call("GetMetricData", request, seconds=_READ_SECONDS, within=left)
        for result in reply["MetricDataResults"]:
            status[result["Id"]] = result["StatusCode"]
            times = map(int, result["Timestamps"])
            series[result["Id"]].update(zip(times, result["Values"], strict=True))
        if not reply.get("NextToken"):
            break
        request["NextToken"] = reply["NextToken"]
    incomplete = sorted({code for code in status.values() if code != "Complete"})
    if incomplete:
        raise aws.AwsError(incomplete[0], retryable=True)
    return series


def _query(name: str, namespace: str, metric_name: str, statistic: str) -> dict[str, Any]:
    """What ``GetMetricData`` is asked for one series."""
    ours = dict(zip(metrics.DIMENSIONS, CONFIG.dimensions, strict=True))
    dimensions = {"QueueName": CONFIG.queue_name} if namespace == _QUEUE else ours
    metric = {
        "Namespace": namespace,
        "MetricName": metric_name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
    }
    return {"Id": name, "MetricStat": {"Metric": metric, "Period": 60, "Stat": statistic}}


def _minute(series: _Series, at: int) -> Minute:
    """One minute's values: what was not counted is 0; without any depth there is none."""
    depths = [series[name][at] for name in _DEPTHS if at in series[name]]
    counts = {name: series[name].get(at, 0) for name in _COUNTS}
    return Minute(**counts, depth=sum(depths) if depths else None)
