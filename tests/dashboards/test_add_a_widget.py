"""docs/add-a-widget.md, executed to the letter in a copy of the tree."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from textwrap import indent

import pytest

from dashboards import lines
from monitoring.model import dashboards as model
from settings.paths import ROOT
from tests.source_tree import Copy, copied

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "add-a-widget.md").read_text("utf-8")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy with the page's panel in the place that the page names."""
    copy = copied(tmp_path_factory.mktemp("page") / "tree")
    [(file, title, code)] = re.findall(
        r"In `(\S+)`, behind the panel `([^`]+)`, with a comma after it:\n\n```python\n(.*?)```",
        PAGE,
        re.DOTALL,
    )
    _insert(copy.root / file, title, code)
    return copy


def _insert(file: Path, title: str, code: str) -> None:
    """Puts ``code`` and a comma behind the panel of that title, indented like it."""
    source = file.read_text("utf-8")
    [(line, column)] = [
        (call.end_lineno, call.col_offset)
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg == "title" and ast.unparse(keyword.value) == f"f'{title}'"
    ]
    before = source.splitlines(keepends=True)
    panel = indent(code.rstrip() + ",\n", " " * column)
    file.write_text("".join([*before[:line], panel, *before[line:]]), "utf-8")


def test_the_copy_passes_its_checks(tree: Copy) -> None:
    """After the page's commands the tree is linted and formatted, and its tests pass."""
    assert re.search(r"^make docs ", PAGE, re.MULTILINE)
    tree.write_documents()
    for check in (
        ("ruff", "check", "dashboards"),
        ("ruff", "format", "--check", "dashboards"),
        ("pytest", "-q", "-p", "no:cacheprovider", "tests/dashboards/test_dashboards.py",
         "tests/dashboards/test_thresholds.py", "tests/monitoring/documents/test_datadog.py"),
    ):  # fmt: skip
        done = tree.run(*check)
        assert done.returncode == 0, done.stdout + done.stderr
    board = json.loads((tree.root / "docs/datadog/dashboard/serverless.json").read_text("utf-8"))
    panels = {
        widget["definition"].get("title"): widget["definition"]
        for group in board["widgets"]
        for widget in group["definition"]["widgets"]
    }
    panel = panels["publish: after its answer"]
    assert panel["markers"][0]["value"] == "y = 10000"
    query = panel["requests"][1]["queries"][0]["query"]
    assert query.startswith("max:aws.lambda.enhanced.post_runtime_duration{$env,$service,$region,")
    assert query.endswith("functionname:webhook-buffer-prd-publish}.rollup(max, 60)")
    assert "markers" not in panels["notify: after its answer"]


def test_a_mistake_ends_as_the_page_says(tree: Copy, tmp_path: Path) -> None:
    """The command lists every problem, in the page's words, and shows no traceback."""
    [(wrong, right)] = re.findall(r"With `(\w+)` in place of\s`(\w+)`", PAGE)
    file = tree.root / "dashboards" / "serverless.py"
    good = file.read_text("utf-8")
    file.write_text(good.replace(right, wrong), "utf-8")
    code = "import sys; from webhook_buffer.cli.main import main; sys.exit(main())"
    done = tree.run("python", "-c", code, "datadog", "render", str(tmp_path / "datadog"))
    file.write_text(good, "utf-8")
    [problem] = re.findall(r"^Datadog dashboard, .*", PAGE, re.MULTILINE)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    listed = [text for text in done.stderr.splitlines() if wrong in text]
    assert listed[0].endswith(problem)
    assert len(listed) == 2 * len(set(re.findall(r"panel '([\w-]+): after", done.stderr)))
    assert not (tmp_path / "datadog").exists()


def test_every_form_of_the_page_exists() -> None:
    """What the table names can be written."""
    table = PAGE.partition("## Line types")[2].partition("## Thresholds")[0]
    for name in re.findall(r"`(\w+)\(", table):
        assert hasattr(lines, name) or hasattr(model, name), name
