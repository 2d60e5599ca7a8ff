"""``webhook-buffer sources``: what an environment has, and what would become of a request."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from settings import loader
from settings.schema import Settings
from tests.lambdas.sources.vectors import VECTORS, Vector
from webhook_buffer.cli import main, sources

_ARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:one"
Run = Callable[..., tuple[int, str]]


def _settings(*blocks: dict[str, Any], **overrides: Any) -> Settings:
    changed = {"sources": list(blocks) or None, **overrides}
    return loader.load("local", overrides=changed)


def _source(vector: Vector) -> dict[str, Any]:
    verify: dict[str, Any] = {"provider": vector.provider, **vector.options}
    if vector.provider == "discord":
        verify["publicKeys"] = [vector.secret]
    else:
        verify["secretArn"] = _ARN
    return {"name": "one", "paths": [vector.path], "verify": verify}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs the command in this process, in an environment with given sources."""

    def command(settings: Settings, *arguments: str, body: bytes = b"") -> tuple[int, str]:
        monkeypatch.setattr(sources, "load", lambda _: settings)
        monkeypatch.setenv("COLUMNS", "300")
        payload = tmp_path / "payload"
        payload.write_bytes(body)
        words = [str(payload) if word == "PAYLOAD" else word for word in arguments]
        monkeypatch.setattr("sys.argv", ["webhook-buffer", "sources", *words])
        with pytest.raises(SystemExit) as ended:
            main.main()
        shown = capsys.readouterr()
        assert "Traceback" not in shown.out + shown.err
        return int(ended.value.code or 0), shown.out + shown.err

    return command


def _headers(vector: Vector) -> list[str]:
    return [word for pair in vector.headers.items() for word in ("-H", ": ".join(pair))]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.provider)
def test_a_captured_request_would_pass(
    run: Run, monkeypatch: pytest.MonkeyPatch, vector: Vector
) -> None:
    """A genuine request of each provider is accepted, and with another body it is not."""
    monkeypatch.setenv("WEBHOOK_BUFFER_SOURCE_SECRET", vector.secret)
    to = vector.path + (f"?{vector.query}" if vector.query else "")
    words = ["check", "one", "--payload", "PAYLOAD", "--at", str(round(vector.now)), "--to", to]
    settings = _settings(_source(vector))
    code, output = run(settings, *words, *_headers(vector), body=vector.body)
    assert (code, " Verified, and queued." in output) == (0, True), output
    if vector.provider == "gitlab":
        return
    code, output = run(settings, *words, *_headers(vector), body=vector.body + b"x")
    assert code == 1
    assert "401 " in output
    assert vector.secret not in output or vector.provider == "discord"


def _github(*, body: bytes = b"Hello, World!") -> tuple[Vector, bytes]:
    return VECTORS[0], body


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"method": "PUT"}, 405, "does not accept this method"),
        ({"to": "/other"}, 404, "No source takes this path"),
        ({"headers": []}, 401, "missing: The signature"),
        ({"body": b"Hello, World!\n"}, 401, "would pass without the newline at its end"),
        ({"secret": "other"}, 401, "wrong: The signature does not match"),
        (
            {"body": b"\xff", "headers": ["-H", "Content-Type: text/plain; charset=latin-1"]},
            415,
            "API Gateway would alter it",
        ),
        ({"body": b"\xff", "headers": ["-H", "Content-Type: image/png"]}, 401, "missing: "),
        ({"allowed": True}, 403, "Give the sender's: --address"),
        ({"allowed": True, "address": "203.0.113.1"}, 403, "is not in allowedIps"),
        ({"allowed": True, "address": "192.0.2.1"}, 200, "Verified, and queued."),
    ],
)
def test_why_not(
    run: Run, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], status: int, words: str
) -> None:
    """The verdict has the status that the request would get, and what would mend it."""
    vector, body = _github(body=changes.get("body", b"Hello, World!"))
    monkeypatch.setenv("WEBHOOK_BUFFER_SOURCE_SECRET", changes.get("secret", vector.secret))
    block = _source(vector) | ({"allowedIps": ["192.0.2.0/24"]} if "allowed" in changes else {})
    arguments = ["check", "one", "--payload", "PAYLOAD"]
    arguments += changes.get("headers", _headers(vector))
    for option in ("method", "to", "address"):
        if option in changes:
            arguments += [f"--{option}", changes[option]]
    code, output = run(_settings(block), *arguments, body=body)
    assert f"{status} " in output
    assert words in output
    assert code == (0 if status == 200 else 1)


_META = ["--method", "GET", "--to", "/one?hub.mode=subscribe&hub.challenge=7&hub.verify_token="]
_WEBSUB = [
    "--method", "GET", "--to", "/one?verify_token=v&hub.mode=subscribe&hub.challenge=7&hub.topic=",
]  # fmt: skip
_EVENT_GRID = ["--method", "OPTIONS", "-H", "WebHook-Request-Origin: "]
_HUB = {"scheme": "hmac", "header": "X-Hub-Signature", "signed": "{body}"}


