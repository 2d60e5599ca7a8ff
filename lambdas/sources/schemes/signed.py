"""Requests signed by their sender: HMAC and Ed25519, over a template of what is signed."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from lambdas.base.envelope import Envelope
from lambdas.base.safe_json import json_object
from lambdas.sources.schemes import keys
from lambdas.sources.schemes.reasons import Reason

_PART = re.compile(r"\{(body|timestamp|url|form|method|path|header:[A-Za-z0-9-]+)\}")
# 16 digits are milliseconds until the year 300,000.
_DIGITS = re.compile(r"[0-9]{1,16}")
_FORMS = {
    "hex": re.compile(r"[0-9a-f]+"),
    "base64": re.compile(r"[A-Za-z0-9+/]+={0,2}"),
}
# What a sender need not escape in a path. Source: RFC 3986, 3.3.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@/-]*")
# Signatures in one header: two during a rotation, of a few versions each.
_MOST_SIGNATURES = 16
# Twilio sends some dozen.
_MOST_FIELDS = 1_000


class RefusedError(Exception):
    """When a request is not genuine."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Signed(NamedTuple):
    """A request with a signature in a header.

    Attributes:
        header: of the signature, in lower case.
        prefix: before the signature (``sha256=``); entries with another one are ignored.
        separator: between several entries of the header; empty for a single one.
        signed: a template of what is signed.
        encoding: of the signature.
        timestamp: where the signature's time is: ``header:NAME``, ``entry:PREFIX`` in the
            signature's header, ``json:NAME`` in a signed body; empty where there is none.
        unit: of the timestamp in seconds.
        tolerance: seconds between the timestamp and now, either way.
        url: what the URL begins with, up to its path.
        digest: the query parameter that may hold the body's SHA-256; empty where there is none.
        matches: whether one of the signatures fits a message, by a secret.
    """

    header: str
    prefix: str
    separator: str
    signed: tuple[str, ...]
    encoding: str
    timestamp: str
    unit: float
    tolerance: float
    url: str
    digest: str
    matches: keys.Matches

    def check(self, request: Envelope, secrets: Sequence[str], now: float) -> Reason | None:
        """Why a request is refused; see ``Scheme``."""
        headers = dict(request.headers)
        try:
            entries = self._entries(headers)
            signatures = self._signatures(entries)
            timestamp = self._timestamp(headers, entries)
            if timestamp:
                self._require_recent(timestamp, now)
            message = b"".join(
                self._part(part, request, headers, timestamp) for part in self.signed
            )
            genuine = [self.matches(signatures, message, secret) for secret in secrets]
            if not any(genuine):
                return Reason.WRONG
            self._require_digest(request)
            if self.timestamp.startswith("json:"):
                self._require_recent(self._in_body(request.body), now)
        except RefusedError as refused:
            return refused.reason
        return None

    def _entries(self, headers: Mapping[str, str]) -> list[str]:
        value = headers.get(self.header, "")
        if not value:
            raise RefusedError(Reason.MISSING)
        entries = [value]
        if self.separator:
            entries = [entry.strip(" ") for entry in value.split(self.separator)]
        if len(entries) > _MOST_SIGNATURES:
            raise RefusedError(Reason.MALFORMED)
        return entries

    def _signatures(self, entries: Sequence[str]) -> list[str]:
        """The signatures to compare, all in the encoding's form."""
        signatures = [
            entry.removeprefix(self.prefix) for entry in entries if entry.startswith(self.prefix)
        ]
        # API Gateway joins a repeated header's values with a comma, which no signature holds.
        if any("," in signature for signature in signatures):
            raise RefusedError(Reason.REPEATED)
        form = _FORMS[self.encoding]
        if not signatures or not all(form.fullmatch(signature) for signature in signatures):
            raise RefusedError(Reason.MALFORMED)
        return signatures

    def _timestamp(self, headers: Mapping[str, str], entries: Sequence[str]) -> str:
        """The timestamp as it was sent, which is what is signed."""
        kind, _, name = self.timestamp.partition(":")
        if kind == "header":
            return headers.get(name) or _refuse(Reason.MISSING)
        if kind == "entry":
            values = [entry.removeprefix(name) for entry in entries if entry.startswith(name)]
            if len(values) > 1:
                raise RefusedError(Reason.REPEATED)
            return values[0] if values else _refuse(Reason.MISSING)
        return ""

    def _in_body(self, body: bytes) -> str:
        """The timestamp in a body whose signature is genuine."""
        value = (json_object(body) or {}).get(self.timestamp.removeprefix("json:"))
        return str(value) if value is not None else _refuse(Reason.MISSING)

    def _require_recent(self, timestamp: str, now: float) -> None:
        if not _DIGITS.fullmatch(timestamp):
            raise RefusedError(Reason.REPEATED if "," in timestamp else Reason.MALFORMED)
        age = now - int(timestamp) * self.unit
        if abs(age) > self.tolerance:
            raise RefusedError(Reason.OLD if age > 0 else Reason.EARLY)

    def _part(
        self, part: str, request: Envelope, headers: Mapping[str, str], timestamp: str
    ) -> bytes:
        """A part of what is signed: a placeholder's value, or a text as it stands."""
        match part:
            case "{body}":
                return request.body
            case "{timestamp}":
                return timestamp.encode()
            case "{method}":
                return request.method.encode()
            case "{path}":
                return _plain(request.path).encode()
            case "{url}":
                query = f"?{request.query}" if request.query else ""
                url = f"{self.url}{_plain(request.path)}{query}"
                return url.encode("utf-8", "surrogatepass")
            case "{form}":
                return _form(request, headers)
            case _ if part.startswith("{header:"):
                value = headers.get(part[len("{header:") : -1])
                return (value or _refuse(Reason.MISSING)).encode("utf-8", "surrogatepass")
            case _:
                return part.encode()

    def _require_digest(self, request: Envelope) -> None:
        """Checks a body whose digest, and not itself, is signed.

        A form's fields are signed by themselves; any other body has to have a digest.
        """
        if not self.digest:
            return
        given = dict(parse_qsl(request.query, max_num_fields=_MOST_FIELDS)).get(self.digest)
        if given is None:
            if request.body and not _is_form(dict(request.headers)):
                raise RefusedError(Reason.MISSING)
            return
        expected = hashlib.sha256(request.body).hexdigest()
        if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode()):
            raise RefusedError(Reason.WRONG)


