"""The part of an environment's block about webhooks that the backend does not take."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le
from pydantic import Field

from lambdas.expiry import EXPIRING_SHARE
from settings.monitoring import Part

Status = Annotated[int, Ge(300), Le(499)]

# Source: RFC 9110, 15.5 (407, 408), RFC 4918 (423), RFC 8470 (425), RFC 6585 (429); 409 is what
# APIs answer while another request changes the same thing.
TEMPORARY = [407, 408, 409, 423, 425, 429]


class FailurePolicy(Part):
    """When a webhook that the backend does not take is parked, and what its group does."""

    # Not "group" by default: there a stranger's forged webhook halts a group until somebody comes.
    onPark: Literal["message", "group"] = Field(
        default="message",
        description="`message` sets a refused webhook aside, and its group goes on. `group` holds "
        "the group: what follows is parked behind it, in order, until it is released.",
    )
    temporaryStatuses: list[Status] = Field(
        default=TEMPORARY,
        max_length=50,
        description="The 3xx and 4xx answers that are temporary, as network errors, timeouts and "
        "5xx always are. All other 3xx and 4xx are refusals.",
    )
    refusals: int = Field(
        default=5,
        ge=2,
        le=100,
        description="Refusals after which a webhook is parked. A refusal counts only if a webhook "
        "of another group of the same source was delivered since the previous attempt.",
    )
    refusalMinutes: int = Field(
        default=15,
        ge=1,
        le=1440,
        description="Minimum minutes from the first counted refusal until the webhook is parked.",
    )
    uncountedHours: int = Field(
        default=24,
        ge=1,
        le=240,
        description="Hours of refusals alone, counted or not, after which the webhook is parked "
        "and its group held.",
    )
    # Ten days of fourteen: what is queued behind it has to be parked in time as well.
    longestHours: int | None = Field(
        default=None,
        ge=1,
        le=300,
        description="Age at which a webhook that still fails is parked and its group held, "
        "whatever the failure, because SQS would delete it in the end. Default: five sevenths of "
        "`retentionDays`.",
    )
    parkedPerHour: int = Field(
        default=100,
        ge=1,
        le=10_000,
        description="Maximum refused webhooks of a source that are parked in an hour. Beyond that "
        "they wait in the queue, and `parking-braked` pages.",
    )
    keepDays: int = Field(
        default=30,
        ge=2,
        le=3650,
        description="How long a parked webhook is kept. `parked-expiring` reports it at "
        f"{100 * EXPIRING_SHARE:g} %.",
    )
    breaker: bool = Field(
        default=True,
        description="Pause attempts while the backend does not answer, or answers 5xx, for "
        "everybody: then each container of `subscribe` makes one attempt in 30 s to 5 min, and "
        "puts other webhooks back unattempted. `retryMaxSeconds` limits these pauses as well.",
    )
    retrySharePercent: int = Field(
        default=50,
        ge=10,
        le=100,
        description="The share of the time of `subscribe` that attempts may take which fail again, "
        "so that webhooks that hang leave room for others. 100: no limit.",
    )

    @property
    def expiring_percent(self) -> float:
        """After how much of ``keepDays`` a parked webhook is reported, percent."""
        return 100 * EXPIRING_SHARE
