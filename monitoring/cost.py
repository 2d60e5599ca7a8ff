"""What an environment's monitoring costs in a month without incidents, at list prices.

Free tiers are left out: they are the account's, and something else may have used them up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitoring.alarm_set import Alarm, AlarmSet
from monitoring.model import metrics
from settings.names import FUNCTION_MEMORY_MB


@dataclass(frozen=True, slots=True)
class Price:
    """A list price of us-east-1, in US dollars.

    Attributes:
        amount: for ``units`` of ``per``.
        source: where it was read; none comes from a page of AWS itself.
        date: of the source; "undated, to be checked" where it says none.
    """

    amount: float
    per: str
    source: str
    date: str
    units: int = 1


_UNDATED = "undated, to be checked"
_FACTUALMINDS = ("factualminds.com", "2026-06-13")
_CLOUDBURN = ("cloudburn.io/blog/amazon-sqs-pricing", "2026-03-14")
_LAMBDA = ("git.mcrn.ar, lambda-13-cost.md", _UNDATED)
_MILLION = 1_000_000
PRICES: Mapping[str, Price] = {
    "alarm metric": Price(0.10, "metric of an alarm, a month", "amazonwebshark.com", "2022-04"),
    "composite alarm": Price(
        0.50, "composite alarm, a month", "c3x.dev, where one line contradicts it", _UNDATED
    ),
    "custom metric": Price(
        0.30, "metric written all month", "signoz.io/guides/cloudwatch-pricing", "2026-02-15"
    ),
    "dashboard": Price(3.00, "dashboard, a month", *_FACTUALMINDS),
    "key": Price(1.00, "KMS key, a month", *_FACTUALMINDS),
    "key request": Price(0.03, "requests to KMS", *_FACTUALMINDS, units=10_000),
    "log": Price(0.50, "GB of logs taken in", *_FACTUALMINDS),
    "GB-second": Price(13.3334, "GB-seconds of Lambda, arm64", *_LAMBDA, units=_MILLION),
    "invocation": Price(0.20, "invocations of Lambda", *_LAMBDA, units=_MILLION),
    "SQS request": Price(0.40, "requests to standard queues", *_CLOUDBURN, units=_MILLION),
    "FIFO request": Price(0.50, "requests to FIFO queues", *_CLOUDBURN, units=_MILLION),
    "SNS publish": Price(0.50, "messages to topics", *_FACTUALMINDS, units=_MILLION),
    "metric read": Price(
        0.01, "metrics that GetMetricData reads", "support.site24x7.com", _UNDATED, units=1000
    ),
    "API request": Price(
        1.00, "requests to HTTP APIs", "cloud-horizons.com", "2026-05-08", units=_MILLION
    ),
    "write": Price(
        0.625, "writes to DynamoDB", "a public repository, us-west-2", "2026", units=_MILLION
    ),
    "read": Price(
        0.125, "reads of DynamoDB", "airbyte.com, dynamodb-pricing", _UNDATED, units=_MILLION
    ),
    "object": Price(
        5.00, "objects put into S3", "devnotes.tech, S3 pricing", _UNDATED, units=_MILLION
    ),
    "secret": Price(0.40, "secret, a month", "hivebook.wiki", _UNDATED),
}

# For tables that show amounts without their sources.
DATED = "list prices of us-east-1, 2022 to 2026"

_MINUTES, _SECONDS = 43_200, 2_592_000  # of 30 days
# Lambda polls an idle queue with five long polls of 20 s. Source: Lambda developer guide, "Using
# Lambda with Amazon SQS".
_IDLE_POLLS = 5 * _SECONDS // 20
# Assumed: seconds of all functions that one heartbeat runs through, and kB that they log.
_HEARTBEAT_SECONDS, _HEARTBEAT_KB = 0.5, 1.0
# The audit reads 35 minutes of publish's log and 60 of subscribe's every 30.
_AUDIT_WEBHOOKS, _AUDIT_RUNS_A_DAY, _AUDIT_LINES = 1_000_000, 48, (35 + 60) / 30
_AUDIT_SECONDS, _AUDIT_PAGE, _AUDIT_PAGE_SECONDS, _AUDIT_LOOKED_UP = 1.0, 1_000, 0.8, 200
_NOTIFY_SECONDS, _NOTIFY_KB = 0.1, 0.5


@dataclass(frozen=True, slots=True)
class CostLine:
    """A part of the bill.

    Attributes:
        quantity: in words.
        amount: US dollars a month.
    """

    part: str
    quantity: str
    amount: float
    remark: str


def monthly(alarm_set: AlarmSet) -> list[CostLine]:
    """The bill of a month of 30 days, part by part."""
    settings, ours = alarm_set.settings, alarm_set.resources.ours
    beats = _MINUTES // settings.heartbeatMinutes if ours and settings.heartbeat != "off" else 0
    lines = [*_alarms(alarm_set, probe=bool(beats)), *_metrics(ours=ours, heartbeat=bool(beats))]
    lines += _of_sources(len(settings.source_names))
    lines += [
        CostLine("dashboard", "1", dollars({"dashboard": 1}), "CloudWatch's"),
        CostLine("key", "1", dollars({"key": 1}), "encrypts the alarms' topics"),
        CostLine(
            "notification queue",
            f"{_IDLE_POLLS:,} polls",
            dollars({"SQS request": _IDLE_POLLS}),
            "Lambda polls it 5 times in 20 s, with or without messages",
        ),
    ]
    if beats:
        lines += [_heartbeat(beats, through_backend=settings.heartbeat == "backend")]
        remark = "proves that a heartbeat is ours"
        lines += [CostLine("key of the heartbeat", "1 secret", dollars({"secret": 1}), remark)]
        lines += [_probe(beats)]
    if ours:
        lines.append(_audit())
    secrets = len({channel.secretArn for channel in settings.notifications if channel.secretArn})
    if secrets:
        remark = "hold the channels' URLs and keys"
        lines.append(CostLine("secrets", str(secrets), dollars({"secret": secrets}), remark))
    return lines


def total(lines: list[CostLine]) -> float:
    """US dollars a month."""
    return sum(line.amount for line in lines)


def of_alarm(alarm: Alarm) -> float:
    """US dollars a month for one alarm: CloudWatch counts the metrics it reads."""
    return dollars({"alarm metric": alarm.metric_count})


def dollars(used: Mapping[str, float]) -> float:
    """US dollars for quantities of what has a price, by its name."""
    return sum(
        PRICES[name].amount / PRICES[name].units * quantity for name, quantity in used.items()
    )


def function_gb() -> float:
    """The memory of each function, as it is charged for."""
    return FUNCTION_MEMORY_MB / 1024


def _alarms(alarm_set: AlarmSet, *, probe: bool) -> list[CostLine]:
    read = sum(alarm.metric_count for alarm in alarm_set.alarms) + probe
    alarms = len(alarm_set.alarms) + probe
    lines = [
        CostLine(
            "alarms",
            f"{alarms} alarms, {read} metrics",
            dollars({"alarm metric": read}),
            "an alarm is charged for the metrics it reads"
            + ("; one is the heartbeat's probe" if probe else ""),
        )
    ]
    composites = len(alarm_set.composites)
    if composites:
        amount = dollars({"composite alarm": composites})
        remark = "several signals as one incident"
        lines.append(CostLine("composite alarms", str(composites), amount, remark))
    return lines


def _metrics(*, ours: bool, heartbeat: bool) -> list[CostLine]:
    if not ours:
        return []
    steady = [
        metric.name
        for metric in metrics.OURS
        if metric.steady and (heartbeat or metric is not metrics.HEARTBEAT_ARRIVED)
    ]
    rare = [
        metric.name
        for metric in metrics.OURS
        if not metric.steady and metric is not metrics.SOURCE_ACCEPTED
    ]
    amount = dollars({"custom metric": len(steady)})
    return [
        CostLine("metrics written all the time", str(len(steady)), amount, ", ".join(steady)),
        CostLine(
            "metrics written when it happens",
            str(len(rare)),
            0.0,
            f"nothing in a healthy month, else by the hour: {', '.join(rare)}, and the "
            "counts of the log filters",
        ),
    ]


def _of_sources(sources: int) -> list[CostLine]:
    if not sources:
        return []
    amount = dollars({"custom metric": sources})
    remark = f"{metrics.SOURCE_ACCEPTED.name} of each, in the hours in which it sends"
    return [CostLine("metrics of sources", str(sources), amount, remark)]


def _heartbeat(beats: int, *, through_backend: bool) -> CostLine:
    used = {
        "GB-second": function_gb() * beats * _HEARTBEAT_SECONDS,
        "invocation": 3 * beats,  # heartbeat, publish, subscribe
        "log": beats * _HEARTBEAT_KB / 1e6,
        "API request": beats,
        "FIFO request": 3 * beats,  # sent, received, deleted
        # With subscribe it ends before the record.
        "write": beats if through_backend else 0,
    }
    remark = (
        f"a test webhook along the whole path; assumed {_HEARTBEAT_SECONDS:g} s at "
        f"{function_gb():g} GB and {_HEARTBEAT_KB:g} kB of logs each"
    )
    return CostLine("heartbeat", f"{beats:,} runs", dollars(used), remark)


def _probe(beats: int) -> CostLine:
    used = {
        "SNS publish": beats,
        "key request": 2 * beats,  # SNS makes a data key, and opens it
        "SQS request": 2 * beats,  # sent, deleted; received by the polls
        "invocation": beats,
        "GB-second": function_gb() * beats * _NOTIFY_SECONDS,
        "log": beats * _NOTIFY_KB / 1e6,
    }
    remark = (
        "with each heartbeat an alarm goes off for notify only; assumed "
        f"{_NOTIFY_SECONDS:g} s at {function_gb():g} GB and {_NOTIFY_KB:g} kB of logs each"
    )
    return CostLine("probe of the alert path", f"{beats:,} runs", dollars(used), remark)


def _audit() -> CostLine:
    """No price list names FilterLogEvents: what is paid for is the time that reading takes."""
    lines = _AUDIT_WEBHOOKS / _AUDIT_RUNS_A_DAY * _AUDIT_LINES
    seconds = _AUDIT_SECONDS + lines / _AUDIT_PAGE * _AUDIT_PAGE_SECONDS
    runs = 30 * _AUDIT_RUNS_A_DAY
    used = {
        "invocation": runs,
        "GB-second": function_gb() * runs * seconds,
        "write": 2 * runs,  # a row of the ledger, and which it is
        "read": runs * (2 + 2 * _AUDIT_LOOKED_UP),
    }
    remark = (
        f"at {_AUDIT_WEBHOOKS:,} webhooks a day; assumed pages of {_AUDIT_PAGE:,} log lines, "
        f"{_AUDIT_PAGE_SECONDS:g} s each at {function_gb():g} GB, and {_AUDIT_LOOKED_UP} webhooks "
        "looked up in the record each time"
    )
    return CostLine("audit", f"{runs:,} runs", dollars(used), remark)
