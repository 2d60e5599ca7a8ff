"""Each alarm has the line of its file where it stands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from alarmproof.base.errors import InputError
from alarmproof.formats import as_json
from alarmproof.template import read
from factories import lint
from template_parts import PLAN, PROPERTIES, alarm


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_every_alarm_has_its_line(tmp_path: Path, suffix: str) -> None:
    """Where its logical id stands, in JSON and in YAML; a key of the same name elsewhere is not."""
    document = {
        "Description": "Resources", "Metadata": {"Resources": {"A": 1}, "B": "Resources"},
        "Resources": {"Q": {"Type": "AWS::SQS::Queue"}, "A": alarm(AlarmActions=None),
                      "B": alarm(MetricName="B", AlarmActions=None)},
    }  # fmt: skip
    file = tmp_path / f"t.{suffix}"
    if suffix == "json":
        text = json.dumps(document, indent=2)
    else:
        yaml = pytest.importorskip("yaml")
        text = yaml.safe_dump(document, sort_keys=False)
    file.write_text(text)
    after = text.index("Resources", text.index('Q"' if suffix == "json" else "Q:") - 20)
    expected = [
        text[: text.index(name, after)].count("\n") + 1
        for name in (('"A": {', '"B": {') if suffix == "json" else ("  A:\n", "  B:\n"))
    ]
    entries = json.loads(as_json(lint(read([file]))))
    assert [entry["line"] for entry in entries] == expected
    assert {entry["file"] for entry in entries} == {str(file)}
    file.write_text(text.replace("B", "A") if suffix == "json" else text.replace("B:", "A:"))
    with pytest.raises(InputError, match=r"the resource 'A' is on line \d+ already"):
        read([file])


@pytest.mark.parametrize("form", ["json", "yaml", "plan"])
def test_plans_and_live_alarms_have_lines(tmp_path: Path, form: str) -> None:
    """Where the name or the address stands first."""
    live = {"MetricAlarms": [{**PROPERTIES, "AlarmName": name} for name in ("a", 'b "quoted"')]}
    file = tmp_path / f"alarms.{'yaml' if form == 'yaml' else 'json'}"
    if form == "yaml":
        yaml = pytest.importorskip("yaml")
        text = yaml.safe_dump({"MetricAlarms": live["MetricAlarms"][:1]})
        names = ["AlarmName: a"]
    elif form == "plan":
        text = json.dumps(PLAN, indent=1)
        names = ["metric_alarm.failures[0]", "composite_alarm.both"]
    else:
        text = json.dumps(live, indent=1)
        names = ['"AlarmName": "a"', "quoted"]
    file.write_text(text)
    expected = [text[: text.index(name)].count("\n") + 1 for name in names]
    assert [alarm.source.line for alarm in read([file]).alarms] == expected
