"""Handshakes: answered as each provider documents, bounded, and never queued."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any, get_args
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lambdas.sources.handshakes import HANDSHAKES
from lambdas.sources.providers import PROVIDERS
from settings import sources as settings_of_sources
from tests.emulated_aws import Aws, client
from tests.function_events import context, http_event
from tests.lambdas.sources.conftest import Publish
from webhook_buffer.laptop.programs.process import Running

Secret = Callable[[str], str]
_META = '{"current": "app-secret", "verify_token": "let-me-in"}'


def _source(arn: str | None = None, **parts: Any) -> dict[str, Any]:
    verify = parts.pop("verify", None) or ({"secretArn": arn} if arn else None)
    block = {"name": "one", "paths": ["/one"], **parts}
    return {**block, "verify": verify} if verify else block


def _of(provider: str, arn: str) -> dict[str, Any]:
    return _source(verify={"provider": provider, "secretArn": arn})


def _asked(module: ModuleType, **event: Any) -> dict[str, Any]:
    """The answer to a request; handshakes are nothing for the queue."""
    reply: dict[str, Any] = module.handler(http_event(path="/one", **event), context())
    return reply


def _is_echo(reply: dict[str, Any], text: str) -> None:
    assert (reply["statusCode"], reply["body"]) == (200, text)
    assert reply["headers"]["Content-Type"] == "text/plain; charset=utf-8"
    assert reply["headers"]["X-Content-Type-Options"] == "nosniff"


def _hmac(secret: str, text: str | bytes) -> bytes:
    raw = text.encode() if isinstance(text, str) else text
    return hmac.new(secret.encode(), raw, hashlib.sha256).digest()


def test_every_handshake_can_be_named_and_every_provider_s_exists() -> None:
    """Settings name the handshakes that there are, and providers bring some of these."""
    assert set(get_args(settings_of_sources.Kind)) == set(HANDSHAKES)
    brought = {name for provider in PROVIDERS.values() for name in provider.handshakes}
    assert brought <= set(HANDSHAKES)
    assert set(HANDSHAKES) - brought == {"websub", "cloudevents"}


def test_meta(publish: Publish, aws: Aws, secret: Secret) -> None:
    """The challenge is echoed for the configured token only."""
    module = publish(_of("meta", secret(_META)))
    query = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
    _is_echo(_asked(module, method="GET", query=query + "let-me-in"), "1158201444")
    for token in ("", "other", "let-me-in%00", "app-secret"):
        assert _asked(module, method="GET", query=query + token)["statusCode"] == 403
    assert _asked(module, method="GET", query="a=b")["statusCode"] == 405
    assert aws.waiting() == 0


def test_meta_without_a_token(publish: Publish, secret: Secret) -> None:
    """A secret without a verify token confirms nobody's subscription."""
    module = publish(_of("meta", secret("app-secret")))
    query = "hub.mode=subscribe&hub.challenge=1&hub.verify_token="
    assert _asked(module, method="GET", query=query)["statusCode"] == 403


def test_websub(publish: Publish, secret: Secret) -> None:
    """The settings' topics are subscribed to and others are not; a stranger's wish is not found."""
    topic = "https://example.com/feed?a=b"
    arn = secret('{"current": "hub-secret", "verify_token": "let-me-in"}')
    verify = {"scheme": "hmac", "header": "X-Hub-Signature", "signed": "{body}", "secretArn": arn}
    handshake = {"kind": "websub", "topics": [topic]}
    module = publish(_source(handshake=handshake, verify=verify))
    wishes = {
        ("subscribe", topic): 200,
        ("subscribe", "https://x/"): 404,
        ("unsubscribe", topic): 404,
        ("unsubscribe", "https://x/"): 200,
    }
    for (mode, about), status in wishes.items():
        query = f"hub.challenge=abc&hub.mode={mode}&hub.topic={quote(about, safe='')}"
        ours = _asked(module, method="GET", query=f"verify_token=let-me-in&{query}")
        assert (ours["statusCode"], ours["body"] == "abc") == (status, status == 200)
        for token in (
            "",
            "verify_token=&",
            "verify_token=hub-secret&",
            "hub.verify_token=let-me-in&",
        ):
            assert _asked(module, method="GET", query=token + query)["statusCode"] == 404


def test_websub_without_a_token(publish: Publish, secret: Secret) -> None:
    """A secret without a token confirms nobody's subscription."""
    verify = {"scheme": "token", "token": "query:code", "secretArn": secret("s")}
    module = publish(_source(handshake={"kind": "websub", "topics": ["https://x/"]}, verify=verify))
    query = "hub.challenge=abc&hub.mode=subscribe&hub.topic=https://x/&verify_token="
    assert _asked(module, method="GET", query=query)["statusCode"] == 404


