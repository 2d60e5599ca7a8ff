"""Log lines and queue depths become what alarms read, however the log is split into batches."""

from __future__ import annotations

import itertools
import json
import random
from typing import Any

import numpy as np
import pytest
from alarmproof.base.metric_data import MetricKey, Series
from alarmproof.template import parse
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.base.metrics import embedded
from monitoring.cloudwatch.alarms import template
from monitoring.resources import resources
from settings.loader import load
from webhook_buffer.composition import alarm_set
from webhook_buffer.live.cells import Cells
from webhook_buffer.live.observations import Reader, observe
from webhook_buffer.live.pace import Clock
from webhook_buffer.live.values import Depth, Limits, Observation
from webhook_buffer.operations.logs import Line

START = 1_760_000_400


def line(function: str, second: float, event: str, level: str = "INFO", **fields: Any) -> Line:
    """A line of a function, so many seconds after the start."""
    at = round(1000 * (START + second))
    metrics = fields.pop("metrics", None)
    more = embedded(metrics, at=at) if metrics else {}
    if "status" in fields:
        fields["http"] = {"status_code": fields.pop("status")}
    everything = {"event": event, "level": level, **fields, **more}
    return Line(at, function, json.dumps(everything), everything)


def boundary(
    function: str, second: float, request: str, kind: str = "START", more: str = ""
) -> Line:
    """The runtime's line at the beginning or the end of an invocation."""
    text = f"{kind} RequestId: {request}{more}"
    return Line(round(1000 * (START + second)), function, text, {})


def ended(function: str, second: float, request: str, took: float = 10) -> Line:
    return boundary(function, second, request, "REPORT", f"\tDuration: {took} ms\tBilled")


def _series(lines: list[Line], depths: list[Depth]) -> dict[str, Series]:
    local = load("local")
    alarms = parse(template(alarm_set(local)), "t").alarms
    known = resources(local).by_role.values()
    cells = Cells({resource.name: resource.role for resource in known})
    for observation in observe(lines, depths, Clock.begun(START)):
        cells.add(observation.key, observation.at, observation.value)
    recording = cells.recording(alarms, start=START, minutes=3)
    return {
        f"{series.metric.name} {series.statistic} {_who(series)}".strip(): series
        for series in recording
    }


def _who(series: Series) -> str:
    return " ".join(value for name, value in series.metric.dimensions if name == "FunctionName")


def test_log_lines_become_what_alarms_read() -> None:
    """Embedded metrics, and what AWS would count, by the minute; nothing is made up."""
    lines = [
        line("publish", 5, "webhook.queued", status=200, duration_ms=20, message_id="a",
             metrics={"Accepted": 1}),
        line("publish", 70, "webhook.refused", "ERROR", status=503, duration_ms=9000),
        line("subscribe", 6, "webhook.failed", "WARNING", message_id="a", duration_ms=50,
             metrics={"Backend5xx": 1, "BackendOutcome": 5, "HeadAge": 1}),
        line("subscribe", 8, "webhook.failed", "WARNING", message_id="a", duration_ms=50,
             metrics={"Backend4xx": 1, "BackendOutcome": 4, "HeadAge": 3}),
        boundary("subscribe", 129, "r1"),
        line("subscribe", 130, "webhook.delivered", message_id="a", duration_ms=30,
             request_id="r1",
             metrics={"Backend2xx": 1, "BackendOutcome": 2, "DeliveryLag": 125_000}),
        ended("subscribe", 130, "r1", 31.5),
        boundary("subscribe", 139, "r2"),
        line("subscribe", 139, "function.failed", "ERROR", error="KeyError", request_id="r2"),
        ended("subscribe", 139, "r2", 900),
        boundary("subscribe", 10, "never loaded"),
        ended("subscribe", 11, "never loaded"),
    ]  # fmt: skip
    depths = [Depth(START + 30, 1, 0), Depth(START + 100, 0, 1), Depth(START + 150, 0, 0)]
    by_name = _series(lines, depths)

    def values(name: str) -> list[float]:
        return [float(value) for value in by_name[name].values]

    nan = float("nan")
    subscribe = "webhook-buffer-local-subscribe"
    assert values("BackendOutcome PR(4.5:)") == pytest.approx([50, nan, 0], nan_ok=True)
    assert values("BackendOutcome SampleCount") == pytest.approx([2, nan, 1], nan_ok=True)
    assert values("HeadAge Maximum") == pytest.approx([3, nan, nan], nan_ok=True)
    assert values("5xx Sum") == [0, 1, 0]
    assert values("Count Sum") == [1, 1, 0]
    assert values("Latency p99") == pytest.approx([20, 9000, nan], nan_ok=True)
    assert values(f"Duration p99 {subscribe}") == pytest.approx([10, nan, 900], nan_ok=True)
    assert values(f"Errors Sum {subscribe}") == [1, 0, 1]
    assert values("ApproximateAgeOfOldestMessage Maximum") == pytest.approx(
        [25, 95, nan], nan_ok=True
    )
    assert values("ApproximateNumberOfMessagesNotVisible Maximum") == [0, 1, 0]
    assert [
        series.metric.dimensions for name, series in by_name.items() if "Visible Maximum" in name
    ] == [(("QueueName", "webhook-buffer-local.fifo"),)] * 2
    assert values("NumberOfMessagesDeleted Sum") == [0, 0, 1]
    assert values("webhook-buffer-local-publish-log-errors Sum") == pytest.approx(
        [nan, 1, nan], nan_ok=True
    )
    assert "DeliveryLag PR(:300000)" in by_name
    assert not any("Throttles" in name for name in by_name)


