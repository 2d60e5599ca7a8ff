"""alarmproof as its users get it: its wheel in an empty environment, without any extra."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from settings.paths import ROOT

pytestmark = pytest.mark.slow

UV = Path(sys.executable).with_name("uv")
ALARM = {
    "Type": "AWS::CloudWatch::Alarm",
    "Properties": {
        "AlarmDescription": "Orders wait. Runbook: https://example.com/orders",
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateAgeOfOldestMessages",
        "Dimensions": [{"Name": "QueueName", "Value": "orders"}],
        "Statistic": "Maximum",
        "Period": 60,
        "EvaluationPeriods": 3,
        "Threshold": 900,
        "ComparisonOperator": "GreaterThanThreshold",
        "AlarmActions": ["arn:aws:sns:eu-west-1:111122223333:on-call"],
    },
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of an environment with the wheel and what it depends on."""
    folder = tmp_path_factory.mktemp("alarmproof")
    # setuptools writes beside what it builds; the checkout stays as it is.
    copy = folder / "source"
    ignored = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT / "packages" / "alarmproof", copy, ignore=ignored)
    build = ["build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable]
    _uv(*build, "--out-dir", str(folder), str(copy))
    [wheel] = folder.glob("*.whl")
    _uv("venv", "--quiet", "--python", sys.executable, str(folder / "env"))
    _uv("pip", "install", "--quiet", "--python", str(folder / "env/bin/python"), str(wheel))
    return folder / "env/bin"


def _uv(*arguments: str) -> None:
    done = subprocess.run([UV, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _run(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, in an environment that says nothing of this checkout."""
    return subprocess.run(
        [installed / "alarmproof", *arguments], cwd=installed, capture_output=True, text=True,
        check=False, env={"PATH": os.environ["PATH"], "COLUMNS": "80"},
    )  # fmt: skip


def test_it_installs_nothing_of_the_application(installed: Path) -> None:
    """Linting brings along no numpy, no boto3, no CDK, and nothing of ours but itself."""
    done = subprocess.run(
        [UV, "pip", "list", "--format", "json", "--python", str(installed / "python")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    names = {entry["name"] for entry in json.loads(done.stdout)}
    assert {"alarmproof", "pyyaml", "rich", "typer"} <= names
    assert not names & {"numpy", "boto3", "aws-cdk-lib", "webhook-buffer", "plotly", "pyarrow"}


@pytest.mark.parametrize("command", [(), ("lint",), ("test",), ("replay",)])
def test_every_help_is_shown(installed: Path, command: tuple[str, ...]) -> None:
    """Help needs no extra, and says what the exit codes mean."""
    for option in ("--help", "-h"):
        done = _run(installed, *command, option)
        assert (done.returncode, done.stderr) == (0, "")
        assert f"Usage: {' '.join(['alarmproof', *command])} [OPTIONS]" in done.stdout
        assert "Exit codes: 0" in done.stdout


def test_it_lints(installed: Path, tmp_path: Path) -> None:
    """A template in, findings out, and 1 because there are some."""
    file = tmp_path / "template.json"
    file.write_text(json.dumps({"Resources": {"Age": ALARM}}))
    done = _run(installed, "lint", str(file))
    assert (done.returncode, done.stderr) == (1, "")
    assert "Did you mean ApproximateAgeOfOldestMessage?" in done.stdout
    assert _run(installed, "--version").stdout.startswith("alarmproof 0.")


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (("test", "cases", "--template", "t.json"), "test"),
        (("replay", "--metrics", "m.json", "--template", "t.json"), "test"),
    ],
)
def test_a_missing_extra_is_named(
    installed: Path, tmp_path: Path, arguments: tuple[str, ...], extra: str
) -> None:
    """One line that says what to install, and exit code 2."""
    (tmp_path / "t.json").write_text(json.dumps({"Resources": {"Age": ALARM}}))
    given = [
        str(tmp_path / "t.json") if argument == "t.json" else argument for argument in arguments
    ]
    done = _run(installed, *given)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f"pipx install --force 'alarmproof[{extra}]'" in done.stderr
