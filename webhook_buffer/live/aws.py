"""What runs on AWS: its metrics, the states of its alarms, its log lines; read, never written.

CloudWatch's own numbers and states make the session: nothing is derived from log lines, which only
say what became of each webhook.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from alarmproof.base.alarms import AnyAlarm, MetricAlarm
from alarmproof.base.metric_data import MetricKey

from monitoring.resources import UNKNOWN_API
from settings.errors import NotDeployedError
from webhook_buffer.live import status
from webhook_buffer.live.drops import Drops
from webhook_buffer.live.observations import FUNCTIONS
from webhook_buffer.live.pace import MINUTE
from webhook_buffer.live.session import Change, Event
from webhook_buffer.live.values import Key
from webhook_buffer.operations import history
from webhook_buffer.operations.environment import Environment, aws_errors
from webhook_buffer.operations.logs import Line, fields_of

POLL_SECONDS = 60.0
# What is read at first, in seconds: a page shows a day at most.
BACK, LINES_BACK = 24 * 3600, 15 * 60
# Minutes that are read again: CloudWatch completes them for a while. Assumed.
_AGAIN = 10
# Pages of one function's log at each poll, of 1 MB or 10,000 lines each, and of the account's alarm
# history, of 100 entries. Source: CloudWatch Logs API reference, FilterLogEvents; CloudWatch API
# reference, DescribeAlarmHistory.
_LOG_PAGES, _HISTORY_PAGES = 3, 5
# How much later than its time a line appears, at most. Assumed; milliseconds.
LATE_MS = 30_000
_TYPES: Any = ["MetricAlarm", "CompositeAlarm"]

# What is read of a metric, and where it goes.
Reads = Mapping[tuple[MetricKey, str], Key]


class AwsSource:
    """Reads an environment, with the caller's credentials.

    Args:
        reads: metric and statistic, by the key in the session's cells.
        since: Unix seconds; what is older is read as far as ``BACK`` and ``LINES_BACK`` say.

    Attributes:
        alarms: as deployed.
        skipped: functions of which the last poll could not read every line.
    """

    def __init__(self, target: Environment, reads: Reads, *, since: float) -> None:
        self._target, self.reads = target, reads
        self._functions = [name for name in FUNCTIONS if name in target.settings.functions]
        self._metrics_since = since - BACK
        self._history_since = since - BACK
        self._lines_since = dict.fromkeys(self._functions, round(1000 * (since - LINES_BACK)))
        self._seen: dict[tuple[int, str, str], None] = {}
        self._changes: set[tuple[str, int]] = set()
        self._drops = Drops(target, every=POLL_SECONDS)
        self.alarms: list[AnyAlarm] = []
        self.skipped = ""

    def poll(
        self, now: float, parked: Collection[str] = ()
    ) -> tuple[list[Event], list[dict[str, Any]]]:
        """What is new, and the state of each alarm as CloudWatch describes it.

        Args:
            parked: the ids of webhooks that the session has as parked.

        Raises:
            NotDeployedError: When the environment has no alarms.
            WebhookBufferError: When AWS can't be asked.
        """
        described = status.described(self._target)
        if not described:
            env = self._target.settings.environment
            raise NotDeployedError(
                f"Environment '{env}' has no alarms. Deploy them: make deploy ENV={env}"
            )
        self.alarms = status.parsed(described)
        events = [*self._metrics(now), *self._history(now), self._lines(now)]
        events += self._drops.poll(parked, now)
        return events, described

    def _metrics(self, now: float) -> Iterator[Event]:
        start = int(self._metrics_since) // MINUTE * MINUTE
        end = int(now) // MINUTE * MINUTE
        api = _api_id(self.alarms)
        pairs = {(_placed(metric, api), name): key for (metric, name), key in self.reads.items()}
        for series in history.fetch_all(self._target, list(pairs), start=start, end=end):
            key = pairs[series.metric, str(series.statistic)]
            values = [
                (series.start + MINUTE * place, float(value))
                for place, value in enumerate(series.values)
                if value == value
            ]
            yield {"kind": "stated", "key": key, "statistic": series.statistic, "values": values}
        self._metrics_since = end - _AGAIN * MINUTE

    def _history(self, now: float) -> Iterator[Event]:
        """Transitions of this environment's alarms, and whether actions ran.

        The history is the account's: one call for all alarms in place of one for each.
        """
        names = {alarm.name for alarm in self.alarms}
        items = [item for item in self._items() if item.get("AlarmName") in names]
        acted = {
            (item["AlarmName"], _data(item).get("stateUpdateTimestamp"))
            for item in items
            if item.get("HistoryItemType") == "Action"
            and _data(item).get("actionState") == "Succeeded"
        }
        for item in items:
            if item.get("HistoryItemType") != "StateUpdate":
                continue
            name, at = item["AlarmName"], item["Timestamp"].timestamp()
            if (name, round(1000 * at)) in self._changes:
                continue
            self._changes.add((name, round(1000 * at)))
            new = _data(item).get("newState") or {}
            change = Change(
                at=int(at), real=at, alarm=name, state=str(new.get("stateValue", "")),
                reason=str(new.get("stateReason") or item.get("HistorySummary", "")),
                notified=any(
                    who == name and abs(int(when or 0) - 1000 * at) < 1000 for who, when in acted
                ),
            )  # fmt: skip
            yield {"kind": "change", "change": asdict(change)}
        # An action is listed a moment after its transition.
        self._history_since = now - 2 * MINUTE

    def _items(self) -> list[Any]:
        items: list[Any] = []
        asked: dict[str, Any] = {
            "AlarmTypes": _TYPES,
            "StartDate": datetime.fromtimestamp(self._history_since, UTC),
            "ScanBy": "TimestampDescending", "MaxRecords": 100,
        }  # fmt: skip
        with aws_errors(self._target.settings):
            for _ in range(_HISTORY_PAGES):
                reply = self._target.cloudwatch.describe_alarm_history(**asked)
                items += reply.get("AlarmHistoryItems", [])
                if not reply.get("NextToken"):
                    break
                asked["NextToken"] = reply["NextToken"]
        return items[::-1]

    def _lines(self, now: float) -> Event:
        skipped = []
        lines: list[Line] = []
        for function in self._functions:
            read, complete = self._of(function)
            lines += [line for line in read if self._new(line)]
            newest = max((line.at for line in read), default=0)
            if complete:
                since = max(self._lines_since[function], newest - LATE_MS)
            else:
                since = round(1000 * now)
                skipped.append(function)
            self._lines_since[function] = since
        self.skipped = ", ".join(skipped)
        while len(self._seen) > 100_000:
            del self._seen[next(iter(self._seen))]
        lines.sort(key=lambda line: line.at)
        return {
            "kind": "seen", "until": now,
            "lines": [[line.at, line.function, line.text] for line in lines],
        }  # fmt: skip

    def _of(self, function: str) -> tuple[list[Line], bool]:
        """A function's lines of ours, and whether all of them were read."""
        lines: list[Line] = []
        asked: dict[str, Any] = {
            "logGroupName": self._target.settings.log_group_name(function),
            "startTime": self._lines_since[function],
            # Lines in JSON with a field. Source: CloudWatch Logs user guide, filter patterns.
            "filterPattern": '{ $.event = "*" }',
        }
        with aws_errors(self._target.settings):
            for _ in range(_LOG_PAGES):
                reply = self._target.logs.filter_log_events(**asked)
                for event in reply.get("events", []):
                    text = event["message"].rstrip()
                    lines.append(Line(event["timestamp"], function, text, fields_of(text)))
                if not reply.get("nextToken"):
                    return lines, True
                asked["nextToken"] = reply["nextToken"]
        return lines, False

    def _new(self, line: Line) -> bool:
        key = (line.at, line.function, line.text)
        if key in self._seen:
            return False
        self._seen[key] = None
        return bool(line.fields)


def _data(item: Mapping[str, Any]) -> dict[str, Any]:
    """Source of its fields: AWS CLI, the example of describe-alarm-history, 2026-11-26."""
    try:
        document = json.loads(item.get("HistoryData", ""))
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _api_id(alarms: Sequence[AnyAlarm]) -> str:
    """The HTTP API's id, which only what is deployed knows; empty where no alarm reads it."""
    metrics: Iterable[MetricKey] = (
        query.metric
        for alarm in alarms
        if isinstance(alarm, MetricAlarm)
        for query in alarm.queries
        if query.metric
    )
    return next(
        (value for key in metrics for name, value in key.dimensions if name == "ApiId"), ""
    )  # fmt: skip


def _placed(metric: MetricKey, api: str) -> MetricKey:
    """A metric with the API's id."""
    dimensions = {
        name: api if value == UNKNOWN_API and api else value for name, value in metric.dimensions
    }
    return MetricKey.of(metric.namespace, metric.name, dimensions)
