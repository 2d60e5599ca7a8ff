"""Definitions changed in a copy of the tree, as people change them, to the end.

The guides to a new alarm, monitor and widget are followed to the letter, and a threshold is changed
in its one place; then the documents are written, and all is well.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import indent

import pytest

from settings.paths import ROOT
from tests.import_graph import that_see_definitions
from tests.source_tree import Copy, copied
from webhook_buffer.laptop import fake_datadog

pytestmark = pytest.mark.slow

_ALARM = (ROOT / "docs" / "add-an-alarm.md").read_text("utf-8")
_MONITOR = (ROOT / "docs" / "add-a-monitor.md").read_text("utf-8")
_WIDGET = (ROOT / "docs" / "add-a-widget.md").read_text("utf-8")


def _step(guide: str, number: int) -> tuple[str, str]:
    """The file that a step names before its code, and the code."""
    section = guide.partition(f"\n## {number}. ")[2].partition(f"\n## {number + 1}. ")[0]
    text, _, code = section.partition("```")
    file = re.findall(r"`((?:alarms|dashboards|docs)/[\w./-]+\.\w+)`", text)[-1]
    return file, code.partition("\n")[2].partition("\n```")[0] + "\n"


def _append(file: Path, name: str, code: str) -> None:
    """Puts ``code`` and a comma at the end of the tuple of that name."""
    text = file.read_text("utf-8")
    [value] = [
        node.value
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and node.value
        and ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target) == name
    ]
    lines = text.splitlines(keepends=True)
    end = (value.end_lineno or 0) - 1
    assert lines[end] == ")\n"
    lines[end:end] = [indent(code.rstrip(), "    "), ",\n"]
    file.write_text("".join(lines), "utf-8")


def _alarm(copy: Copy) -> None:
    """Steps 1 to 4 of the guide to an alarm."""
    name, code = _step(_ALARM, 1)
    _append(copy.root / name, "SIGNALS", code)
    for number, between in ((2, "\n\n"), (3, "\n")):
        name, code = _step(_ALARM, number)
        file = copy.root / name
        file.write_text(f"{file.read_text('utf-8').rstrip()}{between}{code}", "utf-8")
    panels = copy.root / "dashboards" / "buffer.py"
    before = '        signals=("backend-redirects",),\n'
    text = panels.read_text("utf-8")
    assert text.count(before) == 1
    panels.write_text(text.replace(before, _step(_ALARM, 4)[1]), "utf-8")


def _monitor(copy: Copy) -> None:
    """Step 1 of the guide to a monitor."""
    name, code = _step(_MONITOR, 1)
    _append(copy.root / name, "MONITORS", code)


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


def _widget(copy: Copy) -> None:
    """Step 1 of the guide to a widget, whose code needs no formatting."""
    [(name, title, code)] = re.findall(
        r"In `(\S+)`, after the panel `([^`]+)`, with a comma after it:\n\n```python\n(.*?)```",
        _WIDGET,
        re.DOTALL,
    )
    _insert(copy.root / name, title, code)
    done = copy.run("ruff", "format", "--check", name)
    assert done.returncode == 0, done.stdout + done.stderr


def _edit(file: Path, pattern: str, replacement: str) -> None:
    text, edits = re.subn(pattern, replacement, file.read_text("utf-8"))
    assert edits, f"{file.name} has nothing like {pattern}"
    file.write_text(text, "utf-8")


def _threshold(copy: Copy) -> None:
    """queue-age-page from 15 to 10 minutes, and its cases where they say so."""
    threshold = r'("queue-age-page",\s+Severity\.PAGE,\s+Threshold\(\s+)900'
    _edit(copy.root / "alarms" / "queue.py", threshold, r"\g<1>600")
    cases = copy.root / "alarms" / "cases" / "queue.yaml"
    parts = re.split(r"(?m)^(?=  - title:)", cases.read_text("utf-8"))
    changed = [
        part.replace("900x", "600x").replace("899x", "599x")
        if "alarm: queue-age-page\n" in part
        else part
        for part in parts
    ]
    cases.write_text("".join(changed), "utf-8")


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy after all changes, formatted, its documents regenerated as ``make docs`` does."""
    copy = copied(Path(tmp_path_factory.mktemp("guide"), "copy"))
    changes: tuple[Callable[[Copy], None], ...] = (_alarm, _monitor, _widget, _threshold)
    for change in changes:
        change(copy)
    done = copy.run("ruff", "format", "alarms", "dashboards")
    assert done.returncode == 0, done.stdout + done.stderr
    copy.write_documents()
    return copy


@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("mypy", "alarms", "dashboards"),
        ("webhook-buffer", "alarms", "test"),
        ("webhook-buffer", "alarms", "list", "--env", "dev"),
    ],
    ids=lambda command: " ".join(command[:3]),
)
def test_after_the_changes_the_checks_pass(followed: Copy, command: tuple[str, ...]) -> None:
    """Whoever follows a guide to its end has a tree that is linted, typed, and paid for."""
    done = followed.run(*command)
    assert done.returncode == 0, done.stdout + done.stderr


