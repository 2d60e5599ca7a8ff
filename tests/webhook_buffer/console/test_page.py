"""The page in a real browser: no error, accessible, by keyboard, and with what a stranger wrote."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from settings.paths import ROOT
from tests.chromium import launched
from tests.waiting import eventually
from tests.webhook_buffer.console.sessions import RETRYING, Served, console
from webhook_buffer.console.api import PAGE

_AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").as_posix()
_VIEWS = (
    "dashboards/overview", "dashboards/serverless", "dashboards/cloudwatch", "alarms",
    "alarms/backend-down", "inbox", "webhooks", f"webhooks/{RETRYING}", "runbook/backend-down",
    "drills", "logs?q=%40level%3AWARNING", "traces?q=x",
)  # fmt: skip


# One of each kind of content; axe looks at every element.
_CHECKED = ("dashboards/overview", "alarms/backend-down", f"webhooks/{RETRYING}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    module_console = console(tmp_path_factory.mktemp("console"))
    with module_console.running():
        yield module_console


class _Watched:
    """A page whose errors and foreign requests are written down."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self._url = page, url
        self.errors: list[str] = []
        self.foreign: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", lambda dialog: self.errors.append(f"dialog {dialog.message}"))
        page.on("request", self._asked)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(self._url):
            self.foreign.append(request.url)


def _open(browser: Browser, url: str, **options: Any) -> _Watched:
    # axe is put into the page, which its policy forbids.
    context = browser.new_context(bypass_csp=options.pop("bypass_csp", False), **options)
    return _Watched(context.new_page(), url)


def _ready(page: Page, url: str, view: str) -> None:
    page.goto(f"{url}#/{view}")
    page.wait_for_selector(f'main[data-shown="#/{view}"]')


def _keep(page: Page, name: str) -> None:
    """Keeps a picture for people to look at, where they have said where."""
    folder = os.environ.get("CONSOLE_PICTURES")
    if folder:
        page.screenshot(path=Path(folder, f"{name}.png"), full_page=True)


def _imported(name: str) -> set[str]:
    """The modules that a module needs, and those that they need."""
    file = PAGE / name
    if not file.exists():
        return set()  # a library's, which imports nothing
    names = set(re.findall(r'^import .* from "\./(.+)";$', file.read_text("utf-8"), re.MULTILINE))
    return names.union(*map(_imported, names))


def test_every_module_is_asked_for_at_once() -> None:
    """The page names all that its program imports, so that none waits for another."""
    text = (PAGE / "index.html").read_text("utf-8")
    preloaded = set(re.findall(r'rel="modulepreload" href="(.+?)"', text))
    assert preloaded == _imported("main.js")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 420)])
def test_every_view_is_without_errors(
    browser: Browser, served: Served, scheme: Literal["light", "dark"], width: int
) -> None:
    """Nothing on the console, no other host asked, nothing wider than the window."""
    seen = _open(browser, served.url, color_scheme=scheme, viewport={"width": width, "height": 900})
    for view in _VIEWS:
        _ready(seen.page, served.url, view)
        wide = seen.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, (view, wide)
        name = view.partition("?")[0].replace("/", "-")
        _keep(seen.page, f"{name}-{scheme}-{width}")
    seen.page.context.close()
    assert (seen.errors, seen.foreign) == ([], [])


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(
    browser: Browser, served: Served, scheme: Literal["light", "dark"]
) -> None:
    """In both schemes: contrast, names, roles, order."""
    seen = _open(browser, served.url, color_scheme=scheme, bypass_csp=True)
    violations = []
    for view in _CHECKED:
        _ready(seen.page, served.url, view)
        seen.page.add_script_tag(path=_AXE)
        result = seen.page.evaluate("axe.run({resultTypes: ['violations']})")
        violations += [
            (view, violation["id"], [node["html"][:120] for node in violation["nodes"][:3]])
            for violation in result["violations"]
            if violation["impact"] in ("serious", "critical")
        ]
    seen.page.context.close()
    assert violations == []


