"""The console: what its page takes on a day's session, against the targets of its design.

``python -m tests.bench_console``. The session is that of ``bench_live``, with as many alarms as the
design asks for; what a browser does is left out where Chromium is not installed.
"""

from __future__ import annotations

import json
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitoring.alarm_set import AlarmSet
from settings.loader import load
from tests.webhook_buffer.console.sessions import Served
from webhook_buffer.composition import alarm_set
from webhook_buffer.console.feeds import FileFeed, Place
from webhook_buffer.console.state import State
from webhook_buffer.laptop.programs.process import free_port
from webhook_buffer.live.session import read_event
from webhook_buffer.operations.logs import Line

if TYPE_CHECKING:
    from playwright.sync_api import Page

_DAY = 24 * 3600
_BOARD_MS, _REDRAW_MS, _EVENT_MS, _PAINT_MS, _MEGABYTES = 100.0, 50.0, 250.0, 1000.0, 200.0
_EVENTS = 7
_ALARMS = 100
# Charts with as many lines as those of the overview have, and a day's points each.
_REDRAW = """async () => {
  const {Chart} = await import("./chart.js");
  const points = 1440, from = 1760000400, to = from + 60 * points;
  const times = Array.from({length: points}, (_, at) => from + 60 * at);
  const data = (turn) => ({times, unit: "second", markers: [], marks: [], from, to,
    series: [0, 1].map((line) => ({label: `p${line}`, draw: "line", step: 60, palette: "blue",
      values: times.map((_, at) => 1 + Math.sin(at / 40 + line + turn))}))});
  const parent = document.getElementById("main");
  const charts = Array.from({length: 21}, (_, at) => new Chart(parent, `chart ${at}`));
  // uPlot draws in a microtask; putting it on the screen is the browser's work, and not in it.
  const settled = () => new Promise((done) => queueMicrotask(() => queueMicrotask(done)));
  charts.forEach((chart) => chart.show(data(0)));
  await settled();
  const taken = [];
  for (let turn = 1; turn <= 7; turn += 1) {
    const next = charts.map(() => data(turn));
    const began = performance.now();
    charts.forEach((chart, at) => chart.show(next[at]));
    await settled();
    taken.push(performance.now() - began);
  }
  charts.forEach((chart) => chart.close());
  return taken.sort((one, other) => one - other)[3];
}"""
_SHOWN = """(id) => new Promise((done) => {
  const look = () => document.querySelector(`[data-key="${id}"]`) && done(Date.now());
  new MutationObserver(look).observe(document.body, {childList: true, subtree: true});
  look();
})"""


def _many(alarms: AlarmSet) -> AlarmSet:
    """Some of the alarms again, under other names, on the same metrics."""
    again = (
        replace(alarm, name=f"{alarm.name}-again",
                signal=replace(alarm.signal, id=f"{alarm.signal.id}-again"))
        for alarm in alarms.alarms
    )  # fmt: skip
    missing = _ALARMS - len(alarms.composites) - len(alarms.alarms)
    return replace(alarms, alarms=(*alarms.alarms, *islice(again, missing)))


def _milliseconds(work: Callable[[], object]) -> float:
    """Milliseconds of processor time."""
    began = time.process_time()
    work()
    return 1000 * (time.process_time() - began)


def _said(what: str, value: float, target: float, unit: str = "ms") -> None:
    print(f"  {what}: {value:.0f} {unit} (target {target:.0f})", flush=True)


def _boards(state: State, start: int) -> None:
    for key in [listed["key"] for listed in state.published.listed()]:

        def made(key: str = key) -> str:
            return json.dumps(state.board(key, start, None))

        first = _milliseconds(made)
        again = sorted(_milliseconds(made) for _ in range(5))[2]
        _said(f"dashboard {key}, 24 h ({len(made()) // 1024} KiB; at first {first:.0f} ms)",
              again, _BOARD_MS)  # fmt: skip


def _lists(state: State) -> None:
    session, document = state.session, state.verdicts()
    assert session
    assert document
    _said(f"the list of {len(document['verdicts'])} alarms",
          _milliseconds(lambda: state.alarms.listed(document)), _BOARD_MS)  # fmt: skip
    _said(
        "one alarm with its chart",
        _milliseconds(lambda: state.alarms.alarm("backend-down", session, document)),
        _BOARD_MS,
    )


def _received(file: Path, number: int, until: float) -> str:
    """Appends a webhook to the session as live alarms do; its id."""
    name, at = f"bench-{number}", round(1000 * until)
    fields = {
        "at": at, "level": "INFO", "event": "webhook.queued", "message_id": name,
        "group_id": "bench", "method": "POST", "path": "/bench", "http": {"status_code": 200},
    }  # fmt: skip
    event = read_event([Line(at, "publish", json.dumps(fields), {})], [], until)
    with file.open("a") as stream:
        stream.write(json.dumps(event) + "\n")
    return name


def _event(page: Page, file: Path, until: float) -> float:
    """The median time from an event in the session's file until the page shows it."""
    taken: list[float] = []
    for number in range(_EVENTS):
        page.evaluate(f"() => {{ window.shown = ({_SHOWN})('bench-{number}'); }}")
        page.wait_for_timeout(700 + 37 * number)
        began = time.time()
        _received(file, number, until + 60 + number)
        taken.append(page.evaluate("window.shown") - 1000 * began)
    return sorted(taken)[_EVENTS // 2]


def _browser(state: State) -> None:
    # What drives a browser is not the console's memory, either.
    from tests.chromium import launched

    served = Served(state, free_port())
    with served.running() as url, launched() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{url}#/dashboards/overview")
        page.wait_for_selector(".plot canvas")
        painted: Any = page.evaluate(
            "performance.getEntriesByName('first-contentful-paint')[0].startTime"
        )
        _said("first paint", painted, _PAINT_MS)
        _said("redraw of 21 charts x 1,440 points", page.evaluate(_REDRAW), _REDRAW_MS)
        page.goto(f"{url}#/webhooks")
        page.wait_for_selector(".rows li")
        assert state.session
        _said("event to shown", _event(page, served.file, state.session.until), _EVENT_MS)


def _save_day(file: Path) -> None:
    from tests.bench_live import day

    session, _ = day()
    session.save(file)


def main() -> None:
    """Prints the figures, and what each should be."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "session.jsonl")
        # In a process of its own: what it takes to make a day is not the console's memory.
        with ProcessPoolExecutor(1, get_context("spawn")) as process:
            process.submit(_save_day, file).result()
        state = State(FileFeed(Place(session=file)), _many(alarm_set(load("local"))))
        print("A page on a day's session with a webhook a second")
        print(f"  opening its file: {_milliseconds(state.update):.0f} ms")
        assert state.session
        _boards(state, int(state.session.now) - _DAY)
        _lists(state)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        _said("memory", peak, _MEGABYTES, "MB")
        _browser(state)


if __name__ == "__main__":
    main()
