"""The command line: what it says to those who get something wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from monitoring import cost, wording
from settings.loader import load
from settings.paths import CDK_JSON, ROOT
from webhook_buffer.cli import app, main
from webhook_buffer.cli.terminal import console
from webhook_buffer.composition import alarm_set
from webhook_buffer.laptop import laptop
from webhook_buffer.laptop.practice import Mode
from webhook_buffer.operations import cdk

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs the command line in this process; exit code and all it printed."""
    monkeypatch.setattr(laptop, "STATE", tmp_path / "state")
    monkeypatch.setattr(laptop, "OUTPUTS", tmp_path / "cdk.out.json")

    def command(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["webhook-buffer", *arguments])
        with pytest.raises(SystemExit) as ended:
            main.main()
        captured = capfd.readouterr()
        return int(ended.value.code or 0), captured.out + captured.err

    return command


def _program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    "command", ["status", "outputs", "smoke", "logs", "synth", "diff", "deploy", "destroy"]
)
def test_unknown_environment(run: Run, command: str) -> None:
    """Every command that takes an environment names the known ones."""
    code, output = run(command, "--env", "qa")
    assert code == 2
    assert "cdk.json: environment 'qa': unknown; known are dev, local, prd, stg" in output


@pytest.mark.parametrize("time", ["-1s", "-1", "-500ms", "61s", "soon"])
def test_a_time_below_zero_is_not_an_option(run: Run, time: str) -> None:
    """What is no time of an answer is named, with what to write."""
    code, output = run("backend", "slow", time)
    assert code == 2
    assert f"'{time}' is not a time of up to 60 s; write 8s, 500ms." in output


