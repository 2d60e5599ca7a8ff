"""A definition that Python can't load ends each way in with one error, not a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.source_tree import Copy, copied

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy with a wrong keyword in the first signal of the queue."""
    copy = copied(Path(tmp_path_factory.mktemp("mistake"), "tree"))
    file = copy.root / "alarms" / "queue.py"
    text = file.read_text("utf-8")
    assert "covers=" in text
    file.write_text(text.replace("covers=", "cover=", 1), "utf-8")
    return copy


_CLI = "from webhook_buffer.cli.main import main; main()"


@pytest.mark.parametrize(
    ("arguments", "prefix"),
    [
        (("-c", _CLI, "alarms", "list"), "Error: "),
        (("-m", "webhook_buffer.cli.make_docs"), "Error: "),
        (("app.py",), ""),
    ],
    ids=["command", "make docs", "app"],
)
def test_a_mistake_is_one_line(tree: Copy, arguments: tuple[str, ...], prefix: str) -> None:
    """It names the file and the line, and exits with 2."""
    done = tree.run("python", *arguments, WEBHOOK_BUFFER_ENV="dev")
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if "alarms/" in line]
    [line] = lines
    assert line.startswith(f"{prefix}alarms/queue.py, line ")
    assert "TypeError: " in line
    assert "Traceback" not in done.stderr
