"""publish with verified sources: what is not genuine is refused before anything else happens."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lambdas.base import envelope
from settings.paths import ROOT
from settings.sources import Source, entries
from tests.emulated_aws import Aws, client
from tests.function_events import context, http_event
from tests.function_modules import function_environ
from tests.lambdas.sources.conftest import Publish
from webhook_buffer.laptop.programs.process import Running

_BODY = b'{"group_id": "acme/repo"}'


def _signed(secret: str, body: bytes = _BODY, **event: Any) -> dict[str, Any]:
    """A request that GitHub signed with a secret."""
    mac = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"x-hub-signature-256": f"sha256={mac}", **event.pop("headers", {})}
    return http_event(body, path="/github", headers=headers, **event)


def _github(arn: str) -> dict[str, Any]:
    verify = {"provider": "github", "secretArn": arn}
    return {"name": "github", "paths": ["/github"], "verify": verify}


def _status(module: Any, event: dict[str, Any]) -> int:
    return int(module.handler(event, context())["statusCode"])


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_genuine_ones_are_queued_and_forged_ones_are_not(
    publish: Publish,
    aws: Aws,
    secret: Callable[[str], str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A forged request gets 401 and leaves nothing behind; a genuine one is queued."""
    module = publish(_github(secret("geheim")))
    assert _status(module, _signed("guess")) == 401
    assert _status(module, http_event(_BODY, path="/github")) == 401
    assert aws.waiting() == 0
    assert _status(module, _signed("geheim")) == 200
    [message] = aws.received()
    assert envelope.unpack(message["body"], _BODY).source == "github"
    refused = [line for line in _lines(capsys) if line["event"] == "webhook.refused"]
    assert [(line["source"], line["reason"]) for line in refused] == [
        ("github", "wrong"),
        ("github", "missing"),
    ]


@pytest.mark.parametrize(
    ("sent", "encoded", "key", "status"),
    [
        # The API has put three bytes in place of three.
        (b'{"group_id": "\xf0\x90\x80"}', False, "geheim", 415),
        # The sender's own replacement character, signed rightly and wrongly.
        ('{"group_id": "\ufffd"}'.encode(), False, "geheim", 200),
        ('{"group_id": "\ufffd"}'.encode(), False, "guess", 415),
        # Not handed over as text.
        ('{"group_id": "\ufffd"}'.encode(), True, "guess", 401),
        (_BODY, False, "guess", 401),
    ],
)
def test_a_body_altered_in_equal_length_is_415_rather_than_401(
    publish: Publish,
    secret: Callable[[str], str],
    capsys: pytest.CaptureFixture[str],
    sent: bytes,
    encoded: bool,
    key: str,
    status: int,
) -> None:
    """A signature that does not match may be genuine where the API may have altered the body."""
    module = publish(_github(secret("geheim")))
    event = _signed(key, sent, headers={"content-length": str(len(sent))})
    if not encoded:
        event |= {"body": sent.decode("utf-8", "replace"), "isBase64Encoded": False}
    assert _status(module, event) == status
    *_, line = _lines(capsys)
    assert line.get("reason") == {415: "altered", 401: "wrong", 200: None}[status]
    assert line.get("SignatureRefused") == (None if status == 200 else 1)


