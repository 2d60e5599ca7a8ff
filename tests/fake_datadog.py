"""How tests ask the fake Datadog: with Datadog's own client, and with what that won't send."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import urllib3
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.v1.api.authentication_api import AuthenticationApi
from datadog_api_client.v1.api.dashboards_api import DashboardsApi
from datadog_api_client.v1.api.monitors_api import MonitorsApi
from datadog_api_client.v1.api.service_level_objectives_api import ServiceLevelObjectivesApi
from datadog_api_client.v1.model.monitor import Monitor
from datadog_api_client.v1.model.monitor_options import MonitorOptions
from datadog_api_client.v1.model.monitor_thresholds import MonitorThresholds
from datadog_api_client.v1.model.monitor_type import MonitorType
from datadog_api_client.v2.api.downtimes_api import DowntimesApi

from webhook_buffer.laptop.fake_datadog import FakeDatadog

Answer = tuple[int, Any, dict[str, str]]

QUERY = "max(last_5m):max:aws.sqs.approximate_age_of_oldest_message{queuename:q} by {env} > 600"
MONITOR: dict[str, Any] = {
    "name": "age",
    "type": "query alert",
    "query": QUERY,
    "message": "old @slack-a",
    "tags": ["service:buffer", "env:prod"],
    "options": {"thresholds": {"critical": 600, "warning": 300}},
}
SLO: dict[str, Any] = {
    "name": "delivered",
    "type": "metric",
    "query": {"numerator": "sum:a{*}.as_count()", "denominator": "sum:b{*}.as_count()"},
    "thresholds": [{"timeframe": "30d", "target": 99, "warning": 99.5}],
    "tags": ["env:prod", "app:core"],
}
NOTE: dict[str, Any] = {"definition": {"type": "note", "content": "hello"}}
DASHBOARD: dict[str, Any] = {"title": "The Buffer", "layout_type": "ordered", "widgets": [NOTE]}
DOWNTIME: dict[str, Any] = {
    "scope": "env:prod",
    "monitor_identifier": {"monitor_tags": ["service:buffer"]},
}
HEADERS = {"DD-API-KEY": "fake-api-key", "DD-APPLICATION-KEY": "fake-app-key"}


class Official:
    """Datadog's own client."""

    def __init__(self, datadog: FakeDatadog, *, api_key: str = "fake-api-key", **settings: Any):
        keys = {"apiKeyAuth": api_key, "appKeyAuth": "fake-app-key"}
        # Without a policy, urllib3 repeats what has no effect when repeated.
        policy = {} if settings.get("enable_retry") else {"retry_policy": urllib3.Retry(0)}
        configuration = Configuration(  # type: ignore[no-untyped-call]
            host=datadog.url, api_key=keys, **policy, **settings
        )
        self._client = ApiClient(configuration)
        self.authentication = AuthenticationApi(self._client)  # type: ignore[no-untyped-call]
        self.monitors = MonitorsApi(self._client)  # type: ignore[no-untyped-call]
        self.slos = ServiceLevelObjectivesApi(self._client)  # type: ignore[no-untyped-call]
        self.dashboards = DashboardsApi(self._client)  # type: ignore[no-untyped-call]
        self.downtimes = DowntimesApi(self._client)  # type: ignore[no-untyped-call]

    def close(self) -> None:
        self._client.rest_client.pool_manager.clear()
        self._client.close()


def opened(datadog: FakeDatadog, **settings: Any) -> closing[Official]:
    """A client that is closed at the end of a block."""
    return closing(Official(datadog, **settings))


class Raw:
    """Requests of any form."""

    def __init__(self, datadog: FakeDatadog) -> None:
        self._datadog = datadog

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Status, JSON and headers of an answer."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        reply = urllib3.request(
            method,
            self._datadog.url + path,
            body=body if isinstance(body, bytes | None) else json.dumps(body).encode(),
            headers=HEADERS | given,
            retries=False,
        )
        text = reply.headers["Content-Type"] == "text/html"
        data = reply.data.decode() if text else json.loads(reply.data or b"null")
        return reply.status, data, dict(reply.headers)

    def created(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """A new monitor, SLO or dashboard."""
        status, answer, _ = self("POST", f"/api/v1/{kind}", body)
        assert status == 200, answer
        made: dict[str, Any] = answer["data"][0] if kind == "slo" else answer
        return made

    def scheduled(self, attributes: dict[str, Any]) -> dict[str, Any]:
        """A new downtime."""
        body = {"data": {"type": "downtime", "attributes": attributes}}
        status, answer, _ = self("POST", "/api/v2/downtime", body)
        assert status == 200, answer
        downtime: dict[str, Any] = answer["data"]
        return downtime


def refused(answer: Answer, status: int, words: str) -> None:
    """Asserts an answer's status, and words in its first error."""
    assert answer[0] == status, answer[1]
    assert words in answer[1]["errors"][0]


def changed(body: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """A body with some fields set, or with None left out."""
    return {name: value for name, value in (body | change).items() if value is not None}


def typed_monitor() -> Monitor:
    thresholds = MonitorThresholds(critical=600.0, warning=300.0)
    return Monitor(
        name="age",
        type=MonitorType.METRIC_ALERT,
        query=QUERY,
        message="old",
        tags=["service:buffer"],
        options=MonitorOptions(thresholds=thresholds),
    )
