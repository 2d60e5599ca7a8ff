"""Schemes: what is genuine passes, and anything else is refused without an exception."""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
import standardwebhooks

from lambdas.base.envelope import Envelope
from lambdas.sources import schemes
from lambdas.sources.providers import PROVIDERS
from lambdas.sources.schemes.reasons import Reason
from lambdas.sources.schemes.scheme import SecretFormError
from tests.lambdas.sources import mutations
from tests.lambdas.sources.vectors import TIME, VECTORS, Vector

_IDS = [f"{number}-{vector.provider}" for number, vector in enumerate(VECTORS)]
_EACH = pytest.mark.parametrize("vector", VECTORS, ids=_IDS)
# Their body is not signed.
_TOKENS = {"gitlab", "microsoft-graph"}
_TIMED = [
    vector
    for vector in VECTORS
    if "timestamp" in PROVIDERS[vector.provider].spec and vector.provider != "linear"
]


def _check(vector: Vector, now: float | None = None, **changes: Any) -> Reason | None:
    """The verdict about a vector's request with some of its parts changed."""
    request = vector.request._replace(**changes)
    return vector.verification.checked_with(
        [vector.secret], request, vector.now if now is None else now
    )


def _with(vector: Vector, name: str, value: str | None) -> tuple[tuple[str, str], ...]:
    """The vector's headers with another value of one, or without it."""
    headers = {**vector.headers, name: value or ""}
    if value is None:
        del headers[name]
    return tuple(headers.items())


def _header(vector: Vector) -> str:
    """The header of the signature or token."""
    spec = PROVIDERS[vector.provider].spec
    return str(spec.get("header") or spec["token"].removeprefix("header:"))


@_EACH
def test_genuine_requests_pass(vector: Vector) -> None:
    """The request that the provider, its SDK or its specification says is genuine passes."""
    assert _check(vector) is None


def test_every_provider_has_a_proof() -> None:
    """Each provider has a genuine request here, and says in the table whose it is."""
    proofs = {vector.provider: vector.proof for vector in VECTORS}
    proofs["sns"] = PROVIDERS["sns"].proof  # tests/lambdas/sources/test_sns.py
    assert proofs == {name: provider.proof for name, provider in PROVIDERS.items()}


@_EACH
def test_two_secrets_during_a_rotation(vector: Vector) -> None:
    """Either of two secrets passes, in any order; none and wrong ones do not."""
    other = "03" * 32 if vector.provider == "discord" else "whsec_b3RoZXI="
    check = vector.verification.scheme.check
    for secrets in ([vector.secret, other], [other, vector.secret]):
        assert check(vector.request, secrets, vector.now) is None
    assert check(vector.request, [other], vector.now) is Reason.WRONG
    assert check(vector.request, [], vector.now) is Reason.WRONG


@pytest.mark.parametrize("vector", [v for v in VECTORS if v.provider not in _TOKENS], ids=str)
def test_a_changed_byte_of_the_body_is_refused(vector: Vector) -> None:
    """No byte of a signed body can be another one."""
    for position in range(len(vector.body)):
        changed = bytearray(vector.body)
        changed[position] ^= 1
        if mutations.means_the_same(vector, vector.request._replace(body=bytes(changed))):
            continue
        assert _check(vector, body=bytes(changed)) is not None, position
    for body in (b"", vector.body + b" ", vector.body[:-1], vector.body + b"x"):
        assert _check(vector, body=body) is not None


@_EACH
def test_headers_in_a_wrong_form_are_refused(vector: Vector) -> None:
    """A signature's header that is missing, empty, repeated or malformed is refused as such."""
    if vector.provider == "microsoft-graph":
        return
    name = _header(vector)
    value = vector.headers[name]
    cases: dict[str | None, set[Reason]] = {
        None: {Reason.MISSING},
        "": {Reason.MISSING},
        f"{value},{value}": {Reason.REPEATED},
        f"{value}, {value}": {Reason.REPEATED, Reason.MALFORMED},
        value.upper(): {Reason.MALFORMED, Reason.WRONG, Reason.MISSING},
        value[:-1]: {Reason.WRONG, Reason.MALFORMED},
        value + "=": {Reason.WRONG, Reason.MALFORMED},
        value + " ": {Reason.MALFORMED},
        " " + value: {Reason.MALFORMED, Reason.MISSING},
        value + "\n": {Reason.MALFORMED},
        "é" * 40: {Reason.MALFORMED, Reason.MISSING},
        "\ud800": {Reason.MALFORMED, Reason.MISSING},
        ("x, " * 20_000): {Reason.MALFORMED, Reason.MISSING, Reason.REPEATED},
    }
    if vector.provider in _TOKENS:
        cases = {wrong: {Reason.WRONG, Reason.MISSING} for wrong in cases}
    for wrong, reasons in cases.items():
        if PROVIDERS[vector.provider].spec.get("separator") and wrong and wrong.strip() == value:
            continue  # spaces around entries
        assert _check(vector, headers=_with(vector, name, wrong)) in reasons, wrong