def test_slack(publish: Publish, aws: Aws, secret: Secret) -> None:
    """Slack's challenge is echoed once its signature was verified."""
    module = publish(_of("slack", secret("signing")))
    body = b'{"type": "url_verification", "challenge": "3eZbrw1aBm2r", "token": "x"}'

    def signed(key: str) -> dict[str, Any]:
        now = str(round(time.time()))
        mac = _hmac(key, f"v0:{now}:".encode() + body).hex()
        headers = {"x-slack-signature": f"v0={mac}", "x-slack-request-timestamp": now}
        return _asked(module, body=body, headers=headers)

    _is_echo(signed("signing"), "3eZbrw1aBm2r")
    assert signed("guess")["statusCode"] == 401
    assert aws.waiting() == 0


def test_microsoft_graph(publish: Publish, aws: Aws, secret: Secret) -> None:
    """The validation token is echoed decoded, as plain text that no browser takes for a page."""
    module = publish(_of("microsoft-graph", secret("state")))
    token = "Validation: Testing client application reachability for subscription: 1-2"
    _is_echo(_asked(module, query=f"validationToken={quote(token)}"), token)
    _is_echo(_asked(module, query="validationToken=%3Cscript%3E"), "<script>")
    for wrong in ("%00", "%C3%A9", "a%0D%0ASet-Cookie:x", "a" * 1025):
        assert _asked(module, query=f"validationToken={wrong}")["statusCode"] == 403
    assert aws.waiting() == 0
    body = b'{"value": [{"clientState": "state"}]}'
    assert _asked(module, body=body)["statusCode"] == 200
    assert aws.waiting() == 1


def test_dropbox(publish: Publish, secret: Secret) -> None:
    """The challenge of a GET is echoed."""
    module = publish(_of("dropbox", secret("s")))
    _is_echo(_asked(module, method="GET", query="challenge=a-1"), "a-1")


def test_x_crc(publish: Publish, secret: Secret) -> None:
    """X's token is signed, and nothing that could be a webhook's body ever is."""
    module = publish(_of("x", secret("consumer")))
    reply = _asked(module, method="GET", query="crc_token=MDk2YTVkNjQ%3D&nonce=1")
    mac = base64.b64encode(_hmac("consumer", "MDk2YTVkNjQ=")).decode()
    assert json.loads(reply["body"]) == {"response_token": f"sha256={mac}"}
    for text in ('{"forged":1}', "[1]", "a b", '"x"', "a" * 257):
        query = f"crc_token={quote(text)}"
        assert _asked(module, method="GET", query=query)["statusCode"] == 403


def test_a_token_that_x_s_handshake_signed_is_no_webhook(
    publish: Publish, aws: Aws, secret: Secret
) -> None:
    """Anybody gets a token signed by asking; with that signature it is not a webhook."""
    module = publish(_of("x", secret("consumer")))
    for token in ("1", "null", "A" * 256):
        reply = _asked(module, method="GET", query=f"crc_token={token}")
        headers = {"x-twitter-webhooks-signature": json.loads(reply["body"])["response_token"]}
        assert _asked(module, body=token.encode(), headers=headers)["statusCode"] == 401
    body = b'{"for_user_id": "1"}'
    mac = base64.b64encode(_hmac("consumer", body)).decode()
    headers = {"x-twitter-webhooks-signature": f"sha256={mac}"}
    assert _asked(module, body=body, headers=headers)["statusCode"] == 200
    assert aws.waiting() == 1


def test_a_timestamp_before_an_empty_body_is_a_token(publish: Publish, secret: Secret) -> None:
    """In a scheme of one's own, what is signed beside the body may make a token of an empty one."""
    verify = {
        "scheme": "hmac", "header": "x-sign", "encoding": "base64", "secretArn": secret("key"),
        "signed": "{timestamp}.{body}", "timestamp": "header:x-time",
    }  # fmt: skip
    module = publish(_source(verify=verify, handshake={"kind": "x-crc"}))
    now = str(round(time.time()))
    reply = _asked(module, method="GET", query=f"crc_token={now}.")
    signature = json.loads(reply["body"])["response_token"].removeprefix("sha256=")
    headers = {"x-sign": signature, "x-time": now}
    assert _asked(module, headers=headers)["statusCode"] == 401


