"""A Python mistake in a definition is an error of the tree, with file and line."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from settings.errors import DefinitionError
from settings.mistakes import mistake


def _mistake(folder: Path, module: str, root: Path | None = None) -> DefinitionError | None:
    """What becomes of the exception that importing a module below a folder raises."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        for name in [*sys.modules]:
            if name.partition(".")[0] in ("alarms", "dashboards", "monitoring"):
                patch.delitem(sys.modules, name)
        importlib.invalidate_caches()
        with pytest.raises(Exception) as caught:  # noqa: PT011 - whichever it is
            importlib.import_module(module)
        try:
            return mistake(caught.value, root or folder)
        finally:
            for name in [name for name in sys.modules if name.partition(".")[0] == "alarms"]:
                del sys.modules[name]


def _tree(root: Path, **files: str) -> Path:
    """Packages with one module for each of ``files`` (``alarms__queue`` → alarms/queue.py)."""
    for name, text in files.items():
        file = root.joinpath(*name.split("__")).with_suffix(".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        for folder in [file.parent, *file.parent.parents]:
            if folder == root:
                break
            (folder / "__init__.py").touch()
    return root


_FORM = """
from dataclasses import dataclass

@dataclass
class Signal:
    id: str

    def __post_init__(self):
        if not self.id:
            raise ValueError("empty")
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "A = (1,\n",
            "alarms/queue.py, line 1: SyntaxError: '(' was never closed; "
            "correct this line, or the one before it",
        ),
        (
            "Query = list\n\nA = Querry()\n",
            "alarms/queue.py, line 3: NameError: name 'Querry' is not defined; "
            "did you mean 'Query'?",
        ),
        (
            "import json\nA = json.laods('')\n",
            "alarms/queue.py, line 2: AttributeError: module 'json' has no attribute 'laods'; "
            "did you mean 'loads'?",
        ),
        (
            "from monitoring.model.signals import Signal\nA = Signal()\n",
            "alarms/queue.py, line 2: TypeError: Signal.__init__() missing 1 required positional "
            "argument: 'id'; add it (Signal takes id)",
        ),
        (
            "from monitoring.model.signals import Signal\n\nA = Signal(\n    name='x',\n)\n",
            "alarms/queue.py, line 3: TypeError: Signal.__init__() got an unexpected keyword "
            "argument 'name'; correct this line (Signal takes id)",
        ),
        (
            "from monitoring.model.signals import Signal\nA = Signal('')\n",
            "alarms/queue.py, line 2: ValueError: empty; correct this line",
        ),
        (
            "from monitoring.model.signals import Sgnal\n",
            "alarms/queue.py, line 1: ImportError: cannot import name 'Sgnal' from ",
        ),
        ("import alarms.qeue\n", "alarms/queue.py, line 1: ModuleNotFoundError: No module named"),
        ("import json\njson.loads('{')\n", "alarms/queue.py, line 2: JSONDecodeError: Expecting"),
    ],
)
def test_it_names_file_and_line(tmp_path: Path, text: str, expected: str) -> None:
    """Whatever Python says of the definition is one line."""
    root = _tree(tmp_path, monitoring__model__signals=_FORM, alarms__queue=text)
    error = _mistake(root, "alarms.queue")
    assert error is not None
    [problem] = error.problems
    assert problem.startswith(expected)
    assert "\n" not in problem


def test_every_module_is_tried(tmp_path: Path) -> None:
    """A mistake in one of them does not hide those of the others, in whichever folder."""
    root = _tree(
        tmp_path,
        alarms__api="from alarms import queue, slo\n",
        alarms__queue="A = (\n",
        alarms__slo="A = 1\nA.relaf\n",
        dashboards__lines="import alarm\n",
        monitoring__model__signals="",
    )
    error = _mistake(root, "alarms.api")
    assert error is not None
    assert [problem.partition(": ")[0] for problem in error.problems] == [
        "alarms/queue.py, line 1",
        "alarms/slo.py, line 2",
        "dashboards/lines.py, line 1",
    ]
    assert "did you mean 'real'?" in error.problems[1]


def test_machinery_is_not_a_definition(tmp_path: Path) -> None:
    """A mistake in the code that a definition calls, or that calls it, keeps its traceback."""
    root = _tree(
        tmp_path,
        monitoring__render="def render():\n    return 1 / 0\n",
        alarms__queue="from monitoring.render import render\nrender()\n",
    )
    assert _mistake(root, "alarms.queue") is None
    assert mistake(ValueError("raised nowhere"), root) is None


def test_a_library_below_the_root_is_not_a_definition(tmp_path: Path) -> None:
    """An installed package of that name is somebody else's."""
    root = tmp_path / "root"
    installed = root / ".venv" / "lib" / "site-packages"
    _tree(installed, alarms__queue="A = (\n")
    assert _mistake(installed, "alarms.queue", root) is None
