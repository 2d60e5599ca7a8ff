"""``webhook-buffer drill``: which drills run where."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from settings.loader import load
from webhook_buffer.cli import drill
from webhook_buffer.laptop import laptop
from webhook_buffer.laptop.drills import deployed
from webhook_buffer.laptop.drills.model import Drill
from webhook_buffer.laptop.drills.verdict import Result
from webhook_buffer.live.pace import REAL_TIME


def test_on_aws_all_drills_are_those_marked_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is announced before the first runs; ``--resume`` leaves out what passed."""
    settings = load("prd")
    outputs = {"BufferedEndpoint": "https://webhooks.example.com", "UsesFauxBackend": "false"}
    monkeypatch.setattr(laptop, "target", lambda _: SimpleNamespace(settings=settings))
    monkeypatch.setattr(drill, "buffer_outputs", lambda _: outputs)
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