def test_zoom(publish: Publish, aws: Aws, secret: Secret) -> None:
    """Zoom's validation is signed, verified first, and answered again whenever it comes."""
    module = publish(_of("zoom", secret("token")))

    def validated(plain: str, key: str = "token") -> dict[str, Any]:
        body = json.dumps({"event": "endpoint.url_validation", "payload": {"plainToken": plain}})
        now = str(round(time.time()))
        mac = _hmac(key, f"v0:{now}:{body}").hex()
        headers = {"x-zm-signature": f"v0={mac}", "x-zm-request-timestamp": now}
        return _asked(module, body=body, headers=headers)

    for _ in range(2):
        reply = validated("qgg8vlvZRS6UYooatFL8Aw")
        expected = _hmac("token", "qgg8vlvZRS6UYooatFL8Aw").hex()
        assert json.loads(reply["body"]) == {
            "plainToken": "qgg8vlvZRS6UYooatFL8Aw",
            "encryptedToken": expected,
        }
    assert validated("x", "guess")["statusCode"] == 401
    assert validated('v0:1:{"event":"x"}')["statusCode"] == 403
    assert aws.waiting() == 0


def test_cloudevents(publish: Publish) -> None:
    """An origin that settings name may send, at the rate that it asks for."""
    module = publish(_source(handshake={"kind": "cloudevents", "origins": ["eventgrid.azure.net"]}))
    headers = {"webhook-request-origin": "eventgrid.azure.net", "webhook-request-rate": "120"}
    reply = _asked(module, method="OPTIONS", headers=headers)
    assert reply["statusCode"] == 200
    assert reply["headers"]["WebHook-Allowed-Origin"] == "eventgrid.azure.net"
    assert reply["headers"]["WebHook-Allowed-Rate"] == "120"
    headers["webhook-request-rate"] = "1\r\nX: y"
    answered = _asked(module, method="OPTIONS", headers=headers)["headers"]
    assert answered["WebHook-Allowed-Rate"] == "*"
    foreign = {"webhook-request-origin": "evil.example"}
    assert _asked(module, method="OPTIONS", headers=foreign)["statusCode"] == 403
    assert _asked(module, method="OPTIONS")["statusCode"] == 405


