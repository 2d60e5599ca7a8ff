"""Sources end to end: an environment of the laptop with senders that are verified."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import pytest
import standardwebhooks

from lambdas.faux_backend import Answer, FauxBackend
from settings import loader
from tests.waiting import eventually
from webhook_buffer.cli import sources
from webhook_buffer.cli.app import app
from webhook_buffer.laptop import laptop
from webhook_buffer.laptop.backend import ScriptedBackend
from webhook_buffer.operations import deployment
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.send import Receipt, Sender, Webhook
from webhook_buffer.operations.smoke import Smoke

pytestmark = pytest.mark.emulator

_ARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:"
_HOOK_SECRET = "b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81"
_SIGNING_SECRET = "whsec_" + base64.b64encode(bytes(32)).decode()
# Seconds, either way.
_TOLERANCE = 4
_SECRETS = {
    "github": "geheim",
    "asana": "{}",
    "timed": "whsec_timed",
    "signing": _SIGNING_SECRET,
}
_OVERRIDES: dict[str, Any] = {
    "signing": {"secretArn": f"{_ARN}signing"},
    "monitoring": False,
    "datadog": None,
    "pathPrefix": "/hooks",
    "sources": [
        {
            "name": "github",
            "paths": ["/github"],
            "verify": {"provider": "github", "secretArn": f"{_ARN}github"},
            "groupId": ["json:repository.full_name"],
        },
        {
            "name": "asana",
            "paths": ["/asana"],
            "verify": {"provider": "asana", "secretArn": f"{_ARN}asana"},
        },
        {
            "name": "timed",
            "paths": ["/timed"],
            "verify": {
                "provider": "stripe",
                "secretArn": f"{_ARN}timed",
                "toleranceSeconds": _TOLERANCE,
            },
            "groupId": ["json:id"],
        },
        {"name": "open", "paths": ["/open/*"], "answer": {"status": 202}},
        {"name": "plain", "paths": ["/plain/*"], "groupId": ["path:2"]},
    ],
}


class _Checking(FauxBackend):
    """Answers 401 to whatever does not have our signature."""

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            standardwebhooks.Webhook(_SIGNING_SECRET).verify(body, dict(headers), json_parse=False)
        except standardwebhooks.WebhookVerificationError:
            return Answer(401)
        return super().answer(method, target, headers, body)


@dataclass(frozen=True)
class Deployed:
    """The environment, its endpoint, its backend, and what the backend listens with."""

    target: Environment
    outputs: dict[str, str]
    backend: FauxBackend
    server: ScriptedBackend

    def post(self, path: str, body: bytes, **headers: str) -> Receipt:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Sender(self.outputs["BufferedEndpoint"]).post(
            Webhook(body=body, headers=named, path=path)
        )

    def signed(self, secret: str, body: bytes, path: str = "/github") -> Receipt:
        mac = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return self.post(path, body, x_hub_signature_256=f"sha256={mac}")

    @property
    def delivered(self) -> list[tuple[str, bytes]]:
        return [(request.target, request.body) for request in self.backend.received]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """A buffer with sources, one of which anybody may use."""
    folder = tmp_path_factory.mktemp("sources")
    faux = _Checking(obey_flags=False)
    with (
        ScriptedBackend(faux) as backend,
        laptop.fresh(folder, backend.url, lambda _: nullcontext(), _OVERRIDES) as (target, outputs),
    ):
        for name, text in _SECRETS.items():
            target.secrets.create_secret(Name=name, SecretString=text)
        yield Deployed(target, dict(outputs), faux, backend)


def test_the_endpoint_has_the_prefix(deployed: Deployed) -> None:
    """What is printed as the endpoint is what senders use, prefix included."""
    assert deployed.outputs["BufferedEndpoint"].endswith("/hooks")


def test_forged_requests_are_refused_and_genuine_ones_delivered(deployed: Deployed) -> None:
    """A forged head does not stop a group: it is answered 401, and the genuine ones arrive."""
    genuine = [
        json.dumps({"repository": {"full_name": "acme/repo"}, "n": number}).encode()
        for number in range(3)
    ]
    forged = deployed.signed("guess", b'{"repository": {"full_name": "acme/repo"}, "forged": 1}')
    assert forged.status == 401
    assert "signature does not match" in forged.answer["error"]
    receipts = [deployed.signed("geheim", body) for body in genuine]
    assert [receipt.status for receipt in receipts] == [200, 200, 200]
    assert {receipt.answer["group_id"] for receipt in receipts} == {"acme/repo"}
    wanted = [("/github", body) for body in genuine]
    eventually(
        lambda: [delivery for delivery in deployed.delivered if delivery[0] == "/github"] == wanted
    )
    key = {"id": {"S": receipts[0].answer["message_id"]}}
    table = deployed.outputs["DynamoDBTable"]
    record = eventually(
        lambda: deployed.target.dynamodb.get_item(TableName=table, Key=key).get("Item")
    )
    assert record["source"] == {"S": "github"}


@pytest.mark.parametrize(
    "path", [".env", "wp-login.php", ".git/config", "phpmyadmin/", "actuator/health"]
)
def test_scanners_are_not_found(deployed: Deployed, path: str) -> None:
    """What scanners ask for is 404, and nothing of it waits in the queue."""
    assert deployed.post(f"/{path}", b"").status == 404
    assert deployment.waiting(deployed.target) == 0


def test_an_outage_outlasts_a_senders_signature(deployed: Deployed) -> None:
    """What waited longer than its signature holds arrives whole, in order, and can be verified."""
    # Soon over, so that a busy machine has most of the time either way for what is sent in time.
    sent_at = int(time.time()) + _TOLERANCE - 1
    deployed.server.refuse()
    bodies = [f'{{"id": "g", "n": {number}}}'.encode() for number in range(3)]
    signatures = [_stripe(body, sent_at) for body in bodies]
    for body, signature in zip(bodies, signatures, strict=True):
        assert deployed.post("/timed", body, stripe_signature=signature).status == 200
    eventually(lambda: time.time() - sent_at > _TOLERANCE)
    assert deployed.post("/timed", bodies[0], stripe_signature=signatures[0]).status == 401
    assert not [delivery for delivery in deployed.delivered if delivery[0] == "/timed"]
    deployed.server.resume()
    wanted = [("/timed", body) for body in bodies]
    eventually(
        lambda: [delivery for delivery in deployed.delivered if delivery[0] == "/timed"] == wanted
    )
    arrived = [
        request.headers for request in deployed.backend.received if request.target == "/timed"
    ]
    assert [headers["stripe-signature"] for headers in arrived] == signatures
    assert {headers["x-buffer-source"] for headers in arrived} == {"timed; verified=hmac"}


def _stripe(body: bytes, at: int) -> str:
    mac = hmac.new(b"whsec_timed", f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={mac}"


def test_a_source_answers_as_it_wants(deployed: Deployed) -> None:
    """An unverified source with an answer of its own takes what comes."""
    receipt = deployed.post("/open/a", b"{}")
    assert receipt.status == 202
    eventually(lambda: ("/open/a", b"{}") in deployed.delivered)


def test_smoke_tests_pass(deployed: Deployed) -> None:
    """The smoke tests know that a stranger's request is not taken, and what they can't test."""
    checks = list(Smoke(deployed.target, deployed.outputs).checks(failures=False, deliver=True))
    claims = [check.claim for check in checks]
    assert "what no source takes is refused" in claims
    assert "three webhooks of a group are delivered in order" in claims


def test_enrollment(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A secret that comes by handshake is taken while the command waits, and not before."""

    def handshake(secret: str = _HOOK_SECRET) -> int:
        return deployed.post("/asana", b"{}", x_hook_secret=secret).status

    assert handshake() == 403
    monkeypatch.setattr(sources, "load", lambda _: deployed.target.settings)
    monkeypatch.setattr(laptop, "environment", lambda _: deployed.target)
    command = ["sources", "enroll", "asana", "--minutes", "1"]
    thread = threading.Thread(target=lambda: app(command, standalone_mode=False))
    thread.start()
    eventually(lambda: handshake() == 200)
    thread.join(timeout=30)
    assert "has its secret" in capsys.readouterr().out
    body = b'{"events": []}'
    mac = hmac.new(_HOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert deployed.post("/asana", body, x_hook_signature=mac).status == 200
    assert handshake("0" * 64) == 403


def test_the_environment_is_one_that_settings_can_have() -> None:
    """The overrides of this file are valid settings of the laptop."""
    assert loader.load("local", overrides=_OVERRIDES).verified_sources == [
        "github",
        "asana",
        "timed",
    ]