@pytest.mark.parametrize(
    ("block", "arguments", "value", "status", "words"),
    [
        ({"verify": {"provider": "dropbox"}}, ["--method", "GET", "--to"], "/one?challenge=a", 200,
         "dropbox: answered, and not queued."),
        ({"verify": {"provider": "dropbox"}}, ["--method", "GET", "--to"], "/one?challenge=%00",
         403, "dropbox is refused. Compare its token"),
        ({"verify": {"provider": "x"}}, ["--method", "GET", "--to"], "/one?crc_token=a", 200,
         "x-crc: answered, and not queued."),
        ({"verify": {"provider": "meta"}}, _META, "v", 200, "hub-challenge: answered"),
        ({"verify": {"provider": "meta"}}, _META, "s", 403, "hub-challenge is refused."),
        ({"verify": _HUB, "handshake": {"kind": "websub", "topics": ["https://x/"]}}, _WEBSUB,
         "https://x/", 200, "websub: answered"),
        ({"verify": _HUB, "handshake": {"kind": "websub", "topics": ["https://x/"]}}, _WEBSUB,
         "https://y/", 404, "websub is refused."),
        ({"handshake": {"kind": "cloudevents", "origins": ["a.net"]}, "verify": _HUB}, _EVENT_GRID,
         "a.net", 200, "cloudevents: answered"),
        ({"handshake": {"kind": "cloudevents", "origins": ["a.net"]}, "verify": _HUB}, _EVENT_GRID,
         "b.net", 403, "cloudevents is refused."),
        ({"verify": {"provider": "asana"}}, ["-H"], "X-Hook-Secret: a", 200,
         "asana: and not queued. Its secret is taken while 'sources enroll' waits"),
    ],
)  # fmt: skip
def test_handshakes_are_answered_as_the_buffer_would(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    block: dict[str, Any],
    arguments: list[str],
    value: str,
    status: int,
    words: str,
) -> None:
    """In an unsigned handshake, too, the token, the topic and the origin count."""
    secret = '{"current": "s", "verify_token": "v"}'
    monkeypatch.setenv("WEBHOOK_BUFFER_SOURCE_SECRET", secret)
    verify = {**block["verify"], "secretArn": _ARN}
    source = {"name": "one", "paths": ["/one"], **block, "verify": verify}
    last = [arguments[-1] + value] if arguments[-1].endswith(("=", " ")) else [arguments[-1], value]
    code, output = run(_settings(source), "check", "one", *arguments[:-1], *last)
    assert f"{status} The handshake" in output
    assert words in output
    assert code == (0 if status == 200 else 1)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("check", "two", "--payload", "PAYLOAD"), "has no source 'two'; it has one"),
        (("check", "one", "--payload", "none.json"), "none.json: No such file"),
        (("check", "one", "--payload", "PAYLOAD", "-H", "x"), "--header 'x': write it as"),
        (("check", "one", "--payload", "PAYLOAD", "--at", "noon"), "--at 'noon' is not a time"),
        (("check", "one", "--payload", "PAYLOAD"), "Give the source's secret: --secret-file"),
        (("enroll", "one"), "has a secret of its own; only with the handshake asana"),
    ],
)
def test_bad_arguments(run: Run, words: tuple[str, ...], expected: str) -> None:
    """What can't be used is one error with its remedy."""
    code, output = run(_settings(_source(VECTORS[0])), *words)
    assert code != 0
    assert expected in output


def test_without_sources(run: Run) -> None:
    """An environment without sources says so."""
    code, output = run(_settings(), "list")
    assert code != 0
    assert "has no sources: anybody can send" in output


def test_list(run: Run) -> None:
    """The list says of each source how it is verified, as text and as JSON."""
    limited = {"name": "near", "paths": ["/near"], "allowedIps": ["192.0.2.0/24"]}
    settings = _settings(_source(VECTORS[0]), {"name": "open", "paths": ["/open"]}, limited)
    code, output = run(settings, "list")
    assert code == 0
    assert "verified by  github" in output
    assert "verified by  nothing: anybody can send" in output
    assert "verified by  nothing but the sender's address" in output
    document = json.loads(run(settings, "list", "--json")[1])
    assert [entry["name"] for entry in document] == ["one", "open", "near"]


def test_a_secret_file(run: Run, tmp_path: Path) -> None:
    """A secret may come from a file, with the newline that editors put at its end."""
    vector = VECTORS[0]
    file = tmp_path / "secret"
    file.write_text(vector.secret + "\n")
    arguments = ["check", "one", "--payload", "PAYLOAD", "--secret-file", str(file)]
    code, _ = run(_settings(_source(vector)), *arguments, *_headers(vector), body=vector.body)
    assert code == 0
