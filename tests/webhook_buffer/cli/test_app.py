"""The command line: what it says to those who get something wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from settings.paths import ROOT
from tests.webhook_buffer.cli.conftest import Run
from webhook_buffer.cli import app
from webhook_buffer.laptop import laptop
from webhook_buffer.laptop.practice import Mode
from webhook_buffer.operations import cdk


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
    monkeypatch.setattr(laptop, "environment", lambda _: None)
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
