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
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from lambdas import http, sigv4
from lambdas.safe_json import json_object

# Less is not worth beginning a call for.
_LEAST_SECONDS = 0.05
_CONNECT_SECONDS = 1.0
# Of one answer. Source: CloudWatch API reference, GetMetricData: 100,800 values at most, of about
# 40 bytes each with their time; everything else is smaller.
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
        deadline = time.monotonic() + within
        try:
            return self._attempt(action, body, min(seconds, max(within, _LEAST_SECONDS)))
        except AwsError as error:
            left = deadline - time.monotonic()
            if not error.retryable or left < _LEAST_SECONDS:
                raise
            return self._attempt(action, body, min(seconds, left))

    def _attempt(self, action: str, body: bytes, seconds: float) -> dict[str, Any]:
        region = os.environ["AWS_REGION"]
        endpoint = os.environ.get("AWS_ENDPOINT_URL") or endpoint_of(self.name, region)
        origin, host = _place(endpoint)
        headers = {"Host": host}
        if self.json_version:
            headers["Content-Type"] = f"application/x-amz-json-{self.json_version}"
            headers["X-Amz-Target"] = f"{self.target}.{action}"
        else:
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
        # Credentials are read again each time: the runtime may rotate them.
        headers = sigv4.signed(
            "POST",
            headers,
            body,
            service=self.name,
            region=region,
            credentials=sigv4.Credentials(
                os.environ["AWS_ACCESS_KEY_ID"],
                os.environ["AWS_SECRET_ACCESS_KEY"],
                os.environ.get("AWS_SESSION_TOKEN") or None,
            ),
            at=time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()),
        )
        headers["Content-Length"] = str(len(body))
        pairs = [(name, value.encode()) for name, value in headers.items()]
        try:
            reply = http.ask(
                origin,
                http.Request.of("POST", "/", pairs, body),
                seconds=seconds,
                connect_seconds=_CONNECT_SECONDS,
                most_bytes=_MOST_BYTES,
                keep=True,
            )
        except http.HttpError as error:
            timed_out = error.kind in ("ConnectTimeout", "ReadTimeout")
            code = "Timeout" if timed_out else "ConnectionError"
            raise AwsError(code, retryable=error.kind != "TooLarge") from None
        answer = json_object(reply.body or b"{}") if self.json_version else _query_answer(reply)
        if reply.status == 200 and answer is not None:
            return answer
        code = str((answer or {}).get("__type", f"HTTP {reply.status}")).rpartition("#")[2]
        raise AwsError(code, retryable=reply.status >= 500 or bool(_THROTTLED.search(code)))


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
