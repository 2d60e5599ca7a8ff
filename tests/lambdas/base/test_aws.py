"""Signed calls to AWS: what goes over the wire, what is retried, and what an error says."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from botocore.session import Session

from lambdas.base.aws import (
    CLOUDWATCH,
    DYNAMODB,
    SECRETS,
    SNS,
    SQS,
    AwsError,
    Service,
    endpoint_of,
    put_object,
)
from tests.lambdas.conftest import HttpStub, Request, Wire, read_request
from tests.waiting import Stopwatch

_KEY, _SECRET, _TOKEN = "AKIDEXAMPLE", "s3cr3t/key", "t0ken=="


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, http_stub: HttpStub) -> None:
    """Credentials of this test's own, and the stub as the endpoint."""
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", http_stub.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", _KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", _SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", _TOKEN)


def _send(seconds: float = 2, **parameters: Any) -> dict[str, Any]:
    return SQS.call("SendMessage", parameters, seconds=seconds, within=10)


def _failed(seconds: float = 2) -> AwsError:
    with pytest.raises(AwsError) as caught:
        _send(seconds)
    return caught.value


def _signature(request: Request, scope: str, signed_headers: str) -> str:
    """Signature Version 4, computed independently.

    Source: AWS General Reference, "Create a signed AWS API request".
    """
    canonical = "\n".join(
        [request.method, request.target, ""]
        + [f"{name}:{request.header(name)}" for name in signed_headers.split(";")]
        + ["", signed_headers, hashlib.sha256(request.body).hexdigest()]
    )
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"AWS4-HMAC-SHA256\n{request.header('x-amz-date')}\n{scope}\n{hashed}"
    key = f"AWS4{_SECRET}".encode()
    for part in [*scope.split("/"), to_sign]:
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()


@pytest.mark.parametrize(
    ("service", "action", "target"),
    [
        (SQS, "SendMessage", "AmazonSQS.SendMessage"),
        (DYNAMODB, "UpdateItem", "DynamoDB_20120810.UpdateItem"),
    ],
)
def test_signed_as_received(http_stub: HttpStub, service: Any, action: str, target: str) -> None:
    """The signature is right for the request as it came over the wire."""
    http_stub.then(200, {"MessageId": "m-1"})
    reply = service.call(action, {"MessageBody": 'é"\x00'}, seconds=2, within=4)
    assert reply == {"MessageId": "m-1"}
    [request] = http_stub.requests
    assert (request.method, request.target) == ("POST", "/")
    assert json.loads(request.body) == {"MessageBody": 'é"\x00'}
    assert request.header("content-type") == "application/x-amz-json-1.0"
    assert request.header("x-amz-target") == target
    assert request.header("x-amz-security-token") == _TOKEN
    header = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=(\w+)/([\w/-]+), SignedHeaders=([\w;-]+), Signature=(\w+)",
        request.header("authorization") or "",
    )
    assert header
    key, scope, signed_headers, signature = header.groups()
    assert key == _KEY
    assert re.fullmatch(rf"\d{{8}}/eu-central-1/{service.name}/aws4_request", scope)
    assert {"host", "x-amz-date", "x-amz-target", "x-amz-security-token"} <= set(
        signed_headers.split(";")
    )
    assert signature == _signature(request, scope, signed_headers)


def test_credentials_are_read_again(http_stub: HttpStub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The runtime may rotate the credentials between two calls, and leave the token out."""
    _send()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDROTATED")
    monkeypatch.delenv("AWS_SESSION_TOKEN")
    _send()
    first, second = http_stub.requests
    assert "AKIDEXAMPLE" in (first.header("authorization") or "")
    assert "AKIDROTATED" in (second.header("authorization") or "")
    assert second.header("x-amz-security-token") is None


_REFUSED = {"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "secret words of AWS"}


@pytest.mark.parametrize(
    ("status", "answer", "code", "retryable"),
    [
        (400, _REFUSED, "QueueDoesNotExist", False),
        (400, {"__type": "OverLimit"}, "OverLimit", False),
        (403, {"__type": "AccessDeniedException"}, "AccessDeniedException", False),
        (400, {"__type": "com.amazon#ThrottlingException"}, "ThrottlingException", True),
        (400, {"__type": "com.amazonaws.sqs#RequestThrottled"}, "RequestThrottled", True),
        (400, {"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"},
         "ProvisionedThroughputExceededException", True),
        (400, {"__type": "RequestLimitExceeded"}, "RequestLimitExceeded", True),
        (500, {"__type": "InternalFailure"}, "InternalFailure", True),
        (503, b"<html>Service Unavailable</html>", "HTTP 503", True),
        (502, b"null", "HTTP 502", True),
        (400, b"[]", "HTTP 400", False),
        (413, b"", "HTTP 413", False),
        (200, b"<html>a captive portal</html>", "HTTP 200", False),
        (200, b'"hello"', "HTTP 200", False),
        (307, b"", "HTTP 307", False),
    ],
)  # fmt: skip
def test_errors(http_stub: HttpStub, status: int, answer: Any, code: str, retryable: bool) -> None:
    """An error keeps its code, and only what may pass is tried a second time."""
    for _ in range(3):
        http_stub.then(status, answer, {"Location": f"{http_stub.url}/elsewhere"})
    error = _failed()
    assert (error.code, error.retryable) == (code, retryable)
    assert str(error) == code
    assert [request.target for request in http_stub.requests] == ["/"] * (2 if retryable else 1)


def test_an_object_is_put_as_botocore_puts_it(
    http_stub: HttpStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 gets the object at its path, signed with the content's hash as botocore's signer does."""
    put_object("hooks-bodies", "bodies/m-1", b"\x00\xff", seconds=2, within=4)
    [request] = http_stub.requests
    assert (request.method, request.target) == ("PUT", "/hooks-bodies/bodies/m-1")
    assert request.body == b"\x00\xff"
    url = f"{http_stub.url}{request.target}"
    theirs: Any = AWSRequest("PUT", url, data=request.body)
    signer: Any = S3SigV4Auth(BotocoreCredentials(_KEY, _SECRET, _TOKEN), "s3", "eu-central-1")
    at = datetime.strptime(request.header("x-amz-date") or "", "%Y%m%dT%H%M%S%z")
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: at)
    signer.add_auth(theirs)
    assert request.header("authorization") == theirs.headers["Authorization"]


