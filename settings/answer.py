"""What a source answers once a webhook is queued."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from settings.forms import Form
from settings.monitoring import Part

ContentType = Annotated[
    str,
    AfterValidator(
        Form("a content type such as text/plain", r"[\w.+-]+/[\w.+-]+(; ?[\w-]+=[\w-]+)*")
    ),
]


class Answer(Part):
    """What a provider wants to be answered instead of the message's id."""

    # Any other says that the webhook was not taken.
    status: int = Field(default=200, ge=200, le=299, description="The HTTP status.")
    body: str = Field(default="", max_length=1024, description="The body, as it is sent.")
    contentType: ContentType = Field(
        default="text/plain; charset=utf-8", description="Its content type, where there is a body."
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.status == 204 and self.body:
            raise ValueError("a 204 has no body; remove body or set status to 200")
        return self
