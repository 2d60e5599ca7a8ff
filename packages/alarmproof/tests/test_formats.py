"""Each form is well-formed, has file and line, and escapes what strangers write."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from alarmproof import cli
from alarmproof.base.errors import InputError
from alarmproof.formats import as_checkstyle, as_github, as_json, as_junit, as_sarif
from alarmproof.joined_findings import joined
from alarmproof.lint import Finding
from alarmproof.rules.registry import Severity
from template_parts import alarm
from typer.testing import CliRunner

NASTY = "a\n::error::b\x1b[31m%0A<script>&\"'\x00]]>\N{RIGHT-TO-LEFT OVERRIDE}"
FINDINGS = [
    Finding("no-action", severity, NASTY, f"sub dir/{NASTY}.json", 7, NASTY, "Mend it.")
    for severity in Severity
]


def test_json_and_sarif_keep_the_text() -> None:
    """JSON holds any text; a SARIF address is percent-encoded."""
    assert [entry["message"] for entry in json.loads(as_json(FINDINGS))] == [NASTY] * 3
    [run] = json.loads(as_sarif(FINDINGS, version="1"))["runs"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["region"]["startLine"] == 7
    assert place["artifactLocation"]["uri"].startswith("sub%20dir/a%0A")
    assert [result["level"] for result in run["results"]] == ["error", "warning", "note"]


@pytest.mark.parametrize("form", [as_junit, as_checkstyle])
def test_xml_is_well_formed(form: object) -> None:
    """Characters that XML can't hold are replaced, the rest is escaped."""
    assert callable(form)
    root = ElementTree.fromstring(form(FINDINGS))  # noqa: S314 - our own text
    texts = [value for node in root.iter() for value in (*node.attrib.values(), node.text or "")]
    assert any("<script>&" in text for text in texts)
    assert not any("\x1b" in text or "\x00" in text for text in texts)


@pytest.mark.parametrize(("strict", "failures"), [(False, [1, 0, 0]), (True, [1, 1, 1])])
def test_junit_fails_what_the_command_fails(*, strict: bool, failures: list[int]) -> None:
    """Errors, and with --strict all else; what passes has its text."""
    suite = ElementTree.fromstring(as_junit(FINDINGS, strict=strict))[0]  # noqa: S314 - our own text
    assert (suite.get("tests"), suite.get("failures")) == ("3", str(sum(failures)))
    assert [len(case.findall("failure")) for case in suite] == failures
    assert [len(case.findall("system-out")) for case in suite] == [1 - count for count in failures]
    assert {case.get("line") for case in suite} == {"7"}


@pytest.mark.parametrize("form", ["sarif", "junit", "checkstyle", "github"])
@pytest.mark.parametrize("kind", ["bad file beside a good one", "only a bad file", "bad option"])
def test_each_form_says_what_kept_a_file_from_being_judged(
    tmp_path: Path, form: str, kind: str
) -> None:
    """A program that reads it learns of the error, beside the findings of the other files."""
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "good.json").write_text(json.dumps({"Resources": {"A": alarm()}}))
    names = {"bad option": ["good.json", "--parameter", "Gone=1"], "only a bad file": ["bad.json"]}
    arguments = names.get(kind, ["bad.json", "good.json"])
    paths = [str(tmp_path / text) if "json" in text else text for text in arguments]
    done = CliRunner().invoke(cli.app, ["lint", "--format", form, *paths])
    assert isinstance(done.exception, InputError)
    message = str(done.exception)
    if form == "sarif":
        [run] = json.loads(done.stdout)["runs"]
        [invocation] = run["invocations"]
        texts = [note["message"]["text"] for note in invocation["toolExecutionNotifications"]]
        assert invocation["executionSuccessful"] is False
    elif form == "github":
        texts = [line[9:] for line in done.stdout.splitlines() if line.startswith("::error::")]
    else:
        nodes = ElementTree.fromstring(done.stdout).iter("error")  # noqa: S314 - our own text
        texts = [text for node in nodes if (text := node.get("message")) == message]
    assert texts == [message]


def test_github_has_a_line_each() -> None:
    """No text ends a command, or begins another."""
    lines = as_github(FINDINGS).splitlines()
    assert [line.split()[0] for line in lines] == ["::error", "::warning", "::notice"]
    assert all(",line=7," in line and line.count("\x1b") == 0 for line in lines)
    assert "file=sub dir/a%0A%3A%3Aerror" in lines[0]


def test_text_says_once_what_many_alarms_share() -> None:
    """At the first of them; what differs is listed, up to a bound, and nothing else is joined."""
    names = [f"M{number}" for number in range(10)]
    shared = [
        Finding("metric-not-judged", Severity.NOTE, f"A{number}", "t.json", number, "Nothing.",
                "Declare it.", shared=("Nothing publishes X", name))
        for number, name in enumerate([*names, "M0"])
    ]  # fmt: skip
    single = Finding("no-action", Severity.ERROR, "B", "t.json", 1, "It has none.", "Add one.")
    notified, note = joined([single, *shared])
    assert notified == single
    assert note.alarm == "A0 and 10 other alarms"
    assert note.message == "Nothing publishes X: M0, M1, M2, M3, M4, M5, M6, M7, and 2 more."
    assert joined(shared[:1]) == shared[:1]
    assert len(json.loads(as_json(shared))) == 11