def build(scheme: str, options: Mapping[str, Any]) -> Signed:
    """A scheme from its specification.

    Raises:
        ValueError: When it can't work; the text begins with the member.
    """
    template: str = options["signed"]
    parts = tuple(part for part in _split(template) if part)
    if "{body}" not in parts and not options.get("digest"):
        raise ValueError("signed: does not have {body}, so that any body would pass; add it")
    unknown = next((part for part in parts if "{" in part and not _PART.fullmatch(part)), None)
    if unknown:
        raise ValueError(f"signed: '{unknown}' has a brace of no placeholder")
    timestamp = _lowered(options.get("timestamp", ""))
    if ("{timestamp}" in parts) != timestamp.startswith(("header:", "entry:")):
        raise ValueError(
            "timestamp: {timestamp} is signed where it comes from a header or an entry, and only "
            "then; add it to 'signed', or say where it is"
        )
    if "{url}" in parts and not options.get("url"):
        raise ValueError("url: missing, and the URL is signed; set what it begins with")
    encoding = options.get("encoding", "hex")
    return Signed(
        header=options["header"].lower(),
        prefix=options.get("prefix", ""),
        separator=options.get("separator", ""),
        signed=tuple(_lowered(part) for part in parts),
        encoding=encoding,
        timestamp=timestamp,
        unit=0.001 if options.get("unit") == "ms" else 1,
        tolerance=options.get("tolerance", 300),
        url=options.get("url", "").rstrip("/"),
        digest=options.get("digest", ""),
        matches=keys.by_ed25519(encoding)
        if scheme == "ed25519"
        else keys.by_hmac(
            options.get("algorithm", "sha256"), encoding, options.get("secretEncoding", "text")
        ),
    )


def _split(template: str) -> list[str]:
    """A template's texts and placeholders, in order."""
    pieces, end = [], 0
    for match in _PART.finditer(template):
        pieces += [template[end : match.start()], match[0]]
        end = match.end()
    return [*pieces, template[end:]]


def _lowered(text: str) -> str:
    """The name of a header in lower case, in which API Gateway passes it."""
    return text.lower() if text.startswith(("{header:", "header:")) else text


def _plain(path: str) -> str:
    """A path that API Gateway can't have decoded.

    Raises:
        RefusedError: When it may have.
    """
    return path if _PLAIN_PATH.fullmatch(path) else _refuse(Reason.ESCAPED)


def _is_form(headers: Mapping[str, str]) -> bool:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/x-www-form-urlencoded"


def _form(request: Envelope, headers: Mapping[str, str]) -> bytes:
    """A form's fields as Twilio signs them; nothing where the body is not a form.

    Source: ``twilio.request_validator.RequestValidator.compute_signature``: names in order, each
    followed by its distinct values in order.
    """
    if not _is_form(headers):
        return b""
    try:
        fields = parse_qsl(
            request.body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise RefusedError(Reason.MALFORMED) from None
    return "".join(name + value for name, value in sorted(set(fields))).encode(
        "utf-8", "surrogatepass"
    )


def _refuse(reason: Reason) -> str:
    raise RefusedError(reason)
