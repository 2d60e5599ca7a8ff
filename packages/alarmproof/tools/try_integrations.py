"""Tries what CI systems use of alarmproof, as they would: installs it, runs the action, the hook.

``python tools/try_integrations.py`` makes an empty environment, installs this folder there with
pip, prints its size and how long it takes to start beside ``import typer, rich``, runs the shell
steps of ``action.yml`` on a faulty and on a right template, and lets pre-commit (from the package
registry) install the hook from a git repository of this folder. It needs a registry, and takes a
minute or two. Exit code 1 when something does not do what it should.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

import yaml

PACKAGE = Path(__file__).parents[1]
LARGEST, SLOWEST, RUNS = 60, 2.0, 9
_ALARM: dict[str, Any] = {
    "AlarmDescription": "Orders wait. https://example.com/orders", "Namespace": "AWS/SQS",
    "MetricName": "ApproximateAgeOfOldestMessage", "Statistic": "Maximum", "Period": 60,
    "Dimensions": [{"Name": "QueueName", "Value": "orders"}], "EvaluationPeriods": 3,
    "Threshold": 900, "ComparisonOperator": "GreaterThanThreshold",
    "AlarmActions": ["arn:aws:sns:eu-west-1:111122223333:on-call"],
}  # fmt: skip


def template(**changes: Any) -> str:
    """A template with an alarm."""
    properties = {**_ALARM, **changes}
    return json.dumps(
        {"Resources": {"Waits": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}}}
    )


RIGHT, FAULTY = template(), template(MetricName="ApproximateAgeOfOldest")


def _run(command: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def megabytes(folder: Path) -> float:
    """Everything that pip has put into an environment, without pip itself."""
    [packages] = (folder / "lib").glob("python*/site-packages")
    files = (file for file in packages.rglob("*") if file.is_file())
    own = (file for file in files if not file.relative_to(packages).parts[0].startswith("pip"))
    return sum(file.stat().st_size for file in own) / 1e6


def slowness(scripts: Path) -> float:
    """The time to start, as a multiple of the imports that any command with tables has."""
    ours = [str(scripts / "alarmproof"), "lint", "--help"]
    bare = [str(scripts / "python"), "-c", "import typer, rich"]

    def seconds(command: list[str]) -> float:
        started = time.perf_counter()
        _run(command, scripts)
        return time.perf_counter() - started

    return statistics.median(seconds(ours) / seconds(bare) for _ in range(RUNS))


def action(folder: Path, scripts: Path, package: Path, path: str) -> tuple[int, str]:
    """What the last of the action's shell steps answers, after all of them ran."""
    steps = yaml.safe_load((PACKAGE / "action.yml").read_text("utf-8"))["runs"]["steps"]
    inputs = {"${{ inputs.paths }}": path, "${{ inputs.arguments }}": "--max-reaction 600"}
    done = None
    for step in steps:
        if "run" in step:
            given = {name: inputs[value] for name, value in step.get("env", {}).items()}
            done = _run(
                ["bash", "-eo", "pipefail", "-c", step["run"]], folder,
                PATH=f"{scripts}:{os.environ['PATH']}", GITHUB_ACTION_PATH=str(package), **given,
            )  # fmt: skip
            if done.returncode:
                break
    assert done is not None
    return done.returncode, done.stdout + done.stderr


def _committed(folder: Path) -> str:
    """Makes a git repository of a folder, and returns its revision."""
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    for words in (["init", "-q"], ["add", "-A"], [*who, "commit", "-qm", "all"]):
        _run(["git", *words], folder)
    return _run(["git", "rev-parse", "HEAD"], folder).stdout.strip()


def hook(folder: Path, scripts: Path, package: Path, text: str) -> tuple[int, str]:
    """What pre-commit answers in a repository that has the hook and one template."""
    user = Path(tempfile.mkdtemp(dir=folder))
    (user / "template.yaml").write_text(text, "utf-8")
    config = {"repos": [{"repo": str(package), "rev": _committed(package),
                         "hooks": [{"id": "alarmproof"}]}]}  # fmt: skip
    (user / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config), "utf-8")
    _committed(user)
    done = _run(
        [str(scripts / "pre-commit"), "run", "--all-files"], user,
        PRE_COMMIT_HOME=str(folder / "hooks"),
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def main() -> int:
    """Tries everything, and prints a line for each."""
    wrong = 0

    def say(what: str, answer: str, *, right: bool) -> None:
        nonlocal wrong
        wrong += not right
        print(f"{'✓' if right else '✗'} {what}: {answer}")

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # pip writes beside what it builds; the checkout stays as it is.
        package = folder / "package"
        ignored = shutil.ignore_patterns("build", "*.egg-info", "__pycache__", ".*_cache")
        shutil.copytree(PACKAGE, package, ignore=ignored)
        venv.create(folder / "env", with_pip=True)
        scripts = folder / "env" / "bin"
        pip = [str(scripts / "pip"), "install", "--quiet"]
        _run([*pip, str(package)], folder)
        size = megabytes(folder / "env")
        say("installed", f"{size:.0f} MB (at most {LARGEST})", right=0 < size <= LARGEST)
        ratio = slowness(scripts)
        say("start", f"{ratio:.2f} times import typer, rich (at most {SLOWEST:g})",
            right=ratio <= SLOWEST)  # fmt: skip
        _run([*pip, "pre-commit"], folder)
        for title, text, expected in (("right", RIGHT, 0), ("faulty", FAULTY, 1)):
            file = folder / f"{title}.template.json"
            file.write_text(text, "utf-8")
            for what, (code, output) in (
                ("action", action(folder, scripts, package, file.name)),
                ("hook", hook(folder, scripts, package, text)),
            ):
                right = code == expected and ("unknown-metric" in output) == bool(expected)
                say(f"{what}, {title} template", f"exit {code}", right=right)
                if not right:
                    print(output)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
