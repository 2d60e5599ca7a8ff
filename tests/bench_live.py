"""Live alarms: what judging and reading a minute takes, against the targets of their design.

``python -m tests.bench_live``. A session of a full day at a webhook a second, and twice the alarms
of the local environment. Polling is not in it: it takes 5 to 20 ms of the emulator's time.
"""

from __future__ import annotations

import dataclasses
import json
import resource
import time
from collections.abc import Callable, Iterator

from alarmproof.alarms import AnyAlarm
from alarmproof.template import parse

from lambdas.metrics import embedded
from monitoring.cloudwatch.alarms import template
from settings.loader import load
from webhook_buffer.cli.docs import kept_drills
from webhook_buffer.composition import alarm_set
from webhook_buffer.live.engine import prelude_of
from webhook_buffer.live.judge import Judge
from webhook_buffer.live.pace import MINUTE, REAL_TIME
from webhook_buffer.live.session import Session, read_event
from webhook_buffer.live.sources import roles_of
from webhook_buffer.live.values import Depth, Limits
from webhook_buffer.operations.logs import Line

_MINUTES, _WEBHOOKS = 1440, 60
_START = 1_760_000_400 - 1_760_000_400 % MINUTE
# Targets: milliseconds a minute, share of a core, megabytes.
_JUDGED_MS, _SHARE, _MEGABYTES = 100.0, 0.10, 200.0
_FASTEST, _PAGE_SECONDS, _DRILL_SECONDS = 3.0, 9.0, 90.0


def _lines(minute: int) -> Iterator[Line]:
    """The lines of a minute's webhooks, as the functions write them."""
    for number in range(_WEBHOOKS):
        at = round(1000 * (_START + MINUTE * minute + number))
        name = f"{minute}-{number}"
        for function, event, metrics in (
            ("publish", "webhook.queued", {"Accepted": 1.0}),
            ("subscribe", "webhook.delivered", {"Backend2xx": 1.0, "BackendDuration": 12.5,
                                                "BackendOutcome": 2.0, "DeliveryLag": 40.0}),
        ):  # fmt: skip
            request = f"{function}-{name}"
            fields = {
                "at": at, "level": "INFO", "event": event, "request_id": request,
                "message_id": name, "group_id": f"g{number % 40}", "sequence_number": name,
                "http": {"status_code": 200}, "duration_ms": 12.5, "age_ms": 40,
                **embedded(metrics, at=at),
            }  # fmt: skip
            for text in (
                f"START RequestId: {request} Version: $LATEST",
                json.dumps(fields, separators=(",", ":")),
                f"END RequestId: {request}",
                f"REPORT RequestId: {request}\tDuration: 14 ms\tBilled Duration: 14 ms",
            ):
                yield Line(at, function, text, {})


def day() -> tuple[Session, float]:
    """A day's session, and the seconds that reading a minute took."""
    settings = load("local")
    session = Session.begun(
        "local", real=_START, pace=REAL_TIME, limits=Limits(), roles=roles_of(settings)
    )
    for event in prelude_of(settings, session.start):
        session.apply(event)
    began = time.process_time()
    making = 0.0
    for minute in range(_MINUTES):
        made = time.process_time()
        until = _START + MINUTE * (minute + 1)
        depths = [Depth(until - 2.0 * at, 1, 1) for at in range(1, 30)]
        event = read_event(_lines(minute), depths, until)
        making += time.process_time() - made
        session.apply(event)
    return session, (time.process_time() - began - making) / _MINUTES


def _timed(work: Callable[[], object], times: int = 5) -> float:
    """The median of some runs, in seconds of processor time."""
    taken = []
    for _ in range(times):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return sorted(taken)[times // 2]


def _twice(alarms: list[AnyAlarm]) -> list[AnyAlarm]:
    """As many alarms again, under other names, on the same metrics."""
    metric = [alarm for alarm in alarms if hasattr(alarm, "queries")]
    return [*alarms, *(dataclasses.replace(alarm, name=f"{alarm.name}-again") for alarm in metric)]


def _print_drills() -> None:
    """The kept results of drills at the fastest pace."""
    kept = [result for result in kept_drills() if result.passed and result.pace == _FASTEST]
    pages = sorted(result.page_seconds for result in kept if result.page_seconds is not None)
    took = sorted(result.took for result in kept)
    print(f"  cause to page, {len(pages)} drills at {_FASTEST:g} s a minute: "
          f"{pages[0]:.1f} to {pages[-1]:.1f} s (target {_PAGE_SECONDS:.0f})")  # fmt: skip
    print(f"  a whole drill, {len(took)} of them: {took[0]:.0f} to {took[-1]:.0f} s "
          f"(target {_DRILL_SECONDS:.0f})")  # fmt: skip


def main() -> None:
    """Prints the figures, and what each should be."""
    alarms = list(parse(template(alarm_set(load("local"))), "local").alarms)
    session, reading = day()
    end = session.start + MINUTE * (_MINUTES - 1)
    print(f"A day's session with {_WEBHOOKS} webhooks a minute")
    shares = {}
    for some in (alarms, _twice(alarms)):
        judge = Judge(some, load("local").alarm_name(""))
        judge.judge(session, end - MINUTE)
        judging = _timed(lambda judge=judge: judge.judge(session, end))  # type: ignore[misc]
        shares[len(some)] = judging + reading
        print(f"  judging a minute, {len(some)} alarms: {1000 * judging:.0f} ms"
              f" (target {_JUDGED_MS:.0f})")  # fmt: skip
    print(f"  reading a minute's lines: {1000 * reading:.0f} ms")
    for count, seconds in shares.items():
        for pace in (REAL_TIME, _FASTEST):
            share = seconds / pace
            print(f"  {count} alarms at {pace:g} s a minute: {share:.1%} of a core"
                  f" (target {_SHARE:.0%} at {REAL_TIME:g} s)")  # fmt: skip
    _print_drills()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  memory: {peak:.0f} MB (target {_MEGABYTES:.0f})")


if __name__ == "__main__":
    main()
