"""Enrollment: one window at a time, and nothing that is there is ever overwritten."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from settings.errors import InputError
from settings.loader import load
from tests.emulated_aws import emulated_environment
from webhook_buffer.laptop.programs.process import Running
from webhook_buffer.operations.enrollment import Enrollment
from webhook_buffer.operations.environment import Environment


@pytest.fixture
def target(emulator: Running, tmp_path: Path) -> Environment:
    """The emulator, as an environment of the laptop."""
    return emulated_environment(emulator, tmp_path, load("local"))


def _secret(target: Environment, text: str) -> str:
    reply = target.secrets.create_secret(Name=uuid.uuid4().hex, SecretString=text)
    return reply["ARN"]


def _stored(target: Environment, arn: str) -> dict[str, str]:
    secret: dict[str, str] = json.loads(
        target.secrets.get_secret_value(SecretId=arn)["SecretString"]
    )
    return secret


def test_a_window_that_nothing_came_in_is_taken_back(target: Environment) -> None:
    """After the command has ended nothing is taken any more."""
    arn = _secret(target, "{}")
    enrollment = Enrollment(target, "asana", arn)
    enrollment.open(seconds=60, sleep=lambda _: None)
    assert set(_stored(target, arn)) == {"enrollment", "until"}
    assert not enrollment.wait(seconds=0)
    enrollment.close()
    assert _stored(target, arn) == {}


def test_what_came_stays(target: Environment) -> None:
    """A secret that was taken ends the wait, and closing leaves it alone."""
    arn = _secret(target, "{}")
    enrollment = Enrollment(target, "asana", arn)
    enrollment.open(seconds=60, sleep=lambda _: None)

    def comes(_: float) -> None:
        target.secrets.put_secret_value(SecretId=arn, SecretString='{"current": "s"}')

    assert enrollment.wait(seconds=60, sleep=comes)
    enrollment.close()
    assert _stored(target, arn) == {"current": "s"}


@pytest.mark.parametrize("text", ["plain", '{"current": "s"}'])
def test_a_secret_is_never_overwritten(target: Environment, text: str) -> None:
    """Where there is a secret, no window opens, and the error says how to take another."""
    arn = _secret(target, text)
    with pytest.raises(InputError, match="has a secret already, and it is never overwritten"):
        Enrollment(target, "asana", arn).open(seconds=60, sleep=lambda _: None)
    assert target.secrets.get_secret_value(SecretId=arn)["SecretString"] == text


def test_one_window_at_a_time(target: Environment) -> None:
    """A second enrollment of a source waits for the first."""
    arn = _secret(target, "{}")
    Enrollment(target, "asana", arn).open(seconds=60, sleep=lambda _: None)
    with pytest.raises(InputError, match="Another enrollment of source 'asana' is open"):
        Enrollment(target, "asana", arn).open(seconds=60, sleep=lambda _: None)


def test_a_secret_that_is_not_there_is_named(target: Environment) -> None:
    """Without the secret itself there is nothing to write to."""
    arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:none"
    with pytest.raises(InputError, match=r"has no secret .*none, or no value in it\. Create it"):
        Enrollment(target, "asana", arn).open(seconds=60, sleep=lambda _: None)