def test_after_the_changes_the_tests_pass(followed: Copy) -> None:
    """Those that can see a definition, whether they were meant to depend on it or not."""
    fast = ("-m", "not emulator and not slow")
    done = followed.run(
        "pytest", "-q", "-p", "no:cacheprovider", *fast, *that_see_definitions(),
        HYPOTHESIS_EXAMPLES="25",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_new_objects_are_in_the_documents(followed: Copy) -> None:
    """The alarm has its rows, the monitor its file."""
    assert "[backend-timeouts](runbook.md#backend-timeouts)" in (
        followed.root / "docs" / "alarms.md"
    ).read_text("utf-8")
    assert (followed.root / "docs/datadog/monitor/subscribe-out-of-memory.json").exists()


def test_the_widget_is_in_the_documents(followed: Copy) -> None:
    """Its thresholds, unit and query are those that the guide promises."""
    assert re.search(r"^make docs ", _WIDGET, re.MULTILINE)
    board = json.loads(
        (followed.root / "docs/datadog/dashboard/serverless.json").read_text("utf-8")
    )
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


def test_no_document_has_the_old_threshold(followed: Copy) -> None:
    """Both rows of docs/alarms.md and the runbook's section have the new number alone."""
    page = (followed.root / "docs" / "alarms.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if re.match(r"\| \[?queue-age-page\b(?!-)", line)]
    assert len(rows) == 2
    runbook = (followed.root / "docs" / "runbook.md").read_text("utf-8")
    section = runbook.partition("\n## queue-age-page\n")[2].partition("\n## ")[0]
    for text in (*rows, section):
        assert "10 min" in text
        assert "15 min" not in text.replace("--minutes 15", "")


@contextmanager
def _fake(state: Path) -> Iterator[None]:
    """A fake Datadog, as ``webhook-buffer up`` starts it."""
    fake_datadog.started(state / "datadog")
    try:
        yield
    finally:
        fake_datadog.stop(state / "datadog")


def test_the_monitor_is_planned(followed: Copy, tmp_path: Path) -> None:
    """The guide's command shows the new monitor."""
    with _fake(tmp_path):
        done = followed.run("webhook-buffer", "datadog", "plan", WEBHOOK_BUFFER_STATE=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert "+ monitor subscribe-out-of-memory" in done.stdout


@pytest.mark.parametrize(
    ("guide", "mistake", "command"),
    [
        (_MONITOR, ("alarms/datadog.py", "recovery=1.0, role"), ("datadog", "plan")),
        (_ALARM, ("docs/runbook.md", "## backend-slow-answers"), ("alarms", "list")),
    ],
    ids=["monitor", "alarm"],
)
def test_a_mistake_ends_as_the_guide_says(
    followed: Copy, tmp_path: Path, guide: str, mistake: tuple[str, str], command: tuple[str, str]
) -> None:
    """A wrong share, or a heading that is missing, is the error that the guide shows."""
    name, wrong = mistake
    file = followed.root / name
    good = file.read_text("utf-8")
    right = "role" if name.endswith(".py") else "## backend-timeouts"
    at = good.rindex(f"{right}=" if name.endswith(".py") else f"\n{right}\n")
    file.write_text(good[:at] + good[at:].replace(right, wrong, 1), "utf-8")
    try:
        with _fake(tmp_path):
            done = followed.run("webhook-buffer", *command, WEBHOOK_BUFFER_STATE=str(tmp_path))
    finally:
        file.write_text(good, "utf-8")
    [shown] = re.findall(r"^Error: .*$", guide, re.MULTILINE)
    assert done.returncode == 2
    assert done.stderr.strip() == shown


def test_a_mistake_in_a_widget_ends_as_the_guide_says(followed: Copy, tmp_path: Path) -> None:
    """The command lists every problem, in the guide's words, and shows no traceback."""
    [(wrong, right)] = re.findall(r"With `(\w+)` in place of\s`(\w+)`", _WIDGET)
    file = followed.root / "dashboards" / "serverless.py"
    good = file.read_text("utf-8")
    file.write_text(good.replace(right, wrong), "utf-8")
    try:
        done = followed.run("webhook-buffer", "datadog", "render", str(tmp_path / "datadog"))
    finally:
        file.write_text(good, "utf-8")
    [problem] = re.findall(r"^dashboard panel .*", _WIDGET, re.MULTILINE)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    listed = [text for text in done.stderr.splitlines() if wrong in text]
    assert listed[0].endswith(problem)
    assert len(listed) == 2 * len(set(re.findall(r"panel '([\w-]+): after", done.stderr)))
    assert not (tmp_path / "datadog").exists()