def test_what_is_counted_by_source_and_reason_is_kept_apart() -> None:
    """Each set of dimensions of a metric is a series of its own, as it is in CloudWatch."""
    refused = [("a", "wrong"), ("a", "wrong"), ("b", "old")]
    lines = [
        line("publish", 5 + second, "webhook.refused", "WARNING", status=401, source=source,
             reason=reason, metrics={"SignatureRefused": 1, "SourceRefused": 1})
        for second, (source, reason) in enumerate(refused)
    ]  # fmt: skip
    cells = Cells({})
    for seen in observe(lines, [], Clock.begun(START)):
        cells.add(seen.key, seen.at, seen.value)

    def counted(name: str, **by: str) -> float | None:
        metric = MetricKey.of("WebhookBuffer", name, {"service": "s", "env": "e", **by})
        made = cells.series(metric, "Sum", start=START, minutes=1)
        return None if made is None else float(made.values[0])

    assert counted("SignatureRefused") == 3
    assert counted("SignatureRefused", source="b") == 1
    assert counted("SourceRefused", source="a") == 2
    assert counted("SourceRefused", source="a", reason="wrong") == 2
    assert counted("SourceRefused", source="a", reason="old") is None
    assert counted("SourceRefused") is None


def test_what_is_outside_of_the_time_is_left_out() -> None:
    """Earlier lines show how long a webhook has waited, and count nothing themselves."""
    lines = [
        line("publish", -300, "webhook.queued", status=200, message_id="a", metrics={"Accepted": 1})
    ]
    by_name = _series(lines, [Depth(START + 60.5, 1, 0)])
    age = by_name["ApproximateAgeOfOldestMessage Maximum"].values
    assert age[1] == pytest.approx(360.5)
    assert np.isnan(age[[0, 2]]).all()
    assert "Accepted Sum" not in by_name


def test_a_repeat_is_a_duplicate_and_not_sent() -> None:
    """SQS answers it with its original's sequence number; the first one's time counts."""
    lines = [
        line("publish", at, "webhook.queued", status=200, message_id=name, sequence_number=number,
             metrics={"Accepted": 1})
        for at, name, number in ((5, "a", "1"), (6, "b", "2"), (50, "a", "1"))
    ]  # fmt: skip
    by_name = _series(lines, [Depth(START + 58, 2, 0)])
    assert list(by_name["NumberOfMessagesSent Sum"].values) == [2, 0, 0]
    assert list(by_name["NumberOfDeduplicatedSentMessages Sum"].values) == [1, 0, 0]
    assert by_name["ApproximateAgeOfOldestMessage Maximum"].values[0] == pytest.approx(53)


def test_an_invocation_counts_once_its_end_is_known() -> None:
    """Before its REPORT line, its own lines may be missing, and it would count as failed."""
    reader = Reader(Clock.begun(START))
    begun = [boundary("subscribe", 1, "r1")]
    assert not list(reader.read(begun, until=START + 1))
    rest = [line("subscribe", 2, "webhook.delivered", request_id="r1", message_id="a"),
            ended("subscribe", 2, "r1")]  # fmt: skip
    values = {
        observation.key[1:]: observation.value for observation in reader.read(rest, until=START + 3)
    }
    assert values["Errors", "subscribe"] == 0


def test_lines_that_come_late_take_an_error_back() -> None:
    """A silent invocation counts for nothing until it has had time to log its end."""
    reader = Reader(Clock.begun(START, pace=3.0))
    lines = [boundary("subscribe", 1, "r1"), ended("subscribe", 1, "r1")]
    assert not [
        observation
        for observation in reader.read(lines, until=START + 2)
        if observation.key[1] == "Errors"
    ]
    [error] = reader.read([], until=START + 3)
    assert (error.key[1], error.value) == ("Errors", 1)
    late = line("subscribe", 4, "heartbeat.arrived", request_id="r1", message_id="m")
    [back, *_] = reader.read([late], until=START + 4)
    assert (back.key, back.at, back.value) == (error.key, error.at, -1)