@pytest.mark.parametrize("vector", _TIMED, ids=str)
def test_signatures_expire(vector: Vector) -> None:
    """A signature is good within its tolerance, either way, and not a second longer."""
    tolerance = PROVIDERS[vector.provider].spec["tolerance"]
    for late in (tolerance, -tolerance):
        assert _check(vector, now=vector.now + late) is None
    assert _check(vector, now=vector.now + tolerance + 1) is Reason.OLD
    assert _check(vector, now=vector.now - tolerance - 1) is Reason.EARLY


@pytest.mark.parametrize("vector", [v for v in _TIMED if v.provider != "stripe"], ids=str)
def test_timestamps_are_what_was_signed(vector: Vector) -> None:
    """A timestamp that is another, missing, repeated or no number is refused."""
    name = PROVIDERS[vector.provider].spec["timestamp"].removeprefix("header:")
    value = vector.headers[name]
    for wrong in (str(int(value) + 1), f"0{value}", f"{value}.0", f"+{value}", "", "x", "9" * 30):
        assert _check(vector, headers=_with(vector, name, wrong)) is not None, wrong
    assert _check(vector, headers=_with(vector, name, None)) is Reason.MISSING
    assert _check(vector, headers=_with(vector, name, f"{value},{value}")) is Reason.REPEATED


def test_a_repeated_stripe_header_is_refused() -> None:
    """Two headers that API Gateway has joined have two timestamps, which no genuine one has."""
    [vector] = [candidate for candidate in VECTORS if candidate.provider == "stripe"][:1]
    value = vector.headers["stripe-signature"]
    changed = _with(vector, "stripe-signature", f"{value},{value}")
    assert _check(vector, headers=changed) is Reason.REPEATED


def test_a_timestamp_in_the_body_counts_once_it_is_signed() -> None:
    """Linear's time stands in the body: too old or missing is refused, after the signature."""
    [vector] = [candidate for candidate in VECTORS if candidate.provider == "linear"]
    assert _check(vector, now=TIME + 60) is None
    assert _check(vector, now=TIME + 61) is Reason.OLD
    assert _check(vector, now=TIME - 61) is Reason.EARLY
    for body in (b"{}", b"x", b'{"webhookTimestamp": true}', b'{"webhookTimestamp": 1.5}'):
        mac = hmac.new(vector.secret.encode(), body, hashlib.sha256).hexdigest()
        headers = _with(vector, "linear-signature", mac)
        assert _check(vector, headers=headers, body=body) in (Reason.MISSING, Reason.MALFORMED)


@pytest.mark.parametrize("vector", [v for v in VECTORS if "url" in v.options], ids=str)
def test_signed_urls(vector: Vector) -> None:
    """Another path or query is refused; a path that API Gateway may have decoded, as such."""
    assert _check(vector, path=vector.path + "x") is Reason.WRONG
    assert _check(vector, query=vector.query + "&x=1") is Reason.WRONG
    for escaped in ("/tw ilio", "/twilio%20", "/é", "/a%2Fb", "/a\\b", "/a\x00", "/\ud800"):
        assert _check(vector, path=escaped) is Reason.ESCAPED


def test_twilio_signs_a_json_body_by_its_digest() -> None:
    """A body that is not a form needs its digest in the URL, whatever its content type says."""
    vector = next(v for v in VECTORS if v.query.startswith("bodySHA256"))
    assert _check(vector, body=b"{}") is Reason.WRONG
    form = _with(vector, "content-type", "application/x-www-form-urlencoded")
    assert _check(vector, headers=form, body=b"") is Reason.WRONG
    mac = hmac.new(b"12345", b"https://webhooks.example.com/hooks/twilio", hashlib.sha1)
    signature = base64.b64encode(mac.digest()).decode()
    headers = _with(vector, "x-twilio-signature", signature)
    assert _check(vector, query="", headers=headers) is Reason.MISSING
    assert _check(vector, query="", headers=headers, body=b"") is None


