"""Modules of functions, loaded as Lambda loads them: with variables of their own."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Mapping
from types import ModuleType

import pytest

from tests.emulated_aws import Aws
from webhook_buffer.laptop.programs.process import Running

# The failure policy that settings have by default, as subscribe reads it.
POLICY = json.dumps(
    {
        "on_park": "message",
        "temporary": [407, 408, 409, 423, 425, 429],
        "refusals": 5,
        "refused_for": 900,
        "alone_for": 86_400,
        "longest": 864_000,
        "per_hour": 100,
        "keep": 2_592_000,
        "breaker": True,
        "retry_share": 0.5,
    }
)
# What subscribe gets in every environment.
_SUBSCRIBE = {
    "VISIBILITY_SECONDS": "60",
    "TEST_FLAGS": "false",
    "REDACTED": '{"headers": ["authorization"], "parameters": ["token"]}',
    "HEARTBEAT_TO_BACKEND": "false",
    "BLOCKED_ATTEMPTS": "5",
    "BLOCKED_SECONDS": "600",
    "FAILURE_POLICY": POLICY,
}


def function_environ(url: str) -> dict[str, str]:
    """The variables of publish and subscribe, with everything at one address."""
    return {
        **_SUBSCRIBE,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": url,
        "QUEUE_URL": f"{url}/queue.fifo",
        "TABLE": "records",
        "BODIES_BUCKET": "bodies",
        "BACKEND_URL": url,
        "GROUP_ID": '["json:id"]',
        "GROUP_ID_MISSING": "own",
        "DEDUPLICATION_ID": "[]",
        "RETRY_BASE_SECONDS": "1",
        "RETRY_MAX_SECONDS": "1",
        "RETRY_AFTER_MAX_SECONDS": "1",
        "RECORD_TTL_SECONDS": "1",
        "PARKING_TABLE": "parking",
        "RELEASE": "test",
    }


# The variables of the audit.
AUDIT_ENVIRON = {
    "PUBLISH_LOG": "publish",
    "SUBSCRIBE_LOG": "subscribe",
    "QUEUE_NAME": "hooks.fifo",
    "TABLE": "records",
    "LEDGER_TABLE": "incidents",
    "PARKING_TABLE": "parking",
    "PARKING_KEEP_SECONDS": "1000000",
    "SETTLE_SECONDS": "1200",
    "PAUSE_SECONDS": "900",
}


def shared_environ(endpoint_url: str) -> dict[str, str]:
    """What every function of a test gets, with AWS at an address."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "SERVICE": "webhook-buffer",
        "ENVIRONMENT": "test",
        "RELEASE": "0.0.0+test",
    }


def load(monkeypatch: pytest.MonkeyPatch, module: str, variables: Mapping[str, str]) -> ModuleType:
    """Imports a function's module as a cold start does."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    sys.modules.pop(module, None)
    return importlib.import_module(module)


class Functions:
    """Loads functions' modules, each in an environment of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, aws: Aws, emulator: Running) -> None:
        self._monkeypatch = monkeypatch
        self._shared = {
            **shared_environ(emulator.endpoint_url),
            "QUEUE_URL": aws.queue_url,
            "TABLE": aws.table,
            "BODIES_BUCKET": aws.bodies,
            "PARKING_TABLE": aws.parking,
        }

    def publish(self, **variables: str) -> ModuleType:
        """``lambdas.publish`` in an environment with the defaults of settings."""
        defaults = {
            "GROUP_ID": '["json:group_id"]',
            "GROUP_ID_MISSING": "own",
            "HEARTBEAT_KEY": "heartbeat-key",
            "DEDUPLICATION_ID": "[]",
        }
        return self.load("lambdas.publish", {**defaults, **variables})

    def subscribe(self, backend_url: str, **variables: str) -> ModuleType:
        """``lambdas.subscribe``, delivering to a backend, with retries after 0 seconds."""
        defaults = {
            **_SUBSCRIBE,
            "BACKEND_URL": backend_url,
            "RETRY_BASE_SECONDS": "0",
            "RETRY_MAX_SECONDS": "0",
            "RETRY_AFTER_MAX_SECONDS": "0",
            "RECORD_TTL_SECONDS": "3600",
        }
        return self.load("lambdas.subscribe", {**defaults, **variables})

    def load(self, module: str, variables: Mapping[str, str]) -> ModuleType:
        """Any function's module, with the resources of this test."""
        return load(self._monkeypatch, module, {**self._shared, **variables})
