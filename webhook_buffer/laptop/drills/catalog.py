"""The drills, as data. Limits are the alarms' own; see ``Expectation.limit``."""

from __future__ import annotations

from collections.abc import Mapping

from monitoring.model.signals import FailureMode as Mode
from webhook_buffer.laptop.drills.model import Drill, Expectation

# Five attempts with the delays of the local environment, 1, 2, 4 and 4 s, make a blocked group.
_BLOCKED_SECONDS = 12.0
# A refusal counts once another group was delivered after the attempt before, which containers note
# every half minute; the attempt comes 4 s later, in a group that may have a webhook before.
_COUNTED_SECONDS = 42.0
# Minutes between two audits. Source: monitoring/cdk/end_to_end.py.
_AUDIT_MINUTES = 30
# An invocation that logs nothing is known to have failed after this long, with a reserve.
_SILENT_SECONDS = 2.0
# The first request that takes 5 s ends this late.
_SLOW_SECONDS = 6.0
_LATE = (
    "queue-age-ticket", "queue-age-page", "slo-delivered-fast-long", "slo-delivered-fast-short",
    "slo-delivered-slow-long", "slo-delivered-slow-short", "subscribe-log-errors",
    "subscribe-log-warnings", "subscribe-duration", "backend-slow",
)  # fmt: skip
_REFUSED = (
    "slo-accepted-fast-long", "slo-accepted-fast-short", "slo-accepted-slow-long",
    "slo-accepted-slow-short", "publish-log-errors", "publish-log-warnings", "heartbeat-refused",
    "heartbeat-missing", "api-latency", "publish-duration",
)  # fmt: skip
_SENDERS = ("api-5xx", "publish-errors")

