"""The commands of alarms: what they list, explain, test, lint and replay."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from monitoring import cost, wording
from settings.loader import load
from settings.paths import CDK_JSON
from tests.webhook_buffer.cli.conftest import Run
from webhook_buffer.cli.terminal import console
from webhook_buffer.composition import alarm_set


def test_alarms_as_json(run: Run) -> None:
    """`alarms list` and `alarms show` print JSON that holds what their tables hold."""
    listed = json.loads(run("alarms", "list", "--json", "--env", "prd")[1])
    alarms = alarm_set(load("prd"))
    assert [entry["id"] for entry in listed["alarms"]] == [
        alarm.signal.id for alarm in alarms.alarms
    ]
    assert listed["leftOut"] == dict(alarms.left_out)
    covered = {entry["id"]: entry["covers"] for entry in listed["alarms"]}
    assert covered["backend-slow"] == ["backend-slow"]
    age = json.loads(run("alarms", "show", "queue-age-page", "--json", "--env", "prd")[1])
    assert age["name"] == "webhook-buffer-prd-queue-age-page"
    alarm = alarms.alarm("queue-age-page")
    assert alarm
    assert (age["threshold"], age["unit"]) == (alarm.threshold, alarm.signal.threshold.unit)
    assert [metric["name"] for metric in age["metrics"]] == ["ApproximateAgeOfOldestMessage"]
    assert len(age["firstSteps"]) > 1
    incident = json.loads(run("alarms", "show", "deliveries-failing", "--json")[1])
    assert incident["activeWhile"].startswith("backend-down")


@pytest.mark.parametrize("env", ["local", "prd"])
def test_alarms_list_has_every_alarm(run: Run, monkeypatch: pytest.MonkeyPatch, env: str) -> None:
    """Each signal and incident has a line with its condition; the whole stack's cost follows."""
    monkeypatch.setattr(console, "width", 250)
    code, output = run("alarms", "list", "--env", env)
    assert code == 0
    alarms = alarm_set(load(env))
    for alarm in alarms.alarms:
        [line] = re.findall(rf"^{alarm.signal.id}  .*", output, re.MULTILINE)
        assert wording.condition(alarm)[:40] in line
    for composite in alarms.composites:
        assert re.search(rf"^{composite.composite.id}  ", output, re.MULTILINE)
    left_out = "Left out: no-traffic: it is opt-in: set 'traffic'"
    assert (left_out in output) is (env == "prd")
    assert f"{cost.total(cost.monthly(alarms)):.2f}  " in output.partition("\ntotal ")[2]


def test_alarms_list_fits_a_narrow_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 80 columns an alarm is one line, with what is wrong, and no line is longer."""
    monkeypatch.setattr(console, "width", 80)
    lines = run("alarms", "list", "--env", "prd")[1].splitlines()
    alarms = alarm_set(load("prd"))
    assert len(lines) < len(alarms.alarms) + 40
    assert max(map(len, lines)) <= 80
    first = alarms.alarms[0]
    assert f"{first.signal.id} " in lines[2]
    assert first.signal.title in lines[2]


def test_alarms_show_explains(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """One alarm in full: when, why, who is notified, what to do first; an incident too."""
    monkeypatch.setattr(console, "width", 200)
    code, output = run("alarms", "show", "publish-duration", "--env", "prd")
    assert code == 0
    for part in (
        "80 % of the function's own timeout",
        "8 s",
        "accepting-degraded",
        "#publish-d",
        "--env prd -f publish",
    ):
        assert part in output
    assert "backend-down, or backend-rejecting" in run("alarms", "show", "deliveries-failing")[1]


def test_a_changed_alarm_that_can_not_be(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A threshold beyond the timeout, or an unknown signal, stops before anything is started."""
    document = json.loads(CDK_JSON.read_text())
    document["context"]["dev"]["alarms"] = {"publish-duration": {"threshold": 12000}}
    file = tmp_path / "cdk.json"
    file.write_text(json.dumps(document))
    monkeypatch.setitem(load.__kwdefaults__, "file", file)  # type: ignore[arg-type]
    code, output = run("synth", "--env", "dev")
    assert code == 2
    assert "cdk.json: environment 'dev': key 'alarms.publish-duration.threshold': 12000" in output
    assert "so the alarm could never fire; lower it" in output
    document["context"]["dev"]["alarms"] = {"publish-duratoin": {"threshold": 1}}
    file.write_text(json.dumps(document))
    code, output = run("alarms", "list", "--env", "dev")
    assert code == 2
    assert "key 'alarms.publish-duratoin': no signal has this id" in output


@pytest.mark.parametrize("env", ["local", "prd"])
def test_our_own_alarms_have_no_finding(run: Run, env: str) -> None:
    """What is meant to be so is allowed with a reason, in alarms/allow.yaml."""
    code, output = run("alarms", "lint", "--strict", "--env", env)
    alarms = alarm_set(load(env))
    count = len(alarms.alarms) + len(alarms.composites)
    assert (code, output.strip()) == (0, f"{count} alarms: 0 errors, 0 warnings.")