def test_what_a_stranger_wrote_is_text(browser: Browser, served: Served) -> None:
    """A group's id that is HTML is shown as it is, and runs nothing."""
    seen = _open(browser, served.url)
    _ready(seen.page, served.url, "webhooks?q=group%3A%3Cimg")
    row = seen.page.locator(".rows li")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("<img src=x onerror=alert(1)>")
    assert seen.page.locator("main img").count() == 0
    seen.page.context.close()
    assert seen.errors == []


def test_a_reload_keeps_the_filters(browser: Browser, served: Served) -> None:
    """They are in the address: state, search, dashboard and range."""
    page = _open(browser, served.url).page
    _ready(page, served.url, "webhooks")
    page.get_by_role("link", name="Retrying 1").click()
    page.get_by_label("Search webhooks").fill("order-2")
    expect(page.locator(".rows li")).to_have_count(1)
    page.reload()
    expect(page.get_by_label("Search webhooks")).to_have_value("order-2")
    expect(page.locator(".rows li")).to_have_count(1)
    _ready(page, served.url, "dashboards")
    page.get_by_label("Dashboard", exact=True).select_option("cloudwatch")
    page.get_by_label("Time range").select_option("900")
    page.reload()
    expect(page.get_by_label("Dashboard", exact=True)).to_have_value("cloudwatch")
    expect(page.get_by_label("Time range")).to_have_value("900")
    page.context.close()


def test_the_keyboard_is_enough(browser: Browser, served: Served) -> None:
    """From the address to a webhook's attempts, and through a chart's values."""
    page = _open(browser, served.url).page
    _ready(page, served.url, "webhooks?state=retrying")
    row = page.locator(".rows a").first
    for _ in range(40):
        page.keyboard.press("Tab")
        if row.evaluate("row => row === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Attempts")).to_be_visible()
    _ready(page, served.url, "dashboards/overview?range=3600")
    chart = page.locator(".plot").first
    chart.focus()
    page.keyboard.press("ArrowLeft")
    expect(chart.locator(".tip")).to_be_visible()
    expect(chart.locator(".tip")).to_contain_text("accepted6")
    page.context.close()


def test_charts_show_the_sessions_numbers(browser: Browser, served: Served) -> None:
    """The legend has the newest value, and the threshold by name."""
    page = _open(browser, served.url).page
    _ready(page, served.url, "dashboards/overview")
    widget = page.locator("article", has=page.get_by_role("heading", name="Requests", exact=True))
    expect(widget.locator(".legend")).to_contain_text("accepted6")
    shares = page.locator("article", has_text="Share of requests refused")
    expect(shares.locator(".legend")).to_contain_text("api-5xx (page): 5 %")
    cold = page.locator("article", has_text="Capacity consumed")
    expect(cold).to_contain_text("the emulator does not report it")
    page.context.close()


_ROOM = """(cards) => cards.map((card) => {
  const inside = [...card.children].reduce((sum, part) => sum + part.offsetHeight, 0);
  return [card.querySelector("h3").textContent, card.offsetLeft, card.offsetHeight - inside];
})"""


def test_what_has_nothing_takes_little_room(browser: Browser, served: Served) -> None:
    """Widgets that only say why share a column beside the others, each as high as its words."""
    page = _open(browser, served.url, viewport={"width": 1440, "height": 900}).page
    _ready(page, served.url, "dashboards/overview")
    cards = page.locator(".lacking > .widget").evaluate_all(_ROOM)
    left = {title: left for title, left, _ in cards}
    assert left["Monitors"] == left["Deployments"] > 700
    assert {title: spare for title, _, spare in cards if spare > 60} == {}
    page.context.close()


def test_the_page_resumes_after_a_broken_connection(browser: Browser, tmp_path: Path) -> None:
    """It says so meanwhile, and then shows what it missed."""
    restarted = console(tmp_path)
    page: Page
    with restarted.running() as url:
        page = _open(browser, url).page
        _ready(page, url, "webhooks?state=retrying")
        expect(page.locator(".rows li")).to_have_count(1)
    expect(page.locator("#banner")).to_contain_text("broken")
    _deliver(restarted)
    with restarted.running():
        expect(page.locator(".rows li")).to_have_count(0)
        page.context.close()


