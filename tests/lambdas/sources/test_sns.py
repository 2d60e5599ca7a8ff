"""SNS: its signed messages pass, with a certificate from Amazon's hosts and of a known topic.

The messages are constructed from the specification: Amazon publishes no key to sign with.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from lambdas.base.envelope import Envelope
from lambdas.sources import schemes
from lambdas.sources.intake import Intake
from lambdas.sources.schemes import sns
from lambdas.sources.schemes.reasons import Reason
from lambdas.sources.schemes.scheme import UnreachableError
from settings.sources import Source, entries

_TOPIC = "arn:aws:sns:us-east-1:111111111111:orders"
_URL = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
_TIME = datetime(2026, 11, 26, 7, 0, tzinfo=UTC)


class _Amazon:
    """Signs messages, and serves the certificate as Amazon's hosts do."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.files = {_URL: self.certificate(_TIME + timedelta(days=1))}
        self.fetched: list[str] = []

    def certificate(self, ends: datetime) -> bytes:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(datetime(2019, 1, 1, tzinfo=UTC))
            .not_valid_after(ends)
            .sign(self.key, SHA256())
        )
        return certificate.public_bytes(Encoding.PEM)

    def fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        if url not in self.files:
            raise ValueError("nothing there")
        return self.files[url]

    def message(self, version: str = "2", **changes: Any) -> dict[str, Any]:
        """A signed message; a change to None removes a member."""
        message = {
            "Type": "Notification",
            "MessageId": "m-1",
            "TopicArn": _TOPIC,
            "Subject": "Grüße",
            "Message": '{"order": 7}',
            "Timestamp": "2026-11-26T07:00:00.123Z",
            "SignatureVersion": version,
            "SigningCertURL": _URL,
            **changes,
        }
        message = {name: value for name, value in message.items() if value is not None}
        names = sns._SIGNED[str(message["Type"])]
        text = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
        algorithm = SHA1() if version == "1" else SHA256()  # noqa: S303 - SNS's version 1
        signature = self.key.sign(text.encode(), PKCS1v15(), algorithm)
        return {**message, "Signature": base64.b64encode(signature).decode()}


@pytest.fixture(scope="module")
def key() -> _Amazon:
    """Its key takes a moment to make."""
    return _Amazon()


@pytest.fixture
def amazon(key: _Amazon, monkeypatch: pytest.MonkeyPatch) -> _Amazon:
    """Amazon, in place of its hosts."""
    key.fetched = []
    monkeypatch.setattr(sns, "fetch", key.fetch)
    return key


def test_a_certificate_that_is_not_valid_now_proves_nothing(amazon: _Amazon) -> None:
    """A message that was signed with it is wrong, however genuine its signature is."""
    for year in (2018, 2026):
        signed_at = datetime(year, 12, 1, tzinfo=UTC)
        message = amazon.message(Timestamp=signed_at.isoformat())
        minutes = (signed_at - _TIME) / timedelta(minutes=1)
        assert _check(message, minutes=minutes) is Reason.WRONG


