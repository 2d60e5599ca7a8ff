"""A webhook's request as it was received, from the record table."""

from __future__ import annotations

import json
from typing import Any

from webhook_buffer.operations.environment import Environment, aws_errors


class Records:
    """The record table of what runs; of a file there is none."""

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
        with aws_errors(self._target.settings):
            item = self._target.dynamodb.get_item(
                TableName=self._target.settings.table_name, Key={"id": {"S": message_id}}
            ).get("Item", {})
        try:
            request: dict[str, Any] = json.loads(item["request"]["S"])
        except (KeyError, ValueError):
            return None
        return request
