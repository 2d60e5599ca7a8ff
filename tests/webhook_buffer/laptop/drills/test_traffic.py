"""What a drill sends, and how a failure is caused and repaired."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import Stopwatch, eventually
from tests.laptop import Laptop
from webhook_buffer.benchmark.scenarios import RECORDINGS
from webhook_buffer.laptop.backend import ScriptedBackend
from webhook_buffer.laptop.drills.causes import CAUSES, Stage
from webhook_buffer.laptop.drills.traffic import GROUPS, HEADER, NUMBER, Traffic
from webhook_buffer.laptop.journal import Journal
from webhook_buffer.laptop.practice import Mode


def _numbers(backend: ScriptedBackend, traffic: Traffic) -> list[int | None]:
    received = list(backend.faux.received)
    return [traffic.number_of(one.headers[NUMBER.lower()]) for one in received]


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
    assert {one.headers[HEADER.lower()] for one in received} == {"d"}
    groups: dict[str, list[int]] = {}
    for one, number in zip(received, _numbers(backend, traffic), strict=True):
        assert number is not None
        groups.setdefault(one.headers["x-group-id"], []).append(number)
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
        return [one.headers["x-github-delivery"] for one in list(backend.faux.received)]

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


def test_an_unknown_failure_is_one_clear_error(tmp_path: Path) -> None:
    """With the names there are."""
    with Stopwatch() as stopwatch:
        said = Laptop(tmp_path).run("alarms", "record-failures", "backend-bored", code=2)
    assert "backend-bored" in said
    assert all(name in said for name in RECORDINGS)
    assert stopwatch.seconds() < 30
