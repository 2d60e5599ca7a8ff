"""A dashboard as one HTML file that needs nothing else, or as a picture of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from settings.errors import FileError, ToolError
from settings.paths import UPLOT
from webhook_buffer.console.alarms import Alarms
from webhook_buffer.console.text import targets, unlinked
from webhook_buffer.operations.files import write

_PAGE = Path(__file__).parent / "page"
# In the order in which they need each other.
_MODULES = ("format.js", "dom.js", "location.js", "chart.js", "widgets.js", "still.js")
_STYLES = ("style.css", "views.css")
_IMPORT = re.compile(r'^import (\{[^}]+\}|\w+) from "\./([\w./]+)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function|class|const) (\w+)", re.MULTILINE)
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_BROWSER_SECONDS = 120
_HEIGHT = re.compile(r'data-height="(\d{1,6})"')
_LEAST_HEIGHT, _MOST_HEIGHT = 400, 30_000
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def html(board: Mapping[str, Any], *, dark: bool | None = None) -> str:
    """The file.

    Args:
        board: as ``State.board``, ``State.rendered`` and ``with_runbook`` return it.
        dark: the color scheme; by default its reader's.
    """
    styles = [(UPLOT / "uPlot.min.css").read_text("utf-8")]
    styles += [_styled((_PAGE / name).read_text("utf-8"), dark) for name in _STYLES]
    uplot = (UPLOT / "uPlot.iife.min.js").read_text("utf-8")
    modules = "\n".join(_inlined(name) for name in _MODULES)
    data = json.dumps(board).replace("<", "\\u003c")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>Dashboard</title><style>{''.join(styles)}</style></head><body>"
        f'<script type="application/json" id="data">{data}</script>'
        f'<script>{uplot}\nconst modules = {{"uplot/uPlot.esm.js": {{default: uPlot}}}};\n'
        f'{modules}\nmodules["still.js"].still('
        'JSON.parse(document.getElementById("data").textContent));</script></body></html>\n'
    )


def with_runbook(board: Mapping[str, Any], alarms: Alarms) -> dict[str, Any]:
    """A dashboard, for a file, with the sections of the runbook that its notes link to."""
    notes = [widget for widget in _widgets(board["widgets"]) if "content" in widget]
    named = dict.fromkeys(target for note in notes for target in targets(note["content"]))
    sections = [section for target in named if (section := alarms.runbook(target))]
    known = {section["heading"] for section in sections}

    def still(widgets: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            {
                **widget,
                **({"content": unlinked(widget["content"], known)} if "content" in widget else {}),
                **({"widgets": still(widget["widgets"])} if "widgets" in widget else {}),
            }
            for widget in widgets
        ]

    runbook = [
        {"heading": section["heading"], "content": unlinked(section["content"], known)}
        for section in sections
    ]
    return {**board, "widgets": still(board["widgets"]), "runbook": runbook}


def picture(board: Mapping[str, Any], file: Path, *, width: int, dark: bool) -> None:
    """Writes a PNG, as Chromium draws it.

    Args:
        width: pixels.

    Raises:
        ToolError: When Chromium is not installed, or fails.
        FileError: When the file can't be written.
    """
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        raise ToolError(
            "--png needs Chromium. On Debian: apt-get install chromium; or use --html instead."
        )
    with tempfile.TemporaryDirectory() as folder:
        page, drawn = Path(folder, "page.html"), Path(folder, "page.png")
        page.write_text(html(board, dark=dark), "utf-8")
        made = _run(browser, folder, page, width, 1000, "--dump-dom")
        match = _HEIGHT.search(made)
        height = min(_MOST_HEIGHT, max(_LEAST_HEIGHT, int(match[1]))) if match else 1000
        _run(browser, folder, page, width, height, f"--screenshot={drawn}")
        if not drawn.exists():
            raise ToolError("Chromium produced no image. Use --html instead, and open that.")
        try:
            shutil.copyfile(drawn, file)
        except OSError as error:
            raise FileError(error, file) from None


def page(board: Mapping[str, Any], file: Path) -> None:
    """Writes the HTML file.

    Raises:
        FileError: When it can't be written.
    """
    write(file, html(board))


def _widgets(widgets: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for widget in widgets:
        yield widget
        yield from _widgets(widget.get("widgets", []))


def _run(browser: str, folder: str, page: Path, width: int, height: int, what: str) -> str:
    command = [
        browser, "--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
        "--no-sandbox",  # it shows a file of ours, without a network
        f"--user-data-dir={folder}/profile", f"--window-size={width},{height}",
        "--virtual-time-budget=4000", what, page.as_uri(),
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_BROWSER_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise ToolError(f"Chromium did not end within {_BROWSER_SECONDS} s. Try --html.") from None
    return done.stdout


def _styled(text: str, dark: bool | None) -> str:
    """A style sheet in one scheme."""
    if dark is None:
        return text
    condition = "(prefers-color-scheme: dark)"
    text = text.replace(f"@media {condition}", "@media all" if dark else "@media not all")
    return text.replace("color-scheme: light dark", f"color-scheme: {'dark' if dark else 'light'}")


def _inlined(name: str) -> str:
    """A module as a function's scope, which leaves what it exports in ``modules``."""
    text = (_PAGE / name).read_text("utf-8")
    exported = [match[2] for match in _EXPORT.finditer(text)]
    text = _EXPORT.sub(r"\1 \2", text)
    text = _IMPORT.sub(_bound, text)
    return f'modules["{name}"] = (() => {{\n{text}\nreturn {{{", ".join(exported)}}};\n}})();'


def _bound(match: re.Match[str]) -> str:
    names = match[1] if match[1].startswith("{") else f"{{default: {match[1]}}}"
    return f'const {names.replace(" as ", ": ")} = modules["{match[2]}"];'
