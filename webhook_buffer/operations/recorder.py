"""Records a running buffer's metrics where nothing publishes them: on the laptop.

The functions' own metrics stand in their log lines as CloudWatch would read them; what AWS counts
of queue, functions and API follows from the same lines, and the queue's depth from asking it. What
can't be known so (throttles, concurrency) is left out, and so missing.
"""

from __future__ import annotations

import math
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from alarmproof.model import AnyAlarm, MetricKey, Series
from alarmproof.series import datapoints

from lambdas.metrics import NAMESPACE
from monitoring.resources import resources
from webhook_buffer.operations import logs
from webhook_buffer.operations.environment import Environment, aws_errors
from webhook_buffer.operations.history import wanted
from webhook_buffer.operations.logs import Line

_POLL_SECONDS = 2.0
_START = re.compile(r"START RequestId: (\S+)")
_SENT = "NumberOfMessagesSent"
_FUNCTIONS = ("publish", "subscribe", "notify", "audit", "heartbeat")
# Observations of a metric: (namespace, name, role or "") → (seconds since the epoch, value).
Observations = Mapping[tuple[str, str, str], Sequence[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Depth:
    """The queue at a moment: what waits, and what is in flight."""

    at: float
    visible: int
    in_flight: int


def record(
    target: Environment,
    alarms: Iterable[AnyAlarm],
    *,
    minutes: int,
    progress: Callable[[int], None],
) -> list[Series]:
    """Observes a running buffer for some full minutes, and returns what alarms would have read.

    Args:
        progress: called with the number of each minute that is over.
    """
    functions = [one for one in _FUNCTIONS if one in target.settings.functions]
    start = (math.floor(time.time() / 60) + 1) * 60
    depths: list[Depth] = []
    # Minute by minute, for the emulator hands out so many lines at a time and no more.
    lines: dict[tuple[int, str, str], Line] = {}
    since = 1000 * (start - 3600)  # what waits may be older
    for minute in range(minutes):
        while time.time() < start + 60 * (minute + 1):
            if time.time() >= start:
                depths.append(_depth(target))
            time.sleep(_POLL_SECONDS)
        for line in logs.read(target, functions, since=since, runtime=True):
            lines[line.at, line.function, line.text] = line
        since = 1000 * (start + 60 * minute)
        progress(minute + 1)
    observed = observations(sorted(lines.values(), key=lambda line: line.at), depths)
    return series_of(target, alarms, observed, start=start, minutes=minutes)


def _depth(target: Environment) -> Depth:
    with aws_errors(target.settings):
        url = target.sqs.get_queue_url(QueueName=target.settings.queue_name)["QueueUrl"]
        found = target.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return Depth(
        time.time(),
        int(found["ApproximateNumberOfMessages"]),
        int(found["ApproximateNumberOfMessagesNotVisible"]),
    )


def observations(lines: Sequence[Line], depths: Sequence[Depth]) -> Observations:
    """Single values of every metric derived from log lines and the queue's depth."""
    found: dict[tuple[str, str, str], list[tuple[float, float]]] = defaultdict(list)
    queued: dict[str, float] = {}
    done: dict[str, float] = {}
    numbers: set[str] = set()
    for line in lines:
        fields, at = line.fields, line.at / 1000
        for directive in fields.get("_aws", {}).get("CloudWatchMetrics", ()):
            for metric in directive["Metrics"]:
                found[NAMESPACE, metric["Name"], ""].append((at, float(fields[metric["Name"]])))
        event = str(fields.get("event", ""))
        if event in ("webhook.queued", "webhook.refused"):
            status = int(fields.get("http", {}).get("status_code", 0))
            for name in ("Count", *(["5xx"] if status >= 500 else []),
                         *(["4xx"] if 400 <= status < 500 else [])):  # fmt: skip
                found["AWS/ApiGateway", name, ""].append((at, 1.0))
            took = float(fields.get("duration_ms", 0))
            found["AWS/ApiGateway", "Latency", ""].append((at, took))
            found["AWS/Lambda", "Duration", "publish"].append((at, took))
        if event == "webhook.queued":
            # A duplicate is answered with its original's sequence number.
            number = str(fields.get("sequence_number") or len(numbers))
            sent = "NumberOfDeduplicatedSentMessages" if number in numbers else _SENT
            found["AWS/SQS", sent, ""].append((at, 1.0))
            if number not in numbers:
                queued[str(fields.get("message_id"))] = at
            numbers.add(number)
        if event in ("webhook.delivered", "heartbeat.arrived"):
            found["AWS/SQS", "NumberOfMessagesDeleted", ""].append((at, 1.0))
            done[str(fields.get("message_id"))] = at
        if event in ("webhook.delivered", "webhook.failed"):
            took = float(fields.get("duration_ms", 0))
            found["AWS/Lambda", "Duration", "subscribe"].append((at, took))
        if fields.get("level") == "ERROR" and event != "record.failed":
            found[f"{NAMESPACE}/Logs", "log-errors", line.function].append((at, 1.0))
    for at, function, failed in _invocations(lines):
        found["AWS/Lambda", "Invocations", function].append((at, 1.0))
        found["AWS/Lambda", "Errors", function].append((at, float(failed)))
    for depth in depths:
        waiting = [at for one, at in queued.items() if at <= depth.at < done.get(one, math.inf)]
        if waiting:
            age = depth.at - min(waiting)
            found["AWS/SQS", "ApproximateAgeOfOldestMessage", ""].append((depth.at, age))
        for name, value in (
            ("ApproximateNumberOfMessagesVisible", depth.visible),
            ("ApproximateNumberOfMessagesNotVisible", depth.in_flight),
            # Each group has one message in flight at most.
            ("ApproximateNumberOfGroupsWithInflightMessages", depth.in_flight),
        ):
            found["AWS/SQS", name, ""].append((depth.at, float(value)))
    return found


def _invocations(lines: Sequence[Line]) -> Iterable[tuple[float, str, bool]]:
    """When each invocation started, of which function, and whether it failed.

    Every invocation of our functions logs something; the emulator keeps nothing of one whose module
    could not be loaded.
    """
    failed: dict[str, bool] = defaultdict(bool)
    for line in lines:
        if request := str(line.fields.get("request_id", "")):
            failed[request] |= line.fields["event"] == "function.failed"
    for line in lines:
        if start := _START.match(line.text):
            yield line.at / 1000, line.function, failed.get(start[1], True)


def series_of(
    target: Environment,
    alarms: Iterable[AnyAlarm],
    observed: Observations,
    *,
    start: int,
    minutes: int,
) -> list[Series]:
    """The statistics by the minute that alarms read, of what was observed."""
    found = []
    counted = ("Sum", "SampleCount")
    known = resources(target.settings).by_role.values()
    # The benchmark's alarms of others name the role itself.
    roles = {one.role: one.role for one in known} | {one.name: one.role for one in known}
    for metric, statistic in wanted(alarms):
        role = next((roles[value] for _, value in metric.dimensions if value in roles), "")
        if metric.namespace == "AWS/SQS" and role != "queue":
            continue
        values = observed.get((metric.namespace, _plain(metric), _observed(metric, role)), ())
        inside = [(at, value) for at, value in values if start <= at < start + 60 * minutes]
        if not inside:
            continue
        made = np.full(minutes, np.nan)
        for minute in range(minutes):
            begun = start + 60 * minute
            some = [value for at, value in inside if begun <= at < begun + 60]
            if some:
                made[minute] = _statistic(metric, some, statistic)
        if statistic in counted and metric.namespace.startswith("AWS/"):
            made = np.nan_to_num(made)  # they publish zeros while they are in use
        found.append(Series(metric, statistic, start, 60, made))
    return found


def _plain(metric: MetricKey) -> str:
    """A metric's name without the function that a log filter puts before it."""
    match = re.search(r"log-(errors|warnings|trouble)$", metric.name)
    return match[0] if match else metric.name


def _observed(metric: MetricKey, role: str) -> str:
    if metric.namespace.endswith("/Logs"):
        return metric.name.removesuffix(f"-{_plain(metric)}").rpartition("-")[2]
    return role if metric.namespace == "AWS/Lambda" else ""


def _statistic(metric: MetricKey, values: Sequence[float], statistic: str) -> float:
    """One statistic of a minute's values: each of them a minute of a period as long as all."""
    series = Series(metric, None, 0, 60, np.array(values, dtype=float))
    length = 60 * len(values)
    return float(datapoints([series], statistic, length, first=length, count=1)[0])
