"""``make bench``: cold starts as Lambda sees them.

Each run is a fresh interpreter that has the asset as built, without its bytecode: that is for
Lambda's Python, which this laptop's is not. What the Lambda runtime and Datadog's layer bring has
its bytecode, which is made here before anything is measured. Where Lambda's Python is on the PATH,
starts with and without the asset's bytecode are compared.
Source: DataDog/datadog-lambda-python, Dockerfile: compiled with compileall.

The figures are processor time until the module is loaded: imports wait for nothing else, and a busy
machine changes it little. Runs alternate; only the ratios are worth comparing.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from functions.assets import PYTHON_VERSION, functions_asset
from tests.function_modules import function_environ
from tests.lambda_process import WITH_EXTENSION

RUNS = 15
# The machine that the target of 40 ms is of: there a function whose modules had bytecode was ready
# in 62 ms, 0.44 times what the client takes. Ratios say what it would have measured of today's.
_CLIENT_MS, _ASKED_MS = 62 / 0.44, 40
# Modules of an import breakdown that are listed by name.
_LISTED = 12

# What the Lambda runtime brings: boto3 and what it needs. Source: Lambda developer guide,
# "Building Lambda functions with Python", runtime-included SDK.
RUNTIME = ("boto3", "botocore", "jmespath", "s3transfer", "urllib3", "dateutil", "six.py")

# ``logging`` is there before any function of ours. Source: awslambdaric 4.2.2, bootstrap.py.
_TIMED = (
    "import logging, sys, time\n"
    "sys.path[:0], sys.path[len(sys.path):] = {first!r}, {last!r}\n"
    "start = time.process_time()\n"
    "{code}\n"
    "print(time.process_time() - start)"
)
_IMPORT_TIME = re.compile(r"import time:\s+(\d+) \|\s+\d+ \| +(\S+)")
_DSN = {"SENTRY_DSN": "https://key@127.0.0.1/1"}
_DATADOG = {"DD_COLD_START_TRACING": "false", "DD_TRACE_BOTOCORE_ENABLED": "false"}
# Both ways of sending: the extension's own start is not in it, for it runs only on AWS.
_WAYS = {
    "log": ("true", "import datadog_lambda.handler"),
    "extension": ("false", f"{WITH_EXTENSION}import datadog_lambda.handler"),
}


@dataclass(frozen=True, kw_only=True)
class Side:
    """What is compared.

    Attributes:
        code: what the interpreter runs until it is ready.
        environ: variables besides the function's own.
        layer: whether Datadog's layer is there.
    """

    name: str
    code: str
    environ: Mapping[str, str]
    layer: bool = False


def _function(module: str) -> list[Side]:
    plain = f"import lambdas.{module}"
    return [
        Side(name=module, code=plain, environ={}),
        Side(name=f"{module}, Sentry DSN set", code=plain, environ=_DSN),
        *(_wrapped(module, way, tracing=tracing) for way in _WAYS for tracing in (False, True)),
    ]


def _wrapped(module: str, way: str, *, tracing: bool) -> Side:
    to_log, code = _WAYS[way]
    return Side(
        name=f"{module}, Datadog by {way}, tracing {'on' if tracing else 'off'}",
        code=code,
        environ={
            **_DATADOG,
            "DD_LAMBDA_HANDLER": f"lambdas.{module}.handler",
            "DD_FLUSH_TO_LOG": to_log,
            "DD_TRACE_ENABLED": str(tracing).lower(),
        },
        layer=True,
    )


_FUNCTIONS = ("publish", "subscribe")
SIDES = [
    Side(name="boto3.client('sqs')", code="import boto3\nboto3.client('sqs')", environ={}),
    Side(name="imports of HTTP and JSON", code="import http.client, json", environ={}),
    *(side for module in _FUNCTIONS for side in _function(module)),
    # What decision 17 does without.
    Side(name="publish and http.client", code="import lambdas.publish, http.client", environ={}),
]


class Sandbox:
    """What a fresh interpreter finds: an asset, and what the runtime and the layer bring."""

    def __init__(self, asset: Path, folder: Path, *, python: str = sys.executable) -> None:
        self._asset = asset
        self._python = python
        self._runtime = folder
        folder.mkdir()
        self._site_packages = Path(sysconfig.get_path("purelib"))
        for name in RUNTIME:
            (folder / name).symlink_to(self._site_packages / name)
        self._compile()

    def _compile(self) -> None:
        """Makes bytecode of what runtime and layer load, and of nothing of ours."""
        code = f"import boto3\nboto3.client('sqs')\n{WITH_EXTENSION}import datadog_lambda.handler"
        environ = {**os.environ, **_DATADOG, "DD_LAMBDA_HANDLER": "json.dumps"}
        environ |= {"AWS_DEFAULT_REGION": "us-east-1", "AWS_LAMBDA_FUNCTION_NAME": "function"}
        subprocess.run([sys.executable, "-I", "-c", code], env=environ, check=True)

    def seconds(self, side: Side) -> float:
        """Processor seconds until ready."""
        return float(self._run(side).stdout.splitlines()[-1])

    def breakdown(self, side: Side) -> list[tuple[str, int]]:
        """Microseconds by whose module it is, then those of the dearest modules."""
        lines = _IMPORT_TIME.findall(self._run(side, "-X", "importtime").stderr)
        own = [(name, int(microseconds)) for microseconds, name in lines]
        owners: Counter[str] = Counter()
        for name, microseconds in own:
            owners[self._owner(name.partition(".")[0])] += microseconds
        dearest = sorted(own, key=lambda entry: -entry[1])[:_LISTED]
        return [*owners.most_common(), *dearest]

    def _owner(self, package: str) -> str:
        if package == "lambdas":
            return "our modules"
        in_asset = any((self._asset / name).exists() for name in (package, f"{package}.py"))
        if in_asset:
            return "libraries in the asset"
        return "standard library" if package in sys.stdlib_module_names else "runtime"

    def _run(self, side: Side, *options: str) -> subprocess.CompletedProcess[str]:
        layer = [str(self._site_packages)] if side.layer else []
        code = _TIMED.format(
            first=[str(self._asset)], last=[*layer, str(self._runtime)], code=side.code
        )
        environ = {
            "PATH": os.environ["PATH"],
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_LAMBDA_FUNCTION_NAME": "function",
            **function_environ("https://127.0.0.1:1"),
            **side.environ,
        }
        # -S and -I: no site-packages, no PYTHONPATH, no current folder. -B: no bytecode.
        command = [self._python, "-I", "-S", "-B", *options, "-c", code]
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=True)


def measure(cases: Mapping[str, tuple[Sandbox, Side]], runs: int) -> dict[str, list[float]]:
    """Each case's processor seconds, run by run, in turn."""
    rounds = [[sandbox.seconds(side) for sandbox, side in cases.values()] for _ in range(runs + 1)]
    return {name: [timings[at] for timings in rounds[1:]] for at, name in enumerate(cases)}


