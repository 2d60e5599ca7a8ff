"""What a drill sends, and how a failure is caused and repaired."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from settings.loader import load
from tests.laptop import Laptop
from tests.waiting import Stopwatch, eventually
from webhook_buffer.benchmark.scenarios import RECORDINGS
from webhook_buffer.laptop.backend import ScriptedBackend
from webhook_buffer.laptop.drills import causes
from webhook_buffer.laptop.drills.causes import CAUSES, Stage
from webhook_buffer.laptop.drills.traffic import GROUPS, HEADER, NUMBER, Ledger, Sent, Traffic
from webhook_buffer.laptop.journal import Journal
from webhook_buffer.laptop.practice import Mode
from webhook_buffer.operations import parked


def _numbers(backend: ScriptedBackend, traffic: Traffic) -> list[int | None]:
    received = list(backend.faux.received)
    return [traffic.number_of(request.headers[NUMBER.lower()]) for request in received]


def test_webhooks_are_marked_numbered_and_in_the_order_of_their_groups(
    backend: ScriptedBackend,
) -> None:
    """Every one says which drill it is of, and a group's numbers rise."""
    traffic = Traffic(backend.url, drill="d", rate=100.0, seed=1)
    try:
        eventually(lambda: len(backend.faux.received) >= 60)
    finally:
        traffic.close()
    received = list(backend.faux.received)
    assert {request.headers[HEADER.lower()] for request in received} == {"d"}
    groups: dict[str, list[int]] = {}
    for request, number in zip(received, _numbers(backend, traffic), strict=True):
        assert number is not None
        groups.setdefault(request.headers["x-group-id"], []).append(number)
    assert 5 < len(groups) <= GROUPS
    assert all(numbers == sorted(numbers) for numbers in groups.values())
    assert traffic.number_of("another-1") is None


def test_after_the_last_nothing_is_under_way(backend: ScriptedBackend) -> None:
    """What was on its way at the end has its answer, so that no verdict takes it for lost."""
    traffic = Traffic(backend.url, drill="d", rate=500.0, seed=1)
    try:
        eventually(lambda: len(backend.faux.received) >= 20)
        traffic.finish()
        sent = len(traffic.ledger.sent)
        assert all(entry.receipt for entry in traffic.ledger.sent)
    finally:
        traffic.close()
    assert len(traffic.ledger.sent) == sent


def test_repeats_have_their_originals_id(backend: ScriptedBackend) -> None:
    """Only while they are asked for."""
    traffic = Traffic(backend.url, drill="d", rate=100.0, seed=1)

    def ids() -> list[str]:
        return [request.headers["x-github-delivery"] for request in list(backend.faux.received)]

    try:
        eventually(lambda: len(ids()) >= 20)
        assert len(set(ids())) == len(ids())
        traffic.repeats = True
        eventually(lambda: len(set(ids())) < len(ids()))
    finally:
        traffic.close()


@pytest.mark.parametrize(
    ("cause", "mode"),
    [
        ("backend-down", Mode(listens=False)),
        ("backend-503", Mode(status=503)),
        ("backend-302", Mode(status=302)),
        ("backend-refuses-group", Mode(refused_group="drill-3")),
    ],
)
def test_a_backends_fault_begins_and_ends(tmp_path: Path, cause: str, mode: Mode) -> None:
    """What is broken is in the journal before it is broken."""
    said: list[Mode] = []
    journal = Journal(tmp_path)
    journal.begin("d")

    def set_to(wanted: Mode) -> None:
        assert wanted == Mode() or "backend" in (tmp_path / "drill-journal.json").read_text()
        said.append(wanted)

    traffic = SimpleNamespace(group=lambda number: f"drill-{number}", send_to=lambda _: None)
    backend, target = SimpleNamespace(set=set_to), SimpleNamespace()
    anything: Any = (target, backend, traffic, journal)
    stage = Stage(*anything)
    CAUSES[cause](stage)
    stage.repair()
    assert said == [mode, Mode()]


