"""``python -m tests.compare_rendered REVISION``: what a change of the code changes in deployments.

Synthesizes the templates of every environment in ``cdk.json``, and renders the Datadog objects of
the default one, from a revision of Git and from the tree as it is; lists each value that differs.
Digests of assets count as equal, and so do the releases that are made of them.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

from settings.paths import ROOT

_DIGEST = re.compile(r"\b[0-9a-f]{64}\b|(?<=\+)[0-9a-f]{12}\b")
_SHOWN = 60


def main() -> int:
    """Prints the differences; 1 where there are some."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("revision", nargs="?", default="HEAD")
    revision = parser.parse_args().revision
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder, "tree")
        _extract(revision, tree)
        before = rendered(tree, Path(folder, "before"))
        after = rendered(ROOT, Path(folder, "after"))
    listed = list(differences(before, after))
    print("\n".join(listed))
    print(f"{len(listed)} differences in {len(before.keys() | after.keys())} files.")
    return bool(listed)


def _extract(revision: str, tree: Path) -> None:
    """Writes a revision's files, and links what is installed for the tree as it is."""
    git = shutil.which("git") or "git"
    archive = subprocess.run(
        [git, "archive", revision], cwd=ROOT, check=False, stdout=subprocess.PIPE
    )
    if archive.returncode:
        sys.exit(f"Give a revision that this repository has, not '{revision}'.")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(tree, filter="data")
    (tree / "node_modules").symlink_to(ROOT / "node_modules")


def rendered(tree: Path, folder: Path) -> dict[str, Any]:
    """A tree's templates and Datadog objects, by the path of their file."""
    environ = {**os.environ, "PYTHONPATH": f"{tree}:{tree / 'packages/alarmproof/src'}"}
    context = json.loads((tree / "cdk.json").read_text("utf-8"))["context"]
    for name in (name for name, value in context.items() if isinstance(value, dict)):
        given = {"CDK_CONTEXT_JSON": json.dumps({**context, "env": name})}
        given["CDK_OUTDIR"] = str(folder / name)
        subprocess.run([sys.executable, "app.py"], cwd=tree, env=environ | given, check=True)
    command = "from webhook_buffer.cli.main import main; main()"
    subprocess.run(
        [sys.executable, "-c", command, "datadog", "render", str(folder / "datadog")],
        cwd=tree, env=environ, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    files = [*folder.glob("*/*.template.json"), *folder.glob("datadog/*/*.json")]
    return {str(file.relative_to(folder)): json.loads(file.read_text("utf-8")) for file in files}


def differences(before: object, after: object, path: str = "") -> Iterator[str]:
    """A line for each value that differs, with its path."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            yield from differences(before.get(key), after.get(key), f"{path}/{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, pair in enumerate(zip(before, after, strict=True)):
            yield from differences(*pair, f"{path}/{number}")
    elif _comparable(before) != _comparable(after):
        yield f"{path}: {_part(before, after)} → {_part(after, before)}"


def _comparable(value: object) -> str:
    return _DIGEST.sub("", json.dumps(value))


def _part(text: object, other: object) -> str:
    """What is around the first character in which a value differs from another."""
    mine = _comparable(text)
    pairs = enumerate(zip_longest(mine, _comparable(other)))
    common = next(number for number, (left, right) in pairs if left != right)
    start = max(common - _SHOWN // 2, 0)
    return f"{'…' * (start > 0)}{mine[start : start + _SHOWN]}"


if __name__ == "__main__":
    sys.exit(main())
