"""The CDK CLI: the pinned one from ``node_modules``, on the same app everywhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from settings.errors import ToolError
from settings.paths import ROOT
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.files import private_folder, write

MINIMUM_NODE = 20
_CLI = ROOT / "node_modules" / ".bin" / "cdk"
_LINES_SHOWN = 15
# A warning of the app's own, which `deploy` shows by itself.
_ANNOTATION = re.compile(
    r"^\S+:\d+:\d+\n(?:WARNING|INFO) .*\n\s+\S+\n\s+Acknowledge with .*\n?", re.MULTILINE
)
# What tools show of templates has environment variables.
_DSN = re.compile(r"https?://[^\s/@\"]+@[^\s/\"]+/[^\s\"]+")


class Cdk:
    """The CDK CLI for one target. Every command's output is kept in the target's folder."""

    def __init__(self, target: Environment) -> None:
        self.target = target
        self.assembly = target.folder / "cdk.out"
        private_folder(target.folder)

    def bootstrap(self) -> None:
        """Prepares account and region for deployments; does nothing the second time."""
        settings = self.target.settings
        where = f"aws://{settings.awsAccount}/{settings.awsRegion}"
        # Outside cdk.json's folder, because it would run the app needlessly.
        self._run("bootstrap", ["bootstrap", where], folder=self.target.folder)

    def synth(self, record_indexes: Sequence[str] | None = None) -> None:
        """Writes the cloud assembly that the other commands read.

        What is shown by ``diff`` is then exactly what ``deploy`` sends.

        Args:
            record_indexes: the only ones that the record table gets; default: all.
        """
        # The CLI takes the first word apart by double quotes only, then hands all of it to a shell.
        python = re.sub(r'([\\"$`])', r"\\\1", sys.executable)
        app = f'"{python}" app.py'
        arguments = ["synth", "--quiet", "--app", app, "--output", str(self.assembly)]
        arguments += ["--context", f"env={self.target.settings.environment}"]
        if self.target.overrides:
            arguments += ["--context", f"overrides={json.dumps(dict(self.target.overrides))}"]
        if self.target.public_url:
            arguments += ["--context", f"publicUrl={self.target.public_url}"]
        if self.target.practice_backend:
            arguments += ["--context", f"practiceBackend={self.target.practice_backend}"]
        if record_indexes is not None:
            arguments += ["--context", f"recordIndexes={','.join(record_indexes)}"]
        self._run("synth", arguments)

    def diff(self) -> str:
        """What a deployment would change, for people to read."""
        return self._run("diff", ["diff", "--app", str(self.assembly), "--no-change-set"])

    def deploy(self, *, import_existing: bool = False) -> None:
        """Deploys the assembly and writes the outputs file.

        Args:
            import_existing: take over resources an earlier stack left behind.
        """
        arguments = ["deploy", "--all", "--app", str(self.assembly), "--require-approval", "never"]
        arguments += ["--outputs-file", str(self.target.outputs_file), "--progress", "events"]
        if import_existing:
            arguments.append("--import-existing-resources")
        self._run("deploy", arguments)

    def destroy(self) -> None:
        """Deletes the stacks without confirmation, which is the caller's responsibility."""
        self._run("destroy", ["destroy", "--all", "--force", "--app", str(self.assembly)])

    def _run(self, name: str, arguments: Sequence[str], *, folder: Path = ROOT) -> str:
        """Runs the CLI and returns its output.

        Raises:
            ToolError: When it failed; with the lines that say why, and the log's path.
        """
        check_node()
        if not _CLI.exists():
            raise ToolError("The CDK CLI is not installed in node_modules. Run: make setup")
        log = self.target.folder / f"cdk-{name}.log"
        environ = {
            **self.target.environ,
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "CI": "true",  # all output on one stream, and none of it a terminal's
            "NO_COLOR": "1",
            "AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED": "true",
        }
        result = subprocess.run(
            [str(_CLI), *arguments, "--no-notices"],
            cwd=folder, env=environ, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        output = without_secrets(result.stdout)
        log.parent.mkdir(parents=True, exist_ok=True)
        write(log, output)
        if result.returncode:
            raise ToolError(f"cdk {name} failed:\n{_reason(output)}", log=log)
        return output


def without_secrets(text: str) -> str:
    """What a tool says of a template, fit to be shown."""
    return _DSN.sub("(a Sentry DSN)", text)


def check_node() -> None:
    """Checks for a Node that the CDK can use.

    Raises:
        ToolError: When Node is missing or too old.
    """
    remedy = "Install Node 22 or 24 (https://nodejs.org) and run this again."
    node = shutil.which("node")
    if node is None:
        raise ToolError(f"Node.js is not installed; the AWS CDK runs on it. {remedy}")
    version = subprocess.run(
        [node, "--version"], capture_output=True, text=True, check=False
    ).stdout.strip()
    major = re.match(r"v(\d+)\.", version)
    if major is None or int(major.group(1)) < MINIMUM_NODE:
        raise ToolError(
            f"Node.js {version or 'of unknown version'} is too old; the AWS CDK needs "
            f"{MINIMUM_NODE} or later. {remedy}"
        )


def node_modules(package: str) -> Path:
    """The folder of an installed npm package.

    Raises:
        ToolError: When it is not.
    """
    folder = ROOT / "node_modules" / package
    if not folder.exists():
        raise ToolError(f"The npm package {package} is not installed. Run: make setup")
    return folder


def _reason(output: str) -> str:
    """The end of a failed command's output, without noise."""
    noise = re.compile(r"^\s*$|npm warn|feature flags are not configured|subprocess exited")
    said = _ANNOTATION.sub("", output)
    lines = [line.rstrip() for line in said.splitlines() if not noise.search(line)]
    return os.linesep.join(lines[-_LINES_SHOWN:])
