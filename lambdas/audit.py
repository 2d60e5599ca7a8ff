"""Every half hour: is each accepted webhook delivered, parked, dropped, or waiting?

Ids of publish's log are compared with those of subscribe's; what is left is looked up in the
record. What is neither settled nor waiting is a suspect, and lost once it still is at another look.
A line that is missing, late or doubled costs a look, never an alarm. What could not be reconciled
is reported as well: ``docs/decisions/0012-audit.md``.
"""

from __future__ import annotations

import os
import time
from typing import Any

from lambdas.base import observe

with observe.loading():
    from collections.abc import Callable, Mapping, Sequence
    from dataclasses import dataclass, replace

    from lambdas import audit_ledger, audit_log, audit_parked, audit_record, audit_verdicts
    from lambdas.audit_verdicts import Evidence, Followed
    from lambdas.base import aws
    from lambdas.timestamps import iso


@dataclass(frozen=True, slots=True)
class AuditConfig:
    """``audit``'s environment.

    Attributes:
        publish_log, subscribe_log: names of their log groups.
        queue: the FIFO queue's name.
        table: of records.
        ledger: the table that holds what the audit remembers.
        parking: the table of parked webhooks.
        keep: how long it keeps one, seconds.
        settle: how old a webhook is when it is first looked for, milliseconds.
        pause: the longest time for which a failed message is put back, milliseconds.
    """

    publish_log: str
    subscribe_log: str
    queue: str
    table: str
    ledger: str
    parking: str
    keep: int
    settle: int
    pause: int

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> AuditConfig:
        return cls(
            environ["PUBLISH_LOG"],
            environ["SUBSCRIBE_LOG"],
            environ["QUEUE_NAME"],
            environ["TABLE"],
            environ["LEDGER_TABLE"],
            environ["PARKING_TABLE"],
            int(environ["PARKING_KEEP_SECONDS"]),
            1000 * int(environ["SETTLE_SECONDS"]),
            1000 * int(environ["PAUSE_SECONDS"]),
        )


with observe.loading():
    CONFIG = AuditConfig.read(os.environ)

# Milliseconds that the first run looks back, and the most that a later one catches up on.
_FIRST = 30 * 60_000
_MOST_BEHIND = 6 * 3_600_000
# Milliseconds before a webhook's line in which it may be delivered already.
_EARLY = 2 * 60_000
# How far back subscribe's log is read at least, in ages at a first look, so that it shows how
# long webhooks wait at present.
_HISTORY = 3

# Shares of an invocation's time after which each step ends. The last is for the ledger.
_PARKED_SHARE, _PUBLISH_SHARE, _SUBSCRIBE_SHARE, _RECORD_SHARE = 0.05, 0.4, 0.8, 0.9
_LEDGER_SECONDS = 20.0
_CALL_SECONDS = 3.0
# Lines that name one lost webhook each, of one run.
_NAMED = 100