def test_what_a_function_decides_by_time_is_decided_by_the_sessions() -> None:
    """At 3 s a minute, 40 s are 800 s: the age grows, the group is blocked; at 61 s an attempt is
    no longer fresh, and says nothing of the backend.
    """
    clock = Clock.begun(START, pace=3.0)
    lines = [
        line("subscribe", at, "webhook.failed", "WARNING", message_id="a", attempt=2,
             age_ms=1000 * at, metrics={"Backend5xx": 1, "BackendOutcome": 5, "HeadAge": at})
        for at in (20, 40, 61)
    ]  # fmt: skip
    observations = observe(lines, [], clock, Limits(blocked_attempts=5, blocked_seconds=600))
    ages = [observation.value for observation in observations if observation.key[1] == "HeadAge"]
    assert ages == pytest.approx([400, 800, 1220])
    assert (
        len([observation for observation in observations if observation.key[1] == "BlockedGroup"])
        == 2
    )
    assert (
        len([observation for observation in observations if observation.key[1] == "BackendOutcome"])
        == 2
    )
    assert (
        len([observation for observation in observations if observation.key[1] == "Backend5xx"])
        == 3
    )


def test_malformed_metrics_are_left_out() -> None:
    """A line whose embedded metrics can't be read still counts as a line."""
    broken = Line(1000 * START, "publish", "x", {"event": "e", "level": "ERROR", "_aws": [1]})
    assert [observation.key[1] for observation in observe([broken], [], Clock.begun(START))] == [
        "log-errors"
    ]


def _story(seed: int) -> tuple[list[Line], list[Depth]]:
    """Some minutes of a buffer: deliveries, failures, crashes, repeats, depths."""
    chance = random.Random(seed)
    lines: list[Line] = []
    waiting: list[str] = []
    depths = []
    late: list[Line] = []
    for number in range(60):
        at = number * 3 + chance.random()
        name = f"m{number}"
        waiting.append(name)
        lines += [
            boundary("publish", at, f"p{number}"),
            line("publish", at, "webhook.queued", status=200, duration_ms=chance.random() * 50,
                 message_id=name, sequence_number=f"{number - chance.choice([0, 0, 0, 1])}",
                 request_id=f"p{number}", metrics={"Accepted": 1}),
            ended("publish", at, f"p{number}"),
        ]  # fmt: skip
        request, head = f"s{number}", waiting[0]
        lines.append(boundary("subscribe", at + 0.5, request))
        fate = chance.random()
        if fate < 0.5:
            waiting.pop(0)
            lines.append(
                line("subscribe", at + 0.5, "webhook.delivered", message_id=head, age_ms=900,
                     request_id=request, metrics={"Backend2xx": 1, "DeliveryLag": 900})
            )  # fmt: skip
        elif fate < 0.8:
            lines.append(
                line("subscribe", at + 0.5, "webhook.failed", "WARNING", message_id=head,
                     age_ms=3000, request_id=request, attempt=3,
                     metrics={"Backend5xx": 1, "HeadAge": 3})
            )  # fmt: skip
        lines.append(ended("subscribe", at + 0.5, request))
        if fate > 0.9:  # what the emulator hands out late
            late.append(line("subscribe", at + 0.6 + 9 * chance.random(), "x", request_id=request))
        depths.append(Depth(START + at + 0.7, len(waiting), chance.randrange(2)))
    return sorted([*lines, *late], key=lambda entry: entry.at), depths


@settings(max_examples=settings().max_examples * 3 // 10)
@given(seed=st.integers(0, 50), cuts=st.lists(st.floats(-5, 200), max_size=12))
def test_any_splitting_gives_the_same_observations(seed: int, cuts: list[float]) -> None:
    """Batches may end anywhere, also within an invocation, and depths come before their lines."""
    lines, depths = _story(seed)
    clock = Clock.begun(START, pace=10.0)
    whole = observe(lines, depths, clock)
    reader, position = Reader(clock), 0
    parts: list[Observation] = []
    for cut in [*sorted(cuts), 1e6]:
        until = START + cut
        end = position
        while end < len(lines) and lines[end].at / 1000 <= until:
            end += 1
        # Depths are taken after the lines were read, and so reach beyond them.
        given_depths = [depth for depth in depths if depth.at <= until + 1.5]
        depths = [depth for depth in depths if depth.at > until + 1.5]
        parts += reader.read(lines[position:end], given_depths, until=until)
        position = end
    assert sorted(parts, key=str) == sorted(whole, key=str)


@settings(max_examples=settings().max_examples * 3 // 10)
@given(cuts=st.lists(st.integers(0, 400), max_size=20))
def test_any_cut_between_two_lines_gives_the_same(cuts: list[int]) -> None:
    """Also where lines of one moment lie in two batches."""
    lines, _ = _story(7)
    clock = Clock.begun(START)
    edges = [0, *sorted(min(cut, len(lines)) for cut in cuts), len(lines)]
    reader = Reader(clock)
    parts: list[Observation] = []
    for begin, end in itertools.pairwise(edges):
        parts += reader.read(lines[begin:end], until=START)
    parts += reader.read([], until=1e12)
    assert parts == observe(lines, [], clock)