def _deliver(own_console: Served) -> None:
    """The webhook that retried is delivered."""
    session = own_console.state.session
    assert session
    fields = {"event": "webhook.delivered", "level": "INFO", "message_id": RETRYING, "attempt": 2,
              "http": {"status_code": 200}}  # fmt: skip
    line = [round(session.until * 1000) + 1000, "subscribe", json.dumps(fields)]
    event = {"kind": "read", "until": session.until + 2, "lines": [line], "depths": []}
    with own_console.file.open("a") as stream:
        stream.write(json.dumps(event) + "\n")


def _state(own_console: Served) -> str:
    session = own_console.state.session
    return session.webhooks[RETRYING].state if session else ""


def test_pausing_freezes_the_view_alone(browser: Browser, tmp_path: Path) -> None:
    """The session goes on meanwhile, and the view catches up."""
    own_console = console(tmp_path)
    with own_console.running() as url:
        page = _open(browser, url).page
        _ready(page, url, "webhooks?state=retrying")
        expect(page.locator(".rows li")).to_have_count(1)
        page.get_by_role("button", name="Pause").click()
        _deliver(own_console)
        eventually(lambda: _state(own_console) == "delivered")
        # An event that comes later has come, too.
        expect(page.locator("#banner")).to_contain_text("paused")
        expect(page.locator(".rows li")).to_have_count(1)
        page.get_by_role("button", name="Paused").click()
        expect(page.locator(".rows li")).to_have_count(0)
        page.context.close()


def test_two_clocks_are_shown_apart(browser: Browser, tmp_path: Path) -> None:
    """After a fast drill each view says whose times it has, and by how much they differ."""
    own_console = console(tmp_path)
    session = own_console.state.session
    assert session
    until = session.until
    events = [
        {"kind": "pace", "real": until, "pace": 3},
        {"kind": "read", "until": until + 60, "lines": [], "depths": []},
        {"kind": "pace", "real": until + 60, "pace": 60},
    ]  # fmt: skip
    with own_console.file.open("a") as stream:
        stream.writelines(json.dumps(event) + "\n" for event in events)
    with own_console.running() as url:
        page = _open(browser, url, viewport={"width": 1440, "height": 900}).page
        for view, words in {
            "alarms": "Times here are session time: 19 min ahead of the wall clock",
            "webhooks": "Times here are wall-clock time. Dashboards and alarms",
        }.items():
            _ready(page, url, view)
            expect(page.locator("#banner")).to_contain_text(words)
            _keep(page, f"clocks-{view}")
        expect(page.locator("#clock")).to_contain_text("Session time")
        expect(page.locator("#clock")).to_contain_text("(19 min ahead)")
        page.context.close()


def test_an_alarm_shows_the_outage(browser: Browser, served: Served) -> None:
    """Its state, rule, timeline, and its runbook beside it."""
    page = _open(browser, served.url).page
    _ready(page, served.url, "alarms/backend-down")
    detail = page.locator(".detail")
    expect(detail).to_contain_text("Goes on when")
    expect(detail.get_by_role("heading", name="What to do: backend-down")).to_be_visible()
    expect(detail.locator("table")).to_contain_text("ALARM")
    page.context.close()


def test_a_widget_leads_to_its_log_lines(browser: Browser, served: Served) -> None:
    """Those that its graph counts, over the same time; by keyboard, and back again."""
    page = _open(browser, served.url).page
    _ready(page, served.url, "dashboards/overview")
    link = page.get_by_role("link", name="logs of Attempts, by the backend's response")
    link.press("Enter")
    expect(page.get_by_role("heading", name="Log lines")).to_be_visible()
    lines = page.locator(".stream li")
    expect(lines.first).to_contain_text("subscribe")
    page.get_by_label("Search log lines").fill("@event:webhook.failed")
    expect(lines).to_have_count(25)
    page.reload()
    expect(lines).to_have_count(25)
    page.context.close()
