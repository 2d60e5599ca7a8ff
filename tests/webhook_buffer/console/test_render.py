"""A dashboard as a file: it needs nothing else, and says what the session says."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from settings.errors import FileError, InputError
from tests.chromium import launched
from tests.webhook_buffer.console.sessions import HOSTILE
from tests.webhook_buffer.console.strangers import WIDGETS
from webhook_buffer.cli import dashboards
from webhook_buffer.cli.app import app
from webhook_buffer.console.state import State


def _render(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, ["dashboards", "render", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def _board(*widgets: Any) -> dict[str, Any]:
    return {
        "title": f"Mine {HOSTILE}",
        "widgets": [{"definition": definition} for definition in widgets],
    }


_MINE = _board(
    {
        "type": "timeseries", "title": f"Calls {HOSTILE}",
        "requests": [{"q": "sum:aws.apigateway.count{*}.as_count()"}],
    },
    {"type": "note", "content": f"**Note** {HOSTILE} [x](javascript:alert(1))"},
    {"type": "hostmap", "title": "Hosts"},
    *(definition for definition, _ in WIDGETS),
)  # fmt: skip


@pytest.fixture
def opened(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session is opened already: it would take longer than what is drawn of it."""
    monkeypatch.setattr(dashboards, "_opened", lambda _: state)


@pytest.mark.slow
def test_one_file_draws_a_strangers_dashboard(session_file: Path, tmp_path: Path) -> None:
    """From any JSON: numbers, reasons, what is HTML as text, and no request or error."""
    (tmp_path / "mine.json").write_text(json.dumps(_MINE))
    page_file = tmp_path / "mine.html"
    _render(tmp_path / "mine.json", "--session", session_file, "--html", page_file)
    said: list[str] = []
    asked: list[str] = []
    with launched() as browser:
        page = browser.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(page_file.as_uri())
        text = page.inner_text("main")
        assert page.locator(".plot canvas").count() >= 5
        said_by_each = [part.strip() for part in page.locator(".widget").all_inner_texts()]
        assert len(said_by_each) == len(_MINE["widgets"])
        assert "" not in said_by_each
        grouped = sum(widget["definition"]["type"] == "group" for widget in _MINE["widgets"])
        assert page.locator("main section").count() == 2 * grouped + 1
        assert page.locator("main img, main a[href^='javascript']").count() == 0
    assert "There are no hosts here." in text
    assert f"Calls {HOSTILE}" in text
    assert "6" in text
    assert (said, asked) == ([], [page_file.as_uri()])


def test_some_groups_alone_are_drawn(session_file: Path, tmp_path: Path) -> None:
    """By their titles; an unknown one is an error that lists them."""
    file = tmp_path / "o.html"
    common = ("overview", "--session", session_file, "--html", file)
    _render(*common, "--group", "What waits?", "--group", "The record")
    assert [group["title"] for group in _kept(file)["widgets"]] == ["What waits?", "The record"]
    with pytest.raises(InputError, match=r"'Nothing'; its groups: .*What waits\?"):
        _render(*common, "--group", "Nothing")


def _kept(file: Path) -> dict[str, Any]:
    text = file.read_text("utf-8").partition('id="data">')[2].partition("</script>")[0]
    board: dict[str, Any] = json.loads(text)
    return board


@pytest.mark.usefixtures("opened")
def test_a_file_has_the_runbook_that_it_links_to(session_file: Path, tmp_path: Path) -> None:
    """Only sections that the drawn groups link to; any other in-page target becomes plain text."""
    file = tmp_path / "o.html"
    _render("overview", "--session", session_file, "--html", file, "--group", "The record")
    assert {"record-failed", "table-faults"} <= {part["heading"] for part in _kept(file)["runbook"]}
    (tmp_path / "mine.json").write_text(json.dumps(_board({"type": "note", "content": "[x](#y)"})))
    _render(tmp_path / "mine.json", "--session", session_file, "--html", file)
    [note] = _kept(file)["widgets"]
    assert (note["content"], _kept(file)["runbook"]) == ([["p", {}, ["x"]]], [])


@pytest.mark.slow
def test_every_link_of_a_file_leads_somewhere(session_file: Path, tmp_path: Path) -> None:
    """Those within it to a part of it: the runbook's sections stand at its end."""
    for name in ("overview", "cloudwatch"):
        _render(name, "--session", session_file, "--html", tmp_path / f"{name}.html")
    with launched() as browser:
        page = browser.new_page()
        page.goto((tmp_path / "overview.html").as_uri())
        page.get_by_role("link", name="record-failed").first.click()
        assert page.evaluate("document.querySelector(':target h3').textContent") == "record-failed"
        for name in ("overview", "cloudwatch"):
            page.goto((tmp_path / f"{name}.html").as_uri())
            lost = page.evaluate(
                "[...document.querySelectorAll('a[href^=\"#\"]')].map((link) => link.hash)"
                ".filter((hash) => !document.getElementById(decodeURIComponent(hash.slice(1))))"
            )
            assert lost == [], name


@pytest.mark.slow
def test_a_picture_has_the_width_asked_for(session_file: Path, tmp_path: Path) -> None:
    """And the height that its widgets need."""
    with launched():
        pass  # or skipped
    file = tmp_path / "o.png"
    _render("overview", "--session", session_file, "--png", file, "--width", "900", "--dark")
    head = file.read_bytes()[:24]
    width, height = struct.unpack(">II", head[16:24])
    assert (head[1:4], width) == (b"PNG", 900)
    assert height > 2000


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize(
    ("name", "content", "error", "text"),
    [
        ("nothing", None, InputError, "overview, serverless, cloudwatch"),
        ("a.json", "{", InputError, "not JSON"),
        ("a.json", '{"widgets": ' + "[" * 100_000, InputError, "nested too deeply"),
        ("a.json", "[]", InputError, "has to hold a JSON object"),
        ("a.json", "{}", InputError, "no list 'widgets'"),
        (".", None, FileError, "directory"),
    ],
)
def test_what_is_no_dashboard_is_one_error(
    session_file: Path, tmp_path: Path, name: str, content: str | None,
    error: type[Exception], text: str,
) -> None:  # fmt: skip
    """It names the file, and what is wrong."""
    file = tmp_path / name if content is not None or name == "." else Path(name)
    if content is not None:
        file.write_text(content)
    with pytest.raises(error, match=text):
        _render(file, "--session", session_file, "--html", tmp_path / "x.html")


def test_it_asks_what_to_write(session_file: Path) -> None:
    """Nothing is drawn for nobody."""
    with pytest.raises(InputError, match="--html FILE"):
        _render("overview", "--session", session_file)