@observe.observed
def handler(_event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Looks at what stays parked, then at what was accepted since the run before, and reports."""
    whole = context.get_remaining_time_in_millis() / 1000
    begun = time.monotonic()
    audit_parked.report(CONFIG.parking, keep=CONFIG.keep, within=_PARKED_SHARE * whole)
    try:
        _reconcile(lambda share: begun + share * whole)
    except aws.AwsError as error:
        observe.log("WARNING", "audit.skipped", aws_error=error.code)
    return {}


def _reconcile(until: Callable[[float], float]) -> None:
    """One look at everything that is followed.

    Args:
        until: when the steps end, by the monotonic clock, for a share of the time.

    Raises:
        AwsError: When something can't be read or written; the next run then covers this one.
    """
    now = round(time.time() * 1000)
    ledger = audit_ledger.read(CONFIG.ledger, within=_LEDGER_SECONDS)
    end = max(now - CONFIG.settle, ledger.until)
    wanted = ledger.until or end - _FIRST
    begin = max(wanted, end - _MOST_BEHIND)
    webhooks, read_until = audit_log.accepted(
        CONFIG.publish_log, begin - audit_log.REPEAT, end, until=until(_PUBLISH_SHARE)
    )
    read_until = max(read_until, begin)
    handled_since = min(begin - _EARLY, now - _HISTORY * CONFIG.settle)
    seen = audit_log.seen(CONFIG.subscribe_log, handled_since, now, until=until(_SUBSCRIBE_SHARE))
    before = [
        webhook
        for webhook in ledger.followed
        if not seen.settles(webhook.id, webhook.group_id, webhook.sequence)
    ]
    fresh = list(audit_verdicts.originals(webhooks, seen, begin=begin))
    followed = [*before, *fresh]
    evidence, unasked = _evidence(followed, seen, now=now, until=until(_RECORD_SHARE))
    waits = audit_verdicts.waiting(_unsettled(followed, evidence), evidence)
    further = audit_verdicts.after_look(followed, waits, evidence)
    kept = audit_verdicts.bounded(further, audit_ledger.MOST)
    audit_ledger.write(
        CONFIG.ledger, ledger, until=read_until, followed=kept, within=_LEDGER_SECONDS
    )
    accepted = sum(webhook.at >= begin for webhook in webhooks)
    _report(kept, now=now, since=begin, until=read_until, accepted=accepted, waits=len(waits))
    _report_unreconciled(
        {
            "Skipped": (wanted, begin),
            "Unread": (read_until, end),
            "HalfRead": (begin, begin if seen.whole else now),
        },
        count=len(further) - len(kept) + unasked,
    )


def _evidence(
    followed: Sequence[Followed], seen: audit_log.Seen, *, now: int, until: float
) -> tuple[Evidence, int]:
    """What is known of those followed, and how many the record was not asked about for lack of
    time.

    Raises:
        AwsError: When the queue or the record can't be asked.
    """
    evidence = Evidence(
        now=now,
        settle=CONFIG.settle,
        pause=CONFIG.pause,
        seen=seen,
        empty=_is_empty() if followed and seen.reach() is None else None,
        record={},
    )
    asked = _to_ask(followed, evidence)
    record = audit_record.standings(CONFIG.table, asked, until=until)
    return replace(evidence, record=record), len(set(asked) - record.keys())


def _to_ask(followed: Sequence[Followed], evidence: Evidence) -> list[str]:
    """Those that the logs alone do not explain, the suspects of the run before first."""
    waits = audit_verdicts.waiting(followed, evidence)
    unexplained = [webhook for webhook in followed if webhook.id not in waits]
    unexplained.sort(key=lambda webhook: (not webhook.suspect_since, webhook.accepted_at))
    return [webhook.id for webhook in unexplained]


def _unsettled(followed: Sequence[Followed], evidence: Evidence) -> list[Followed]:
    return [
        webhook
        for webhook in followed
        if not (webhook.id in evidence.record and evidence.record[webhook.id].settled)
    ]


def _is_empty() -> bool:
    """Whether SQS says that the queue holds nothing.

    Raises:
        AwsError: When it can't be asked.
    """
    limits = {"seconds": _CALL_SECONDS, "within": 2 * _CALL_SECONDS}
    url = aws.SQS.call("GetQueueUrl", {"QueueName": CONFIG.queue}, **limits)["QueueUrl"]
    names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
    request = {"QueueUrl": url, "AttributeNames": names}
    counts = aws.SQS.call("GetQueueAttributes", request, **limits).get("Attributes", {})
    return bool(counts) and all(int(count) == 0 for count in counts.values())


def _report(
    followed: Sequence[Followed], *, now: int, since: int, until: int, accepted: int, waits: int
) -> None:
    """Says what was found; only a loss becomes a metric, which is charged by the hour."""
    lost = [webhook for webhook in followed if webhook.lost_since]
    newly = sorted(webhook for webhook in lost if webhook.lost_since == now)
    for webhook in newly[:_NAMED]:
        observe.log(
            "ERROR",
            "webhook.lost",
            message_id=webhook.id,
            group_id=webhook.group_id,
            sequence_number=str(webhook.sequence),
            since=iso(webhook.accepted_at, "seconds"),
        )
    observe.log(
        "ERROR" if lost else "INFO",
        "audit.unaccounted" if lost else "audit.balanced",
        metrics={"Unaccounted": len(lost)} if lost else None,
        accepted=accepted,
        queued=waits,
        uncertain=sum(bool(webhook.suspect_since and not webhook.lost_since)
                      for webhook in followed),
        unaccounted=len(lost),
        since=iso(since, "seconds"),
        until=iso(until, "seconds"),
    )  # fmt: skip


def _report_unreconciled(stretches: Mapping[str, tuple[int, int]], *, count: int) -> None:
    """Says what was not looked at: silence means that everything was.

    Args:
        stretches: what was not read, by why: of publish's log ``Skipped``, which no run will read,
            and ``Unread``, which the next one reads; of subscribe's log ``HalfRead``, so that
            nothing becomes a suspect. Milliseconds since the epoch.
        count: webhooks that were not looked up, or are not followed further.
    """
    for error, (since, until) in stretches.items():
        if since < until:
            observe.log(
                "WARNING",
                "audit.incomplete",
                error=error,
                since=iso(since, "seconds"),
                until=iso(until, "seconds"),
            )
    if count:
        observe.log("WARNING", "audit.incomplete", error="TooMany", unreconciled=count)
