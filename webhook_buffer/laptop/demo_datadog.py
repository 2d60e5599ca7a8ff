"""The demo's second half: the environment's dashboards and monitors, published and checked for
drift.

What it claims is judged by what the fake Datadog holds and by the requests that it received.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from monitoring.datadog.definition import Definition, Kind
from monitoring.datadog.sync.api import Api
from monitoring.datadog.sync.plan import Action, Plan, plan
from monitoring.datadog.sync.publish import apply
from settings.errors import ProofFailedError
from settings.schema import Settings
from webhook_buffer.composition import definitions
from webhook_buffer.laptop.fake_datadog import FakeDatadog
from webhook_buffer.laptop.laptop import fake_datadog_keys


@dataclass(frozen=True)
class Published:
    """What was seen.

    Attributes:
        objects: how many there are, by kind.
        requests: how many it took to publish them.
        muted: how many monitors quiet hours muted while the plan was empty.
        changed: what was changed by hand, in words.
        drifted: the fields that drift listed.
    """

    objects: dict[str, int]
    requests: int
    muted: int
    changed: str
    drifted: list[str]


def run(settings: Settings, progress: Callable[[str], None]) -> Published:
    """Plans, applies and plans again, also in quiet hours; finds a manual change and undoes it.

    Args:
        progress: called with what is going on.

    Raises:
        ProofFailedError: When a claim does not hold.
    """
    with FakeDatadog() as datadog:
        demo = _Demo(
            settings, definitions(settings), datadog, Api(fake_datadog_keys(datadog.url)), progress
        )
        requests = demo.publish()
        muted = demo.enter_quiet_hours()
        id_, changed = demo.change_by_hand()
        drifted = demo.find_drift(id_)
        demo.undo()
        return Published(
            objects={kind.value: len(datadog.objects(kind)) for kind in Kind},
            requests=requests,
            muted=muted,
            changed=changed,
            drifted=drifted,
        )


@dataclass(frozen=True)
class _Demo:
    """The steps, each with its claims; to be taken in their order."""

    settings: Settings
    wanted: Sequence[Definition]
    datadog: FakeDatadog
    api: Api
    progress: Callable[[str], None]

    def publish(self) -> int:
        """How many requests an apply took, between a plan of everything and an empty one."""
        self.progress("plan")
        first = self._plan()
        _require(
            first.count(Action.CREATE) == len(self.wanted), "the first plan does not make them all"
        )
        reads = all(request.method == "GET" for request in self.datadog.requests)
        _require(reads, "a plan has written")
        self.progress("apply")
        self.datadog.requests.clear()
        self._apply(first)
        requests = len(self.datadog.requests)
        self.progress("plan again")
        _require(not self._plan().changing(), "the plan after an apply is not empty")
        return requests

    def enter_quiet_hours(self) -> int:
        """How many monitors quiet hours mute, which is not a change."""
        self.progress("plan in quiet hours")
        moment = _in_quiet_hours(self.datadog)
        self.datadog.set_clock(lambda: moment)
        quiet = self._plan()
        _require(bool(quiet.mutes), "no monitor is muted in quiet hours")
        _require(not quiet.changing(), "the plan in quiet hours is not empty")
        return len(quiet.mutes)

    def change_by_hand(self) -> tuple[str, str]:
        """The monitor that is changed in Datadog, and what is changed, in words."""
        self.progress("a change by hand")
        id_, monitor = next(iter(self.datadog.objects(Kind.MONITOR).items()))
        self.datadog.edit(
            Kind.MONITOR, id_, lambda monitor: monitor["options"].update(renotify_interval=60)
        )
        return id_, f"renotify_interval of '{monitor['name']}'"

    def find_drift(self, changed: str) -> list[str]:
        """The fields that drift lists, all of the monitor that was changed."""
        self.progress("drift")
        by_hand = [step for step in self._plan().steps if step.by_hand]
        _require(
            [step.id for step in by_hand] == [changed], "drift was not found where it was made"
        )
        return [change.path for step in by_hand for change in step.changes]

    def undo(self) -> None:
        """Applies again."""
        self.progress("apply")
        self._apply(self._plan())
        _require(not self._plan().changing(), "the change by hand was not undone")

    def _plan(self) -> Plan:
        return plan(self.api, self.settings, self.wanted)

    def _apply(self, wanted: Plan) -> None:
        failures = apply(self.api, self.settings, wanted, prune=False, progress=lambda _: None)
        _require(not failures, f"{len(failures)} objects were not published")


def _in_quiet_hours(datadog: FakeDatadog) -> datetime:
    """A moment in which a downtime of the fake's is in force."""
    schedule = next(iter(datadog.objects(Kind.DOWNTIME).values()))["attributes"]["schedule"]
    start = datetime.fromisoformat(schedule["recurrences"][0]["start"])
    return start.replace(tzinfo=ZoneInfo(schedule["timezone"])) + timedelta(minutes=1)


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ProofFailedError(f"The demo's claim on Datadog does not hold: {otherwise}.")
