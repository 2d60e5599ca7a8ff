"""The demo's second half: the environment's dashboards and monitors, published and checked for
drift.

What it claims is judged by what the fake Datadog holds and by the requests that it received.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from monitoring.datadog.definition import Kind
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
    wanted = definitions(settings)
    with FakeDatadog() as datadog:
        api = Api(fake_datadog_keys(datadog.url))

        def planned() -> Plan:
            return plan(api, settings, wanted)

        def applied(plan: Plan) -> None:
            failures = apply(api, settings, plan, prune=False, progress=lambda _: None)
            _require(not failures, f"{len(failures)} objects were not published")

        progress("plan")
        first = planned()
        _require(first.count(Action.CREATE) == len(wanted), "the first plan does not make them all")
        _require(all(request.method == "GET" for request in datadog.requests), "a plan has written")
        progress("apply")
        datadog.requests.clear()
        applied(first)
        requests = len(datadog.requests)
        progress("plan again")
        _require(not planned().changing(), "the plan after an apply is not empty")
        progress("plan in quiet hours")
        moment = _in_quiet_hours(datadog)
        datadog.set_clock(lambda: moment)
        quiet = planned()
        _require(bool(quiet.mutes), "no monitor is muted in quiet hours")
        _require(not quiet.changing(), "the plan in quiet hours is not empty")
        progress("a change by hand")
        id_, monitor = next(iter(datadog.objects(Kind.MONITOR).items()))
        datadog.edit(
            Kind.MONITOR, id_, lambda monitor: monitor["options"].update(renotify_interval=60)
        )
        progress("drift")
        by_hand = [step for step in planned().steps if step.by_hand]
        _require([step.id for step in by_hand] == [id_], "drift was not found where it was made")
        progress("apply")
        applied(planned())
        _require(not planned().changing(), "the change by hand was not undone")
        return Published(
            objects={kind.value: len(datadog.objects(kind)) for kind in Kind},
            requests=requests,
            muted=len(quiet.mutes),
            changed=f"renotify_interval of '{monitor['name']}'",
            drifted=[change.path for step in by_hand for change in step.changes],
        )


def _in_quiet_hours(datadog: FakeDatadog) -> datetime:
    """A moment in which a downtime of the fake's is in force."""
    schedule = next(iter(datadog.objects(Kind.DOWNTIME).values()))["attributes"]["schedule"]
    start = datetime.fromisoformat(schedule["recurrences"][0]["start"])
    return start.replace(tzinfo=ZoneInfo(schedule["timezone"])) + timedelta(minutes=1)


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ProofFailedError(f"The demo's claim on Datadog does not hold: {otherwise}.")
