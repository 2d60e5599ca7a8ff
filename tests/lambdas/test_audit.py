"""The audit finds each lost webhook, and calls none lost that is not."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdas import audit_ledger, audit_record, log_lines
from lambdas.base import aws
from tests.function_events import context
from tests.function_modules import AUDIT_ENVIRON, load
from tests.lambdas.audited_world import HOUR, MINUTE, PAUSE, START, Webhook, World

_VARIABLES = {
    **AUDIT_ENVIRON,
    "SERVICE": "webhook-buffer",
    "ENVIRONMENT": "test",
    "PAUSE_SECONDS": str(PAUSE // 1000),
}
Line = dict[str, Any]
Run = Callable[..., list[Line]]


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    """The module, loaded as for one environment."""
    with pytest.MonkeyPatch.context() as patch:
        return load(patch, "lambdas.audit", _VARIABLES)


@pytest.fixture
def run(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs the audit at a moment of a world; the lines that it wrote."""

    def once(world: World, at: int, *, seconds: float = 60) -> list[Line]:
        world.now = at
        monkeypatch.setattr(time, "time", lambda: (START + at) / 1000)
        monkeypatch.setattr(
            aws.Service,
            "call",
            lambda _, action, asked, **__: world.call(action, asked),
        )
        capsys.readouterr()
        assert audit.handler({}, context(seconds=seconds)) == {}
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    for module in (log_lines, audit_record):
        monkeypatch.setattr(module.time, "sleep", lambda _: None)
    for name, value in _VARIABLES.items():
        monkeypatch.setenv(name, value)
    return once


def _found(world: World, run: Run, *, until: int = 12 * HOUR) -> dict[str, int]:
    """When each webhook was called lost, in runs every half hour."""
    reported_at: dict[str, int] = {}
    for at in range(30 * MINUTE, until, 30 * MINUTE):
        for line in run(world, at):
            if line["event"] == "webhook.lost":
                reported_at.setdefault(line["message_id"], at)
            assert line["event"] != "audit.incomplete"
    return reported_at


_lines = st.sampled_from(["there"] * 6 + ["missing", "doubled", "late"])
_webhooks = st.lists(
    st.builds(
        Webhook,
        group=st.sampled_from("abcdefgh"),
        at=st.integers(0, 5 * HOUR),
        fate=st.sampled_from(
            ["delivered"] * 10 + ["lost", "lost", "lost-later", "parked", "consumed", "stuck",
             "repeat"]
        ),
        fails=st.sampled_from([0, 0, 0, 1, 3]),
        line=_lines,
        end=_lines,
    ),
    min_size=1,
    max_size=40,
)  # fmt: skip


