"""Sends webhooks as a sender would, and summarizes the results."""

from __future__ import annotations

import json
import math
import mimetypes
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import urllib3

from lambdas.base.http import address
from settings.errors import FileError, InputError


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """A request to send."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    path: str = "/"


@dataclass(frozen=True)
class Receipt:
    """The buffer's answer.

    Attributes:
        status: HTTP status; 0 when none arrived.
        answer: the JSON answer; holds ``error`` where it was not accepted.
        seconds: from sending to the answer.
        release: the buffer's ``X-Buffer-Release``.
    """

    status: int
    answer: Mapping[str, str]
    seconds: float
    release: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether it is queued; a source may have an answer of its own, without the id."""
        return 200 <= self.status < 300 and ("message_id" in self.answer or bool(self.release))


class Sender:
    """Posts to one endpoint over kept connections; safe to use from several threads."""

    def __init__(self, endpoint: str, *, connections: int = 1) -> None:
        parts = urlsplit(endpoint)
        host = parts.hostname or ""
        kind = (
            urllib3.HTTPSConnectionPool if parts.scheme == "https" else urllib3.HTTPConnectionPool
        )
        self._host = parts.netloc
        self._prefix = parts.path.rstrip("/")
        self._pool = kind(address(host), parts.port, maxsize=connections, block=True, retries=False)

    def post(self, webhook: Webhook) -> Receipt:
        """Sends once; what can't be sent is a receipt with status 0."""
        started = time.monotonic()
        try:
            reply = self._pool.request(
                webhook.method,
                self._prefix + webhook.path,
                body=webhook.body,
                headers={**webhook.headers, "Host": self._host},
                timeout=35.0,
            )
        except urllib3.exceptions.HTTPError as error:
            return Receipt(0, {"error": type(error).__name__}, time.monotonic() - started)
        seconds = time.monotonic() - started
        try:
            answer = json.loads(reply.data)
        except ValueError:
            answer = {}
        if not isinstance(answer, dict):
            answer = {}
        return Receipt(reply.status, answer, seconds, reply.headers.get("X-Buffer-Release"))


def from_files(
    path: Path, *, method: str, target: str, headers: Mapping[str, str]
) -> list[Webhook]:
    """One webhook per file, in the order of their names.

    Args:
        path: a file, or a folder whose files (not its subfolders') are taken.
        method, target, headers: of each request; the content type follows the file's ending
            unless a header sets it.

    Raises:
        FileError: When a file can't be read.
        InputError: When there is nothing to send.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist. Name a file or a folder of payloads.")
    files = [path]
    if path.is_dir():
        files = sorted(f for f in path.iterdir() if f.is_file() and not f.name.startswith("."))
    if not files:
        raise InputError(f"{path} holds no files. Put one payload into each file.")
    named = {name.lower() for name in headers}
    webhooks = []
    for file in files:
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        try:
            body = file.read_bytes()
        except OSError as error:
            raise FileError(error, file) from None
        own = {} if "content-type" in named else {"Content-Type": kind}
        webhooks.append(Webhook(body=body, headers={**own, **headers}, method=method, path=target))
    return webhooks


def paced(webhooks: Sequence[Webhook], *, rate: float, repeat: int) -> Iterator[Webhook]:
    """The webhooks, ``repeat`` times over, no faster than ``rate`` per second."""
    start = time.monotonic()
    for number in range(len(webhooks) * repeat):
        wait = start + number / rate - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        yield webhooks[number % len(webhooks)]


@dataclass(frozen=True)
class Summary:
    """The results of a number of webhooks."""

    receipts: Sequence[Receipt]

    @property
    def accepted(self) -> int:
        return sum(receipt.accepted for receipt in self.receipts)

    @property
    def refusals(self) -> Counter[str]:
        """How often each reason was given."""
        return Counter(
            f"{receipt.status or 'no answer'}: {receipt.answer.get('error', 'no reason given')}"
            for receipt in self.receipts
            if not receipt.accepted
        )

    def latency_ms(self, percent: float) -> float:
        """A percentile of the accepted ones' latency; NaN without any."""
        return percentile([r.seconds * 1000 for r in self.receipts if r.accepted], percent)


def percentile(values: Iterable[float], percent: float) -> float:
    """The nearest-rank percentile; NaN of nothing."""
    ordered = sorted(values)
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]
