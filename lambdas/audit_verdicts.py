"""Which accepted webhooks are accounted for, which wait, and which nobody knows of.

Pure: it reads no log, no table and no clock. That a webhook waits is inferred, because a queue
can't be asked for a message: ``docs/decisions/0012-audit.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from lambdas.audit_log import REPEAT, Accepted, Seen

# A lost webhook is reported for this long, milliseconds.
KEEP_LOST = 6 * 3_600_000
# The share of the time until the first look that a message may wait beyond what the slowest one
# of the log waited twice. Assumed: SQS passes over no group for longer; AWS promises no figure.
_GRACE = 0.25


class Followed(NamedTuple):
    """An accepted webhook that has not been seen to leave the queue.

    Attributes:
        sequence: SQS's number, which rises within a group; 0 where it is not known.
        suspect_since: when it was first found neither settled nor waiting; 0 while it is neither.
        lost_since: when it was so at a second look; 0 before.

    All times in milliseconds since the epoch.
    """

    id: str
    group_id: str
    sequence: int
    accepted_at: int
    suspect_since: int = 0
    lost_since: int = 0


class Standing(NamedTuple):
    """What the record says of a webhook.

    Attributes:
        settled: whether it was delivered, parked or dropped.
        tried_at: when its latest attempt began, milliseconds since the epoch; 0 without any.
    """

    settled: bool
    tried_at: int


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What one run has to go by.

    Attributes:
        now: milliseconds since the epoch.
        settle: how old a webhook is at its first look at least, milliseconds.
        pause: the longest time for which a failed message is put back, milliseconds.
        empty: whether the queue says that it holds nothing; None where it was not asked.
        record: by webhook, of those that were looked up.
    """

    now: int
    settle: int
    pause: int
    seen: Seen
    empty: bool | None = None
    record: Mapping[str, Standing]


def originals(webhooks: Iterable[Accepted], seen: Seen, *, begin: int) -> Iterator[Followed]:
    """The webhooks of a window that the log does not settle, without what SQS took for repeats.

    Args:
        webhooks: of the window, and of ``REPEAT`` milliseconds before it.
        begin: of the window, milliseconds since the epoch.
    """
    latest: dict[tuple[str, str], list[Accepted]] = {}
    clusters: list[list[Accepted]] = []
    for webhook in sorted(webhooks, key=lambda webhook: webhook.at):
        key = (webhook.group_id, webhook.mark) if webhook.mark else (webhook.id, "")
        cluster = latest.get(key)
        if cluster is None or webhook.at - cluster[0].at > REPEAT:
            cluster = latest[key] = []
            clusters.append(cluster)
        cluster.append(webhook)
    for cluster in clusters:
        first = cluster[0]
        if first.at >= begin and not any(
            seen.settles(webhook.id, webhook.group_id, webhook.sequence) for webhook in cluster
        ):
            yield Followed(first.id, first.group_id, first.sequence, first.at)


def waiting(followed: Iterable[Followed], evidence: Evidence) -> set[str]:
    """The ids of those that may wait: where one waits, all that follow it in its group do."""
    ids = set()
    in_order = sorted(followed, key=lambda webhook: (webhook.group_id, webhook.sequence))
    for _, group in groupby(in_order, key=lambda webhook: webhook.group_id):
        behind = False
        for webhook in group:
            behind = behind or _waits(webhook, evidence)
            if behind:
                ids.add(webhook.id)
    return ids


def _waits(webhook: Followed, evidence: Evidence) -> bool:
    """Whether a webhook may wait at the head of its group.

    SQS hands out a group in order: what a later one has overtaken is not in the queue. A head that
    fails comes again after a pause at most, and says so in the log and in the record. Any other
    waits no longer than the others of the log waited; where too few were received to say how
    long that is, it waits unless the queue is empty.
    """
    seen = evidence.seen
    if 0 < webhook.sequence < seen.highest.get(webhook.group_id, 0):
        return False
    reach = seen.reach()
    patience = round(_GRACE * evidence.settle) + 2 * (reach or 0)
    standing = evidence.record.get(webhook.id)
    put_back_at = max(seen.stays_at(webhook.group_id) or 0, standing.tried_at if standing else 0)
    if put_back_at and evidence.now <= put_back_at + evidence.pause + patience:
        return True
    if reach is None:
        return evidence.empty is not True
    latest = seen.latest.get(webhook.group_id)
    head_since = max(webhook.accepted_at, latest.at if latest else 0)
    return evidence.now <= head_since + patience


def after_look(followed: Iterable[Followed], waits: set[str], evidence: Evidence) -> list[Followed]:
    """What is followed further: what was settled is not, nor what has been lost for long enough."""
    further = []
    for webhook in followed:
        standing = evidence.record.get(webhook.id)
        if standing and standing.settled:
            continue
        if webhook.id in waits:
            further.append(webhook._replace(suspect_since=0, lost_since=0))
            continue
        if standing is None:
            further.append(webhook)  # nobody was asked: a later run asks
            continue
        since = webhook.suspect_since or evidence.now
        lost = webhook.lost_since
        if not lost and webhook.suspect_since and evidence.now - since >= evidence.settle:
            lost = evidence.now
        if not lost or evidence.now - lost <= KEEP_LOST:
            further.append(webhook._replace(suspect_since=since, lost_since=lost))
    return further


def bounded(followed: Sequence[Followed], most: int) -> list[Followed]:
    """As many as can be followed: those that may be lost first, then the oldest."""
    if len(followed) <= most:
        return list(followed)
    by_worth = sorted(
        followed, key=lambda webhook: (not webhook.suspect_since, webhook.accepted_at, webhook.id)
    )
    return by_worth[:most]
