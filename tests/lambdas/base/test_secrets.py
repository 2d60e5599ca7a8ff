"""Secrets: read once, again after a refusal, and the last good one serves on for hours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdas.base.secrets import Secrets, UnavailableError, members, valid
from tests.function_modules import function_environ
from tests.lambdas.conftest import HttpStub

_ARN = "arn:aws:secretsmanager:us-east-1:111111111111:secret:github-AbCdEf"


class _Clock:
    """A monotonic clock that advances on request."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def manager(http_stub: HttpStub, monkeypatch: pytest.MonkeyPatch) -> HttpStub:
    """Secrets Manager, as the function's environment names it."""
    for name, value in function_environ(http_stub.url).items():
        monkeypatch.setenv(name, value)
    return http_stub


def _holds(manager: HttpStub, text: str) -> None:
    manager.then(200, {"SecretString": text})


def _fails(manager: HttpStub) -> None:
    manager.then(400, {"__type": "AccessDeniedException"})


def _logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_read_once(manager: HttpStub, clock: _Clock) -> None:
    """A secret is read with the first request and kept for the next."""
    secrets = Secrets(clock)
    _holds(manager, "geheim")
    for _ in range(3):
        assert secrets.get(_ARN, within=2) == {"current": "geheim"}
    [request] = manager.requests
    assert request.header("x-amz-target") == "secretsmanager.GetSecretValue"
    assert json.loads(request.body) == {"SecretId": _ARN}


def test_a_refusal_reads_again_at_most_once_a_minute(manager: HttpStub, clock: _Clock) -> None:
    """However many requests are refused, a container reads the secret once a minute."""
    secrets = Secrets(clock)
    _holds(manager, "old")
    secrets.get(_ARN, within=2)
    _holds(manager, "new")
    assert not secrets.refresh(_ARN, within=2)  # it was read just now
    clock.now += 61
    assert secrets.refresh(_ARN, within=2)
    for _ in range(100):
        assert not secrets.refresh(_ARN, within=2)
    assert secrets.get(_ARN, within=2) == {"current": "new"}
    assert len(manager.requests) == 2


def test_a_withdrawn_secret_goes(manager: HttpStub, clock: _Clock) -> None:
    """After a quarter of an hour the secret is read again, although nothing was refused."""
    secrets = Secrets(clock)
    _holds(manager, '{"current": "new", "previous": "old"}')
    assert valid(secrets.get(_ARN, within=2)) == ["new", "old"]
    _holds(manager, '{"current": "new"}')
    clock.now += 15 * 60 + 1
    assert valid(secrets.get(_ARN, within=2)) == ["new"]


def test_the_last_good_one_serves_on_for_hours(
    manager: HttpStub, clock: _Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without Secrets Manager's answer a secret is good for twelve hours, and that is logged."""
    secrets = Secrets(clock)
    _holds(manager, "geheim")
    secrets.get(_ARN, within=2)
    capsys.readouterr()
    for _ in range(11):
        clock.now += 3600
        _fails(manager)
        assert secrets.get(_ARN, within=2) == {"current": "geheim"}
    lines = _logged(capsys)
    assert len(lines) == 11
    assert {(line["event"], line["aws_error"]) for line in lines} == {
        ("secret.unreadable", "AccessDeniedException")
    }
    assert all(line["SecretUnreadable"] == 1 for line in lines)
    clock.now += 3601
    _fails(manager)
    with pytest.raises(UnavailableError):
        secrets.get(_ARN, within=2)


def test_without_any_it_is_tried_again_soon(
    manager: HttpStub, clock: _Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    """A secret that could never be read is tried every few seconds, not with every request."""
    secrets = Secrets(clock)
    _fails(manager)
    for _ in range(10):
        with pytest.raises(UnavailableError):
            secrets.get(_ARN, within=2)
    assert len(manager.requests) == 1
    clock.now += 5
    _holds(manager, "geheim")
    assert secrets.get(_ARN, within=2) == {"current": "geheim"}
    assert "geheim" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s", {"current": "s"}),
        ("123", {"current": "123"}),
        ('["x"]', {"current": '["x"]'}),
        ('{"current": "a", "previous": "b", "n": 1, "e": ""}', {"current": "a", "previous": "b"}),
        ("{}", {}),
    ],
)
def test_forms_of_a_secret(text: str, expected: dict[str, str]) -> None:
    """A secret is a text, or the texts of a JSON object."""
    assert members(text) == expected


@pytest.mark.parametrize("text", ["", None, 7])
def test_an_empty_secret_is_none(text: object) -> None:
    """A secret without text, a binary one for instance, is unreadable."""
    with pytest.raises(ValueError, match="empty"):
        members(text)
