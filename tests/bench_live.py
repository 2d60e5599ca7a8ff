"""Live alarms: what judging and reading a minute takes, against the targets of their design.

``python -m tests.bench_live``. A session of a full day at a webhook a second, and twice the alarms
of the local environment; then the whole program, sampling an emulator and setting its states. The
emulator's own time is not in it.
"""

from __future__ import annotations

import dataclasses
import json
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alarmproof.base.alarms import AnyAlarm
from alarmproof.template import parse

from lambdas.base.metrics import embedded
from monitoring.cloudwatch.alarms import template
from settings.loader import load
from webhook_buffer.cli.docs import kept_drills
from webhook_buffer.composition import alarm_set
from webhook_buffer.laptop.emulator import Emulator
from webhook_buffer.live.engine import prelude_of
from webhook_buffer.live.judge import Judge
from webhook_buffer.live.observations import FUNCTIONS
from webhook_buffer.live.pace import MINUTE, REAL_TIME
from webhook_buffer.live.session import Session, read_event
from webhook_buffer.live.sources import LaptopSource, roles_of
from webhook_buffer.live.states import States
from webhook_buffer.live.values import Depth, Limits
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.logs import Line

_MINUTES, _WEBHOOKS = 1440, 60
_START = 1_760_000_400 - 1_760_000_400 % MINUTE
# Between two polls in real time. Source: live/engine.py.
_POLL_SECONDS = 2.0
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


@contextmanager
def _emulated() -> Iterator[Environment]:
    """An emulator with the log groups and queues that are sampled, and nothing in them."""
    with tempfile.TemporaryDirectory() as folder:
        program = Emulator(Path(folder) / "emulator")
        url = program.start().endpoint_url
        try:
            target = Environment(
                settings=load("local"), folder=Path(folder), endpoint_url=url,
                outputs_file=Path(folder) / "cdk.out.json",
            )  # fmt: skip
            for function in FUNCTIONS:
                group = target.settings.log_group_name(function)
                target.logs.create_log_group(logGroupName=group)
                target.logs.create_log_stream(logGroupName=group, logStreamName="s")
            for name in (target.settings.queue_name, target.settings.notify_dlq_name):
                fifo = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
                target.sqs.create_queue(QueueName=name, Attributes=fifo)  # type: ignore[arg-type]
            yield target
        finally:
            program.stop()


def _whole(target: Environment, alarms: list[AnyAlarm]) -> float:
    """Seconds of processor time that a minute in real time takes: its polls, and its verdicts."""
    metric = [alarm for alarm in alarms if hasattr(alarm, "queries")]
    for alarm in metric:
        target.cloudwatch.put_metric_alarm(
            AlarmName=alarm.name, Namespace="N", MetricName="M", Statistic="Sum", Period=60,
            EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip
    settings, start = target.settings, time.time()
    session = Session.begun(
        "local", real=start, pace=REAL_TIME, limits=Limits(), roles=roles_of(settings)
    )
    source, states = LaptopSource(target, since=start), States(target, metric)
    judge = Judge(metric, settings.alarm_name(""))
    states.begin({})
    polls = round(REAL_TIME / _POLL_SECONDS)
    spent = 0.0
    for number in range(polls):
        _write(target, list(_lines(0))[number::polls])
        began = time.process_time()
        session.apply(source.poll())
        if number == polls - 1:
            verdicts = judge.judge(session, session.start + MINUTE)
            states.put(verdicts, held=frozenset(), changed=lambda *_: None)
        spent += time.process_time() - began
    return spent


def _write(target: Environment, lines: list[Line]) -> None:
    """Puts lines into the logs of their functions, as of now."""
    now = round(1000 * time.time())
    for function in {line.function for line in lines}:
        target.logs.put_log_events(
            logGroupName=target.settings.log_group_name(function), logStreamName="s",
            logEvents=[{"timestamp": now, "message": line.text} for line in lines
                       if line.function == function],
        )  # fmt: skip


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
        share = seconds / _FASTEST
        print(f"  both, {count} alarms at {_FASTEST:g} s a minute: {share:.1%} of a core")
    with _emulated() as target:
        for some in (alarms, _twice(alarms)):
            share = _whole(target, some) / REAL_TIME
            print(f"  sampling, judging and setting states, {len(some)} alarms at {REAL_TIME:g} s "
                  f"a minute: {share:.1%} of a core (target {_SHARE:.0%})")  # fmt: skip
    _print_drills()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  memory: {peak:.0f} MB (target {_MEGABYTES:.0f})")


if __name__ == "__main__":
    main()
