"""GitHub's example webhooks, to be sent by hand."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from settings.errors import InputError, ToolError
from webhook_buffer.laptop import demo
from webhook_buffer.operations.cdk import node_modules
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.send import Sender, Webhook


class Examples:
    """One example of each kind of GitHub's events."""

    def __init__(self, target: Environment | None) -> None:
        self.endpoint = target.public_url if target else None

    @cached_property
    def _by_name(self) -> dict[str, Webhook]:
        if self.endpoint is None:
            return {}
        try:
            every = demo.examples(node_modules("@octokit/webhooks-examples"))
        except (OSError, ToolError):
            return {}
        return {
            example.webhook.headers["X-GitHub-Event"]: example.webhook
            for example in reversed(every)
        }

    def names(self) -> list[str]:
        """The kinds of events, by name."""
        return sorted(self._by_name)

    def send(self, name: str) -> dict[str, Any]:
        """Sends one to the buffer; what it answered.

        Raises:
            InputError: When nothing runs that takes it.
        """
        if self.endpoint is None:
            raise InputError("This console shows a file: nothing runs that takes a webhook.")
        receipt = Sender(self.endpoint).post(self._by_name[name])
        return {
            "status": receipt.status,
            "answer": dict(receipt.answer),
            "took_ms": round(1000 * receipt.seconds, 1),
        }
