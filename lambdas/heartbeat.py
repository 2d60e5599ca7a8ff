"""Every few minutes: a test webhook into the buffer, and a probe into the alert path.

Neither is judged here. The webhook is counted where it arrives, and the probe at the function it
wakes; alarms watch both, and detect silence too. A failure to send is reported at once.
"""

from __future__ import annotations

import os
from typing import Any

from lambdas.base import observe

with observe.loading():
    import json
    import time
    from collections.abc import Mapping
    from dataclasses import dataclass
    from datetime import UTC, datetime

    from lambdas.base import aws, http
    from lambdas.base.envelope import HEARTBEAT_HEADER, HEARTBEAT_PATH
    from lambdas.base.safe_json import json_object
    from lambdas.heartbeat_key import HeartbeatKey


@dataclass(frozen=True, slots=True)
class HeartbeatConfig:
    """``heartbeat``'s environment.

    Attributes:
        endpoint: the buffer's URL, as senders have it.
        probe_alarm: the alarm that is set off, by name.
        key: what the test webhook is known by.
    """

    endpoint: str
    probe_alarm: str
    key: HeartbeatKey

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> HeartbeatConfig:
        return cls(
            endpoint=environ["ENDPOINT"],
            probe_alarm=environ["PROBE_ALARM"],
            key=HeartbeatKey(environ["HEARTBEAT_KEY"]),
        )


with observe.loading():
    CONFIG = HeartbeatConfig.read(os.environ)

# Longer than publish may take; with both alarm calls within the function's timeout.
_POST_SECONDS = 10.0
_ALARM_SECONDS = 3.0
_KEY_SECONDS = 3.0


@observe.observed
def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Sends both, each regardless of the other's result."""
    _send_webhook()
    _set_off_probe()
    return {}


def _send_webhook() -> None:
    """Posts a test webhook, and reports whether the buffer acknowledged it as any other."""
    body = json.dumps({"heartbeat": datetime.now(UTC).isoformat(timespec="seconds")}).encode()
    url = CONFIG.endpoint.rstrip("/") + HEARTBEAT_PATH
    try:
        proof = CONFIG.key.proof(body, at=int(time.time()), within=_KEY_SECONDS)
        headers = {"Content-Type": "application/json", HEARTBEAT_HEADER: proof}
        status, answer = http.send("POST", url, body, headers, seconds=_POST_SECONDS)
    except http.HttpError as error:
        _refused(error=str(error))
        return
    except Exception as error:  # whatever it is, the probe must still be sent
        _refused(error=type(error).__name__)
        return
    message_id = (json_object(answer) or {}).get("message_id")
    if status != 200 or not isinstance(message_id, str):
        # A 200 of something else than the buffer (a proxy's page) is not an acknowledgment.
        _refused(http_status=status, error="NoMessageId" if status == 200 else None)
        return
    observe.log("INFO", "heartbeat.sent", http_status=status, message_id=message_id)


def _refused(**fields: Any) -> None:
    observe.log("ERROR", "heartbeat.failed", metrics={"HeartbeatRefused": 1}, **fields)


def _set_off_probe() -> None:
    """Has the probe go from OK to ALARM.

    Source: CloudWatch API reference, SetAlarmState: actions run where the state differs from the
    one before. The last probe may not have been taken back to OK yet.
    """
    try:
        for state in ("OK", "ALARM"):
            aws.CLOUDWATCH.call(
                "SetAlarmState",
                {
                    "AlarmName": CONFIG.probe_alarm,
                    "StateValue": state,
                    "StateReason": "alert path probe",
                },
                seconds=_ALARM_SECONDS,
                within=2 * _ALARM_SECONDS,
            )
    except aws.AwsError as error:
        observe.log("ERROR", "probe.failed", aws_error=error.code)
