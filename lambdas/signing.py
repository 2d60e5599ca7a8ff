"""Each attempt's own signature, in the form of Standard Webhooks, with a secret of ours.

A sender's signature expires while its webhook waits; this one is made with the attempt, so that a
backend can verify what an outage delayed. Source: Standard Webhooks specification, "Webhook
metadata" and "Signature scheme":
github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from lambdas.base import observe
from lambdas.base.secrets import Secrets, UnavailableError, valid

HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")

_PREFIX = "whsec_"
# Source: the same specification: 192 to 512 bits.
_LEAST_BYTES, _MOST_BYTES = 24, 64


class Signer:
    """Signs attempts with the secrets that are valid at present.

    Args:
        arn: of the secret in Secrets Manager: ``whsec_…``, or JSON with ``current`` and, during a
            rotation, ``previous``.
        secrets: those of the container.
    """

    def __init__(self, arn: str, secrets: Secrets | None = None) -> None:
        self._arn = arn
        self._secrets = secrets or Secrets(report=unreadable)
        self._read: dict[str, str] | None = None
        self._keys: list[bytes] = []

    def prepared(self, *, within: float) -> bool:
        """Whether there is a key to sign with.

        A secret that becomes malformed leaves the last good keys in use.

        Args:
            within: seconds that reading the secret may take.
        """
        try:
            members = self._secrets.get(self._arn, within=within)
        except UnavailableError:
            return False
        if members is not self._read:
            try:
                self._keys = [key(text) for text in valid(members)]
                self._read = members
            except ValueError:
                unreadable("NotASigningSecret")
        return bool(self._keys)

    def headers(self, message_id: str, body: bytes, *, at: int) -> dict[str, str]:
        """The three headers of an attempt; with two secrets, two signatures.

        Args:
            message_id: the first that the webhook had.
            at: of the attempt, seconds since the epoch.
        """
        signed = f"{message_id}.{at}.".encode() + body
        macs = [hmac.digest(key, signed, hashlib.sha256) for key in self._keys]
        signatures = " ".join(f"v1,{base64.b64encode(mac).decode()}" for mac in macs)
        return dict(zip(HEADERS, (message_id, str(at), signatures), strict=True))


def key(text: str) -> bytes:
    """A secret's key.

    Raises:
        ValueError: When it does not have the specification's form.
    """
    decoded = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    if not text.startswith(_PREFIX) or not _LEAST_BYTES <= len(decoded) <= _MOST_BYTES:
        raise ValueError("not whsec_ and 24 to 64 bytes in base64")
    return decoded


def unreadable(code: str) -> None:
    """Counts and reports a signing secret that can't be used.

    Args:
        code: AWS's error, or what is wrong with the secret.
    """
    observe.log(
        "ERROR", "signing.unreadable", metrics={"SigningSecretUnreadable": 1}, aws_error=code
    )
    observe.report(f"The signing secret can't be used: {code}")
