"""Our signature: what an attempt carries is what a backend accepts, whatever the sender sent."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import standardwebhooks

from lambdas import signing
from lambdas.base import secrets
from lambdas.faux_backend import Answer
from lambdas.signing import Signer
from tests.emulated_aws import Aws, client
from tests.function_events import context, http_event
from tests.function_modules import Functions
from tests.waiting import eventually
from webhook_buffer.laptop.backend import ScriptedBackend
from webhook_buffer.laptop.programs.process import Running

_OLD = "whsec_" + base64.b64encode(b"o" * 24).decode()
_NEW = "whsec_" + base64.b64encode(b"n" * 64).decode()
_BODY = b'{"group_id": "g", "text": "\xc3\xa9"}'


class _Kept(secrets.Secrets):
    """Secrets that a test sets."""

    def __init__(self, **members: str) -> None:
        super().__init__()
        self.members = members

    def get(self, arn: str, *, within: float) -> dict[str, str]:  # noqa: ARG002
        if not self.members:
            raise secrets.UnavailableError
        return self.members


@pytest.mark.parametrize(
    ("members", "accepting"),
    [
        ({"current": _OLD}, [_OLD]),
        ({"current": _NEW, "previous": _OLD}, [_NEW, _OLD]),
        ({"current": _NEW}, [_NEW]),
    ],
    ids=["before", "during", "after"],
)
def test_a_rotation_is_accepted_throughout(members: dict[str, str], accepting: list[str]) -> None:
    """The specification's own library accepts an attempt with exactly the valid secrets."""
    signer = Signer("arn", _Kept(**members))
    assert signer.prepared(within=1)
    headers = signer.headers("id-1", _BODY, at=int(time.time()))
    assert headers["webhook-id"] == "id-1"
    for secret in (_OLD, _NEW):
        library = standardwebhooks.Webhook(secret)
        if secret in accepting:
            library.verify(_BODY, headers)
        else:
            with pytest.raises(standardwebhooks.WebhookVerificationError):
                library.verify(_BODY, headers)


@pytest.mark.parametrize(
    "text",
    [
        "secret", "whsec_", "whsec_%%", _OLD.removeprefix("whsec_"),
        "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
    ],
)  # fmt: skip
def test_what_is_not_a_signing_secret(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A secret of another form signs nothing, is counted, and is never shown."""
    assert not Signer("arn", _Kept(current=text)).prepared(within=1)
    [line] = map(json.loads, capsys.readouterr().out.splitlines())
    assert (line["SigningSecretUnreadable"], line["aws_error"]) == (1, "NotASigningSecret")
    assert text not in json.dumps(line)


def test_a_damaged_secret_leaves_the_last_good_one() -> None:
    """A secret that somebody damages does not stop deliveries that are signed already."""
    kept = _Kept(current=_OLD)
    signer = Signer("arn", kept)
    assert signer.prepared(within=1)
    kept.members = {"current": "damaged"}
    assert signer.prepared(within=1)
    headers = signer.headers("id-1", _BODY, at=int(time.time()))
    standardwebhooks.Webhook(_OLD).verify(_BODY, headers)


Queued = Callable[..., dict[str, Any]]


@pytest.fixture
def secret(emulator: Running) -> str:
    """The ARN of a signing secret."""
    manager = client(emulator.endpoint_url, "secretsmanager")
    created = manager.create_secret(Name=f"signing-{time.time_ns()}", SecretString=_NEW)
    return str(created["ARN"])


def test_every_attempt_is_signed(
    functions: Functions, aws: Aws, backend: ScriptedBackend, secret: str
) -> None:
    """Each attempt is signed under the first id; what the sender signed has another name."""
    theirs = {
        "webhook-id": "evt_1", "webhook-signature": "v1,theirs", "webhook-timestamp": "1",
        "webhook_id": "folded", "X-Sig": "é",
    }  # fmt: skip
    functions.publish().handler(http_event(_BODY, headers=theirs), context())
    backend.faux.script.append(Answer(500))
    module = functions.subscribe(backend.url, SIGNING_SECRET=secret)
    ids = []
    for _ in range(2):
        [record] = eventually(aws.received)
        ids.append(record["messageId"])
        module.handler({"Records": [record]}, context())
    first, second = backend.faux.received
    for seen in (first, second):
        standardwebhooks.Webhook(_NEW).verify(seen.body, dict(seen.headers))
        assert seen.headers["webhook-id"] == ids[0] == seen.headers["x-buffer-message-id"]
        assert seen.headers["x-buffer-original-webhook-id"] == "evt_1"
        assert seen.headers["x-buffer-original-webhook-signature"] == "v1,theirs"
        assert seen.headers["x-buffer-original-webhook-timestamp"] == "1"
        assert "webhook_id" not in seen.headers


def test_without_signing_a_senders_headers_pass(
    functions: Functions, aws: Aws, backend: ScriptedBackend
) -> None:
    """Where attempts are not signed, the sender's Standard Webhooks headers go out as they came."""
    theirs = {"webhook-id": "evt_1", "webhook-signature": "v1,theirs"}
    functions.publish().handler(http_event(_BODY, headers=theirs), context())
    [record] = aws.received()
    functions.subscribe(backend.url).handler({"Records": [record]}, context())
    [seen] = backend.faux.received
    assert theirs.items() <= seen.headers.items()


def test_nothing_goes_out_unsigned(
    functions: Functions, aws: Aws, backend: ScriptedBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the secret can't be read a webhook is put back unattempted, which is counted."""
    functions.publish().handler(http_event(_BODY), context())
    [record] = aws.received()
    module = functions.subscribe(
        backend.url, SIGNING_SECRET="arn:aws:secretsmanager:us-east-1:000000000000:secret:none"
    )
    reply = module.handler({"Records": [record]}, context())
    assert reply["batchItemFailures"] == [{"itemIdentifier": record["messageId"]}]
    assert not backend.faux.received
    lines = {line["event"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert lines["signing.unreadable"]["SigningSecretUnreadable"] == 1
    assert lines["webhook.unattempted"]["error"] == "NoSecret"


def test_the_source_is_named(functions: Functions, aws: Aws, backend: ScriptedBackend) -> None:
    """The backend sees which source took a webhook, and that nobody verified it."""
    # An envelope as publish writes it.
    functions.publish().handler(http_event(_BODY), context())
    [record] = aws.received()
    for verified, shown in (("hmac", "github; verified=hmac"), (None, "github; verified=none")):
        fields = json.loads(record["body"]) | {"source": "github"}
        fields |= {"verified": verified} if verified else {}
        module = functions.subscribe(backend.url)
        module.handler({"Records": [{**record, "body": json.dumps(fields)}]}, context())
        assert backend.faux.received[-1].headers["x-buffer-source"] == shown


def test_names_are_the_specifications() -> None:
    """The names by which delivery keeps a sender's own apart are those that signing writes."""
    from lambdas import delivery

    assert all(name.startswith(delivery._SIGNATURE) for name in signing.HEADERS)
