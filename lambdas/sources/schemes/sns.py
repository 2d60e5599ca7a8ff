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
from ipaddress import ip_network
from typing import Any, TypeGuard

from lambdas.base import http
from lambdas.base.envelope import Envelope
from lambdas.base.safe_json import json_object
from lambdas.sources.schemes.reasons import Reason
from lambdas.sources.schemes.scheme import UnreachableError

# What may follow the host of a topic's region. The names of certificates have 32 digits at
# present, which no page of Amazon's promises.
_CERTIFICATE = re.compile(r"SimpleNotificationService-[0-9a-f]{16,64}\.pem")
_CONFIRMATION = re.compile(r"\?Action=ConfirmSubscription&[A-Za-z0-9_=&%:.+-]{1,2048}")
_FETCH_SECONDS = 2.0
# Below 500, what says nothing of the URL: to ask again is all that they mean. Source: RFC 9110,
# 15.5.9 (408); RFC 6585, 4 (429).
_ASKS_FOR_PATIENCE = (408, 429)
# How many are kept for a region. AWS rotates its certificates about once a year.
_MOST_CERTIFICATES = 8
# Forged messages may name any number of certificates. In this time a container fetches so many,
_WINDOW_SECONDS = 60
_MOST_FETCHES = 30
# and for a sender that named so many that are none, no more: Amazon names one that is.
_MOST_NOTHING = 3

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
        regions = {topic.split(":")[3] for topic in topics}
        self._most_certificates = _MOST_CERTIFICATES * len(regions)
        self._fetches = _Fetches()

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
        url = message.get("SigningCertURL")
        if topic not in self._topics or not _is_amazons(url, _CERTIFICATE, topic):
            return Reason.FOREIGN
        if reason := self._untimely(signed.get("Timestamp", ""), now):
            return reason
        text = "".join(f"{name}\n{value}\n" for name, value in signed.items())
        try:
            key = self._key(url, request.address, now)
        except ValueError:
            return Reason.WRONG
        return None if _fits(key, version, text, message["Signature"]) else Reason.WRONG

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

    def _key(self, url: str, sender: str, now: float) -> Any:
        """The RSA key of a certificate, which is fetched once.

        Args:
            sender: the address of whoever named it.

        Raises:
            UnreachableError: When it can't be fetched.
            ValueError: When it is not a certificate of an RSA key, or not valid now.
        """
        if url not in self._certificates:
            certificate = self._fetches.certificate(url, sender, now)
            if len(self._certificates) >= self._most_certificates:
                self._certificates.clear()
            self._certificates[url] = certificate
        certificate = self._certificates[url]
        _require_valid(certificate, now)
        return certificate.public_key()


class _Fetches:
    """Fetches the certificates that messages name, which anybody can forge, within bounds."""

    def __init__(self) -> None:
        self._made: list[float] = []
        # URLs that held no valid certificate: when they may be fetched again, and who sent them.
        self._nothing: dict[str, tuple[float, str]] = {}

    def certificate(self, url: str, sender: str, now: float) -> Any:
        """The certificate at a URL.

        A former one, which Amazon may still serve, counts as none: it would take a valid one's
        place.

        Args:
            sender: the address of whoever named it.
            now: seconds since the epoch.

        Raises:
            UnreachableError: When it can't be fetched at present.
            ValueError: When it is not a certificate of an RSA key, or not valid now, as far as this
                sender matters.
        """
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
        from cryptography.x509 import load_pem_x509_certificate

        at, network = time.monotonic(), _network(sender)
        self._nothing = {url: seen for url, seen in self._nothing.items() if at < seen[0]}
        named = [seen[1] for seen in self._nothing.values()].count(network)
        if url in self._nothing or named >= _MOST_NOTHING:
            raise ValueError("nothing there")
        self._made = [made for made in self._made if at - made < _WINDOW_SECONDS]
        if len(self._made) >= _MOST_FETCHES:
            raise UnreachableError
        self._made.append(at)
        try:
            certificate = load_pem_x509_certificate(fetch(url))
            if not isinstance(certificate.public_key(), RSAPublicKey):
                raise ValueError("not an RSA key")
            _require_valid(certificate, now)
        except ValueError:
            self._nothing[url] = (at + _WINDOW_SECONDS, network)
            raise
        return certificate


def _require_valid(certificate: Any, now: float) -> None:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not begins.timestamp() <= now <= ends.timestamp():
        raise ValueError("not valid now")


def _network(address: str) -> str:
    """Whose an address is: of IPv6 a sender has as many as it likes."""
    return address if ":" not in address else str(ip_network((address, 64), strict=False))


def _fits(key: Any, version: str, text: str, signature: str) -> bool:
    """Whether a signature is a text's, by Amazon's key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA1, SHA256

    try:
        key.verify(
            base64.b64decode(signature, validate=True),
            text.encode("utf-8", "surrogatepass"),
            PKCS1v15(),
            SHA1() if version == "1" else SHA256(),  # noqa: S303 - SNS's version 1
        )
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return True


def confirmation_url(request: Envelope) -> str | None:
    """Where a verified message is confirmed, if it asks for that and the place is Amazon's."""
    message = json_object(request.body) or {}
    url, topic = message.get("SubscribeURL"), message.get("TopicArn")
    return url if _is_amazons(url, _CONFIRMATION, topic) else None


def _is_amazons(url: Any, rest: re.Pattern[str], topic: Any) -> TypeGuard[str]:
    """Whether a URL is one of Amazon's, in the region of a topic.

    Source: SNS developer guide, same page: only these hosts are Amazon's. In China they are below
    ``amazonaws.com.cn``: botocore's ``partitions.json``, ``dnsSuffix``.
    """
    if not isinstance(url, str) or not isinstance(topic, str):
        return False
    _, partition, _, region, *_ = topic.split(":")
    host = f"https://sns.{region}.amazonaws.com{'.cn' if partition == 'aws-cn' else ''}/"
    return url.startswith(host) and rest.fullmatch(url, len(host)) is not None


def fetch(url: str) -> bytes:
    """What is at one of Amazon's URLs.

    Raises:
        UnreachableError: When Amazon does not answer, or asks for patience.
        ValueError: When Amazon has nothing there.
    """
    try:
        status, body = http.send("GET", url, b"", {}, seconds=_FETCH_SECONDS, most_bytes=65_536)
    except http.HttpError:
        raise UnreachableError from None
    if status >= 500 or status in _ASKS_FOR_PATIENCE:
        raise UnreachableError
    if status != 200:
        raise ValueError("nothing there")
    return body