def _check(message: object, *, minutes: float = 0) -> Reason | None:
    """The verdict of a fresh scheme, some minutes after the message was sent."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    scheme = schemes.build({"scheme": "sns", "topics": [_TOPIC], "tolerance": 3600})
    request = Envelope("POST", "/sns", "", (), body, 0)
    return scheme.check(request, (), _TIME.timestamp() + 60 * minutes)


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", ["Grüße", None])
def test_genuine_messages_pass(amazon: _Amazon, version: str, subject: str | None) -> None:
    """A notification passes with either version of the signature, and with or without a subject."""
    assert _check(amazon.message(version, Subject=subject)) is None
    assert amazon.fetched == [_URL]


def test_what_is_signed_is_as_amazon_publishes_it(amazon: _Amazon) -> None:
    """The example of a string to sign in Amazon's guide is what a signature has to cover.

    Source: SNS developer guide, "Verifying the signatures of Amazon SNS messages".
    """
    topic = "arn:aws:sns:us-east-1:123456789012:s4-MySNSTopic-1G1WEFCOXTC0P"
    members = {
        "Message": "My Test Message",
        "MessageId": "4d4dc071-ddbf-465d-bba8-08f81c89da64",
        "Subject": "My subject",
        "Timestamp": "2019-01-31T04:37:04.321Z",
        "TopicArn": topic,
        "Type": "Notification",
    }
    text = (
        "Message\nMy Test Message\nMessageId\n4d4dc071-ddbf-465d-bba8-08f81c89da64\n"
        "Subject\nMy subject\nTimestamp\n2019-01-31T04:37:04.321Z\n"
        f"TopicArn\n{topic}\nType\nNotification\n"
    )
    scheme = schemes.build({"scheme": "sns", "topics": [topic], "tolerance": 3600})
    for version, algorithm in (("1", SHA1()), ("2", SHA256())):  # noqa: S303 - SNS's version 1
        signature = base64.b64encode(amazon.key.sign(text.encode(), PKCS1v15(), algorithm)).decode()
        message = {
            **members, "SignatureVersion": version, "SigningCertURL": _URL, "Signature": signature,
        }  # fmt: skip
        request = Envelope("POST", "/sns", "", (), json.dumps(message).encode(), 0)
        now = datetime.fromisoformat(members["Timestamp"]).timestamp()
        assert scheme.check(request, (), now) is None


def test_confirmations_pass_and_are_confirmed_at_amazon_only(amazon: _Amazon) -> None:
    """A confirmation's URL counts if it is Amazon's, in the topic's region."""
    where = "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=a&Token=b"
    message = amazon.message(
        Type="SubscriptionConfirmation", Subject=None, Token="t", SubscribeURL=where
    )
    assert _check(message) is None
    request = Envelope("POST", "/sns", "", (), json.dumps(message).encode(), 0)
    assert sns.confirmation_url(request) == where
    for foreign in (
        "https://sns.us-east-1.amazonaws.com.evil.example/?Action=ConfirmSubscription&a=b",
        "https://evil.example/?Action=ConfirmSubscription&a=sns.us-east-1.amazonaws.com",
        "http://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&a=b",
        "https://sns.us-east-1.amazonaws.com/?Action=DeleteTopic&a=b",
        "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&a=b",
        "https://user@sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&a=b",
        where + "\n",
        7,
        None,
    ):
        body = json.dumps({**message, "SubscribeURL": foreign}).encode()
        assert sns.confirmation_url(Envelope("POST", "/sns", "", (), body, 0)) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.update(Message="x"),
        lambda m: m.update(Subject="x"),
        lambda m: m.update(MessageId="x"),
        lambda m: m.update(Timestamp="2026-11-26T07:00:00.124Z"),
        lambda m: m.update(Signature=base64.b64encode(b"x" * 256).decode()),
        lambda m: m.update(Signature="é"),
        lambda m: m.update(Signature=m["Signature"] + " "),
        lambda m: m.update(SignatureVersion="1"),
        lambda m: m.pop("Subject"),
    ],
)
def test_changed_messages_are_refused(
    amazon: _Amazon, change: Callable[[dict[str, Any]], object]
) -> None:
    """Whatever is signed can't be another."""
    message = amazon.message()
    change(message)
    assert _check(message) is Reason.WRONG


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"TopicArn": _TOPIC + "2"}, Reason.FOREIGN),
        ({"SigningCertURL": "https://evil.example/SimpleNotificationService-0123456789abcdef.pem"},
         Reason.FOREIGN),
        ({"SigningCertURL": _URL.replace("https", "http")}, Reason.FOREIGN),
        ({"SigningCertURL": _URL.replace("us-east-1", "eu-west-1")}, Reason.FOREIGN),
        ({"SigningCertURL": _URL.replace(".com/", ".com.evil.example/")}, Reason.FOREIGN),
        ({"SigningCertURL": _URL.replace("sns.", "x@sns.")}, Reason.FOREIGN),
        ({"SigningCertURL": _URL + "?x"}, Reason.FOREIGN),
        ({"SigningCertURL": _URL + "\n"}, Reason.FOREIGN),
        ({"SigningCertURL": None}, Reason.FOREIGN),
        ({"SignatureVersion": "3"}, Reason.MALFORMED),
        ({"Timestamp": "yesterday"}, Reason.MALFORMED),
        ({"Timestamp": "2026-11-26T07:00:00"}, Reason.MALFORMED),
        ({"Timestamp": None}, Reason.MALFORMED),
        ({"Timestamp": "0001-01-01T00:00:00+23:59"}, Reason.OLD),
    ],
)  # fmt: skip
def test_foreign_and_malformed_messages_are_refused(
    amazon: _Amazon, changes: dict[str, Any], reason: Reason
) -> None:
    """A topic or certificate of somebody else is refused, and nothing is fetched for it."""
    assert _check(amazon.message(**changes)) is reason
    assert amazon.fetched == []


