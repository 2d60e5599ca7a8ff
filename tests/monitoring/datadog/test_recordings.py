"""Datadog's recorded answers are the judge of plan, fake and import.

They are not part of this project: where they do not lie beside the checkout, a small set made
from what is known of them takes their place, and the tests' ids say so.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from monitoring.documents.datadog import example
from settings.errors import InputError
from settings.paths import ROOT
from tests.datadog_recordings.__main__ import main
from tests.datadog_recordings.plans import pairs
from tests.datadog_recordings.reading import Conversation, read
from tests.datadog_recordings.report import COLUMNS, Report, report
from tests.datadog_recordings.small import small

_RECORDED = ROOT.parent / "shared" / "datadog-recordings" / "conversations.jsonl.gz"
_SETS: list[Any] = ["small"]
if _RECORDED.exists():
    _SETS.append(pytest.param("recorded", marks=pytest.mark.slow))


@cache
def _conversations(which: str) -> list[Conversation]:
    return read(_RECORDED) if which == "recorded" else small()


@cache
def _report(which: str) -> Report:
    return report(_conversations(which), example())


@pytest.fixture(scope="module", params=_SETS)
def played(request: pytest.FixtureRequest) -> Report:
    return _report(request.param)


@pytest.mark.parametrize(
    ("all_of_them", "good"),
    [
        ("pairs", "plan empty"),
        ("accepted", "by the fake"),
        ("refused", "alike"),
        ("compared", "same shape"),
        ("imports", "stable"),
    ],
)
def test_recordings(played: Report, all_of_them: str, good: str) -> None:
    """The plan is empty, the fake answers as Datadog did, and imports lose nothing."""
    counts = played.counts
    kinds = {kind for kind, column in counts if column == all_of_them and counts[kind, column]}
    assert {kind: counts[kind, good] for kind in kinds} == {
        kind: counts[kind, all_of_them] for kind in kinds
    }, "\n".join(played.short[:10])
    assert kinds, f"no {all_of_them} in the file"


def _with_more(value: Any) -> Any:
    """A value with a field in each of its objects that nobody has seen yet."""
    if isinstance(value, dict):
        return {name: _with_more(inner) for name, inner in value.items()} | {"to_come": {"a": [1]}}
    return [_with_more(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("which", _SETS)
def test_fields_to_come(which: str) -> None:
    """Every plan is still empty if Datadog adds a field to each object in each answer."""
    for conversation in _conversations(which):
        calls = (
            dataclasses.replace(call, reply=_with_more(call.reply)) for call in conversation.calls
        )
        replayed = pairs(dataclasses.replace(conversation, calls=tuple(calls)))
        wrong = [pair for pair in replayed if pair.changes or pair.crash]
        assert wrong == []


def test_nothing_falls_short(played: Report) -> None:
    """What the table counts and what is named agree: nothing."""
    assert played.short == []


@pytest.mark.slow
@pytest.mark.skipif(not _RECORDED.exists(), reason="no recordings beside the checkout")
def test_table_in_docs() -> None:
    """The table in docs/datadog.md is the one that the recordings give."""
    text = (ROOT / "docs" / "datadog.md").read_text("utf-8")
    assert _report("recorded").table() in text


def _written(folder: Path, lines: list[Any]) -> Path:
    file = folder / "conversations.jsonl.gz"
    with gzip.open(file, "wt", encoding="utf-8") as out:
        out.writelines(
            (line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines
        )
    return file


def _document(conversation: Conversation) -> dict[str, Any]:
    return dataclasses.asdict(conversation)


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints the table and exits with 0; with 1 and a name where the fake differs."""
    documents = [_document(conversation) for conversation in small()]
    assert main([str(_written(tmp_path, documents))]) == 0
    assert re.search(r"\| all \| \d+ ", capsys.readouterr().out)
    documents[0]["calls"][0]["status"] = 400
    documents[0]["name"] = "monitor \x1b[31m"
    assert main([str(_written(tmp_path, documents))]) == 1
    printed = capsys.readouterr().out
    assert "POST /api/v1/monitor: the fake answers 200, not 400" in printed
    assert "\x1b" not in printed


_CALL: dict[str, Any] = {
    "kind": "monitor", "method": "GET", "path": "/api/v1/monitor/1", "query": {}, "body": None,
    "status": 200, "reply": {},
}  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["{"], "line 1: not valid JSON"),
        (["[" * 100_000], "line 1: not valid JSON"),
        ([{"name": "a", "calls": [_CALL | {"reply": json.loads("[" * 80 + "]" * 80)}]}], "nested"),
        ([{"name": "a"}], "not a conversation"),
        ([[1, 2]], "not a conversation"),
        ([{"name": "a", "calls": [_CALL | {"status": "200"}]}], "not a conversation"),
        ([{"name": "a", "calls": [_CALL | {"kind": "host"}]}], "not a conversation"),
        (['{"name": "a", "calls": [' + "9" * 5000 + "]}"], "not valid JSON"),
        ([" " * 5_000_000], "too large"),
    ],
)
def test_hostile_file(tmp_path: Path, lines: list[Any], words: str) -> None:
    """Any other file is refused in one sentence that names its line."""
    with pytest.raises(InputError, match=words):
        read(_written(tmp_path, lines))


def test_no_gzip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is missing, not gzipped, or cut off is one sentence and exit code 1."""
    file = _written(tmp_path, [_document(conversation) for conversation in small()])
    file.write_bytes(file.read_bytes()[:200])
    plain = tmp_path / "plain"
    plain.write_text("{}")
    for wrong in (file, plain, tmp_path / "missing"):
        assert main([str(wrong)]) == 1
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.startswith(f"{wrong}: can't be read")


def test_hostile_values(tmp_path: Path) -> None:
    """Whatever stands where an object should be ends in a report, not in a traceback."""
    strange: list[Any] = [None, 1, "x", [], [1], {}, {"id": []}, {"widgets": [1]}, {"options": 3},
                          {"id": 123456, "thresholds": [3], "widgets": {"definition": 1},
                           "query": 7, "schedule": {"recurrences": [1]}, "tabs": [1]}]  # fmt: skip
    calls = [
        {"kind": kind, "method": method, "path": f"/api/v1/{kind}{below}", "query": {"a": "b"},
         "body": body, "status": 200, "reply": reply}
        for kind in ("monitor", "slo", "dashboard", "downtime")
        for method, below in (("POST", ""), ("GET", "/123456"), ("PUT", "/123456"))
        for body in strange
        for reply in (body, {"data": body}, strange[-1])
    ]  # fmt: skip
    played = report(read(_written(tmp_path, [{"name": "strange", "calls": calls}])), example())
    assert len(played.short) > 100
    assert COLUMNS.keys() >= {column for _, column in played.counts}
