"""The laptop's public endpoint takes what API Gateway takes, and hands it on as it does."""

from __future__ import annotations

import base64
import io
import json
import shutil
import socket
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3

from settings.errors import InputError
from tests.emulated_aws import client
from webhook_buffer.laptop.emulator import Emulator
from webhook_buffer.laptop.programs.process import Running

_ECHO = """
import json
def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event), "headers": {"X-Echo": "1"}}
"""


@dataclass(frozen=True)
class Endpoint:
    """A public endpoint in front of a function that answers with its event."""

    url: str
    emulator: str
    api_id: str

    def send(self, method: str, target: str, **options: Any) -> Any:
        """The event of a request, its target sent as written."""
        parts = urlsplit(self.url)
        with urllib3.HTTPConnectionPool(parts.hostname or "", parts.port, retries=False) as pool:
            reply = pool.urlopen(method, target, preload_content=True, **options)
        assert reply.status == 200, reply.data
        assert reply.headers["X-Echo"] == "1"
        return reply.json() if method != "HEAD" else None

    def raw(self, request: bytes) -> bytes:
        """The whole answer to bytes on a socket, which the server closes."""
        parts = urlsplit(self.url)
        with socket.create_connection(
            (parts.hostname or "", parts.port or 0), timeout=10
        ) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.fixture(scope="module")
def endpoint(emulator: Running) -> Iterator[Endpoint]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("echo.py", _ECHO)
    function = client(emulator.endpoint_url, "lambda").create_function(
        FunctionName="gateway-echo",
        Runtime="python3.12",
        Role="arn:aws:iam::000000000000:role/any",
        Handler="echo.handler",
        Code={"ZipFile": archive.getvalue()},
        Timeout=10,
    )
    gateway = client(emulator.endpoint_url, "apigatewayv2")
    api_id = gateway.create_api(Name="gateway-echo", ProtocolType="HTTP")["ApiId"]
    integration = gateway.create_integration(
        ApiId=api_id,
        IntegrationType="AWS_PROXY",
        IntegrationUri=function["FunctionArn"],
        PayloadFormatVersion="2.0",
    )["IntegrationId"]
    gateway.create_route(ApiId=api_id, RouteKey="$default", Target=f"integrations/{integration}")
    gateway.create_stage(ApiId=api_id, StageName="$default", AutoDeploy=True)
    reply = urllib3.request(
        "PUT",
        f"{emulator.endpoint_url}/_webhook-buffer/endpoints/gateway-test",
        json={"port": 0, "api": api_id},
    )
    yield Endpoint(f"http://127.0.0.1:{reply.json()['port']}", emulator.endpoint_url, api_id)
    client(emulator.endpoint_url, "lambda").delete_function(FunctionName="gateway-echo")
    gateway.delete_api(ApiId=api_id)


# Paths that the emulator keeps for itself on every host, and forms that it changes.
_PATHS = (
    "/health", "/login", "/v2", "/v2/x/manifests/y", "/oauth2/token", "/oauth2/authorize",
    "/oauth2/userInfo", "/_ministack/reset", "/_ministack/health", "/_localstack/x", "/iceberg",
    "/restapis/a/b/_user_request_/c", "/_aws/execute-api/a/b/c", "/_webhook-buffer/endpoints/x",
    "/WriteGetObjectResponse", "/.well-known/jwks.json", "/", "/a/", "/a/b/", "//a", "/a//b", "//",
)  # fmt: skip


@pytest.mark.parametrize("method", ["POST", "GET", "OPTIONS", "PROPFIND"])
def test_every_path_is_the_apis_own(endpoint: Endpoint, method: str) -> None:
    """No path is swallowed or folded, whatever the method, ``OPTIONS`` included."""
    for path in _PATHS:
        event = endpoint.send(method, path)
        assert event["rawPath"] == path
        assert event["requestContext"]["http"]["method"] == method


def test_preflights_are_the_functions_own(endpoint: Endpoint) -> None:
    """A preflight reaches the function, and its answer gets no permission added."""
    origin = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    reply = urllib3.request("OPTIONS", f"{endpoint.url}/hook", headers=origin)
    assert reply.json()["headers"]["origin"] == "https://app.example"
    assert not [name for name in reply.headers if name.lower().startswith("access-control")]


