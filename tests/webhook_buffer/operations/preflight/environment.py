"""The environment prd, its account, and the form of a fault of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from settings import loader
from settings.schema import Settings
from tests.fake_aws import Answer, Refusal
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.preflight.model import Level

ACCOUNT, REGION = "333333333333", "us-east-1"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:slack-abcdef"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
OTHER_KEY = KEY.replace("1111", "9999")
BLOCK: dict[str, Any] = {
    **loader.environments()["prd"],
    "notifications": [
        {"kind": "slack", "secretArn": SECRET, "secretKeyArn": KEY},
        {"kind": "email", "addresses": ["ana@example.com"]},
    ],
    "datadog": {"functions": []},
}
QUEUE_URL = {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/333333333333/q"}
CREATED = "2026-01-01T00:00:00Z"
RESOURCE_MISSING = Refusal("ResourceNotFoundException")


@dataclass(frozen=True)
class Fault:
    """A fault that is planted.

    Attributes:
        check: that finds it.
        what: part of its sentence.
        remedy: part of its remedy.
        keys: of the settings.
    """

    check: str
    what: str
    remedy: str
    answers: Mapping[str, Answer] = field(default_factory=dict)
    keys: Mapping[str, Any] = field(default_factory=dict)
    level: Level = Level.BLOCKS


def environment(block: Mapping[str, Any], folder: Path, **more: Any) -> Environment:
    """An environment; keys that are None are left out."""
    given = {key: value for key, value in block.items() if value is not None}
    settings = Settings.model_validate(given)
    return Environment(settings=settings, folder=folder, outputs_file=folder / "o.json", **more)