def test_what_is_no_message_is_refused(amazon: _Amazon) -> None:
    """Anything but SNS's JSON is refused, a raw message included."""
    for body in (b"", b"raw", b"[]", b"{}", b'{"Type": "Notification"}', b'{"Type": []}'):
        assert _check(body) is Reason.MISSING
    assert _check({**amazon.message(), "Message": 7}) is Reason.MALFORMED
    assert _check({**amazon.message(), "Timestamp": None}) is Reason.MALFORMED


def test_messages_expire(amazon: _Amazon) -> None:
    """A message is good for an hour, as long as SNS itself keeps trying."""
    assert _check(amazon.message(), minutes=59) is None
    assert _check(amazon.message(), minutes=61) is Reason.OLD
    assert _check(amazon.message(), minutes=-61) is Reason.EARLY


def test_a_certificate_is_fetched_once(amazon: _Amazon) -> None:
    """Messages after the first need nothing but their own signature's check."""
    scheme = schemes.build({"scheme": "sns", "topics": [_TOPIC], "tolerance": 3600})
    request = Envelope("POST", "/", "", (), json.dumps(amazon.message()).encode(), 0)
    for _ in range(3):
        assert scheme.check(request, (), _TIME.timestamp()) is None
    assert amazon.fetched == [_URL]


def _other(number: int) -> str:
    """The URL of another certificate."""
    return f"{_URL.removesuffix('0123456789abcdef.pem')}{number:032x}.pem"


