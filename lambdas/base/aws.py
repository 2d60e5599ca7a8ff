"""Signed calls to AWS services, without service models.

boto3 spends most of a cold start loading service models that two calls don't need;
``docs/decisions/0005-cold-start.md`` has the figures. Signing and HTTP are our own, on the
standard library.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode, urlsplit

from lambdas.base import http, sigv4
from lambdas.base.safe_json import json_object

_T = TypeVar("_T")

# Less is not worth beginning a call for.
_LEAST_SECONDS = 0.05
_CONNECT_SECONDS = 1.0
# The largest answer. Source: CloudWatch Logs API reference, FilterLogEvents: 1 MB of lines, whose
# quotes are escaped, each with its ids; everything else is smaller.
_MOST_BYTES = 8 * 1024 * 1024

# Source: DynamoDB developer guide, "Error handling"; SQS API reference, "Common errors".
_THROTTLED = re.compile("Throttl|ProvisionedThroughputExceeded|RequestLimitExceeded")


class AwsError(Exception):
    """When a service refuses a call, or can't be reached in time.

    Attributes:
        code: the service's error code (``OverLimit``) or ``Timeout``/``ConnectionError``.
        retryable: whether the same call may succeed when made again.
    """

    def __init__(self, code: str, *, retryable: bool) -> None:
        super().__init__(code)
        self.code = code
        self.retryable = retryable


def endpoint_of(service: str, region: str) -> str:
    """Where a service answers. Source: botocore's ``partitions.json``, ``dnsSuffix``: China's is
    another, GovCloud's is not.
    """
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://{service}.{region}.{suffix}"


class Service(NamedTuple):
    """A service: ``sqs``/``AmazonSQS`` or ``dynamodb``/``DynamoDB_20120810``.

    Source: each API's reference, "Making requests": POST /, ``X-Amz-Target`` names version
    and action, content type ``application/x-amz-json-1.0``; or form-encoded ``Action`` and
    ``Version`` where a service speaks the query protocol only.

    Attributes:
        name: in the endpoint, and in signatures.
        target: of the JSON protocol; with the query protocol its ``Version``.
        json_version: None for the query protocol, whose replies are not read.
    """

    name: str
    target: str
    json_version: str | None = "1.0"

    def call(
        self, action: str, parameters: Mapping[str, Any], *, seconds: float, within: float
    ) -> dict[str, Any]:
        """Calls an action, twice where the first failure may pass, and returns its reply.

        Args:
            action: ``SendMessage``.
            parameters: its input, JSON-ready.
            seconds: for one attempt as a whole.
            within: for all attempts; a second one is not begun after it.

        Raises:
            AwsError: When the last attempt failed.
        """
        if self.json_version:
            body = json.dumps(parameters).encode()
        else:
            body = urlencode({"Action": action, "Version": self.target, **parameters}).encode()
        return _twice(
            lambda left: self._attempt(action, body, left), seconds=seconds, within=within
        )

    def _attempt(self, action: str, body: bytes, seconds: float) -> dict[str, Any]:
        if self.json_version:
            headers = {
                "Content-Type": f"application/x-amz-json-{self.json_version}",
                "X-Amz-Target": f"{self.target}.{action}",
            }
        else:
            headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        region = os.environ["AWS_REGION"]
        endpoint = os.environ.get("AWS_ENDPOINT_URL") or endpoint_of(self.name, region)
        reply = _exchange(self.name, "POST", endpoint, "/", headers, body, seconds=seconds)
        answer = json_object(reply.body or b"{}") if self.json_version else _query_answer(reply)
        if reply.status == 200 and answer is not None:
            return answer
        code = str((answer or {}).get("__type", f"HTTP {reply.status}")).rpartition("#")[2]
        raise _refusal(reply, code)


def _twice(attempt: Callable[[float], _T], *, seconds: float, within: float) -> _T:
    """The result of an attempt, or of a second one where the first failure may pass.

    Args:
        attempt: gets the seconds that it may take.
        seconds: for one attempt as a whole.
        within: for all attempts; a second one is not begun after it.

    Raises:
        AwsError: When the last attempt failed.
    """
    deadline = time.monotonic() + within
    try:
        return attempt(min(seconds, max(within, _LEAST_SECONDS)))
    except AwsError as error:
        left = deadline - time.monotonic()
        if not error.retryable or left < _LEAST_SECONDS:
            raise
        return attempt(min(seconds, left))


def _exchange(
    service: str,
    method: str,
    endpoint: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    seconds: float,
) -> http.Answer:
    """A service's answer to a request, which this signs.

    Raises:
        AwsError: When no whole answer came in time.
    """
    origin, host = _place(endpoint)
    # Credentials are read again each time: the runtime may rotate them.
    signed = sigv4.signed(
        method,
        {"Host": host, **headers},
        body,
        service=service,
        region=os.environ["AWS_REGION"],
        credentials=sigv4.Credentials(
            os.environ["AWS_ACCESS_KEY_ID"],
            os.environ["AWS_SECRET_ACCESS_KEY"],
            os.environ.get("AWS_SESSION_TOKEN") or None,
        ),
        at=time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()),
        path=path,
    )
    signed["Content-Length"] = str(len(body))
    pairs = [(name, value.encode()) for name, value in signed.items()]
    try:
        return http.ask(
            origin,
            http.Request.of(method, path, pairs, body),
            seconds=seconds,
            connect_seconds=_CONNECT_SECONDS,
            most_bytes=_MOST_BYTES,
            keep=True,
        )
    except http.HttpError as error:
        timed_out = error.kind in ("ConnectTimeout", "ReadTimeout")
        code = "Timeout" if timed_out else "ConnectionError"
        raise AwsError(code, retryable=error.kind != "TooLarge") from None


def _refusal(reply: http.Answer, code: str) -> AwsError:
    """The error for an answer that is not what was asked for."""
    return AwsError(code, retryable=reply.status >= 500 or bool(_THROTTLED.search(code)))


@cache
def _place(endpoint: str) -> tuple[http.Origin, str]:
    """Where an endpoint is, and its Host header."""
    parts = urlsplit(endpoint)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return http.Origin(parts.scheme, parts.hostname or "", port), parts.netloc


def _query_answer(reply: http.Answer) -> dict[str, Any]:
    """Nothing but the error's code: that is all that is asked of these replies."""
    code = re.search(rb"<Code>(\w+(?:\.\w+)*)</Code>", reply.body)
    return {"__type": code[1].decode()} if code else {}