@_EACH
def test_large_and_strange_bodies(vector: Vector) -> None:
    """A body of 1 MiB, of any bytes, or one that is not JSON is refused without an exception."""
    if vector.provider == "gitlab":
        return
    for body in (b"x" * 2**20, bytes(range(256)) * 64, b"[" * 100_000, b"\xff", "ü".encode()):
        assert _check(vector, body=body) is not None


def test_every_list_item_needs_its_token() -> None:
    """One notification of Microsoft's with another state refuses them all."""
    [vector] = [candidate for candidate in VECTORS if candidate.provider == "microsoft-graph"]
    for body in (
        b'{"value": [{"clientState": "state-1"}, {"clientState": "x"}]}',
        b'{"value": [{"clientState": "state-1"}, {"id": 1}]}',
        b'{"value": [{"clientState": 7}]}',
        b'{"value": []}',
        b"{}",
    ):
        assert _check(vector, body=body) is not None


def test_a_body_of_millions_of_values_is_refused_in_time() -> None:
    """Searching a stranger's body for tokens takes milliseconds, whatever fills its 6 MB."""
    [vector] = [candidate for candidate in VECTORS if candidate.provider == "microsoft-graph"]
    for unit in (b"{},", b"[],", b'{"clientState":""},'):
        body = b'{"value":[' + unit * (6 * 2**20 // len(unit)) + b"{}]}"
        started = time.process_time()
        assert _check(vector, body=body) is Reason.MALFORMED
        assert time.process_time() - started < 0.5
    full = b",".join([b'{"clientState":"state-1","a":1,"b":{"c":[1,2,3]}}'] * 1_000)
    assert _check(vector, body=b'{"value":[' + full + b"]}") is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("Basic dTpw", None),
        ("basic dTpw", None),
        ("Basic dTpX", Reason.WRONG),
        ("Basic dTpw=", Reason.WRONG),
        ("Bearer dTpw", Reason.MALFORMED),
        ("Basic dTpw,Basic dTpw", Reason.WRONG),
        ("", Reason.MISSING),
        ("\ud800 x", Reason.MALFORMED),
    ],
)
def test_basic(value: str, reason: Reason | None) -> None:
    """Basic authentication passes with its user and password alone."""
    scheme = schemes.build({"scheme": "basic"})
    request = Envelope("POST", "/", "", (("authorization", value),), b"", 0)
    assert scheme.check(request, ["u:p"], TIME) is reason


@pytest.mark.parametrize(
    ("spec", "request_", "secret"),
    [
        ({"token": "header:X-Key"}, {"headers": (("x-key", "k"),)}, "k"),
        ({"token": "header:Authorization", "prefix": "Bearer "},
         {"headers": (("authorization", "Bearer k"),)}, "k"),
        ({"token": "query:code"}, {"query": "a=1&code=k%2B"}, "k+"),
        ({"token": "json:auth.key"}, {"body": b'{"auth": {"key": "k"}}'}, "k"),
    ],
)  # fmt: skip
def test_tokens(spec: dict[str, str], request_: dict[str, Any], secret: str) -> None:
    """A token is looked for where the settings say, and nothing else passes."""
    scheme = schemes.build({"scheme": "token", **spec})
    empty = Envelope("POST", "/", "", (), b"", 0)
    assert scheme.check(empty._replace(**request_), [secret], TIME) is None
    assert scheme.check(empty._replace(**request_), [secret + "x"], TIME) is Reason.WRONG
    assert scheme.check(empty, [secret], TIME) is Reason.MISSING


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("secret_encoding", ["text", "hex", "base64"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_a_scheme_of_ones_own(algorithm: str, secret_encoding: str, encoding: str) -> None:
    """Any combination of the general form verifies what was signed as it says."""
    spec = {
        "scheme": "hmac", "header": "X-Sign", "algorithm": algorithm, "encoding": encoding,
        "secretEncoding": secret_encoding, "timestamp": "header:X-Time", "unit": "ms",
        "signed": "{method} {path} {header:X-Id}|{timestamp}|{body}", "prefix": "s=",
        "separator": ";",
    }  # fmt: skip
    raw = bytes(range(32))
    secret = {
        "text": "geheim", "hex": raw.hex(), "base64": base64.b64encode(raw).decode()
    }[secret_encoding]  # fmt: skip
    message = b"POST /a i-1|1760000000000|\xff\x00"
    mac = hmac.new(b"geheim" if secret == "geheim" else raw, message, algorithm).digest()
    signature = mac.hex() if encoding == "hex" else base64.b64encode(mac).decode()
    headers = (("x-sign", f"r=1;s={signature}"), ("x-time", "1760000000000"), ("x-id", "i-1"))
    request = Envelope("POST", "/a", "", headers, b"\xff\x00", 0)
    assert schemes.build(spec).check(request, [secret], TIME) is None
    assert schemes.build(spec).check(request._replace(method="PUT"), [secret], TIME)


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ({"signed": "{timestamp}", "timestamp": "header:t"}, "signed: does not have {body}"),
        ({"signed": "{body}{"}, "signed: '{' has a brace"),
        ({"signed": "{body}{uri}"}, "signed: '{uri}' has a brace"),
        ({"signed": "{body}", "timestamp": "header:t"}, "timestamp: {timestamp} is signed where"),
        ({"signed": "{timestamp}{body}"}, "timestamp: {timestamp} is signed where"),
        ({"signed": "{url}{body}"}, "url: missing"),
    ],
)
def test_schemes_that_can_not_work(spec: dict[str, str], problem: str) -> None:
    """A scheme that would let anything pass, or nothing, is refused by name."""
    with pytest.raises(ValueError, match=problem.replace("{", r"\{").split(" (")[0]):
        schemes.build({"scheme": "hmac", "header": "x", **spec})


