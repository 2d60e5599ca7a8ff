"""Events: what happened, sent once and never changed.

Source: Datadog API reference, "Events", "Post an event" (version 1): an API key is enough.
"""

from __future__ import annotations

from typing import Any

from webhook_buffer.laptop.fake_datadog.store import Body, Call, RefusedError, Route, only

PATH = "/api/v1/events"
_FIELDS = ("title", "text", "tags", "alert_type", "aggregation_key", "source_type_name")


def _post(call: Call) -> dict[str, Any]:
    body = call.fields
    for name in ("title", "text"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise RefusedError(400, f"Missing required parameter {name}")
    event: Body = {**only(_FIELDS, body), "date_happened": call.store.epoch()}
    event["id"] = call.store.number()
    call.store["event"][str(event["id"])] = event
    return {"status": "ok", "event": event}


ROUTES = (Route("POST", PATH, "", _post),)
