"""Invokes a function as Lambda does, wrapped by Datadog's library, in its own interpreter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functions.assets import functions_asset
from settings.paths import ROOT

# Code after which Datadog's packages find their extension: a file, which both look for.
# Source: datadog_lambda/extension.py, ddtrace/internal/serverless.
WITH_EXTENSION = """
import os.path
exists = os.path.exists
os.path.exists = lambda path: path == "/opt/extensions/datadog-agent" or exists(path)
"""

# What Lambda does with a function whose handler is Datadog's: load it, call it.
_LAMBDA = """
import json, sys, types
sys.path.insert(0, sys.argv[1])
{before}
from datadog_lambda.handler import handler
context = types.SimpleNamespace(
    function_name={name!r}, aws_request_id=sys.argv[2], function_version="$LATEST",
    memory_limit_in_mb=512, client_context=None, get_remaining_time_in_millis=lambda: 9000,
    invoked_function_arn="arn:aws:lambda:us-east-1:111111111111:function:" + {name!r},
)
try:
    answer = handler(json.load(sys.stdin), context)
except Exception as error:
    answer = {{"raised": f"{{type(error).__name__}}: {{error}}"}}
print("ANSWER", json.dumps(answer))
"""


@dataclass(frozen=True)
class Invocation:
    """What an invocation left.

    Attributes:
        lines: of its log, in order.
        errors: what it wrote to standard error.
    """

    request_id: str
    answer: dict[str, Any]
    lines: list[str]
    errors: str


def invoke(
    event: Any, environ: Mapping[str, str], folder: Path, *, name: str = "f", before: str = ""
) -> Invocation:
    """Runs the handler that ``DD_LAMBDA_HANDLER`` names, once, from the asset as built.

    Args:
        environ: the function's variables, and nothing of this process but its path.
        name: the function's.
        before: code that runs before Datadog's library is loaded.
    """
    request_id = str(uuid.uuid4())
    code = _LAMBDA.format(before=before, name=name)
    result = subprocess.run(
        [sys.executable, "-c", code, str(functions_asset()), request_id],
        input=json.dumps(event), cwd=folder, capture_output=True, text=True, timeout=60,
        env={
            "PATH": os.environ["PATH"], "AWS_LAMBDA_FUNCTION_NAME": name,
            # Compiled once, and not into the asset.
            "PYTHONPYCACHEPREFIX": str(ROOT / ".build" / "bytecode-of-tests"), **environ,
        },
        check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    printed, _, answer = result.stdout.partition("ANSWER ")
    return Invocation(request_id, json.loads(answer), printed.splitlines(), result.stderr)