@pytest.mark.parametrize(
    ("secret_encoding", "secret"),
    [("hex", "xyz"), ("base64", "whsec_!!"), ("base64", "ü"), ("base64", "whsec_"), ("hex", " ")],
)
def test_a_secret_in_another_form_is_an_error_of_its_own(secret_encoding: str, secret: str) -> None:
    """A secret that does not have its encoding says so; it refuses nobody's signature as wrong."""
    scheme = schemes.build(
        {"scheme": "hmac", "header": "x", "signed": "{body}", "secretEncoding": secret_encoding}
    )
    request = Envelope("POST", "/", "", (("x", "ab" * 32),), b"", 0)
    with pytest.raises(SecretFormError):
        scheme.check(request, [secret], TIME)


def test_many_signatures_cost_no_more_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many signatures a stranger sends, the body is hashed once per secret."""
    hashed: list[bytes] = []

    def counted(key: bytes, message: bytes, digest: Any) -> hmac.HMAC:
        hashed.append(message)
        return hmac.HMAC(key, message, digest)

    monkeypatch.setattr("lambdas.sources.schemes.keys.hmac.new", counted)
    vector = next(v for v in VECTORS if v.provider == "standard-webhooks")
    headers = _with(vector, "webhook-signature", " ".join(["v1,AAAA"] * 16))
    request = vector.request._replace(headers=headers)
    check = vector.verification.scheme.check
    assert check(request, [vector.secret, "whsec_b3RoZXI="], vector.now) is Reason.WRONG
    assert len(hashed) == 2


def _random_webhooks() -> Iterator[tuple[bytes, str]]:
    chance = random.Random(7)
    for _ in range(50):
        body = "".join(chance.choices('{}":,é€ a1\n', k=chance.randrange(60))).encode()
        yield body, f"msg_{chance.randrange(10**9)}"


def test_the_specifications_library_agrees() -> None:
    """What standardwebhooks signs passes, and what it refuses is refused."""
    vector = next(v for v in VECTORS if v.provider == "standard-webhooks")
    library = standardwebhooks.Webhook(vector.secret)
    from datetime import UTC, datetime

    for body, name in _random_webhooks():
        signature = library.sign(name, datetime.fromtimestamp(TIME, UTC), body.decode())
        headers = {
            "webhook-id": name,
            "webhook-timestamp": str(TIME),
            "webhook-signature": signature,
        }
        request = tuple(headers.items())
        assert _check(vector, headers=request, body=body, now=TIME) is None
        assert _check(vector, headers=request, body=body + b"x", now=TIME) is Reason.WRONG


def test_mutated_requests_are_refused() -> None:
    """None of thousands of random changes to genuine requests is accepted."""
    outcome = mutations.run(VECTORS, count=6_000, seed=1)
    assert outcome.tried >= 6_000
    assert outcome.accepted == []