@settings(
    max_examples=settings().max_examples * 4 // 5,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(webhooks=_webhooks, traffic=st.integers(0, 40), seed=st.integers(0, 1000))
def test_whatever_happens(run: Run, webhooks: list[Webhook], traffic: int, seed: int) -> None:
    """No webhook is called lost that is not, whatever lines are missing, late or doubled; and each
    loss is found within two hours of when nothing hides it.
    """
    for webhook in webhooks:
        if webhook.fate == "consumed":
            webhook.end = "there"  # no record says it
    steady = [Webhook(f"steady{n}", n * 5 * HOUR // traffic) for n in range(traffic)]
    world = World(seed=seed)
    world.play([*webhooks, *steady])
    reported_at = _found(world, run)
    assert reported_at.keys() <= world.lost.keys()
    for webhook in world.accepted:
        if webhook.id in world.lost and webhook.line in ("there", "doubled"):
            shown = _shown(world, webhook)
            if shown is not None and shown < 9 * HOUR:
                assert reported_at[webhook.id] <= shown + 2 * HOUR


def _shown(world: World, lost: Webhook) -> int | None:
    """From when on nothing hides a loss: no earlier webhook of its group is in the queue, its own
    attempts are longer ago than a pause, and the queue is empty or others are received at once.
    """
    shown = world.lost[lost.id] + (PAUSE if lost.fate == "lost-later" else 0)
    for other in world.accepted:
        if other.group == lost.group and other.number < lost.number:
            gone = world.left.get(other.id, world.lost.get(other.id))
            if gone is None:
                return None
            shown = max(shown, gone + PAUSE)
    # Whoever waited long says that others may: until it has left what the audit reads.
    for other in world.accepted:
        gone = world.left.get(other.id, world.lost.get(other.id))
        if gone is None:
            return None
        shown = max(shown, gone)
    return shown


def test_one_among_ten_thousand(run: Run) -> None:
    """In steady traffic a single loss is found within two hours, named, and nothing else is."""
    traffic = [
        Webhook(f"g{n % 700}", n * 6 * HOUR // 10_000, fails=n % 97 == 0) for n in range(10_000)
    ]
    traffic[3_456].fate = "lost"
    world = World(page=1_000)
    world.play(traffic)
    reported_at = _found(world, run, until=7 * HOUR)
    assert reported_at.keys() == world.lost.keys()
    [(lost, at)] = world.lost.items()
    assert reported_at[lost] <= at + 2 * HOUR
    # A page has 1,000 lines; nothing but the lost webhook and what failed was asked for.
    assert world.calls["BatchGetItem"] <= 60


def test_a_group_that_is_stuck_hides_no_other_loss(run: Run) -> None:
    """While one group waits for days, a webhook lost in another is found all the same."""
    traffic = [Webhook(f"g{n}", n * 2 * MINUTE) for n in range(200)]
    world = World()
    world.play([Webhook("stuck", 0, "stuck"), Webhook("other", HOUR, "lost"), *traffic])
    reported_at = _found(world, run, until=4 * HOUR)
    assert reported_at.keys() == world.lost.keys()


def test_what_waits_behind_a_failing_webhook_is_not_lost(run: Run) -> None:
    """A group that waits is not reported, however long; once it goes on, its loss is."""
    behind = [Webhook("g", n * MINUTE) for n in range(1, 40)]
    behind[20].fate = "lost"
    world = World()
    world.play(
        [
            Webhook("g", 0, fails=40),
            *behind,
            *(Webhook(f"h{n}", n * 5 * MINUTE) for n in range(140)),
        ]
    )
    [(lost, gone_at)] = world.lost.items()
    assert gone_at > 3 * HOUR
    reported_at = _found(world, run)
    assert reported_at.keys() == {lost}
    assert gone_at < reported_at[lost] <= gone_at + 2 * HOUR


def test_a_backlog_is_no_loss(run: Run) -> None:
    """Where everybody waits, nobody is lost: two hours without a delivery, then all at once."""
    world = World()
    webhooks = [Webhook(f"g{n}", n * MINUTE) for n in range(120)]
    world.play(webhooks)
    subscribe = world.logs["subscribe"]
    late = [json.loads(text) for _, _, text in subscribe]
    world.logs["subscribe"] = [
        (
            3 * HOUR + n,
            3 * HOUR + n,
            json.dumps({**line, "at": START + 3 * HOUR + n, "age_ms": HOUR}),
        )
        for n, line in enumerate(late)
    ]
    world.record.clear()
    world.left = dict.fromkeys(world.left, 3 * HOUR)
    assert _found(world, run, until=6 * HOUR) == {}


def test_lines_that_are_all_missing(run: Run) -> None:
    """The record is asked for every webhook, also where DynamoDB hands keys back."""
    world = World()
    world.play([Webhook(f"g{n}", n, end="missing") for n in range(70)])
    [line] = run(world, 30 * MINUTE)
    assert (line["event"], line["accepted"], line["uncertain"]) == ("audit.balanced", 70, 0)
    assert world.calls["BatchGetItem"] == 3


def test_a_loss_is_reported_until_it_is_old(run: Run) -> None:
    """It becomes a metric in each run for six hours; a webhook that turns up is lost no more."""
    world = World()
    world.play([Webhook("a", 0, "lost"), Webhook("b", 0, "lost"), Webhook("c", MINUTE)])
    second = max(world.lost)
    counts = {}
    for at in range(30 * MINUTE, 9 * HOUR, 30 * MINUTE):
        if at == 3 * HOUR:
            world._record(second, at, {"delivered_timestamp": {"N": "1"}})
        [last] = [line for line in run(world, at) if line["event"].startswith("audit.")]
        counts[at // MINUTE] = last.get("Unaccounted", 0)
        assert (last["level"] == "ERROR") == bool(last.get("_aws"))
    assert [counts[at] for at in (30, 60, 150, 180, 420, 480)] == [0, 2, 2, 1, 1, 0]


def test_a_flood_is_bounded_and_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit into the ledger is counted in a warning; what may be lost stays in it."""
    monkeypatch.setattr(audit_ledger, "MOST", 5)
    world = World()
    world.play([Webhook(f"g{n}", n, "stuck") for n in range(12)])
    lines = run(world, 30 * MINUTE)
    [said] = [line for line in lines if line["event"] == "audit.incomplete"]
    assert (said["level"], said["error"], said["unreconciled"]) == ("WARNING", "TooMany", 7)


def test_runs_that_were_missed_are_caught_up_on(run: Run) -> None:
    """After some hours without a run the next one reads them all; more than six are said."""
    world = World()
    world.play([Webhook("a", 2 * HOUR, "lost"), *(Webhook(f"b{n}", n * HOUR) for n in range(9))])
    run(world, HOUR)
    run(world, 6 * HOUR)
    [line] = [
        line for line in run(world, 6 * HOUR + 30 * MINUTE) if line["event"] == "webhook.lost"
    ]
    assert line["message_id"] in world.lost
    assert line["group_id"] == "a"
    lines = run(world, 24 * HOUR)
    [said] = [line for line in lines if line["event"] == "audit.incomplete"]
    assert (said["error"], said["since"] < said["until"]) == ("Skipped", True)


@pytest.mark.parametrize("action", ["FilterLogEvents", "BatchGetItem", "GetItem", "PutItem"])
def test_what_cannot_be_read_proves_nothing(run: Run, action: str) -> None:
    """A refused call is a warning, no loss, and the next run covers the same webhooks."""
    world = World()
    world.play([Webhook("a", 0, "lost"), *(Webhook(f"b{n}", n * MINUTE) for n in range(30))])
    run(world, 30 * MINUTE)
    world.refuse = {action}
    lines = run(world, HOUR)
    assert [(line["level"], line["event"], line["aws_error"]) for line in lines] == [
        ("WARNING", "audit.skipped", "AccessDenied")
    ]
    world.refuse = set()
    assert [line["event"] for line in run(world, HOUR + 5 * MINUTE)] == [
        "webhook.lost", "audit.unaccounted",
    ]  # fmt: skip


def test_two_runs_at_once(run: Run) -> None:
    """The slower of two leaves the ledger of the faster as it is."""
    world = World()
    world.play([Webhook("a", 0, "lost"), Webhook("b", 0)])
    run(world, 30 * MINUTE)
    before = audit_ledger.read("incidents", within=5)
    run(world, 40 * MINUTE)
    with pytest.raises(aws.AwsError, match="ConditionalCheckFailedException"):
        audit_ledger.write("incidents", before, until=0, followed=[], within=5)
    assert audit_ledger.read("incidents", within=5).followed == before.followed


def test_a_log_that_is_too_long(
    run: Run, audit: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With too little time for publish's log the next run goes on; what was not read is said."""
    world = World()
    world.play([Webhook("a", 0, "lost"), *(Webhook(f"b{n}", n * MINUTE) for n in range(30))])
    monkeypatch.setattr(audit, "_PUBLISH_SHARE", 0.0)
    [said] = [line for line in run(world, 30 * MINUTE) if line["event"] == "audit.incomplete"]
    assert (said["level"], said["error"]) == ("WARNING", "Unread")
    monkeypatch.setattr(audit, "_PUBLISH_SHARE", 0.4)
    assert not [line for line in run(world, HOUR) if line["event"] == "webhook.lost"]
    [lost] = [line for line in run(world, 90 * MINUTE) if line["event"] == "webhook.lost"]
    assert lost["message_id"] in world.lost


def test_half_of_a_log_makes_no_suspect(
    run: Run, audit: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where subscribe's log could not be read to its end, nothing is lost, and that is said."""
    world = World()
    world.play([Webhook("a", 0, "lost"), Webhook("stuck", 0, "stuck")])
    monkeypatch.setattr(audit, "_SUBSCRIBE_SHARE", 0.0)
    for at in range(30 * MINUTE, 4 * HOUR, 30 * MINUTE):
        lines = run(world, at)
        [said] = [line for line in lines if line["event"] == "audit.incomplete"]
        assert (said["level"], said["error"]) == ("WARNING", "HalfRead")
        assert not [line for line in lines if line["event"] == "webhook.lost"]
