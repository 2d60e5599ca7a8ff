"""Signed calls to AWS services, without service models.

boto3 spends most of a cold start loading service models that two calls don't need;
``docs/decisions/0005-cold-start.md`` has the figures. Signing is botocore's, connections
are urllib3's; both come with the Lambda runtime.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from lambdas.safe_json import json_object

# Less is not worth beginning a call for.
_LEAST_SECONDS = 0.05

_POOL = urllib3.PoolManager(maxsize=2, retries=False)
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


@dataclass(frozen=True, slots=True)
class _Credentials:
    """The function's credentials, in the shape botocore's signer reads.

    Importing botocore's own class for them would load its whole credential search.
    """

    access_key: str
    secret_key: str
    token: str | None


@dataclass(frozen=True, slots=True)
class Service:
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
            seconds: to connect, and again to wait for the reply, in one attempt.
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
        endpoint = os.environ.get("AWS_ENDPOINT_URL") or (
            f"https://{self.name}.{region}.amazonaws.com"
        )
        if self.json_version:
            headers = {
                "Content-Type": f"application/x-amz-json-{self.json_version}",
                "X-Amz-Target": f"{self.target}.{action}",
            }
        else:
            headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        # Credentials are read anew each time: the runtime may rotate them.
        credentials = _Credentials(
            os.environ["AWS_ACCESS_KEY_ID"],
            os.environ["AWS_SECRET_ACCESS_KEY"],
            os.environ.get("AWS_SESSION_TOKEN") or None,
        )
        request = AWSRequest("POST", f"{endpoint}/", headers=headers, data=body)
        signer = SigV4Auth(credentials, self.name, region)  # type: ignore[arg-type]
        signer.add_auth(request)
        try:
            reply = _POOL.request(
                "POST",
                f"{endpoint}/",
                body=body,
                headers=dict(request.headers.items()),
                timeout=urllib3.Timeout(total=seconds, connect=min(1.0, seconds)),
            )
        except urllib3.exceptions.NewConnectionError:  # a TimeoutError to urllib3, too
            raise AwsError("ConnectionError", retryable=True) from None
        except urllib3.exceptions.TimeoutError:
            raise AwsError("Timeout", retryable=True) from None
        except urllib3.exceptions.HTTPError:
            raise AwsError("ConnectionError", retryable=True) from None
        answer = json_object(reply.data or b"{}") if self.json_version else _query_answer(reply)
        if reply.status == 200 and answer is not None:
            return answer
        code = str((answer or {}).get("__type", f"HTTP {reply.status}")).rpartition("#")[2]
        raise AwsError(code, retryable=reply.status >= 500 or bool(_THROTTLED.search(code)))


def _query_answer(reply: urllib3.BaseHTTPResponse) -> dict[str, Any]:
    """Nothing but the error's code: that is all that is asked of these replies."""
    code = re.search(rb"<Code>(\w+(?:\.\w+)*)</Code>", reply.data)
    return {"__type": code[1].decode()} if code else {}


SQS = Service("sqs", "AmazonSQS")
DYNAMODB = Service("dynamodb", "DynamoDB_20120810")
CLOUDWATCH = Service("monitoring", "GraniteServiceVersion20100801")
SECRETS = Service("secretsmanager", "secretsmanager", "1.1")
SNS = Service("sns", "2010-03-31", None)