@pytest.mark.parametrize(
    ("status", "answer", "code", "requests"),
    [
        (503, b"<Error><Code>SlowDown</Code></Error>", "SlowDown", 2),
        (403, b"<Error><Code>AccessDenied</Code></Error>", "AccessDenied", 1),
        (500, b"", "HTTP 500", 2),
    ],
)
def test_an_object_that_is_refused(
    http_stub: HttpStub, status: int, answer: bytes, code: str, requests: int
) -> None:
    """S3's code is the error's, and only what may pass is tried a second time."""
    for _ in range(2):
        http_stub.then(status, answer)
    with pytest.raises(AwsError, match=f"^{code}$"):
        put_object("hooks-bodies", "bodies/m-1", b"x", seconds=2, within=4)
    assert len(http_stub.requests) == requests


def test_second_attempt_helps(http_stub: HttpStub) -> None:
    """After a failure that passes, the same request succeeds."""
    http_stub.then(503, b"")
    http_stub.then(200, {"MessageId": "m-1"})
    assert _send(MessageDeduplicationId="d-1") == {"MessageId": "m-1"}
    first, second = http_stub.requests
    assert first.body == second.body


def test_no_second_attempt_when_time_is_up(
    http_stub: HttpStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure that may pass is not tried again when there is no time for it."""
    for _ in range(2):
        http_stub.then(503, b"")
    monkeypatch.setattr("lambdas.base.aws._LEAST_SECONDS", 10)  # more than is left after the first
    with pytest.raises(AwsError):
        SQS.call("SendMessage", {}, seconds=10, within=9)
    assert len(http_stub.requests) == 1


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Request]]:
    """An endpoint that takes requests and never answers; the requests."""
    requests: list[Request] = []
    over = threading.Event()

    def script(connection: socket.socket) -> None:
        requests.append(read_request(connection))
        over.wait(10)

    with Wire(script) as wire:
        monkeypatch.setenv("AWS_ENDPOINT_URL", wire.url)
        yield requests
        over.set()


def test_silence_ends_in_time(silent: list[Request]) -> None:
    """Each attempt ends at its bound, and the code says that nobody answered."""
    started = time.monotonic()
    with Stopwatch() as stopwatch:
        error = _failed(seconds=0.1)
    assert time.monotonic() - started > 0.15
    assert stopwatch.seconds() < 1.5
    assert (error.code, error.retryable, len(silent)) == ("Timeout", True, 2)


def test_refused(monkeypatch: pytest.MonkeyPatch, http_stub: HttpStub) -> None:
    """Nobody listening is an error with a code, like any other."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{unused.getsockname()[1]}")
        error = _failed()
    assert (error.code, error.retryable) == ("ConnectionError", True)
    assert not http_stub.requests


def test_closed_connection_is_reopened(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that the service closed while the sandbox was frozen costs no webhook."""
    served = 0

    def script(connection: socket.socket) -> None:
        nonlocal served
        read_request(connection)
        served += 1
        if served != 2:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        if served == 1:
            read_request(connection)  # kept alive, then closed over a second request
            served += 1

    with Wire(script) as wire:
        monkeypatch.setenv("AWS_ENDPOINT_URL", wire.url)
        assert _send() == {}
        assert _send() == {}
    assert served == 3


def test_no_credentials_in_the_error(http_stub: HttpStub) -> None:
    """Not even the traceback of a failure holds what signs, nor AWS's own words."""
    http_stub.then(400, _REFUSED)
    error = _failed()
    text = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
    for secret in (_KEY, _SECRET, _TOKEN, "secret words of AWS"):
        assert secret not in text
    assert error.__suppress_context__ or error.__context__ is None


@pytest.mark.parametrize("region", ["eu-central-1", "us-gov-west-1", "cn-northwest-1"])
@pytest.mark.parametrize(
    "service", [SQS, DYNAMODB, SECRETS, SNS, CLOUDWATCH], ids=lambda service: service.name
)
def test_endpoints_are_botocores(service: Service, region: str) -> None:
    """Each service is called where botocore would call it, in every partition."""
    data = Session().get_component("data_loader").load_data("partitions")
    (outputs,) = [
        partition["outputs"]
        for partition in data["partitions"]
        if re.match(partition["regionRegex"], region)
    ]
    expected = f"https://{service.name}.{region}.{outputs['dnsSuffix']}"
    assert endpoint_of(service.name, region) == expected