def test_alarms_test(run: Run, tmp_path: Path) -> None:
    """Cases that hold are a line each, those that don't are drawn; exit code and JUnit say so."""
    case = (
        "cases:\n  - title: old\n    alarm: queue-age-page\n    initial: OK\n"
        "    series: [{metric: ApproximateAgeOfOldestMessage, values: 900x9}]\n"
        "    expect: [{at: %s, state: ALARM}]\n"
    )
    (tmp_path / "good.yaml").write_text(case % "3m")
    code, output = run("alarms", "test", str(tmp_path))
    assert (code, "✓ queue-age-page  old" in output) == (0, True)
    assert re.search(r"1 case passed in \d+\.\d s\.", output)
    (tmp_path / "bad.yaml").write_text(case % "2m")
    code, output = run("alarms", "test", str(tmp_path), "--junit", str(tmp_path / "j.xml"))
    assert code == 1
    assert "✗ at 2m webhook-buffer-local-queue-age-page should be in ALARM, but is in OK" in output
    assert "1 of 2 cases failed." in output
    assert 'failures="1"' in (tmp_path / "j.xml").read_text()
    (tmp_path / "bad.yaml").write_text(case % "soon")
    code, output = run("alarms", "test", str(tmp_path))
    assert code == 2
    assert "bad.yaml:6: 'soon' is not a duration" in output


def test_alarms_of_any_template_are_tested_without_the_rest(tmp_path: Path) -> None:
    """Neither settings nor CDK nor boto3 are loaded for it, and it needs no folder of ours."""
    resources = {
        "Old": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "Namespace": "AWS/SQS",
                "MetricName": "ApproximateAgeOfOldestMessage",
                "Statistic": "Maximum",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 5,
                "ComparisonOperator": "GreaterThanThreshold",
            },
        }
    }
    (tmp_path / "t.template.json").write_text(json.dumps({"Resources": resources}))
    (tmp_path / "c.yaml").write_text(
        "cases: [{title: t, alarm: Old, series: [{metric: ApproximateAgeOfOldestMessage,"
        " values: 9}], expect: [{at: 1m, state: ALARM}]}]"
    )
    script = (
        "import sys\nfrom webhook_buffer.cli import main\n"
        "sys.argv = ['webhook-buffer', 'alarms', 'test', 'c.yaml', '--template', '.']\n"
        "try:\n    main.main()\nexcept SystemExit as ended:\n    assert not ended.code\n"
        "print(sorted({'boto3', 'aws_cdk', 'settings.schema', 'ministack'} & sys.modules.keys()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_alarms_lint(run: Run, tmp_path: Path) -> None:
    """Findings with where and what to do; the exit code follows errors, and warnings on request."""
    alarm = {
        "AlarmDescription": "Runbook: r",
        "Namespace": "AWS/SQS",
        "MetricName": "NumberOfMessages",
        "Dimensions": [{"Name": "QueueName", "Value": "q"}],
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 3,
        "Threshold": 5,
        "ComparisonOperator": "GreaterThanThreshold",
        "AlarmActions": ["arn:aws:sns:us-east-1:123456789012:on-call"],
    }
    file = tmp_path / "t.json"

    def lint(*options: str, **changes: str) -> tuple[int, str]:
        resource = {"Type": "AWS::CloudWatch::Alarm", "Properties": {**alarm, **changes}}
        file.write_text(json.dumps({"Resources": {"Depth": resource}}))
        return run("alarms", "lint", "--template", str(file), *options)

    code, output = lint()
    assert code == 1
    assert "error unknown-metric: Depth (" in output
    assert (
        "AWS/SQS does not publish NumberOfMessages. Did you mean NumberOfMessagesSent or " in output
    )
    assert "1 alarm: 1 error, 1 warning." in output
    code, output = lint(MetricName="NumberOfMessagesSent")
    assert (code, "warning slow-reaction" in output) == (0, True)
    assert lint("--strict", MetricName="NumberOfMessagesSent")[0] == 1
    assert lint("--strict", "--max-reaction", "900", MetricName="NumberOfMessagesSent")[0] == 0
    code, output = lint("--format", "sarif")
    assert (code, json.loads(output)["version"]) == (1, "2.1.0")
    assert json.loads(lint("--format", "json")[1])[0]["rule"] == "unknown-metric"
    file.write_text("{")
    code, output = run("alarms", "lint", "--template", str(file))
    assert (code, "neither JSON nor YAML" in output) == (2, True)


def test_alarms_replay(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recording in, figures and a page out; without one it asks for one."""
    monkeypatch.setenv("COLUMNS", "120")
    entry = {
        "namespace": "AWS/SQS",
        "metric": "ApproximateAgeOfOldestMessage",
        "dimensions": {"QueueName": "webhook-buffer-prd.fifo"},
        "statistic": "Maximum",
        "start": "2026-05-01T00:00:00Z",
        "values": [0] * 60 + [1000] * 20 + [0] * 60,
    }
    file = tmp_path / "r.json"
    file.write_text(json.dumps([entry]))
    page = tmp_path / "r.html"
    code, output = run(
        "alarms", "replay", "--env", "prd",
        "--metrics", str(file), "--set", "queue-age-page.threshold=2000",
        "--html", str(page), "--save", str(tmp_path / "r.csv"),
    )  # fmt: skip
    assert code == 0
    assert re.search(r"queue-age-page +│ 1 → 0", output)
    assert re.search(r"Notified of ALARM after the changes: .*info", output)
    assert "Without any data: " in output
    assert page.read_text().startswith("<!doctype html>")
    assert (tmp_path / "r.csv").read_text().count("\n") == 141
    for arguments, expected in (
        ((), "Pass --metrics FILE, or --from-aws"),
        (("--metrics", str(tmp_path / "gone.json")), "gone.json: can't be read"),
        (("--metrics", str(file), "--set", "x=1"), "'x=1' is not a change"),
        (("--metrics", str(file), "--since", "soon"), "--since: 'soon' is not a duration"),
        (("--from-aws",), "Environment 'local' runs on the laptop, where CloudWatch records"),
    ):
        code, output = run("alarms", "replay", *arguments)
        assert (code, expected in output) == (2, True), output
