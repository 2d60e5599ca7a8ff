"""What ``publish`` asks of the sources: who sent this, and is it to be queued?"""

from __future__ import annotations

from pathlib import Path

from lambdas.envelope import Envelope
from lambdas.reply import Reply, refusal
from lambdas.sources import networks, routing, table
from lambdas.sources.table import Source


class Intake:
    """An environment's sources at work.

    Args:
        file: with its sources.
    """

    def __init__(self, file: Path) -> None:
        self._sources = table.read(file)

    def route(self, webhook: Envelope, *, address: str) -> Source | Reply:
        """The source of a request, or what it is answered instead of being queued.

        Args:
            address: of whoever sent it, as the API saw it.
        """
        found = routing.route(self._sources, webhook.method, webhook.path)
        if isinstance(found, routing.Refusal):
            if found.status == 404:
                return refusal(404, _NO_SOURCE, reason="no-source")
            return refusal(405, _METHOD, {"Allow": ", ".join(found.allowed)}, reason="method")
        if found.allowed and not networks.contain(found.allowed, address):
            return refusal(403, _ADDRESS, source=found.name, reason="address")
        return found


_NO_SOURCE = "No source takes this path. Send to one that this environment's 'sources' names."
_METHOD = "The source at this path does not take this method. Send with one that Allow names."
_ADDRESS = (
    "The source at this path does not take requests from this address. "
    "Add the sender's network to the source's 'allowedIps' setting."
)
