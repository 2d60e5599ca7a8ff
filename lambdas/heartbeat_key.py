"""The key that proves to ``publish`` that a heartbeat is the monitoring's own.

It is made with the deployment and known to ``heartbeat`` and ``publish`` only. ``publish`` reads it
when a request claims to be a heartbeat, so that no webhook waits for it.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from lambdas.base import observe
from lambdas.base.envelope import HEARTBEAT_HEADER, HEARTBEAT_PATH, Envelope

if TYPE_CHECKING:
    from lambdas.base.secrets import Secrets

# A proof that somebody overheard is good for no longer.
_TOLERANCE_SECONDS = 300


class HeartbeatKey:
    """The key, read when it is first needed.

    Args:
        secret: its name or ARN in Secrets Manager.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._secrets: Secrets | None = None

    def proof(self, body: bytes, *, at: int, within: float) -> str:
        """What a heartbeat's header says.

        Args:
            at: seconds since the epoch.
            within: seconds that reading the key may take.

        Raises:
            UnavailableError: When the key can't be read.
        """
        return f"{at}.{_mac(self._key(within), at, body)}"

    def proves(self, webhook: Envelope, *, now: float, within: float) -> bool:
        """Whether a request is a heartbeat of ours.

        Args:
            now: seconds since the epoch.
            within: seconds that reading the key may take.

        Raises:
            UnavailableError: When the key can't be read.
        """
        at, _, mac = _claim(webhook).partition(".")
        if not at.isdecimal() or len(at) > 12 or abs(now - int(at)) > _TOLERANCE_SECONDS:
            return False
        wanted = _mac(self._key(within), int(at), webhook.body)
        return hmac.compare_digest(wanted.encode(), mac.encode("utf-8", "surrogatepass"))

    def _key(self, within: float) -> bytes:
        from lambdas.base.secrets import Secrets

        self._secrets = self._secrets or Secrets(report=_unreadable)
        return self._secrets.get(self._secret, within=within)["current"].encode()


def claimed(webhook: Envelope) -> bool:
    """Whether a request has a heartbeat's path and header, which anybody can write."""
    return webhook.path == HEARTBEAT_PATH and bool(_claim(webhook))


def _claim(webhook: Envelope) -> str:
    return next((text for name, text in webhook.headers if name.lower() == HEARTBEAT_HEADER), "")


def _mac(key: bytes, at: int, body: bytes) -> str:
    return hmac.new(key, f"{at}.".encode() + body, hashlib.sha256).hexdigest()


def _unreadable(code: str) -> None:
    observe.log("ERROR", "heartbeat-key.unreadable", aws_error=code)
