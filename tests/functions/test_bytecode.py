"""Bytecode in the functions' asset: of Lambda's Python, the same everywhere, and in use."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from functions import assets, bytecode
from functions.assets import functions_asset
from settings.errors import ToolError
from settings.paths import ROOT

pytestmark = pytest.mark.slow

# Source: PEP 552: after the magic number four bytes of flags; 1 means a hash that is not checked.
_UNCHECKED_HASH = b"\x01\x00\x00\x00"


def test_every_module_has_byte_code() -> None:
    """Beside each of our modules lies bytecode of Lambda's Python, which needs no source."""
    lambdas = functions_asset() / "lambdas"
    tag = f"cpython-{assets.PYTHON_VERSION.replace('.', '')}"
    modules = {path.relative_to(lambdas).with_suffix("") for path in lambdas.rglob("*.py")}
    files = list(lambdas.rglob(f"*.{tag}.pyc"))
    assert {
        path.parent.parent.relative_to(lambdas) / path.name.partition(".")[0] for path in files
    } == modules
    assert {path.read_bytes()[4:8] for path in files} == {_UNCHECKED_HASH}


_IMPORT = """
import { loadPyodide } from "pyodide";
const pyodide = await loadPyodide();
pyodide.mountNodeFS("/asset", process.argv[1]);
console.log(pyodide.runPython(`
import sys
sys.path.insert(0, "/asset")
import lambdas.backoff
str(lambdas.backoff.delay(1, "7", base=0, longest=0, longest_retry_after=9))
`));
"""


def test_compiled_again_it_is_the_same_and_in_use(tmp_path: Path) -> None:
    """Whoever compiles gets the asset's bytes, and Lambda's Python runs them without a source."""
    lambdas = ROOT / "lambdas"
    sources = {
        f"lambdas/{path.relative_to(lambdas)}": path.read_bytes() for path in lambdas.rglob("*.py")
    }
    files = bytecode.compiled(sources, python_version=assets.PYTHON_VERSION)
    asset = functions_asset()
    assert {name: (asset / name).read_bytes() for name in files} == files
    assert str(ROOT).encode() not in b"".join(files.values())

    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    for name in sources:
        (tmp_path / name).write_text("raise SystemExit('the source was compiled')")
    result = subprocess.run(
        [_node(), "--input-type=module", "-e", _IMPORT, str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.stdout.strip() == "7", result.stderr


def _node() -> str:
    node = shutil.which("node")
    assert node
    return node


def test_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytecode that Lambda's Python would ignore does not go into the asset unnoticed."""
    node = tmp_path / "node"
    node.write_text("""#!/bin/sh\necho '{"lambdas/__pycache__/m.cpython-399.pyc": ""}'\n""")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    with pytest.raises(ToolError, match=r"package\.json: pyodide .* functions' 3\.14"):
        bytecode.compiled({"lambdas/m.py": b""}, python_version="3.14")


def test_without_the_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the compiler is not installed, the asset is another, without bytecode."""
    compiled = functions_asset()
    (tmp_path / "package.json").write_text(json.dumps({"version": "1"}))
    monkeypatch.setattr(bytecode, "_PYODIDE", tmp_path / "missing.json")
    plain = functions_asset()
    assert plain != compiled
    assert not list(plain.rglob("*.pyc"))


def test_what_does_not_compile_is_said() -> None:
    """A module with a mistake is an error with the module's name, not an asset without it."""
    with pytest.raises(ToolError, match=r"can't be compiled.*[\s\S]*lambdas/m\.py"):
        bytecode.compiled({"lambdas/m.py": b"def"}, python_version="3.14")
