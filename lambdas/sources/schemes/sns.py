"""Messages that Amazon SNS signs, with a certificate that is fetched from AWS's hosts only.

Source: SNS developer guide, "Verifying the signatures of Amazon SNS messages".
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from lambdas import http
from lambdas.envelope import Envelope
from lambdas.safe_json import json_object
from lambdas.sources.schemes.reasons import Reason
from lambdas.sources.schemes.scheme import UnreachableError

# Source: SNS developer guide, same page: only these hosts are Amazon's.
_CERTIFICATE_URL = re.compile(
    r"https://sns\.(?P<region>[a-z]{2}(?:-[a-z]+)+-[0-9])\.amazonaws\.com(?:\.cn)?"
    r"/SimpleNotificationService-[0-9a-f]{16,64}\.pem"
)
_CONFIRMATION_URL = re.compile(
    r"https://sns\.(?P<region>[a-z]{2}(?:-[a-z]+)+-[0-9])\.amazonaws\.com(?:\.cn)?"
    r"/\?Action=ConfirmSubscription&[A-Za-z0-9_=&%:.+-]{1,2048}"
)
_FETCH_SECONDS = 2.0
# AWS rotates certificates about once a year, per region.
_MOST_CERTIFICATES = 8
# Of a container: forged messages may name any number of certificates.
_MOST_FETCHES_A_MINUTE = 10

# What is signed, by the message's type, in this order; what a message lacks is left out.
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ),
}  # fmt: skip
_SIGNED["UnsubscribeConfirmation"] = _SIGNED["SubscriptionConfirmation"]


class Sns:
    """SNS's own scheme; it has no secrets.

    Args:
        topics: whose messages are taken, by ARN.
        tolerance: seconds between a message's timestamp and now. SNS signs once, and tries
            for an hour or more.
    """

    def __init__(self, *, topics: tuple[str, ...], tolerance: float) -> None:
        self._topics = topics
        self._tolerance = tolerance
        self._certificates: dict[str, Any] = {}
        self._fetches: list[float] = []

    def check(self, request: Envelope, secrets: Sequence[str], now: float) -> Reason | None:  # noqa: ARG002 - a scheme's signature
        """Why a request is refused; see ``Scheme``.

        Raises:
            UnreachableError: When the certificate can't be fetched.
        """
        message = json_object(request.body)
        names = _SIGNED.get(str((message or {}).get("Type")))
        if message is None or names is None or "Signature" not in message:
            return Reason.MISSING
        signed = {name: message[name] for name in names if message.get(name) is not None}
        values = [*signed.values(), message["Signature"]]
        if not all(isinstance(value, str) for value in values):
            return Reason.MALFORMED
        topic, version = message.get("TopicArn"), message.get("SignatureVersion")
        if version not in ("1", "2"):
            return Reason.MALFORMED
        if topic not in self._topics or not is_amazons(
            _CERTIFICATE_URL, message.get("SigningCertURL"), topic
        ):
            return Reason.FOREIGN
        if reason := self._untimely(signed.get("Timestamp", ""), now):
            return reason
        text = "".join(f"{name}\n{value}\n" for name, value in signed.items())
        genuine = self._verified(
            message["SigningCertURL"], version, text, message["Signature"], now
        )
        return None if genuine else Reason.WRONG

    def _untimely(self, timestamp: str, now: float) -> Reason | None:
        try:
            signed_at = datetime.fromisoformat(timestamp)
        except ValueError:
            return Reason.MALFORMED
        if signed_at.tzinfo is None:
            return Reason.MALFORMED
        age = now - signed_at.timestamp()
        if abs(age) <= self._tolerance:
            return None
        return Reason.OLD if age > 0 else Reason.EARLY

    def _verified(self, url: str, version: str, text: str, signature: str, now: float) -> bool:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA1, SHA256

        try:
            raw = base64.b64decode(signature, validate=True)
            self._key(url, now).verify(
                raw,
                text.encode("utf-8", "surrogatepass"),
                PKCS1v15(),
                SHA1() if version == "1" else SHA256(),  # noqa: S303 - SNS's version 1
            )
        except (binascii.Error, ValueError, InvalidSignature):
            return False
        return True

    def _key(self, url: str, now: float) -> Any:
        """The RSA key of a certificate, which is fetched once.

        Raises:
            UnreachableError: When it can't be fetched.
            ValueError: When it is not a certificate of an RSA key, or not valid now.
        """
        if url not in self._certificates:
            from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
            from cryptography.x509 import load_pem_x509_certificate

            self._count_fetch()
            certificate = load_pem_x509_certificate(fetch(url))
            if not isinstance(certificate.public_key(), RSAPublicKey):
                raise ValueError("not an RSA key")
            if len(self._certificates) >= _MOST_CERTIFICATES:
                self._certificates.clear()
            self._certificates[url] = certificate
        certificate = self._certificates[url]
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        if not begins.timestamp() <= now <= ends.timestamp():
            raise ValueError("not valid now")
        return certificate.public_key()

    def _count_fetch(self) -> None:
        now = time.monotonic()
        self._fetches[:] = [at for at in self._fetches if now - at < 60]
        if len(self._fetches) >= _MOST_FETCHES_A_MINUTE:
            raise UnreachableError
        self._fetches.append(now)


def confirmation_url(request: Envelope) -> str | None:
    """Where a verified message is confirmed, if it asks for that and the place is Amazon's."""
    message = json_object(request.body) or {}
    url, topic = message.get("SubscribeURL"), message.get("TopicArn")
    return url if is_amazons(_CONFIRMATION_URL, url, topic) else None


def is_amazons(pattern: re.Pattern[str], url: Any, topic: Any) -> bool:
    """Whether a URL is one of Amazon's, in the region of a topic."""
    match = pattern.fullmatch(url) if isinstance(url, str) else None
    return match is not None and str(topic).split(":")[3:4] == [match["region"]]


def fetch(url: str) -> bytes:
    """What is at one of Amazon's URLs.

    Raises:
        UnreachableError: When Amazon does not answer.
        ValueError: When Amazon has nothing there.
    """
    try:
        status, body = http.send("GET", url, b"", {}, seconds=_FETCH_SECONDS, most_bytes=65_536)
    except http.HttpError:
        raise UnreachableError from None
    if status >= 500:
        raise UnreachableError
    if status != 200:
        raise ValueError("nothing there")
    return body