def main() -> None:
    """Measures and prints."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain = folder / "asset"
        shutil.copytree(functions_asset(), plain, ignore=shutil.ignore_patterns("__pycache__"))
        _print_sides(Sandbox(plain, folder / "runtime"))
        _print_byte_code(plain, folder)


def _print_sides(sandbox: Sandbox) -> None:
    measured = measure({side.name: (sandbox, side) for side in SIDES}, RUNS)
    client, floor = (measured[side.name] for side in SIDES[:2])
    version = ".".join(map(str, sys.version_info[:2]))
    table = Table(title=f"ready after a cold start (Python {version}, no bytecode in the asset)")
    calibrated = f"where the client takes {_CLIENT_MS:.0f} ms"
    for column in ("", "median", "to boto3.client", "to HTTP and JSON", calibrated):
        table.add_column(column, overflow="fold")
    for name, seconds in measured.items():
        to_client, to_floor = (_ratio(seconds, other) for other in (client, floor))
        there = f"{to_client * _CLIENT_MS:.1f} ms"
        asked = f" (asked for: ≤ {_ASKED_MS} ms)" if name in _FUNCTIONS else ""
        median = f"{statistics.median(seconds) * 1000:.1f} ms"
        table.add_row(name, median, f"{to_client:.2f}", f"{to_floor:.2f}", f"{there}{asked}")
    Console().print(table)
    for side in SIDES:
        if side.name in _FUNCTIONS:
            _print_breakdown(side.name, sandbox.breakdown(side))


def _print_byte_code(plain: Path, folder: Path) -> None:
    """Lambda's own Python, without and with the bytecode that the asset has for it."""
    table = Table(title=f"ready after a cold start (Python {PYTHON_VERSION}, Lambda's)")
    for column in ("", "without bytecode", "with it", "ratio", "to HTTP and JSON"):
        table.add_column(column, overflow="fold")
    python = shutil.which(f"python{PYTHON_VERSION}")
    if python is None:
        table.add_row("not measured", "", "", "", f"no python{PYTHON_VERSION} on the PATH")
        Console().print(table)
        return
    without = Sandbox(plain, folder / "without", python=python)
    having = Sandbox(functions_asset(), folder / "having", python=python)
    sides = [side for side in SIDES if side.name in _FUNCTIONS]
    cases = {"floor": (without, SIDES[1])}
    for side in sides:
        cases |= {side.name: (without, side), f"{side.name}+": (having, side)}
    measured = measure(cases, RUNS)
    for side in sides:
        before, after = measured[side.name], measured[f"{side.name}+"]
        medians = [f"{statistics.median(durations) * 1000:.1f} ms" for durations in (before, after)]
        ratios = [f"{_ratio(after, other):.2f}" for other in (before, measured["floor"])]
        table.add_row(side.name, *medians, *ratios)
    Console().print(table)


def _ratio(seconds: list[float], others: list[float]) -> float:
    return statistics.median(
        duration / other for duration, other in zip(seconds, others, strict=True)
    )


def _print_breakdown(name: str, rows: list[tuple[str, int]]) -> None:
    table = Table(title=f"imports of {name} (-X importtime, each module's own)")
    table.add_column("")
    table.add_column("ms", justify="right")
    for label, microseconds in rows:
        table.add_row(label, f"{microseconds / 1000:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