def test_refusals_are_counted_by_source_and_by_reason(
    publish: Publish, secret: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A refusal adds to its source's and reason's counts, a genuine webhook to its source's."""
    module = publish(_github(secret("geheim")))
    _status(module, _signed("guess"))
    _status(module, _signed("geheim"))
    *_, refused, queued = _lines(capsys)
    assert _dimensions(refused) == {
        "SignatureRefused": [["service", "env"], ["service", "env", "source"]],
        "SourceRefused": [
            ["service", "env", "source"],
            ["service", "env", "source", "reason"],
        ],
    }
    assert refused["SignatureRefused"] == refused["SourceRefused"] == 1
    assert (refused["source"], refused["reason"]) == ("github", "wrong")
    assert queued["SourceAccepted"] == queued["Accepted"] == 1
    assert _dimensions(queued) == {
        "Accepted": [["service", "env"]],
        "SourceAccepted": [["service", "env", "source"]],
    }


def _dimensions(line: dict[str, Any]) -> dict[str, list[list[str]]]:
    """The sets of dimensions that a log line counts by, for each metric."""
    return {
        metric["Name"]: directive["Dimensions"]
        for directive in line["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
    }


def test_nothing_of_a_refused_request_is_logged(
    publish: Publish, secret: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither body, headers, nor secret of a refused request reach the log or the answer."""
    module = publish(_github(secret("geheim")))
    event = _signed("guess", b'{"card": "4111"}', headers={"x-note": "4222"}, query="token=4333")
    reply = module.handler(event, context())
    text = capsys.readouterr().out + json.dumps(reply)
    for private in ("4111", "4222", "4333", "geheim", "sha256="):
        assert private not in text


def test_a_rotated_secret_is_read_again(
    publish: Publish,
    secret: Callable[[str], str],
    emulator: Running,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A request signed with a new secret is refused at most until a minute has passed."""
    arn = secret("old")
    module = publish(_github(arn))
    assert _status(module, _signed("old")) == 200
    manager = client(emulator.endpoint_url, "secretsmanager")
    text = json.dumps({"current": "new", "previous": "old"})
    manager.put_secret_value(SecretId=arn, SecretString=text)
    assert _status(module, _signed("new")) == 401
    now = module.CONFIG.sources._secrets._clock()
    monkeypatch.setattr(module.CONFIG.sources._secrets, "_clock", lambda: now + 61)
    assert _status(module, _signed("new")) == 200
    assert _status(module, _signed("old")) == 200


def test_an_unreadable_secret_is_503(
    publish: Publish, aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a secret nothing can be verified: 503, to be sent again, and a count that pages."""
    arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:none-AbCdEf"
    module = publish(_github(arn))
    reply = module.handler(_signed("x"), context())
    assert (reply["statusCode"], reply["headers"]["Retry-After"]) == (503, "5")
    assert aws.waiting() == 0
    unreadable, refused = _lines(capsys)
    assert unreadable["SecretUnreadable"] == 1
    assert (refused["reason"], refused["level"]) == ("unverifiable", "ERROR")
    assert refused["SourceRefused"] == 1
    assert "SignatureRefused" not in refused


@pytest.mark.parametrize(
    ("verify", "challenge"),
    [
        ({"provider": "github"}, "Webhook-Signature"),
        ({"scheme": "token", "token": "header:X-Api-Key"}, "Webhook-Token"),
        ({"scheme": "token", "token": "header:Authorization", "prefix": "Bearer "}, "Bearer"),
    ],
)
def test_401_says_how_to_authenticate(
    publish: Publish, secret: Callable[[str], str], verify: dict[str, str], challenge: str
) -> None:
    """Every 401 carries the challenge that RFC 9110 requires, whatever the scheme."""
    module = publish(
        {"name": "a", "paths": ["/a"], "verify": {**verify, "secretArn": secret("geheim")}}
    )
    reply = module.handler(http_event(_BODY, path="/a"), context())
    assert reply["statusCode"] == 401
    assert reply["headers"]["WWW-Authenticate"] == f'{challenge} realm="a"'


@pytest.mark.parametrize("text", ['{"GITHUB_SECRET": "x"}', '{"previous": ""}'])
def test_a_secret_without_its_member_is_unreadable(
    publish: Publish, secret: Callable[[str], str], capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """A secret whose JSON has no ``current`` refuses nobody as forged."""
    assert _status(publish(_github(secret(text))), _signed("x")) == 503
    assert "HasNoCurrent" in capsys.readouterr().out


def test_altered_bodies_are_415_before_401(publish: Publish, secret: Callable[[str], str]) -> None:
    """A body that API Gateway altered can't be verified, and the answer says why."""
    event = http_event("\ufffd", path="/github", headers={"content-length": "1"})
    assert _status(publish(_github(secret("geheim"))), event) == 415


def test_other_sources_are_not_affected(publish: Publish, secret: Callable[[str], str]) -> None:
    """Each source has its own verification, and one may have none."""
    module = publish(
        _github(secret("geheim")),
        {"name": "rest", "paths": ["/rest"]},
        {
            "name": "partner",
            "paths": ["/partner"],
            "verify": {"scheme": "basic", "secretArn": secret("u:p")},
        },
    )
    assert _status(module, http_event(_BODY, path="/rest")) == 200
    refused = module.handler(http_event(_BODY, path="/partner"), context())
    assert refused["statusCode"] == 401
    assert refused["headers"]["WWW-Authenticate"] == 'Basic realm="partner"'
    headers = {"authorization": "Basic dTpw"}
    assert _status(module, http_event(_BODY, path="/partner", headers=headers)) == 200


@pytest.mark.parametrize(
    ("verify", "loaded", "kept_out"),
    [
        ({"provider": "github", "secretArn": "arn"}, "lambdas.sources.schemes.signed",
         ("cryptography", "lambdas.sources.schemes.shared", "lambdas.sources.schemes.sns")),
        ({"scheme": "basic", "secretArn": "arn"}, "lambdas.sources.schemes.shared",
         ("cryptography", "lambdas.sources.schemes.signed")),
        (None, "lambdas.sources.intake",
         ("lambdas.sources.schemes.signed", "lambdas.sources.schemes.shared",
          "lambdas.sources.verification")),
    ],
)  # fmt: skip
def test_only_what_is_configured_is_loaded(
    tmp_path: Path, verify: dict[str, str] | None, loaded: str, kept_out: tuple[str, ...]
) -> None:
    """A scheme's module is loaded where a source uses it, and never the table of providers."""
    arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:a-AbCdEf"
    block: dict[str, Any] = {"name": "a", "paths": ["/a"]}
    if verify:
        block["verify"] = {**verify, "secretArn": arn}
    file = tmp_path / "sources.json"
    file.write_text(json.dumps(entries([Source.model_validate(block)])))
    modules = _loaded("publish", SOURCES=str(file))
    assert loaded in modules
    assert not modules & {*kept_out, "lambdas.sources.providers", "dataclasses"}


@pytest.mark.parametrize("module", ["publish", "subscribe"])
def test_nothing_of_sources_is_loaded_without_any(module: str) -> None:
    """An environment without sources loads no module of theirs."""
    assert not [name for name in _loaded(module) if name.startswith("lambdas.sources")]


def _loaded(module: str, **variables: str) -> set[str]:
    """The modules that are loaded once a function's module is."""
    environ = {**os.environ, **function_environ("http://127.0.0.1:1"), **variables}
    script = f"import sys, lambdas.{module}; print('\\n'.join(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", script],
        env=environ,
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=True,
    )
    return set(result.stdout.split())
