"""The buffer's failures that the laptop can show: really caused, one at a time, and recorded.

What the laptop can't show (a retention of days, 100,000 in flight, half an hour without traffic)
stands in ``webhook_buffer.benchmark.simulation`` only.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from alarmproof.model import AnyAlarm, Series

from lambdas.faux_backend import Answer, FauxBackend
from settings.schema import Settings
from webhook_buffer.benchmark.scenarios import RECORDINGS, Recording
from webhook_buffer.laptop import laptop
from webhook_buffer.laptop.backend import ScriptedBackend
from webhook_buffer.live import recording
from webhook_buffer.operations.deployment import Step
from webhook_buffer.operations.environment import Environment, aws_errors
from webhook_buffer.operations.send import Sender, Webhook

_GROUPS = 40
_POISONED = "group-3"
_SENDERS = 8
_DUPLICATES_A_MINUTE = 5


class FailingBackend(FauxBackend):
    """A faux backend that can refuse a single group, or be slow by chance."""

    def __init__(self) -> None:
        super().__init__(obey_flags=False)
        self.refused_group: str | None = None
        self.slow: tuple[float, float] | None = None

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if self.refused_group and headers.get("x-group-id") == self.refused_group:
            return Answer(422)
        if self.slow:
            time.sleep(random.uniform(*self.slow))
        return super().answer(method, target, headers, body)


class Traffic:
    """Webhooks at random moments, so many a minute, until it is closed.

    Attributes:
        repeats: whether some are sent a second time.
    """

    def __init__(self, endpoint: str, *, rate: float, seed: int) -> None:
        self.repeats = False
        self._rate, self._random = rate, random.Random(seed)
        self._sender = Sender(endpoint, connections=_SENDERS)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        at = time.monotonic()
        while not self._ended.is_set():
            at += self._random.expovariate(self._rate / 60)
            if self._ended.wait(max(0.0, at - time.monotonic())):
                return
            webhook = self._webhook()
            again = self.repeats and self._random.random() < _DUPLICATES_A_MINUTE / self._rate
            for _ in range(1 + again):
                threading.Thread(target=self._sender.post, args=(webhook,), daemon=True).start()

    def _webhook(self) -> Webhook:
        headers = {
            "Content-Type": "application/json",
            "X-Group-Id": f"group-{self._random.randrange(_GROUPS)}",
            "X-GitHub-Delivery": str(uuid4()),
        }
        return Webhook(body=json.dumps({"total": 12}).encode(), headers=headers)


@dataclass(frozen=True)
class Stage:
    """A buffer that runs, what sends to it, and the backend it delivers to."""

    target: Environment
    backend: ScriptedBackend
    faux: FailingBackend
    traffic: Traffic
    _before: dict[str, dict[str, str]] = field(default_factory=dict)

    def configure(self, function: str, **variables: str | None) -> None:
        """Changes a function's environment variables; None takes one away."""
        name = self.target.settings.function_name(function)
        with aws_errors(self.target.settings):
            found = self.target.functions.get_function_configuration(FunctionName=name)
            present = dict(found.get("Environment", {}).get("Variables", {}))
            self._before.setdefault(function, present)
            kept = {**present, **variables}
            self.target.functions.update_function_configuration(
                FunctionName=name,
                Environment={"Variables": {k: v for k, v in kept.items() if v is not None}},
            )

    def restore(self, function: str) -> None:
        """Restores what ``configure`` changed in a function."""
        self.configure(function, **self._before[function])

    def consume(self, function: str, *, enabled: bool) -> None:
        """Stops a function's event source, or lets it run again."""
        name = self.target.settings.function_name(function)
        with aws_errors(self.target.settings):
            sources = self.target.functions.list_event_source_mappings(FunctionName=name)
            for one in sources["EventSourceMappings"]:
                self.target.functions.update_event_source_mapping(UUID=one["UUID"], Enabled=enabled)


Act = Callable[[Stage], None]


def _answering(status: int) -> tuple[Act, Act]:
    def set_to(answer: Answer) -> Act:
        return lambda stage: setattr(stage.faux, "default", answer)

    return set_to(Answer(status)), set_to(Answer())


def _consuming(function: str) -> tuple[Act, Act]:
    return (
        lambda stage: stage.consume(function, enabled=False),
        lambda stage: stage.consume(function, enabled=True),
    )


def _misconfigured(function: str, **variables: str | None) -> tuple[Act, Act]:
    return (
        lambda stage: stage.configure(function, **variables),
        lambda stage: stage.restore(function),
    )


def _set(part: str, name: str, *, during: object, after: object) -> tuple[Act, Act]:
    return (
        lambda stage: setattr(getattr(stage, part), name, during),
        lambda stage: setattr(getattr(stage, part), name, after),
    )


# By the recording's name: how the failure is caused, and how it is repaired.
CAUSES: Mapping[str, tuple[Act, Act]] = {
    "backend-unreachable": (lambda s: s.backend.refuse(), lambda s: s.backend.resume()),
    "backend-5xx": _answering(503),
    "backend-slow": _set("faux", "slow", during=(5.6, 7.6), after=None),
    "poisoned-group": _set("faux", "refused_group", during=_POISONED, after=None),
    "backend-redirects": _answering(302),
    "subscribe-crashes": _misconfigured("subscribe", TABLE=None),
    "consumer-stopped": _consuming("subscribe"),
    "queue-refuses": _misconfigured("publish", QUEUE_URL="http://127.0.0.1/000000000000/gone.fifo"),
    "record-fails": _misconfigured("subscribe", TABLE="gone"),
    "duplicates": _set("traffic", "repeats", during=True, after=False),
    "alert-path": _consuming("notify"),
}


def record(
    name: str,
    folder: Path,
    alarms: Callable[[Settings], list[AnyAlarm]],
    *,
    step: Step,
    progress: Callable[[int], None],
) -> list[Series]:
    """Causes a failure in a fresh buffer under traffic, repairs it, and records all of it.

    Args:
        name: of ``CAUSES``.
        folder: for the emulator's and the deployment's files.
        alarms: whose metrics are recorded, of the deployed settings.        progress: called with
        each minute that is over.
    """
    begin, repair = CAUSES[name]
    what = RECORDINGS[name]
    with _stage(what, folder, step) as stage:

        def minute(over: int) -> None:
            if over == what.begun:
                begin(stage)
            if over == what.begun + what.lasts:
                repair(stage)
            progress(over)

        wanted = alarms(stage.target.settings)
        return recording.record(stage.target, wanted, minutes=what.minutes, progress=minute)


# The CDK takes both cores, so one deployment at a time.
_DEPLOYING = threading.Lock()


@contextmanager
def _stage(what: Recording, folder: Path, step: Step) -> Iterator[Stage]:
    faux = FailingBackend()
    # As in production but for what the laptop needs, with the signals that have to be asked for.
    hours = {"fromHourUtc": 6, "untilHourUtc": 22}
    overrides = {
        "retryBaseSeconds": None,
        "retryMaxSeconds": None,
        "heartbeat": None,
        "traffic": hours,
    }
    with ExitStack() as stack:
        backend = stack.enter_context(ScriptedBackend(faux))
        with _DEPLOYING:
            fresh = laptop.fresh(folder, backend.url, step, overrides)
            target, outputs = stack.enter_context(fresh)
        traffic = Traffic(
            outputs["BufferedEndpoint"], rate=what.scenario.rate, seed=what.scenario.mode
        )
        stack.callback(traffic.close)
        yield Stage(target, backend, faux, traffic)
