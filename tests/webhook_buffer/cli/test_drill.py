"""``webhook-buffer drill``: which drills run where."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from settings.errors import FileError
from settings.loader import load
from webhook_buffer.cli import drill
from webhook_buffer.laptop import laptop
from webhook_buffer.laptop.drills import deployed, report, runner
from webhook_buffer.laptop.drills.model import Drill
from webhook_buffer.laptop.drills.verdict import Result
from webhook_buffer.live.pace import REAL_TIME


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Those of an environment on AWS, which is there."""
    deployed_outputs = {
        "BufferedEndpoint": "https://webhooks.example.com", "UsesFauxBackend": "false",
    }  # fmt: skip
    target = SimpleNamespace(settings=load("prd"))
    monkeypatch.setattr(laptop, "environment", lambda _: target)
    monkeypatch.setattr(drill, "buffer_outputs", lambda _: deployed_outputs)
    return deployed_outputs


def test_on_aws_all_drills_are_those_marked_safe(
    outputs: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each is announced before the first runs; ``--resume`` leaves out what passed."""
    announced: dict[str, str] = {}

    def run(each: Drill, place: Any, **_: Any) -> Result:
        assert place.outputs == outputs
        announced[each.name] = capsys.readouterr().out
        return Result(drill=each.name, title=each.title, pace=REAL_TIME, begun=0.0)

    monkeypatch.setattr(deployed, "run", run)
    file = tmp_path / "results.json"
    drill.run_all("prd", json_file=file, yes=True)
    assert list(announced) == ["duplicates", "invalid-requests"]
    for words in ("SQS drops the repeats", "paths are not UTF-8", "REAL backend"):
        assert words in announced["duplicates"]
    document = json.loads(file.read_text())
    del document["drills"][0]
    file.write_text(json.dumps(document))
    announced.clear()
    drill.run_all("prd", json_file=file, resume=True, yes=True)
    assert list(announced) == ["duplicates"]


@pytest.mark.usefixtures("outputs")
def test_a_run_that_is_stopped_keeps_earlier_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results of drills later in the list, and of another pace, are kept."""
    file = tmp_path / "results.json"
    kept = [("duplicates", 3.0, 1.0), ("invalid-requests", REAL_TIME, 1.0)]
    earlier = [Result(drill=d, title="t", pace=pace, begun=at) for d, pace, at in kept]
    file.write_text(report.as_json(earlier))

    def run(each: Drill, *_: Any, **__: Any) -> Result:
        return Result(drill=each.name, title=each.title, pace=REAL_TIME, begun=2.0)

    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(deployed, "run", run)
    monkeypatch.setattr(drill, "show", stop)
    with pytest.raises(KeyboardInterrupt):
        drill.run_all("prd", json_file=file, resume=True, yes=True)
    known = [(result.drill, result.pace, result.begun) for result in report.read(file)]
    assert known == [kept[0], ("duplicates", REAL_TIME, 2.0), kept[1]]


def test_files_are_tried_before_the_cause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results of minutes would be lost at the end."""
    monkeypatch.setattr(drill, "_here", lambda *_: pytest.fail("The drill began."))
    missing = tmp_path / "missing" / "r.json"
    with pytest.raises(FileError, match=str(missing)):
        drill.run_drill("backend-slow", json_file=missing)
    with pytest.raises(FileError, match=str(tmp_path)):
        drill.run_all(html_file=tmp_path)


def test_a_slower_pace_is_announced(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before the drill runs, with the reason, and also where the output is not a terminal."""
    printed: list[str] = []

    def run(each: Drill, *_: Any, pace: float, **__: Any) -> Result:
        printed.append(capsys.readouterr().out)
        return Result(drill=each.name, title=each.title, pace=pace, begun=0.0)

    monkeypatch.setattr(drill, "here", lambda: None)
    monkeypatch.setattr(runner, "run", run)
    drill.run_drill("backend-slow", pace="3s")
    drill.run_drill("backend-slow", pace="20s")
    assert printed[0] == (
        "backend-slow: begins, 1 minute = 15 s, because attempts take their real 6 s, one at a "
        "time\n"
    )
    assert printed[1].endswith("backend-slow: begins, 1 minute = 20 s\n")
