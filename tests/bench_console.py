"""How fast the console is: ``python -m tests.bench_console``. Compare ratios within one run only.

A session of 24 hours, with six webhooks a minute and all alarms, in Chromium.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import psutil
from playwright.sync_api import Page

from tests.chromium import launched
from tests.webhook_buffer.console import sessions
from tests.webhook_buffer.console.sessions import Served, state_of
from tests.webhook_buffer.live.test_observations import START
from webhook_buffer.laptop.process import free_port
from webhook_buffer.live.cells import Cells
from webhook_buffer.live.session import Session

_MINUTES = 24 * 60
_CHARTS = 21


def _day(folder: Path) -> Path:
    """The outage, and the cells of the rest of a day before and after it."""
    session = sessions.outage()
    _repeat(session.cells)
    day = {"kind": "read", "until": START + 60 * _MINUTES, "lines": [], "depths": []}
    session.apply(day)
    file = folder / "session.jsonl"
    Session.save(session, file)
    return file


def _repeat(cells: Cells) -> None:
    known = [(key, minute, list(values)) for key, minute, values in cells.every()]
    for key, minute, values in known:
        for later in range(sessions.MINUTES, _MINUTES, sessions.MINUTES):
            for value in values:
                cells.add(key, minute + 60 * later, value)


def _paint(page: Page, url: str) -> float:
    page.goto(url)
    page.wait_for_selector("main[data-shown] article .plot canvas")
    entries = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    return float(entries)


_REDRAW = """
async ([module, charts, points]) => {
  const {Chart} = await import(module);
  const times = Array.from({length: points}, (_, at) => 1700000000 + 60 * at);
  const data = (seed) => ({times, unit: "", markers: [], marks: [], from: times[0],
    to: times.at(-1), series: [0, 1].map((line) => ({label: `l${line}`, draw: "line", step: 60,
      values: times.map((_, at) => Math.sin(at / 30 + seed + line) + 1)}))});
  const host = document.createElement("div");
  host.style.width = "400px";
  document.body.append(host);
  const made = Array.from({length: charts}, () => new Chart(host, "bench"));
  made.forEach((chart) => chart.show(data(0)));
  await new Promise(requestAnimationFrame);
  const next = data(1);
  const started = performance.now();
  made.forEach((chart) => chart.show(next));
  await Promise.resolve();
  const took = performance.now() - started;
  made.forEach((chart) => chart.close());
  host.remove();
  return took;
}
"""


def _event(page: Page, one: Served) -> float:
    """Milliseconds from a line in the session's file to the row on the page."""
    page.goto(f"{one.url}#/webhooks?q=m-bench")
    page.wait_for_selector('main[data-shown="#/webhooks?q=m-bench"]')
    fields = {"event": "webhook.queued", "level": "INFO", "message_id": "m-bench", "path": "/b",
              "method": "POST", "group_id": "g", "http": {"status_code": 200}}  # fmt: skip
    session = one.state.session
    assert session
    line = [round(1000 * session.until), "publish", json.dumps(fields)]
    event = {"kind": "read", "until": session.until + 1, "lines": [line], "depths": []}
    started = time.perf_counter()
    with one.state.place.session.open("a") as stream:
        stream.write(json.dumps(event) + "\n")
    page.wait_for_selector(".rows li")
    return 1000 * (time.perf_counter() - started)


def main() -> None:
    """Prints each figure beside its target."""
    with tempfile.TemporaryDirectory() as folder:
        one = Served(state_of(_day(Path(folder))), free_port())
        with one.running() as url, launched() as browser:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            rows = [("first paint", _paint(page, url), 1000.0)]
            for key in ("overview", "serverless", "cloudwatch"):
                one.state.board(key, START, None)
                started = time.perf_counter()
                one.state.board(key, START, None)
                rows.append((f"{key}, 24 h", 1000 * (time.perf_counter() - started), 100.0))
            asked = [f"{url}chart.js", _CHARTS, _MINUTES]
            rows.append((f"redraw of {_CHARTS} charts", page.evaluate(_REDRAW, asked), 50.0))
            rows.append(("event to shown", _event(page, one), 250.0))
            print("console: a session of 24 hours")
            for what, took, target in rows:
                print(f"  {what:<24} {took:8.1f} ms   target {target:.0f} ms")
            memory = psutil.Process().memory_info().rss / 2**20
            print(f"  {'memory, with the bench':<24} {memory:8.1f} MB   target 200 MB")


if __name__ == "__main__":
    main()
