"""Whatever a stranger sends to any source, the answer is a refusal or a handshake's, in time."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from lambdas.base.envelope import Envelope
from lambdas.base.reply import Reply
from lambdas.base.secrets import Secrets
from lambdas.sources import enrollment
from lambdas.sources.handshakes import HANDSHAKES
from lambdas.sources.intake import Intake
from lambdas.sources.providers import PROVIDERS
from lambdas.sources.schemes import sns
from settings.sources import Source, entries

_ARN = "arn:aws:secretsmanager:us-east-1:111111111111:secret:one-AbCdEf"
_TOPIC = "arn:aws:sns:us-east-1:111111111111:orders"
_TEXTS = [
    "", "a", "1", "0" * 64, "sha256=" + "0" * 64, "v0=" + "0" * 64, "v1,AAAA", "t=1,v1=00",
    "1760000000", "9" * 400, "-1", "1e9", "\ud800", "é", "\x00", "a\r\nX: y", ",", " ", "%", "%zz",
    "a" * 100_000, ("," * 5_000), "application/x-www-form-urlencoded", "subscribe", "Basic !!",
]  # fmt: skip
_NAMES = [
    "x-hub-signature-256", "x-hub-signature", "stripe-signature", "x-slack-signature",
    "x-slack-request-timestamp", "x-shopify-hmac-sha256", "webhook-id", "webhook-timestamp",
    "webhook-signature", "svix-id", "svix-timestamp", "svix-signature", "x-twilio-signature",
    "x-square-hmacsha256-signature", "x-zm-signature", "x-zm-request-timestamp", "linear-signature",
    "x-signature-ed25519", "x-signature-timestamp", "x-twitter-webhooks-signature",
    "x-dropbox-signature", "x-xero-signature", "x-gitlab-token", "x-hook-signature",
    "x-hook-secret", "content-type", "authorization", "webhook-request-origin",
    "webhook-request-rate",
]  # fmt: skip
_BODIES = [
    b"", b"{}", b"[]", b"null", b'"x"', b"{" * 10_000, b"\xff\xfe", bytes(range(256)), b"1" * 5_000,
    b'{"type": 1}', b'{"type": 0}', b'{"type": "url_verification", "challenge": 7}',
    b'{"type": "url_verification", "challenge": "\\ud800"}', b'{"events": []}',
    b'{"event": "endpoint.url_validation", "payload": 7}',
    b'{"event": "endpoint.url_validation", "payload": {"plainToken": "\\u0000"}}',
    b'{"value": [{"clientState": null}]}', b'{"value": 7}', b'{"webhookTimestamp": {}}',
    b'{"Type": "SubscriptionConfirmation", "SubscribeURL": []}', b'{"Type": {}}',
    b'{"Type": "Notification", "Signature": 7, "TopicArn": []}', b"a=" + b"&b=" * 5_000,
]  # fmt: skip
_QUERIES = [
    "", "a", "&" * 5_000, "hub.mode=subscribe", "hub.mode=subscribe&hub.verify_token=%FF",
    "hub.mode=subscribe&hub.topic=%00&hub.challenge=x", "validationToken=%F0%9F%92%A9", "%",
    "a=%zz", "challenge=", "challenge=%0d%0a", "crc_token=%7B%7D", "crc_token=\ud800",
    "bodySHA256=x", "bodySHA256=" + "0" * 64,
]  # fmt: skip


class _Known(Secrets):
    """Secrets that are there without being read."""

    def get(self, arn: str, *, within: float) -> dict[str, str]:  # noqa: ARG002
        return {"current": "c2VjcmV0", "verify_token": "token"}

    def refresh(self, arn: str, *, within: float) -> bool:  # noqa: ARG002
        return False


def _blocks() -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for name, provider in PROVIDERS.items():
        needs = {"url": "https://x.example.com", "publicKeys": ["3" * 64], "topics": [_TOPIC]}
        verify = {"provider": name, **{need: needs[need] for need in provider.needs}}
        if provider.secret:
            verify["secretArn"] = _ARN
        blocks.append({"name": name, "paths": ["/one/*"], "methods": ["POST"], "verify": verify})
    token = {"scheme": "token", "token": "query:code", "secretArn": _ARN}
    blocks.append({"name": "token", "paths": ["/one/*"], "verify": token})
    basic = {"scheme": "basic", "secretArn": _ARN}
    blocks.append({"name": "basic", "paths": ["/one/*"], "verify": basic})
    for handshake in (
        {"kind": "websub", "topics": ["https://example.com/feed"]},
        {"kind": "cloudevents", "origins": ["eventgrid.azure.net"]},
    ):
        blocks.append({**blocks[0], "name": handshake["kind"], "handshake": handshake})
    return blocks


@pytest.mark.parametrize("block", _blocks(), ids=lambda block: block["name"])
def test_nothing_of_a_stranger_is_queued_or_raises(
    block: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hundreds of hostile requests: each is answered within milliseconds, and none is queued."""
    monkeypatch.setattr(sns, "fetch", lambda _: b"no certificate")
    monkeypatch.setattr(enrollment, "_call", lambda *_: {"SecretString": "{}"})
    file = tmp_path / "sources.json"
    file.write_text(json.dumps(entries([Source.model_validate(block)])))
    intake, chance = Intake(file, _Known()), random.Random(block["name"])
    started, statuses = time.process_time(), set()
    for _ in range(300):
        request = Envelope(
            method=chance.choice(["POST", "POST", "GET", "OPTIONS", "PUT"]),
            path=chance.choice(["/one/", "/one/a b", "/one/%2e", "/one/é", "/one/\ud800"]),
            query=chance.choice(_QUERIES),
            headers=tuple((name, chance.choice(_TEXTS)) for name in chance.sample(_NAMES, k=12)),
            body=chance.choice(_BODIES),
            received_at=0,
            address="192.0.2.1",
        )
        source, reply = intake.route(request)
        reply = reply or (intake.judge(source, request, seconds=1) if source else None)
        assert isinstance(reply, Reply), request
        assert reply.status >= 400 or reply.event == "webhook.handshake"
        http = reply.as_http("r")
        assert not any(char in value for value in http["headers"].values() for char in "\r\n\0")
        assert len(http["body"]) <= 2_000
        statuses.add(reply.status)
    assert time.process_time() - started < 5
    # 503 would page: a stranger's request is not a secret that can't be used.
    assert {401, 404, 405} <= statuses <= {200, 204, 401, 403, 404, 405}


def test_every_handshake_is_attacked() -> None:
    """The requests above reach each handshake that there is."""
    reached = {name for block in _blocks() for name in Source.model_validate(block).handshakes}
    assert reached == set(HANDSHAKES)