def test_no_wait_at_all_restores_the_backend(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left to be restored then."""
    modes: list[Mode] = []
    monkeypatch.setattr(laptop, "target", lambda _: None)
    monkeypatch.setattr(laptop, "backend", lambda: SimpleNamespace(set=modes.append))
    assert run("backend", "slow", "0") == (0, "The faux backend answers 200.\n")
    assert modes == [Mode()]


@pytest.mark.parametrize("command", ["status", "outputs", "smoke", "logs"])
def test_nothing_runs_yet(run: Run, command: str) -> None:
    """Before the first ``up`` the error says how to start."""
    code, output = run(command)
    assert code == 1
    assert "Nothing is running on this laptop. To start the buffer: webhook-buffer up" in output


def test_down_with_nothing_up(run: Run) -> None:
    """Stopping nothing is not an error."""
    assert run("down") == (0, "Nothing is running.\n")


def test_env_variable_chooses(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """WEBHOOK_BUFFER_ENV is the default of --env; ENV, which a shell sets for itself, is not."""
    monkeypatch.setenv("ENV", "/root/.shrc")
    assert "Nothing is running on this laptop" in run("status")[1]
    monkeypatch.setenv("WEBHOOK_BUFFER_ENV", "qa")
    assert "environment 'qa': unknown" in run("status")[1]


def test_node_missing(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without Node the error says what to install, before anything is started."""
    monkeypatch.setenv("PATH", str(tmp_path))
    code, output = run("up")
    assert code == 1
    assert "Node.js is not installed" in output
    assert "Install Node 22 or 24" in output
    assert not (tmp_path / "state").exists()


def test_node_too_old(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A Node that the CDK can't use is named with its version."""
    _program(tmp_path / "bin", "node", "echo v18.20.0")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    code, output = run("synth", "--env", "dev")
    assert code == 1
    assert "Node.js v18.20.0 is too old; the AWS CDK needs 20 or later" in output


def test_cdk_not_installed(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without node_modules the error names the remedy."""
    monkeypatch.setattr(cdk, "_CLI", tmp_path / "missing")
    code, output = run("synth", "--env", "dev")
    assert code == 1
    assert "The CDK CLI is not installed in node_modules. Run: make setup" in output


def test_failing_cdk(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """When the CDK fails, its last words are shown, and where all of them are."""
    _program(tmp_path, "cdk", "echo 'first words'; echo 'Stack failed: quota'; exit 1")
    monkeypatch.setattr(cdk, "_CLI", tmp_path / "cdk")
    code, output = run("synth", "--env", "dev")
    assert code == 1
    assert "cdk synth failed:" in output
    assert "Stack failed: quota" in output
    log = tmp_path / "state" / "dev" / "cdk-synth.log"
    assert str(log) in output
    assert log.read_text() == "first words\nStack failed: quota\n"


def test_a_dsn_is_not_shown(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A DSN in the CDK's output reaches neither the terminal nor the log."""
    line = '[+] "SENTRY_DSN": "https://5ec4e7@o1.ingest.sentry.io/42"'
    _program(tmp_path, "cdk", f"echo '{line}'; exit 1")
    monkeypatch.setattr(cdk, "_CLI", tmp_path / "cdk")
    output = run("synth", "--env", "dev")[1]
    assert '[+] "SENTRY_DSN": "(a Sentry DSN)"' in output
    assert "5ec4e7" not in output + (tmp_path / "state" / "dev" / "cdk-synth.log").read_text()


@pytest.mark.parametrize("words", [("outputs",), ("diff",), ("deploy", "--yes")])
def test_no_credentials(run: Run, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    """Without credentials the error names environment and remedy, before anything is made."""
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    code, output = run(*words, "--env", "dev")
    assert code == 1
    assert "Synthesizing" not in output
    assert "No AWS credentials for environment 'dev' (111111111111, us-east-1)" in output


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("send", "missing.json"), "missing.json does not exist"),
        (("send", "EMPTY"), "holds no files"),
        (("send", "EMPTY", "-H", "X-A: é"), "'X-A: é' is not a header"),
        (("send", "EMPTY", "--method", ""), "'' is not an HTTP method"),
        (("send", "EMPTY", "--to", "https://example.com/x"), "is a URL; --to is a path and query"),
        (("send", "EMPTY", "-H", "no header"), "'no header' is not a header; write 'Name: value'"),
        (("destroy", "--env", "dev"), "is not a terminal; pass --yes"),
        (("deploy", "--env", "dev"), "is not a terminal; pass --yes"),
        (("alarms", "show", "queue-page"), "'queue-page'. Did you mean queue-age-page"),
        (("alarms", "show", "deliveries-faling"), "Did you mean deliveries-failing or"),
        (
            ("alarms", "show", "x"),
            "'x'. To list its alarms: webhook-buffer alarms list --env local",
        ),
        (
            ("alarms", "show", "no-traffic", "--env", "prd"),
            "has no alarm 'no-traffic' (it is opt-in: set 'traffic'",
        ),
        (("alarms", "drill", "queue-page"), "'queue-page'. Did you mean queue-age-page"),
        (
            ("alarms", "record", "r.json", "--env", "prd"),
            "where CloudWatch records: webhook-buffer alarms replay --from-aws --env prd",
        ),
        (("alarms", "record", "r.txt"), "r.txt: name a file that ends in .json, .csv"),
        (
            ("alarms", "drill", "senders-refused"),
            "is an incident, which one of its parts sets off: api-5xx, publish-errors,",
        ),
    ],
)
def test_bad_arguments(run: Run, tmp_path: Path, arguments: tuple[str, ...], expected: str) -> None:
    """A bad argument is one sentence with its remedy, and exit code 2."""
    (tmp_path / "empty").mkdir()
    code, output = run(*(str(tmp_path / "empty") if a == "EMPTY" else a for a in arguments))
    assert code == 2
    assert expected in output


def test_help_lists_every_command(run: Run) -> None:
    """Each command is in --help with a sentence, and in the README."""
    code, output = run("--help")
    readme = (ROOT / "README.md").read_text()
    assert code == 0
    assert re.search(r"^  alarms +\w", output, re.MULTILINE)
    assert "webhook-buffer alarms" in readme
    for command in app.app.registered_commands:
        name = command.name or command.callback.__name__  # type: ignore[union-attr]
        assert re.search(rf"^  {name} +\w", output, re.MULTILINE), name
        assert f"webhook-buffer {name}" in readme or f"make {name}" in readme, name


def test_version(run: Run) -> None:
    """--version prints what pyproject.toml says."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert run("--version") == (0, f"webhook-buffer {version}\n")


@pytest.mark.parametrize(
    "words", [(), ("up",), ("alarms",), ("alarms", "lint"), ("datadog", "plan")]
)
def test_short_help(run: Run, words: tuple[str, ...]) -> None:
    """-h is --help, for every command and group."""
    code, output = run(*words, "-h")
    assert (code, output) == run(*words, "--help")
    assert output.startswith(f"Usage: {' '.join(('webhook-buffer', *words))} ")


def _parameters(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every parameter below a command, with the words that lead to it."""
    for parameter in command.params:
        yield " ".join((*words, parameter.name)), parameter
    context = typer.Context(command)
    for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
        yield from _parameters(command.get_command(context, name), (*words, name))


def test_what_takes_a_value_is_named_alike() -> None:
    """Help shows values in capitals (PATH), or as choices, and never a type's name."""
    command = typer.main.get_command(app.app)
    wrong = [
        words
        for words, parameter in _parameters(command)
        if not getattr(parameter, "is_flag", False)
        and not parameter.type_descriptor.is_choice
        and (parameter.metavar is None or parameter.metavar != parameter.metavar.upper())
    ]
    assert wrong == []


def test_a_typo_is_answered_with_what_was_meant(run: Run) -> None:
    """A mistyped command gets a suggestion, in a group that is loaded on demand too."""
    assert "No such command 'stats'. Did you mean 'status'?" in run("stats")[1]
    assert "No such command 'lst'. Did you mean 'list'?" in run("alarms", "lst")[1]


_HEAVY = ("boto3", "botocore", "settings.schema", "rich.markdown", "numpy", "aws_cdk")


@pytest.mark.parametrize("words", ["--help", "--version", "up -h", "alarms lint -h"])
def test_help_loads_nothing_heavy(words: str) -> None:
    """Help and version come without settings, AWS or Datadog: they are there at once."""
    script = (
        f"import sys\nsys.argv = ['webhook-buffer', *{words.split()!r}]\n"
        "from webhook_buffer.cli.main import main\ntry:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print(sorted(set({_HEAVY!r}) & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("stat", {"status"}),
        ("alarms li", {"list", "lint"}),
        ("datadog dr", {"drift"}),
        ("status --env p", {"prd"}),
        ("alarms show queue", {"queue-age-page", "queue-age-ticket"}),
        ("dashboards render over", {"overview"}),
        ("drill run forged", {"forged-webhook"}),
    ],
)
def test_completion(typed: str, expected: set[str]) -> None:
    """A shell completes commands, those of groups too, and names: environments, alarms, drills."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("webhook-buffer"))], cwd=ROOT, text=True,
        capture_output=True, check=False,
        env={
            **os.environ, "_WEBHOOK_BUFFER_COMPLETE": "complete_bash",
            "COMP_WORDS": f"webhook-buffer {typed}", "COMP_CWORD": str(len(typed.split())),
        },
    )  # fmt: skip
    assert (set(done.stdout.split()), done.stderr) == (expected, "")


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