def test_paths_and_queries_arrive_as_api_gateway_sends_them(endpoint: Endpoint) -> None:
    """The path decoded but for %25, the query raw and with its repetitions."""
    event = endpoint.send("POST", "/a%2Fb%20c%252Fd/%C3%A9?x=1&x=2&empty=&y=%20+%2B&=z&bare")
    assert event["rawPath"] == "/a/b c%252Fd/é"
    assert event["rawQueryString"] == "x=1&x=2&empty=&y=%20+%2B&=z&bare"
    assert event["queryStringParameters"]["x"] == "1,2"


def test_headers_arrive_in_small_letters_joined(endpoint: Endpoint) -> None:
    """Repeated headers are one with commas, cookies one with semicolons, ``Host`` is as sent."""
    answer = endpoint.raw(
        b"POST /x HTTP/1.1\r\nHost: tunnel.example\r\nX-Sig: a\r\nx-sig: b, c\r\nCookie: a=1\r\n"
        b"Cookie: b=2\r\nX-Name: caf\xc3\xa9\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    )
    headers = json.loads(answer.partition(b"\r\n\r\n")[2])["headers"]
    assert headers["host"] == "tunnel.example"
    assert headers["x-sig"] == "a,b, c"
    assert headers["cookie"] == "a=1; b=2"
    assert headers["x-name"] == "café"
    assert "connection" not in headers


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_bodies_arrive_byte_for_byte(endpoint: Endpoint, chunked: bool) -> None:
    """Any bytes, with a length or in chunks; in both cases the function sees their length."""
    body = bytes(range(256)) * 40
    sent: Any = iter([body[:100], body[100:]]) if chunked else body
    event = endpoint.send(
        "POST", "/", body=sent, headers={"Content-Type": "application/octet-stream"},
        chunked=chunked,
    )  # fmt: skip
    assert base64.b64decode(event["body"]) == body
    assert event["headers"]["content-length"] == str(len(body))
    assert "transfer-encoding" not in event["headers"]


def test_a_get_keeps_its_body(endpoint: Endpoint) -> None:
    """A body arrives with any method."""
    for method in ("GET", "DELETE", "OPTIONS"):
        event = endpoint.send(method, "/", body=b"x", headers={"Content-Type": "text/plain"})
        assert event["body"] == "x", method


def test_headers_that_mean_something_to_aws_do_not_here(endpoint: Endpoint) -> None:
    """A sender's ``X-Amz-Target``, signature or chunk encoding changes neither way nor body."""
    event = endpoint.send(
        "POST", "/?Action=ListQueues", body=b"4;chunk-signature=0\r\nabcd\r\n0\r\n\r\n",
        headers={
            "X-Amz-Target": "AmazonSQS.ListQueues",
            "Authorization": "AWS4-HMAC-SHA256 Credential=999999999999/20260101/eu-west-3/sqs/x",
            "Content-Encoding": "aws-chunked",
            "X-Amz-Content-Sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            "Content-Type": "text/plain",
        },
    )  # fmt: skip
    assert event["body"] == "4;chunk-signature=0\r\nabcd\r\n0\r\n\r\n"


def test_another_hosts_name_leads_nowhere_else(endpoint: Endpoint) -> None:
    """Whatever ``Host`` says, a tunnel's name or another service's, the same API gets it."""
    names = (
        "x.trycloudflare.com",
        "deadbeef.execute-api.localhost",
        "b.s3.localhost",
        "d1.cloudfront.net",
    )
    for name in names:
        event = endpoint.send("POST", "/x", headers={"Host": name})
        assert event["headers"]["host"] == name


def test_the_apis_own_host_name_is_the_same(endpoint: Endpoint) -> None:
    """At its own host name on the emulator's port an API has every path, too."""
    host = f"{endpoint.api_id}.execute-api.localhost:{urlsplit(endpoint.emulator).port}"
    for path in ("/health", "/login", "/a/"):
        reply = urllib3.request("POST", f"{endpoint.emulator}{path}", headers={"Host": host})
        assert reply.json()["rawPath"] == path


def test_limits_are_api_gateways(endpoint: Endpoint) -> None:
    """10 MB pass, more is 413; request line and headers together have 10,240 bytes, then 431."""
    kind = {"Content-Type": "application/octet-stream"}
    for size, status in ((10 * 1024 * 1024 + 1, 413), (10 * 1024 * 1024, 200)):
        reply = urllib3.request("POST", endpoint.url, body=b"x" * size, headers=kind)
        assert reply.status == status
    for size, status in ((11_000, 431), (9_000, 200)):
        reply = urllib3.request("POST", endpoint.url, headers={"X-Long": "x" * size})
        assert reply.status == status


def test_forms_of_a_request(endpoint: Endpoint) -> None:
    """A whole URL as target is taken, HTTP/1.0 without a host as well, ``*`` is not."""
    whole = endpoint.raw(
        b"POST http://other.example/p?q=1 HTTP/1.1\r\nHost: o\r\nConnection: close\r\n"
        b"Content-Length: 0\r\n\r\n"
    )
    event = json.loads(whole.partition(b"\r\n\r\n")[2])
    assert (event["rawPath"], event["rawQueryString"]) == ("/p", "q=1")
    assert endpoint.raw(b"GET /old HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200")
    star = b"OPTIONS * HTTP/1.1\r\nHost: o\r\nConnection: close\r\n\r\n"
    assert endpoint.raw(star).startswith(b"HTTP/1.1 400")


def test_pipelined_requests_are_answered_in_turn(endpoint: Endpoint) -> None:
    """Two requests in one packet are two webhooks."""
    request = b"POST /%b HTTP/1.1\r\nHost: o\r\nContent-Length: 1\r\n%b\r\nx"
    answer = endpoint.raw(
        request % (b"first", b"") + request % (b"second", b"Connection: close\r\n")
    )
    assert answer.count(b"HTTP/1.1 200") == 2
    assert answer.index(b"/first") < answer.index(b"/second")


_CLIENTS = {
    "curl": ["curl", "-sS", "-d", "x", "{}/health"],
    "wget": ["wget", "-qO-", "--post-data=x", "{}/health"],
    "node": [
        "node", "-e",
        "fetch('{}/health',{{method:'POST',body:'x'}}).then(r=>r.text()).then(t=>console.log(t))",
    ],
    "python": [
        "python3", "-c",
        "import urllib.request as u; print(u.urlopen('{}/health', b'x').read().decode())",
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", _CLIENTS)
def test_the_printed_url_works_everywhere(endpoint: Endpoint, name: str) -> None:
    """The endpoint as printed works in curl, wget, Node and Python, also as ``localhost``."""
    if shutil.which(_CLIENTS[name][0]) is None:
        pytest.skip(f"{_CLIENTS[name][0]} is not installed")
    for url in (endpoint.url, endpoint.url.replace("127.0.0.1", "localhost")):
        command = [part.format(url) if "{" in part else part for part in _CLIENTS[name]]
        output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        assert json.loads(output.stdout)["rawPath"] == "/health"


def test_an_endpoint_before_its_deployment(endpoint: Endpoint, tmp_path: Path) -> None:
    """An opened endpoint without an API answers 503 with the remedy; its port stays, or moves."""
    del endpoint
    emulator = Emulator(tmp_path)
    try:
        emulator.start()
        url = emulator.open_endpoint("local")
        reply = urllib3.request("POST", url)
        assert (reply.status, "webhook-buffer up" in reply.json()["message"]) == (503, True)
        assert (
            emulator.open_endpoint("local", api_id="deadbeef")
            == url
            == emulator.endpoint_url("local")
        )
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            with pytest.raises(
                InputError, match=f"{port} on 127.0.0.1 is in use .*--endpoint-port"
            ):
                emulator.open_endpoint("local", port=port)
        moved = emulator.open_endpoint("local", port=port)
        assert moved == f"http://127.0.0.1:{port}" == emulator.endpoint_url("local")
        assert urllib3.request("POST", moved).status == 503
        emulator.stop()
        emulator.start()
        assert emulator.open_endpoint("local") == moved
    finally:
        emulator.stop()
