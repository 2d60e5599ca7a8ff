"""Log lines as they are read: which of them are ours, and which a follower has seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config

from settings.errors import AwsRefusalError
from settings.loader import load
from tests.fake_aws import Refusal, install
from webhook_buffer.operations import logs
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.logs import Line, fields_of


def _target(env: str, folder: Path) -> Environment:
    return Environment(settings=load(env), folder=folder, outputs_file=folder / "o.json")


def test_only_lines_of_our_functions_have_fields() -> None:
    """JSON of others, also deeply nested, is text."""
    ours = '{"level":"INFO","event":"webhook.accepted","group_id":"a"}'
    assert fields_of(ours)["group_id"] == "a"
    for text in ("Task timed out", "{", "[]", '{"event": "x"}', '{"event": 1, "level": "INFO"}'):
        assert fields_of(text) == {}
    assert fields_of("[" * 100_000) == {}


def test_a_follower_sees_each_line_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Lines read again are not shown again, late ones are, and old ones are not read again."""
    lines = [Line(at, "publish", text, {}) for at, text in ((1, "a"), (200_000, "b"))]
    late = Line(150_000, "subscribe", "late", {})
    reads: list[int] = []

    def read(*_: object, since: int, **__: object) -> list[Line]:
        reads.append(since)
        readable = lines if len(reads) == 1 else sorted([*lines, late], key=lambda line: line.at)
        return [line for line in readable if line.at >= since]

    monkeypatch.setattr(logs, "read", read)
    monkeypatch.setattr(logs, "_POLL_SECONDS", 0.0)
    target = _target("local", tmp_path)
    following = logs.follow(target, ["publish"], since=0)
    assert [next(following).text for _ in range(3)] == ["a", "b", "late"]
    assert reads == [0, 140_000]


@dataclass
class _Clock:
    """Time that passes by sleeping; it ends the test when it is over."""

    until: float
    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        if self.now >= self.until:
            raise KeyboardInterrupt


def _followed(
    monkeypatch: pytest.MonkeyPatch, folder: Path, answer: Any, *, minutes: float
) -> tuple[_Clock, int]:
    """The clock, and how many calls following six functions made."""
    fake = install(monkeypatch, "333333333333", logs_FilterLogEvents=answer)
    clock = _Clock(60 * minutes)
    monkeypatch.setattr("webhook_buffer.operations.logs.time.sleep", clock.sleep)
    target = _target("prd", folder)
    vars(target)["logs"] = target.session.client(
        "logs", config=Config(retries={"total_max_attempts": 1})
    )
    with pytest.raises(KeyboardInterrupt):
        list(logs.follow(target, [f"f{number}" for number in range(6)], since=0))
    return clock, fake.names.count("logs.FilterLogEvents")


def test_following_has_a_price(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Ten minutes of following make no more calls than the help says, whatever is followed."""
    _, calls = _followed(monkeypatch, tmp_path, {"events": []}, minutes=10)
    assert 0.9 * 10 * logs.CALLS_PER_MINUTE <= calls <= 10 * logs.CALLS_PER_MINUTE


def test_following_much_has_the_same_price(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where much is logged there are more pages to read, and longer pauses between the readings."""

    def answer(given: dict[str, Any]) -> Any:
        page = int(given.get("nextToken", "0"))
        return {"events": [], **({"nextToken": str(page + 1)} if page < 4 else {})}

    clock, calls = _followed(monkeypatch, tmp_path, answer, minutes=10)
    assert set(clock.slept) == {30}
    assert calls <= 10 * logs.CALLS_PER_MINUTE


def test_a_follower_backs_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """While AWS throttles, each pause is twice the last, up to a minute; then all is as before."""
    made = count()

    def answer(_: dict[str, Any]) -> Any:
        return Refusal("ThrottlingException") if next(made) < 5 else {"events": []}

    clock, _ = _followed(monkeypatch, tmp_path, answer, minutes=5)
    assert clock.slept[:7] == [12, 24, 48, 60, 60, 6, 6]


def test_a_follower_ends_on_other_errors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What waiting does not mend ends it, with AWS's words."""
    install(monkeypatch, "333333333333", logs_FilterLogEvents=Refusal("AccessDenied", status=403))
    with pytest.raises(AwsRefusalError, match="AWS refused FilterLogEvents for environment 'prd'"):
        list(logs.follow(_target("prd", tmp_path), ["publish"], since=0))
