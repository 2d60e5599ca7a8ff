"""The functions' asset: ``lambdas/`` and its pinned dependencies, bundled without Docker.

Dependencies are installed for the functions' platform once per ``lambdas/requirements.txt``
and kept under ``.build/``, so that a synth needs no network after the first.
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

from settings.errors import ToolError
from settings.paths import ROOT
from settings.schema import Settings

PYTHON_VERSION = "3.14"
_PLATFORM = "aarch64-manylinux2014"
_BUILD = ROOT / ".build"
_REQUIREMENTS = ROOT / "lambdas" / "requirements.txt"


def functions_asset(beside: Mapping[str, str] | None = None) -> Path:
    """A folder with exactly the files that a function's sandbox gets.

    Args:
        beside: more files in ``lambdas/``, by name: data that is made at synth.

    Raises:
        ToolError: When the dependencies can't be installed.
    """
    dependencies = _dependencies()
    code = ROOT / "lambdas"
    files = {str(path.relative_to(code)): path.read_bytes() for path in code.rglob("*.py")} | {
        name: text.encode() for name, text in (beside or {}).items()
    }
    digest = _digest(sorted(files.items()))
    asset = _BUILD / f"functions-{dependencies.name.rpartition('-')[2]}-{digest}"
    if not asset.exists():
        with _new_folder(asset) as folder:
            shutil.copytree(dependencies, folder, dirs_exist_ok=True)
            for name, content in files.items():
                file = folder / "lambdas" / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
    return asset


def release(settings: Settings) -> str:
    """The release, as ``version+digest``: it changes with code, dependencies and settings only."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    parts = [("asset", functions_asset().name), ("settings", settings.model_dump_json())]
    return f"{version}+{_digest([(name, text.encode()) for name, text in parts])}"


def _dependencies() -> Path:
    requirements = _REQUIREMENTS.read_bytes()
    platform = f"{PYTHON_VERSION} {_PLATFORM}"
    folder = _BUILD / f"dependencies-{_digest([(platform, requirements)])}"
    if folder.exists():
        return folder
    with _new_folder(folder) as target:
        command = [
            sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-config",
            "--target", str(target), "--python-platform", _PLATFORM,
            "--python-version", PYTHON_VERSION, "--only-binary", ":all:",
            "--require-hashes", "--no-deps", "--requirement", str(_REQUIREMENTS),
        ]  # fmt: skip
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            raise ToolError(
                "The functions' dependencies (lambdas/requirements.txt) can't be installed; "
                f"is the package index reachable?\n{result.stderr.strip()}"
            )
        # Installers leave metadata that differs between machines.
        for note in [*target.glob("*.dist-info"), target / ".lock", target / "bin"]:
            shutil.rmtree(note) if note.is_dir() else note.unlink(missing_ok=True)
    return folder


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