_DRILLS = (
    Drill(
        name="backend-unreachable",
        title="The backend refuses connections",
        mode=Mode.BACKEND_UNREACHABLE,
        cause="backend-down",
        expects=(Expectation("backend-down"),),
        follows=(*_LATE, "heartbeat-missing"),
        silent=(*_SENDERS, "webhooks-lost"),
        users_notice=True,
    ),
    Drill(
        name="backend-5xx",
        title="The backend answers 503",
        mode=Mode.BACKEND_5XX,
        cause="backend-503",
        expects=(Expectation("backend-down"),),
        follows=(*_LATE, "heartbeat-missing"),
        silent=(*_SENDERS, "webhooks-lost"),
        users_notice=True,
    ),
    Drill(
        name="backend-slow",
        title="The backend takes 5.7 to 6.8 s",
        mode=Mode.BACKEND_SLOW,
        cause="backend-slow",
        recorded="backend-slow-timeouts",
        expects=(Expectation("backend-slow"),),
        follows=(*_LATE, "backend-down", "heartbeat-missing"),
        silent=(*_SENDERS, "webhooks-lost"),
        lasts=4,
        # The emulator makes one attempt at a time: this is as many as it can deliver.
        rate=0.1,
        least_pace=15.0,
        why="attempts take their real 6 s, one at a time",
    ),
    Drill(
        name="backend-redirects",
        title="The backend answers 302",
        mode=Mode.BACKEND_REDIRECTS,
        cause="backend-302",
        expects=(Expectation("backend-rejecting"), Expectation("backend-redirects")),
        follows=(*_LATE, "heartbeat-missing"),
        silent=(*_SENDERS, "backend-down", "webhooks-lost"),
        users_notice=True,
    ),
    Drill(
        name="poisoned-group",
        title="The backend answers 422 to one group, and 200 to all others",
        mode=Mode.POISONED_GROUP,
        cause="backend-refuses-group",
        expects=(Expectation("blocked-group", after=_BLOCKED_SECONDS),),
        follows=_LATE,
        silent=(*_SENDERS, "backend-down", "backend-rejecting", "consumer-stopped",
                "webhooks-lost"),
    ),
    Drill(
        name="held-group",
        title="The backend answers 422 to one group, which is held and then released in order",
        mode=Mode.POISONED_GROUP,
        cause="backend-refuses-held",
        expects=(Expectation("webhook-parked", after=_COUNTED_SECONDS),),
        follows=(*_LATE, "blocked-group", "group-held", "group-held-long"),
        silent=(*_SENDERS, "backend-down", "backend-rejecting", "consumer-stopped",
                "webhooks-lost"),
    ),
    Drill(
        name="refused-webhook",
        title="The backend answers 422 to one webhook, which goes aside, and its group goes on",
        mode=Mode.POISONED_GROUP,
        cause="backend-refuses-webhook",
        expects=(Expectation("webhook-parked", after=_COUNTED_SECONDS),),
        follows=(*_LATE, "blocked-group"),
        silent=(*_SENDERS, "group-held", "backend-down", "backend-rejecting", "consumer-stopped",
                "webhooks-lost"),
        parks=1,
        behind=3,
    ),
    Drill(
        name="forged-webhook",
        title="The backend answers 401 to a forged webhook, which is dropped, and three follow it",
        mode=Mode.POISONED_GROUP,
        cause="backend-refuses-forged",
        expects=(Expectation("webhook-parked", after=_COUNTED_SECONDS),),
        follows=(*_LATE, "blocked-group"),
        silent=(*_SENDERS, "group-held", "backend-down", "backend-rejecting", "consumer-stopped",
                "webhooks-lost"),
        parks=1,
        behind=3,
    ),
    Drill(
        name="parked-expiring",
        title="A webhook that went aside nears the end of its time",
        mode=Mode.NEARING_RETENTION,
        cause="parked-for-long",
        expects=(
            Expectation("parked-expiring", after=_COUNTED_SECONDS + 20, minutes=_AUDIT_MINUTES),
        ),
        follows=(*_LATE, "blocked-group", "webhook-parked"),
        silent=(*_SENDERS, "group-held", "backend-down", "backend-rejecting", "webhooks-lost"),
        # It takes two audits, so there is much of it.
        rate=1.0,
        parks=1,
        behind=3,
    ),
    Drill(
        name="backend-404",
        title="The backend answers 404 to everything for an hour, and nothing is parked",
        mode=Mode.BACKEND_REDIRECTS,
        cause="backend-404",
        expects=(Expectation("backend-rejecting"),),
        follows=(*_LATE, "blocked-group", "heartbeat-missing"),
        silent=(*_SENDERS, "webhook-parked", "group-held", "webhooks-lost"),
        lasts=60,
        parks=0,
        # All of it waits: this is as much as the emulator then delivers in a minute.
        rate=0.5,
        users_notice=True,
    ),
    Drill(
        name="subscribe-crashes",
        title="subscribe crashes on every message",
        mode=Mode.SUBSCRIBE_CRASHES,
        cause="subscribe-without-table",
        expects=(Expectation("subscribe-errors", after=_SILENT_SECONDS),),
        follows=(*_LATE, "heartbeat-missing"),
        silent=(*_SENDERS, "webhooks-lost"),
        users_notice=True,
    ),
    Drill(
        name="consumer-stopped",
        title="subscribe's event source is disabled",
        mode=Mode.CONSUMER_STOPPED,
        cause="subscribe-disabled",
        expects=(Expectation("consumer-stopped", after=2.0),),
        follows=(*_LATE, "heartbeat-missing"),
        silent=(*_SENDERS, "webhooks-lost"),
        users_notice=True,
    ),
    Drill(
        name="queue-refuses",
        title="The queue does not accept webhooks, and senders get 503",
        mode=Mode.QUEUE_REFUSES,
        cause="publish-without-queue",
        expects=(Expectation("api-5xx", after=_SILENT_SECONDS),),
        follows=_REFUSED,
        silent=("backend-down", "backend-rejecting", "subscribe-errors", "webhooks-lost"),
        users_notice=True,
    ),
    Drill(
        name="publish-slow",
        title="SQS hangs at each first try, and senders wait more than 5 s",
        mode=Mode.PUBLISH_SLOW,
        cause="sqs-hangs",
        expects=(Expectation("api-latency", after=2 * _SLOW_SECONDS),),
        follows=("publish-duration", "heartbeat-refused", "heartbeat-missing", "helpers-log-errors",
                 "publish-errors", "publish-log-errors", "publish-log-warnings", "api-5xx"),
        silent=("backend-down", "webhooks-lost"),
        rate=0.5,
        least_pace=6.0,
        why="each request takes its real 5 s, and a minute needs at least one",
    ),
    Drill(
        name="traffic-stops",
        title="No webhooks come in, where the environment expects some",
        mode=Mode.TRAFFIC_STOPS,
        cause="traffic-off",
        expects=(Expectation("no-traffic"),),
        silent=("backend-down", *_SENDERS, "webhooks-lost"),
    ),
    Drill(
        name="record-fails",
        title="The record can't be written",
        mode=Mode.RECORD_FAILS,
        cause="subscribe-with-missing-table",
        expects=(Expectation("record-failed", after=_SILENT_SECONDS),),
        follows=_LATE,
        silent=("backend-down", *_SENDERS, "webhooks-lost"),
    ),
    Drill(
        name="duplicates",
        title="A sender repeats webhooks, and SQS drops the repeats",
        mode=Mode.DUPLICATES_DROPPED,
        cause="repeats",
        expects=(Expectation("dropped-duplicates"),),
        silent=("backend-down", *_SENDERS, "webhooks-lost"),
        safe=True,
    ),
    Drill(
        name="log-errors",
        title="A message can't be read: subscribe logs errors, and its invocations succeed",
        mode=Mode.LOG_ERRORS,
        cause="unreadable-message",
        expects=(Expectation("subscribe-log-errors"),),
        follows=("blocked-group", "subscribe-log-warnings"),
        silent=("backend-down", "subscribe-errors", *_SENDERS, "webhooks-lost"),
    ),
    Drill(
        name="alert-path",
        title="notify's event source is disabled, and no notification goes out",
        mode=Mode.ALERT_PATH_BROKEN,
        cause="notify-disabled",
        expects=(Expectation("alert-path-broken"),),
        through=("alert-path",),
        silent=("backend-down", *_SENDERS, "webhooks-lost"),
    ),
    Drill(
        name="invalid-requests",
        title="A sender's paths are not UTF-8, and refused with 400",
        mode=Mode.QUEUE_REFUSES,
        cause="invalid",
        expects=(Expectation("api-4xx"),),
        follows=("publish-log-warnings",),
        silent=("backend-down", *_SENDERS, "webhooks-lost"),
        safe=True,
    ),
)  # fmt: skip

DRILLS: Mapping[str, Drill] = {drill.name: drill for drill in _DRILLS}