SQS = Service("sqs", "AmazonSQS")
DYNAMODB = Service("dynamodb", "DynamoDB_20120810")
CLOUDWATCH = Service("monitoring", "GraniteServiceVersion20100801")
SECRETS = Service("secretsmanager", "secretsmanager", "1.1")
LOGS = Service("logs", "Logs_20140328", "1.1")
SNS = Service("sns", "2010-03-31", None)


def put_object(bucket: str, key: str, content: bytes, *, seconds: float, within: float) -> None:
    """Stores an object in S3, which has a protocol of its own.

    Source: S3 API reference, PutObject; "Authenticating Requests (AWS Signature Version 4)", on
    ``x-amz-content-sha256``.

    Args:
        key: of characters that need no escape.
        seconds, within: as for ``Service.call``.

    Raises:
        AwsError: When it is not stored.
    """
    ours = os.environ.get("AWS_ENDPOINT_URL")
    service = endpoint_of(f"{bucket}.s3", os.environ["AWS_REGION"])
    endpoint, path = (ours, f"/{bucket}/{key}") if ours else (service, f"/{key}")
    headers = {"X-Amz-Content-Sha256": sha256(content).hexdigest()}

    def attempt(left: float) -> None:
        reply = _exchange("s3", "PUT", endpoint, path, headers, content, seconds=left)
        if reply.status != 200:
            raise _refusal(reply, _query_answer(reply).get("__type", f"HTTP {reply.status}"))

    _twice(attempt, seconds=seconds, within=within)
