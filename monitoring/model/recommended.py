"""What others recommend to monitor, beside what we do about it, as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Service(StrEnum):
    """What a recommendation is about."""

    LAMBDA = "Lambda"
    SQS = "SQS"
    API_GATEWAY = "API Gateway"
    DYNAMODB = "DynamoDB"


@dataclass(frozen=True, slots=True)
class Source:
    """Where recommendations were read.

    Attributes:
        name: for the table.
        where: its address.
    """

    name: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """One thing to monitor, and what of ours monitors it.

    Attributes:
        name, fires: in the source's words and numbers.
        metric: that it evaluates, as Datadog names it.
        ours: ids of signals and monitors; none where the recommendation is refused.
        another_metric: whether ours evaluate something else instead, for which ``reason`` speaks.
        reason: how ours differ, or why there is none.
    """

    service: Service
    source: Source
    name: str
    fires: str
    metric: str
    ours: tuple[str, ...] = ()
    another_metric: bool = False
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Charted:
    """A metric that a dashboard of Datadog's own shows, or can show.

    Attributes:
        metric: as Datadog names it.
        reason: why ours leave it out; empty where they show it.
    """

    service: Service
    source: Source
    metric: str
    reason: str = ""
