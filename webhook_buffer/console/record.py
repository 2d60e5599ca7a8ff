"""A webhook's request as it was received, from the record."""

from __future__ import annotations

from typing import Any

from webhook_buffer.operations import records
from webhook_buffer.operations.environment import Environment

# Of a body on the page.
_BODY_CHARACTERS = 100_000


class Records:
    """The record of what runs; of a file there is none."""

    def __init__(self, target: Environment | None) -> None:
        self._target = target

    @property
    def withheld(self) -> bool:
        """Whether requests are shown only when somebody asks: those of an environment on AWS."""
        return self._target is not None and not self._target.settings.on_laptop

    def request(self, message_id: str) -> dict[str, Any] | None:
        """Path, method, headers and body as recorded; None before the first attempt.

        Raises:
            WebhookBufferError: When AWS can't be asked.
        """
        if self._target is None:
            return None
        recorded = records.whole(self._target, message_id)
        if recorded is None:
            return None
        request = recorded.readable()
        if request["body"]:
            request["body"] = request["body"][:_BODY_CHARACTERS]
        return request
