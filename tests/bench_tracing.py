"""``make bench``: what Datadog's library adds to a cold start, as ratios within one run.

Each run is a fresh interpreter that loads publish until it is ready, plain and as Lambda loads it
with Datadog's layer. Runs alternate, so that a machine that slows down slows all of them. Absolute
times are this machine's; on AWS the extension's own start comes on top.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

from rich.console import Console
from rich.table import Table

from settings.paths import ROOT

RUNS = 15

_TIMED = "import time\nstart = time.perf_counter()\nimport {}\nprint(time.perf_counter() - start)"
_PLAIN = {
    "AWS_LAMBDA_FUNCTION_NAME": "publish",
    "QUEUE_URL": "http://127.0.0.1:1/queue.fifo",
    "GROUP_ID": '["json:group_id"]',
    "GROUP_ID_MISSING": "own",
    "HEARTBEATS": "true",
    "DEDUPLICATION_ID": "[]",
    "RELEASE": "bench",
}
_WRAPPED = {
    **_PLAIN,
    "DD_LAMBDA_HANDLER": "lambdas.publish.handler",
    "DD_FLUSH_TO_LOG": "true",
    "DD_COLD_START_TRACING": "false",
    "DD_TRACE_BOTOCORE_ENABLED": "false",
}
_TRACED = {**_WRAPPED, "DD_TRACE_ENABLED": "true"}
# What is compared: a name, the module that Lambda loads, and the function's environment.
_SIDES = [
    ("plain", "lambdas.publish", _PLAIN),
    (
        "instrumented, tracing off",
        "datadog_lambda.handler",
        {**_WRAPPED, "DD_TRACE_ENABLED": "false"},
    ),
    ("instrumented, tracing on", "datadog_lambda.handler", _TRACED),
    (
        "the same with botocore patched",
        "datadog_lambda.handler",
        {**_TRACED, "DD_TRACE_BOTOCORE_ENABLED": "true"},
    ),
]


def main() -> None:
    """Measures and prints."""
    rounds = [[_run(module, environ) for _, module, environ in _SIDES] for _ in range(RUNS + 1)]
    del rounds[0]  # which wrote the bytecode
    table = Table()
    for column in ("publish until ready", "median", "ratio to plain"):
        table.add_column(column, overflow="fold")
    for position, (name, *_) in enumerate(_SIDES):
        seconds = statistics.median(one[position] for one in rounds)
        ratio = statistics.median(one[position] / one[0] for one in rounds)
        table.add_row(name, f"{seconds * 1000:.0f} ms", f"{ratio:.2f}")
    Console().print(table)


def _run(module: str, environ: dict[str, str]) -> float:
    """Seconds that a fresh interpreter takes to load a module."""
    result = subprocess.run(
        [sys.executable, "-c", _TIMED.format(module)],
        env={"PATH": os.environ["PATH"], **environ},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(result.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