def test_topics_of_many_regions_have_their_certificates_fetched_once_each(
    amazon: _Amazon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many regions a source has topics in, each region's certificate is kept."""
    regions = [f"us-east-{number}" for number in range(1, 10)]
    topics = [_TOPIC.replace("us-east-1", region) for region in regions]
    urls = [_URL.replace("us-east-1", region) for region in regions]
    for url in urls:
        monkeypatch.setitem(amazon.files, url, amazon.files[_URL])
    scheme = schemes.build({"scheme": "sns", "topics": topics, "tolerance": 3600})
    for topic, url in 2 * list(zip(topics, urls, strict=True)):
        message = amazon.message(TopicArn=topic, SigningCertURL=url)
        request = Envelope("POST", "/", "", (), json.dumps(message).encode(), 0)
        assert scheme.check(request, (), _TIME.timestamp()) is None
    assert amazon.fetched == urls


class _Container:
    """A container that has no certificate yet, and what it says of each message."""

    def __init__(self, amazon: _Amazon) -> None:
        self._amazon = amazon
        self._scheme = schemes.build({"scheme": "sns", "topics": [_TOPIC], "tolerance": 3600})

    def forged(self, number: int, sender: str) -> Reason | str | None:
        return self.receives(_other(number), sender)

    def receives(self, url: str, sender: str) -> Reason | str | None:
        body = json.dumps(self._amazon.message(SigningCertURL=url)).encode()
        request = Envelope("POST", "/", "", (), body, 0, address=sender)
        try:
            return self._scheme.check(request, (), _TIME.timestamp())
        except UnreachableError:
            return "unreachable"


@pytest.mark.parametrize("sender", ["192.0.2.1", "2001:db8::{}", ""])
def test_a_stranger_does_not_use_up_the_fetches_of_others(amazon: _Amazon, sender: str) -> None:
    """However many certificates a stranger names, few are fetched, and Amazon's still is."""
    container = _Container(amazon)
    for number in range(100):
        assert container.forged(number, sender.format(number)) is Reason.WRONG
    assert len(amazon.fetched) == 3
    assert container.receives(_URL, "198.51.100.7") is None
    # The stranger's copy of a genuine message needs no fetch any more.
    assert container.receives(_URL, sender.format(1)) is None


def test_certificates_of_the_past_do_not_push_out_the_present_one(
    amazon: _Amazon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Amazon may still serve them, and a stranger may know all of them."""
    for number in range(20):
        expired = amazon.certificate(_TIME - timedelta(days=1))
        monkeypatch.setitem(amazon.files, _other(number), expired)
    container = _Container(amazon)
    assert container.receives(_URL, "198.51.100.7") is None
    for number in range(60):
        assert container.forged(number % 20, "192.0.2.1") is Reason.WRONG
    assert container.receives(_URL, "198.51.100.7") is None
    assert amazon.fetched == [_URL, *map(_other, range(3))]


def test_all_strangers_together_do_not_make_a_container_fetch_for_ever(amazon: _Amazon) -> None:
    """Whoever they are, so many are fetched in a minute; after it Amazon's is again."""
    container = _Container(amazon)
    verdicts = {container.forged(number, f"192.0.2.{number}") for number in range(100)}
    assert verdicts == {Reason.WRONG, "unreachable"}
    assert len(amazon.fetched) == sns._MOST_FETCHES
    assert container.receives(_URL, "198.51.100.7") == "unreachable"


def test_what_is_no_certificate_is_fetched_once_a_minute(
    amazon: _Amazon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever names it, and no longer: Amazon may have put it there meanwhile."""
    container, now = _Container(amazon), [0.0]
    monkeypatch.setattr("lambdas.sources.schemes.sns.time.monotonic", lambda: now[0])
    for sender in range(50):
        assert container.forged(1, f"192.0.2.{sender}") is Reason.WRONG
    assert len(amazon.fetched) == 1
    now[0] += 61
    amazon.files[amazon.fetched[0]] = amazon.files[_URL]
    assert container.forged(1, "198.51.100.7") is None
    del amazon.files[amazon.fetched[0]]


def test_a_certificate_that_can_not_be_fetched_is_tried_again(
    amazon: _Amazon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Amazon's own messages are refused as unverifiable, never as wrong, while its host is away."""
    container = _Container(amazon)

    def away(_: str) -> bytes:
        raise UnreachableError

    with monkeypatch.context() as patch:
        patch.setattr(sns, "fetch", away)
        for _ in range(10):
            assert container.receives(_URL, "198.51.100.7") == "unreachable"
    assert container.receives(_URL, "198.51.100.7") is None


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_host_that_asks_for_patience_says_nothing_of_a_message(
    key: _Amazon, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """SNS does not repeat what is answered 401, so Amazon's throttling must not become one."""
    container, answers = _Container(key), [(status, b""), (200, key.files[_URL])]
    monkeypatch.setattr("lambdas.sources.schemes.sns.http.send", lambda *_, **__: answers.pop(0))
    assert container.receives(_URL, "198.51.100.7") == "unreachable"
    assert container.receives(_URL, "198.51.100.7") is None


def test_hosts_are_those_of_the_topic_s_partition() -> None:
    """China's topics have China's hosts, and the others the others."""
    path = "SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
    for topic, host, known in (
        ("arn:aws:sns:eu-west-1:1:t", "sns.eu-west-1.amazonaws.com", True),
        ("arn:aws:sns:eu-west-1:1:t", "sns.eu-west-1.amazonaws.com.cn", False),
        ("arn:aws-cn:sns:cn-north-1:1:t", "sns.cn-north-1.amazonaws.com.cn", True),
        ("arn:aws-cn:sns:cn-north-1:1:t", "sns.cn-north-1.amazonaws.com", False),
        ("arn:aws-us-gov:sns:us-gov-west-1:1:t", "sns.us-gov-west-1.amazonaws.com", True),
    ):
        assert sns._is_amazons(f"https://{host}/{path}", sns._CERTIFICATE, topic) is known


def _confirmation(amazon: _Amazon, where: str, **changes: Any) -> Envelope:
    message = amazon.message(
        Type="SubscriptionConfirmation", Subject=None, Token="t", SubscribeURL=where, **changes
    )
    return Envelope("POST", "/sns", "", (), json.dumps(message).encode(), 0)


_CONFIRM = "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=a&Token=b"


@pytest.mark.parametrize(
    ("changes", "where", "status", "fetched"),
    [
        ({}, _CONFIRM, 200, [_URL, _CONFIRM]),
        ({"TopicArn": _TOPIC + "2"}, _CONFIRM, 401, []),
        ({}, "https://evil.example/?Action=ConfirmSubscription&a=b", 403, [_URL]),
        ({}, _CONFIRM + "gone", 403, [_URL, _CONFIRM + "gone"]),
    ],
)
def test_a_subscription_is_confirmed_for_known_topics_at_amazon(
    amazon: _Amazon,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    where: str,
    status: int,
    fetched: list[str],
) -> None:
    """A verified confirmation of a known topic is confirmed, and nothing else is ever fetched."""
    monkeypatch.setitem(amazon.files, _CONFIRM, b"<ConfirmSubscriptionResponse/>")
    monkeypatch.setattr("lambdas.sources.verification.time.time", _TIME.timestamp)
    verify = {"provider": "sns", "topics": [_TOPIC]}
    block = Source.model_validate({"name": "sns", "paths": ["/sns"], "verify": verify})
    file = tmp_path / "sources.json"
    file.write_text(json.dumps(entries([block])))
    intake = Intake(file)
    request = _confirmation(amazon, where, **changes)
    source, _ = intake.route(request)
    assert source
    reply = intake.judge(source, request, seconds=5)
    assert reply
    assert reply.status == status
    assert amazon.fetched == fetched
