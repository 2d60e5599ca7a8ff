"""alarmproof.toml: what a project asks of lint."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from alarmproof.base.errors import InputError
from alarmproof.config import Config, load
from alarmproof.lint import Allowance, Finding
from alarmproof.template import parse
from factories import lint

FULL = """
max-reaction = 600

[rules]
no-runbook = "error"
no-action = "off"

[patterns]
name = "^shop-[a-z]+$"
runbook = "^https://wiki[.]example[.]com/"

[[allow]]
rule = "*-description"
alarm = "shop-*"
reason = "a test"
until = 2999-12-31
"""


def _loaded(folder: Path, text: str) -> Config:
    file = folder / "alarmproof.toml"
    file.write_text(text, "utf-8")
    return load(file)


def _found(config: Config, **changes: Any) -> list[Finding]:
    properties = {
        "AlarmName": "shop-orders", "Namespace": "Shop", "MetricName": "Orders",
        "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching",
        **changes,
    }  # fmt: skip
    template = {"Resources": {"A": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}}}
    return lint(
        parse(template, "t.json"), allowances=config.allowances, severities=config.severities,
        patterns=config.patterns,
    )  # fmt: skip


def test_a_file_has_everything(tmp_path: Path) -> None:
    """Severities replace the rules', rules go off, wildcards allow, patterns are asked for."""
    config = _loaded(tmp_path, FULL)
    assert config.max_reaction == 600
    assert [(finding.rule, finding.severity.value) for finding in _found(config)] == [
        ("runbook-pattern", "warning")
    ]
    findings = _found(config, AlarmName="shop-Orders", AlarmDescription="no link")
    own = [finding for finding in findings if finding.rule != "allowance"]
    assert [(finding.rule, finding.severity.value) for finding in own] == [
        ("no-runbook", "error"), ("name-pattern", "warning"), ("runbook-pattern", "warning"),
    ]  # fmt: skip
    linked = _found(config, AlarmDescription="See https://wiki.example.com/orders.")
    assert [finding.rule for finding in linked] == ["allowance"]
    assert "does not find it" in linked[0].message


def test_an_allowance_ends() -> None:
    """After its last day the finding is back, and the allowance is reported."""
    ended = Config(allowances=(Allowance("no-action", "A", "for now", "f", date(2020, 1, 1)),))
    messages = {
        finding.rule: finding.message for finding in _found(ended, AlarmDescription="a runbook")
    }
    assert set(messages) == {"no-action", "allowance"}
    assert messages["allowance"] == "no-action was allowed until 2020-01-01, which is over."


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("rules = 3", "[rules] is not a table"),
        ("[rule]", "Did you mean 'rules'?"),
        ('[rules]\nno-acton = "off"', "Did you mean 'no-action'?"),
        ('[rules]\nno-action = "of"', "not one of off, error, warning, note"),
        ('[patterns]\nname = "("', "not a regular expression"),
        ("[patterns]\nname = 3", "not a regular expression"),
        ("max-reaction = true", "not a number of seconds"),
        ('[[allow]]\nrule = "a"', "have to be texts"),
        ('[[allow]]\nrule = "a"\nalarm = "b"\nuntil = "soon"', "not a date"),
        ("a = ", "not TOML"),
    ],
)
def test_a_wrong_file_is_one_error(tmp_path: Path, text: str, part: str) -> None:
    """With the file and the key."""
    with pytest.raises(InputError, match=r"alarmproof\.toml") as error:
        _loaded(tmp_path, text)
    assert part in str(error.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\n[rule]", 2),
        ('[rules]\n\nno-acton = "off"', 3),
        ('[rules]\nno-runbook = "off"\n"no-action" = "of"', 3),
        ("# x\nrules = 3", 2),
        ('[patterns]\nrunbook = ""\nname = "("', 3),
        ("\nmax-reaction = true", 2),
        ('[[allow]]\nrule = "a"\nalarm = "b"\n[[allow]]\nrule = "a"', 4),
        ('[[allow]]\nrule = "a"\nalarm = "b"\nuntil = "soon"', 4),
        ('[[metrics]]\nnamespace = "A"\nnames = ["a"]\n[[metrics]]\nnamespace = "AWS/A"', 5),
        ('allow = [{rule = "a"}]', 1),
    ],
)
def test_an_error_names_the_line(tmp_path: Path, text: str, line: int) -> None:
    """That of the key; of an entry, where a key of it is missing."""
    with pytest.raises(InputError, match=rf"alarmproof\.toml:{line}: "):
        _loaded(tmp_path, text)


def test_an_allowance_is_reported_where_it_stands(tmp_path: Path) -> None:
    """Expired, without a reason, or of nothing: at its entry, with the remedy that is left."""
    config = _loaded(
        tmp_path,
        '[[allow]]\nrule = "no-action"\nalarm = "A"\nreason = "old"\nuntil = 2020-01-01\n'
        '\n[[allow]]\nrule = "no-description"\nalarm = "A"\n'
        '[[allow]]\nrule = "circle"\nalarm = "A"\nreason = "none"\n',
    )
    own = [finding for finding in _found(config) if finding.rule == "allowance"]
    file = str(tmp_path / "alarmproof.toml")
    assert [(finding.file, finding.line, finding.remedy) for finding in own] == [
        (file, 1, "Remove it, or give a later day."), (file, 7, "Give a reason, or remove it."),
        (file, 10, "Remove it."),
    ]  # fmt: skip


def test_a_misspelled_unit_is_one_error(tmp_path: Path) -> None:
    """CloudWatch has none of that name, so no datapoint has it."""
    with pytest.raises(
        InputError, match="unit is 'Second', which CloudWatch does not have"
    ) as error:
        _loaded(tmp_path, '[[metrics]]\nnamespace = "A"\nnames = ["a"]\nunit = "Second"')
    assert "Did you mean 'Seconds'?" in str(error.value)


def test_without_a_file_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file in the current folder is optional; one that is named is not."""
    monkeypatch.chdir(tmp_path)
    assert load(None) == Config()
    with pytest.raises(InputError, match="can't be read"):
        load(tmp_path / "gone.toml")