@pytest.mark.parametrize(
    ("document", "status", "body", "queued"),
    [
        ({"type": 1}, 200, {"type": 1}, 0),
        ({"version": 1, "application_id": "1", "type": 0}, 204, "", 0),
        ({"version": 1, "application_id": "1", "type": 1, "event": {"type": "X"}}, 204, "", 1),
        ({"type": 2, "data": {}}, 204, "", 1),
    ],
)
def test_discord(
    publish: Publish, aws: Aws, document: dict[str, Any], status: int, body: Any, queued: int
) -> None:
    """Discord's two PINGs are answered as each wants it, and events of the same type are queued."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public = key.public_key().public_bytes_raw().hex()
    module = publish(_source(verify={"provider": "discord", "publicKeys": [public]}))
    raw, now = json.dumps(document).encode(), str(round(time.time()))
    headers = {
        "x-signature-ed25519": key.sign(now.encode() + raw).hex(),
        "x-signature-timestamp": now,
    }
    reply = _asked(module, body=raw, headers=headers)
    assert reply["statusCode"] == status
    if body is not None:
        assert (json.loads(reply["body"]) if body else reply["body"]) == body
    assert aws.waiting() == queued
    headers["x-signature-ed25519"] = "00" * 64
    assert _asked(module, body=raw, headers=headers)["statusCode"] == 401


def test_xero(publish: Publish, aws: Aws, secret: Secret) -> None:
    """The intent to receive: 200 without a body for a right signature, 401 for a wrong one."""
    module = publish(_of("xero", secret("key")))
    body = b'{"events":[],"lastEventSequence": 0,"firstEventSequence": 0,"entropy": "S0m3r4Nd"}'

    def signed(key: str, raw: bytes = body) -> dict[str, Any]:
        mac = base64.b64encode(_hmac(key, raw)).decode()
        return _asked(module, body=raw, headers={"x-xero-signature": mac})

    assert (signed("key")["statusCode"], signed("key")["body"]) == (200, "")
    # Source: Xero's page: "There is no body in the response", whatever the request was.
    refused, queued = signed("guess"), signed("key", b'{"events":[{"eventType":"UPDATE"}]}')
    assert (refused["statusCode"], refused["body"]) == (401, "")
    assert (queued["statusCode"], queued["body"]) == (200, "")
    assert aws.waiting() == 1


def test_xero_s_refusals_have_no_body(publish: Publish, secret: Secret) -> None:
    """Nor has what is refused by its method, its address or its altered body."""
    module = publish({**_of("xero", secret("key")), "allowedIps": ["192.0.2.0/24"]})
    for event, status in (
        ({"method": "DELETE"}, 405),
        ({"address": "203.0.113.1"}, 403),
        ({"address": "192.0.2.1", "body": "\ufffd", "headers": {"content-length": "1"}}, 415),
    ):
        reply = _asked(module, **event)
        assert (reply["statusCode"], reply["body"]) == (status, "")


def test_handshakes_are_logged_as_such(
    publish: Publish, secret: Secret, capsys: pytest.CaptureFixture[str]
) -> None:
    """An answered handshake is a line of its own, with its source and nothing of its content."""
    module = publish(_of("dropbox", secret("s")))
    _asked(module, method="GET", query="challenge=a-1")
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (line["event"], line["source"], line["level"]) == ("webhook.handshake", "one", "INFO")
    assert "a-1" not in json.dumps(line)


_HOOK_SECRET = "b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81"


def _stored(emulator: Running, arn: str) -> dict[str, str]:
    manager = client(emulator.endpoint_url, "secretsmanager")
    secret: dict[str, str] = json.loads(manager.get_secret_value(SecretId=arn)["SecretString"])
    return secret


def _window(seconds: float) -> str:
    until = str(round(time.time() + seconds))
    return json.dumps({"enrollment": "0123456789abcdef0123456789abcdef", "until": until})


def test_asana_s_secret_is_taken_once(
    publish: Publish, secret: Secret, emulator: Running, aws: Aws
) -> None:
    """Within a window the first secret is taken and verifies from then on; no other ever is."""
    arn = secret(_window(600))
    module = publish(_of("asana", arn))
    reply = _asked(module, headers={"x-hook-secret": _HOOK_SECRET})
    assert (reply["statusCode"], reply["headers"]["X-Hook-Secret"]) == (200, _HOOK_SECRET)
    assert _stored(emulator, arn) == {"current": _HOOK_SECRET}
    # In another container, which knows what is stored; and in one that does not know yet.
    for other in (publish(_of("asana", arn)), module):
        assert _asked(other, headers={"x-hook-secret": "0" * 64})["statusCode"] == 403
    assert _stored(emulator, arn) == {"current": _HOOK_SECRET}
    again = _asked(publish(_of("asana", arn)), headers={"x-hook-secret": _HOOK_SECRET})
    assert again["statusCode"] == 200
    assert aws.waiting() == 0


def test_asana_s_first_webhook_follows_at_once(publish: Publish, secret: Secret, aws: Aws) -> None:
    """The container that took a secret verifies with it from the next request on."""
    module = publish(_of("asana", secret(_window(600))))
    assert _asked(module, headers={"x-hook-secret": _HOOK_SECRET})["statusCode"] == 200
    mac = _hmac(_HOOK_SECRET, b'{"events": []}').hex()
    signed = _asked(module, body=b'{"events": []}', headers={"x-hook-signature": mac})
    assert signed["statusCode"] == 200
    assert aws.waiting() == 1


_CLOSED = json.dumps({"enrollment": "0123456789abcdef0123456789abcdef", "until": "1"})


@pytest.mark.parametrize("text", ["{}", '{"current": "other"}', _CLOSED, "plain"])
def test_asana_s_secret_is_not_taken_outside_of_a_window(
    publish: Publish, secret: Secret, emulator: Running, text: str
) -> None:
    """Without an open window nothing is taken, and nothing that is there is overwritten."""
    arn = secret(text)
    module = publish(_of("asana", arn))
    assert _asked(module, headers={"x-hook-secret": _HOOK_SECRET})["statusCode"] == 403
    manager = client(emulator.endpoint_url, "secretsmanager")
    assert manager.get_secret_value(SecretId=arn)["SecretString"] == text


def test_asana_s_handshake_has_its_secret_read_seldom(
    publish: Publish,
    secret: Secret,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whoever sends one every 2 seconds: once there is a secret, it is read as any other is."""
    for text, reads in (('{"current": "other"}', 1), ("{}", 10)):
        module = publish(_of("asana", secret(text)))
        kept, now = module.CONFIG.sources._secrets, 0.0
        for now in range(1_000, 1_060, 2):
            monkeypatch.setattr(kept, "_clock", lambda now=now: float(now))
            reply = _asked(module, headers={"x-hook-secret": _HOOK_SECRET})
            assert reply["statusCode"] == 403
        assert capsys.readouterr().out.count('"secret.read"') == reads


@pytest.mark.parametrize("wrong", ["a b", "é", "", "x" * 257, "a\r\nX: y"])
def test_what_is_not_a_secret_is_not_taken(
    publish: Publish, secret: Secret, emulator: Running, wrong: str
) -> None:
    """A header that could not be a secret, or would break an answer, is refused."""
    arn = secret(_window(600))
    reply = _asked(publish(_of("asana", arn)), headers={"x-hook-secret": wrong})
    assert reply["statusCode"] in (401, 403, 503)
    assert "enrollment" in _stored(emulator, arn)
