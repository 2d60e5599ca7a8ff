"""Credentials of a request reach the backend, and neither its record nor a log line."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from lambdas.base.redaction import Redaction, masked
from settings import loader
from tests.emulated_aws import Aws
from tests.function_events import context, http_event
from tests.function_modules import Functions
from webhook_buffer.laptop.backend import ScriptedBackend

_TOKEN = "XmF4cTB2aG9va3NlY3JldA"


def test_the_record_has_no_credentials(
    functions: Functions, aws: Aws, backend: ScriptedBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    """Header and parameter go out as sent; record and log have the rest of the request."""
    event = http_event(
        b"{}", path=f"/services/{_TOKEN}", query="a=1&ToKen=s3cr3t&token&b=%20",
        headers={"authorization": "Bearer s3cr3t", "x-kept": "kept"},
    )  # fmt: skip
    functions.publish().handler(event, context())
    [record] = aws.received()
    functions.subscribe(backend.url).handler({"Records": [record]}, context())
    [seen] = backend.faux.received
    assert seen.target == f"/services/{_TOKEN}?a=1&ToKen=s3cr3t&token&b=%20"
    assert seen.headers["authorization"] == "Bearer s3cr3t"
    item: Any = aws.record(record["messageId"])
    request = json.loads(item["request"]["S"])
    assert request["headers"] == {"authorization": "(redacted)", "x-kept": "kept"}
    assert request["rawQueryString"] == "a=1&ToKen=(redacted)&token&b=%20"
    assert request["queryStringParameters"]["ToKen"] == "(redacted)"
    assert "s3cr3t" not in json.dumps(item)
    logged = capsys.readouterr().out
    assert _TOKEN not in logged
    assert "s3cr3t" not in logged
    assert '"path":"/services/(redacted)"' in logged


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/orders/7/paid", "/orders/7/paid"),
        ("/a-long-path-of-words-in-lower-case", "/a-long-path-of-words-in-lower-case"),
        (f"/services/T0AB/B0CD/{_TOKEN}", "/services/T0AB/B0CD/(redacted)"),
        (f"POST /{_TOKEN}/github", "POST /(redacted)/github"),
        ("/o/0f8fad5b-d9cb-469f-a165-70867728950e", "/o/(redacted)"),
        ("/" + "ab" * 20 + "1", "/(redacted)"),
        ("/in/abcdefgh01234567;v=1,x@y!z", "/in/(redacted)"),
    ],
)
def test_masked(path: str, shown: str) -> None:
    """Segments that look like tokens are left out, and words stay."""
    assert masked(path) == shown


def test_a_long_path_is_masked_in_time() -> None:
    """The longest path that the API takes costs milliseconds, whatever it is made of."""
    started = time.process_time()
    for path in ("a" * 10_000, "A" * 10_000, "." * 10_000, "a" * 9_999 + "é"):
        masked("/" + path)
    assert time.process_time() - started < 0.2


def test_the_defaults_name_what_carries_credentials() -> None:
    """Without a list in settings the usual names are redacted, whatever their case."""
    settings = loader.load("prd")
    default = Redaction.parse(
        json.dumps({"headers": settings.redactHeaders, "parameters": settings.redactParameters})
    )
    assert {"authorization", "cookie", "x-api-key", "x-gitlab-token"} <= default.headers
    assert {"token", "access_token", "api_key", "sig"} <= default.parameters
