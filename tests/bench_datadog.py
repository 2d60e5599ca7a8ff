"""How long publishing to Datadog takes, against what its rate limits allow: ``make bench``.

The fake answers after 100 ms and has limits as Datadog's answers tell them; what they allow
is computed from them, not measured.
"""

from __future__ import annotations

import math
import time
from collections import Counter

from monitoring.datadog.definition import Definition, Kind, marked
from monitoring.datadog.sync.api import CONNECTIONS, Api
from monitoring.datadog.sync.plan import plan
from monitoring.datadog.sync.publish import apply
from settings.loader import load
from webhook_buffer.laptop.fake_datadog import FakeDatadog, Limit
from webhook_buffer.laptop.laptop import fake_datadog_keys

OBJECTS = 200
LATENCY = 0.1
# Datadog's limits differ by organization; its answers say what they are.
LIMIT = Limit(requests=40, seconds=10)
_SETTINGS = load("local")


def main() -> None:
    """Publishes, and plans again; prints times, what they could be, and calls."""
    wanted = [_monitor(number) for number in range(OBJECTS)]
    limits = {"monitors_write": LIMIT}
    with FakeDatadog(latency=LATENCY, limits=limits) as datadog:
        api = Api(fake_datadog_keys(datadog.url))
        next_plan = plan(api, _SETTINGS, wanted)
        started = time.monotonic()
        failures = apply(api, _SETTINGS, next_plan, prune=False, progress=lambda _: None)
        took = time.monotonic() - started
        assert not failures, failures[0].reason
        assert len(datadog.objects("monitor")) == OBJECTS
        refused = sum(request.status == 429 for request in datadog.requests)
        # The first window may be nearly over when it begins, and the last need not end.
        windows = math.ceil(OBJECTS / LIMIT.requests) - 1
        allowed = windows * LIMIT.seconds + LATENCY * LIMIT.requests / CONNECTIONS
        print(f"apply of {OBJECTS} creates, {LIMIT.requests} per {LIMIT.seconds} s, "
              f"{1000 * LATENCY:.0f} ms each: {took:.1f} s, {refused} answered 429")  # fmt: skip
        print(f"what the limits allow: {allowed:.1f} s; ratio {took / allowed:.2f}")
    boards = [_board(number) for number in range(4)]
    with FakeDatadog() as datadog:
        api = Api(fake_datadog_keys(datadog.url))
        apply(
            api, _SETTINGS, plan(api, _SETTINGS, [*wanted, *boards]), prune=False,
            progress=lambda _: None,
        )  # fmt: skip
        datadog.requests.clear()
        started = time.monotonic()
        assert not plan(api, _SETTINGS, [*wanted, *boards]).changing()
        took = time.monotonic() - started
        calls = Counter(
            request.path.removeprefix("/api/").split("/")[1] for request in datadog.requests
        )
        calls_made = ", ".join(f"{count} {path}" for path, count in sorted(calls.items()))
        print(
            f"plan of {OBJECTS} monitors and {len(boards)} dashboards: {took:.2f} s; calls: "
            f"{calls_made}"
        )


def _monitor(number: int) -> Definition:
    key = f"bench-{number}"
    body = {
        "name": key, "type": "query alert", "priority": 3, "tags": ["env:bench"],
        "query": f"max(last_5m):max:aws.lambda.errors{{functionname:f{number}}} >= 1",
        "message": marked("A monitor of the benchmark.", _SETTINGS, key),
        "options": {"thresholds": {"critical": 1}},
    }  # fmt: skip
    return Definition(Kind.MONITOR, key, body)


def _board(number: int) -> Definition:
    key = f"bench-{number}"
    note = {"definition": {"type": "note", "content": "x"}}
    body = {
        "title": key, "layout_type": "ordered", "widgets": [note],
        "description": marked("A dashboard of the benchmark.", _SETTINGS, key),
    }  # fmt: skip
    return Definition(Kind.DASHBOARD, key, body)


if __name__ == "__main__":
    main()
