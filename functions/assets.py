"""The functions' asset: ``lambdas/`` and its pinned dependencies, bundled without Docker.

Dependencies are installed for the functions' platform once per ``lambdas/requirements.txt``, and
modules compiled once per change; both are kept under ``.build/``, so that a synth needs no network
after the first.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

from functions import bytecode
from settings.errors import ToolError
from settings.paths import ROOT
from settings.schema import Settings

PYTHON_VERSION = "3.14"
_PLATFORM = "aarch64-manylinux2014"
_BUILD = ROOT / ".build"
_REQUIREMENTS = ROOT / "lambdas" / "requirements.txt"
_CRYPTOGRAPHY = ROOT / "lambdas" / "requirements-cryptography.txt"


def functions_asset(beside: Mapping[str, str] | None = None, *, cryptography: bool = False) -> Path:
    """A folder with exactly the files that a function's sandbox gets.

    Args:
        beside: more files in ``lambdas/``, by name: data that is made at synth.
        cryptography: whether it also gets the library for Ed25519 and certificates, compiled for
            the functions' processor.

    Raises:
        ToolError: When the dependencies can't be installed, or the modules not compiled.
    """
    dependencies = _dependencies(
        [_REQUIREMENTS, _CRYPTOGRAPHY] if cryptography else [_REQUIREMENTS]
    )
    code = ROOT / "lambdas"
    sources = {str(path.relative_to(code)): path.read_bytes() for path in code.rglob("*.py")}
    compiled = _bytecode(sources)
    more = {name: text.encode() for name, text in (beside or {}).items()}
    compiled_by = [(compiled.name, b"")] if compiled else []
    digest = _digest(sorted([*sources.items(), *more.items(), *compiled_by]))
    asset = _BUILD / f"functions-{dependencies.name.rpartition('-')[2]}-{digest}"
    if not asset.exists():
        with _new_folder(asset) as folder:
            shutil.copytree(dependencies, folder, dirs_exist_ok=True)
            _write(folder / "lambdas", sources | more)
            if compiled:
                shutil.copytree(compiled, folder / "lambdas", dirs_exist_ok=True)
    return asset


def release(settings: Settings) -> str:
    """The release, as ``version+digest``: it changes with code, dependencies and settings only."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    parts = [("asset", functions_asset().name), ("settings", settings.model_dump_json())]
    return f"{version}+{_digest([(name, text.encode()) for name, text in parts])}"


def _dependencies(files: list[Path]) -> Path:
    requirements = b"".join(file.read_bytes() for file in files)
    platform = f"{PYTHON_VERSION} {_PLATFORM}"
    folder = _BUILD / f"dependencies-{_digest([(platform, requirements)])}"
    if folder.exists():
        return folder
    with _new_folder(folder) as target:
        command = [
            sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-config",
            "--target", str(target), "--python-platform", _PLATFORM,
            "--python-version", PYTHON_VERSION, "--only-binary", ":all:",
            "--require-hashes", "--no-deps",
            *(argument for file in files for argument in ("--requirement", str(file))),
        ]  # fmt: skip
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            raise ToolError(
                "The functions' dependencies (lambdas/requirements*.txt) can't be installed; "
                f"is the package index reachable?\n{result.stderr.strip()}"
            )
        # Installers leave metadata that differs between machines.
        for note in [*target.glob("*.dist-info"), target / ".lock", target / "bin"]:
            shutil.rmtree(note) if note.is_dir() else note.unlink(missing_ok=True)
    return folder


def _bytecode(sources: Mapping[str, bytes]) -> Path | None:
    """A folder with the modules' bytecode; None where its compiler is not installed."""
    compiler = bytecode.compiler()
    if compiler is None:
        return None
    by = f"{compiler} {PYTHON_VERSION}"
    folder = _BUILD / f"bytecode-{_digest([(by, b''), *sorted(sources.items())])}"
    if not folder.exists():
        # Under its package: tracebacks show these names until a module is loaded.
        named = {f"lambdas/{name}": source for name, source in sources.items()}
        files = bytecode.compiled(named, python_version=PYTHON_VERSION)
        with _new_folder(folder) as target:
            _write(target, {name.partition("/")[2]: content for name, content in files.items()})
    return folder


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


class _new_folder:  # noqa: N801 - reads as a context manager
    """A folder that appears under its name only when it is complete."""

    def __init__(self, final: Path) -> None:
        self.final = final

    def __enter__(self) -> Path:
        _BUILD.mkdir(exist_ok=True)
        self.temporary = Path(tempfile.mkdtemp(dir=_BUILD))
        return self.temporary

    def __exit__(self, failure: object, *_: object) -> None:
        if failure:
            shutil.rmtree(self.temporary)
            return
        self.temporary.chmod(0o755)
        try:
            self.temporary.rename(self.final)
        except OSError:
            shutil.rmtree(self.temporary)
            if not self.final.is_dir():  # another process may have been faster
                raise


def _digest(parts: list[tuple[str, bytes]]) -> str:
    digest = hashlib.sha256()
    for name, content in parts:
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:12]
