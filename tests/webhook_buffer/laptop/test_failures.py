"""Failures that are caused for real, to be recorded."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.conftest import eventually
from tests.laptop import Laptop
from webhook_buffer.laptop.backend import ScriptedBackend
from webhook_buffer.laptop.failures import CAUSES, FailingBackend, Traffic


def test_traffic_has_groups_and_repeats_when_asked(backend: ScriptedBackend) -> None:
    """Every webhook has a delivery id of its own, until repeats are on."""
    received = backend.faux
    traffic = Traffic(backend.url, rate=3000.0, seed=1)
    try:
        eventually(lambda: len(received.received) >= 30)
        ids = [one.headers["x-github-delivery"] for one in list(received.received)]
        assert len(set(ids)) == len(ids)
        assert len({one.headers["x-group-id"] for one in list(received.received)}) > 5
        traffic.repeats = True

        def repeated() -> bool:
            ids = [one.headers["x-github-delivery"] for one in list(received.received)]
            return len(set(ids)) < len(ids)

        eventually(repeated)
    finally:
        traffic.close()


def test_an_unknown_failure_is_one_clear_error(tmp_path: Path) -> None:
    """With the names there are."""
    said = Laptop(tmp_path).run("alarms", "record-failures", "backend-bored", code=2)
    assert "backend-bored" in said
    assert all(name in said for name in CAUSES)


def test_a_backend_fault_begins_and_ends() -> None:
    """Each cause that concerns the backend is seen there, and mended."""
    faux = FailingBackend()
    stage: Any = SimpleNamespace(faux=faux)

    def status(group: str = "group-1") -> int:
        return faux.answer("POST", "/", {"x-group-id": group}, b"{}").status

    for name, expected in (("backend-5xx", 503), ("backend-redirects", 302)):
        begin, mend = CAUSES[name]
        begin(stage)
        assert status() == expected
        mend(stage)
        assert status() == 200
    begin, mend = CAUSES["poisoned-group"]
    begin(stage)
    assert (status("group-3"), status("group-4")) == (422, 200)
    mend(stage)
    assert status("group-3") == 200
