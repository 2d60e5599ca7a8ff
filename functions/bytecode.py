"""Bytecode of the functions' modules, for Lambda's Python and without having that Python.

Lambda's code folder is read-only, so that each cold start would compile every module it loads.
The npm package pyodide is CPython compiled for Node, which the CDK needs anyway; its bytecode is
that of the same version elsewhere. ``docs/decisions/0021-bytecode.md`` has the figures.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Mapping

from settings.errors import ToolError
from settings.paths import ROOT

_PYODIDE = ROOT / "node_modules" / "pyodide" / "package.json"
_SCRIPT = ROOT / "functions" / "bytecode.mjs"
_LINES_SHOWN = 8


def compiler() -> str | None:
    """What compiles, with its version; None where ``make setup`` has not installed it."""
    if not _PYODIDE.exists():
        return None
    return f"pyodide {json.loads(_PYODIDE.read_text())['version']}"


def compiled(sources: Mapping[str, bytes], *, python_version: str) -> dict[str, bytes]:
    """The bytecode files of modules, by their names beside the modules.

    Args:
        sources: modules by file name (``lambdas/publish.py``).
        python_version: that the bytecode has to be of (``3.14``).

    Raises:
        ToolError: When it can't be compiled, or is of another version.
    """
    node = shutil.which("node")
    if node is None:
        raise ToolError("Node.js is not installed. Install Node 22 or 24.")
    texts = json.dumps({name: source.decode() for name, source in sources.items()})
    result = subprocess.run(
        [node, str(_SCRIPT)], input=texts, capture_output=True, text=True, check=False
    )
    if result.returncode:
        reason = "\n".join(result.stderr.strip().splitlines()[-_LINES_SHOWN:])
        raise ToolError(f"The functions' modules can't be compiled by {compiler()}:\n{reason}")
    tag = f".cpython-{python_version.replace('.', '')}.pyc"
    files: dict[str, str] = json.loads(result.stdout)
    if not all(name.endswith(tag) for name in files):
        raise ToolError(
            f"package.json: {compiler()} compiles for another Python than the functions' "
            f"{python_version}. Install its release for that version."
        )
    return {name: base64.b64decode(content) for name, content in files.items()}