class _World:
    """A buffer, its backend and its traffic; ``happened`` says in which order what was done."""

    def __init__(self) -> None:
        self.happened: list[str] = []
        policy = {"on_park": "group", "refusals": 5, "refused_for": 900, "alone_for": 86400,
                  "longest": 864000}  # fmt: skip
        self.variables = {"FAILURE_POLICY": json.dumps(policy), "PARKING_KEEP_SECONDS": "99"}
        self.ledger = Ledger()

    @property
    def policy(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.variables["FAILURE_POLICY"])
        return said

    def stage(self, folder: Path, pace: float = 60.0) -> Stage:
        journal = Journal(folder)
        journal.begin("d")
        target: Any = SimpleNamespace(settings=load("local"), functions=self)
        backend: Any = SimpleNamespace(set=lambda mode: self.happened.append(mode.words))
        traffic: Any = self
        return Stage(target, backend, traffic, journal, pace)

    def get_function_configuration(self, **_: Any) -> dict[str, Any]:
        return {"Environment": {"Variables": self.variables}}

    def update_function_configuration(self, **asked: Any) -> None:
        self.variables = asked["Environment"]["Variables"]
        self.happened.append(f"configured {self.policy['on_park']}")

    def group(self, number: int) -> str:
        return f"g-{number}"

    def number(self, sent: Sent) -> str:
        return f"r-{sent.number}"

    def send_to(self, group: int) -> None:
        self.happened.append(f"sent to {group}")

    def send_aside(self, group: int, prepare: Callable[[Sent], None]) -> Sent:
        receipt: Any = SimpleNamespace(answer={"message_id": "m"})
        sent = Sent(7, self.group(group), 0.0, receipt, 1.0)
        prepare(sent)
        self.happened.append(f"sent aside to {group}")
        return sent


@pytest.mark.parametrize("forged", [False, True])
def test_one_webhook_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forged: bool
) -> None:
    """It is refused before it is sent, three follow it, and a forged one is dropped in the end."""
    world = _World()
    before = dict(world.variables)
    monkeypatch.setattr(
        causes, "release", lambda _, group: world.happened.append(f"released {group}")
    )
    monkeypatch.setattr(
        parked, "store", lambda _: SimpleNamespace(find=lambda message_id: message_id)
    )
    monkeypatch.setattr(parked, "drop", lambda *said: world.happened.append(f"dropped {said[1]}"))
    stage = world.stage(tmp_path)
    CAUSES["backend-refuses-forged" if forged else "backend-refuses-webhook"](stage)
    assert world.happened == [
        "configured message",
        f"answers {401 if forged else 422} to the webhook r-7, 200 to others",
        "sent aside to 3",
        *["sent to 3"] * 3,
    ]
    assert (world.policy["refusals"], world.policy["refused_for"]) == (1, 0)
    assert world.ledger.dropped == ({7} if forged else set())
    world.happened.clear()
    stage.repair()
    undone = ["answers 200", "configured group", "released g-3"]
    assert world.happened == (["dropped m", *undone] if forged else undone)
    assert world.variables == before


def test_an_hour_of_404_is_as_long_as_minutes_are(tmp_path: Path) -> None:
    """What the failure policy waits for is as much shorter, or nothing could be parked in time."""
    world = _World()
    stage = world.stage(tmp_path, pace=3.0)
    CAUSES["backend-404"](stage)
    assert world.happened[-1] == "answers 404"
    times = [world.policy[name] for name in ("refused_for", "alone_for", "longest")]
    assert (times, world.policy["refusals"]) == ([45, 4320, 43200], 5)


def test_a_parked_webhook_grows_old(tmp_path: Path) -> None:
    """The audit takes it for one near its end, which subscribe knows nothing of."""
    world = _World()
    stage = world.stage(tmp_path)
    stage.on_repair(lambda: world.happened.append("repaired"))
    CAUSES["parked-for-long"](stage)
    assert stage.restarted == "subscribe"
    assert world.variables["PARKING_KEEP_SECONDS"] == "20"


def test_what_goes_aside_is_known_before_it_is_sent(backend: ScriptedBackend) -> None:
    """Its number is the ledger's, and what has to come before it does."""
    traffic = Traffic(backend.url, drill="d", rate=0.01, seed=1)
    said: list[tuple[str, int]] = []
    try:
        sent = traffic.send_aside(
            3, lambda sent: said.append((traffic.number(sent), len(backend.faux.received)))
        )
    finally:
        traffic.close()
    assert said == [(traffic.number(sent), 0)]
    assert traffic.ledger.aside == {sent.number}
    assert sent.group == traffic.group(3)
    assert len(backend.faux.received) == 1


def test_an_unknown_failure_is_one_clear_error(tmp_path: Path) -> None:
    """With the names there are."""
    with Stopwatch() as stopwatch:
        said = Laptop(tmp_path).run("alarms", "record-failures", "backend-bored", code=2)
    assert "backend-bored" in said
    assert all(name in said for name in RECORDINGS)
    assert stopwatch.seconds() < 30
