"""A genuine request of every provider, and who says that it is one.

``proof`` repeats what ``docs/sources.md`` says: published by the provider, signed or accepted by
its own SDK (named with its version), or constructed from its specification.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from lambdas.base.envelope import Envelope
from lambdas.sources.providers import PROVIDERS
from lambdas.sources.verification import Verification

TIME = 1_760_000_000
TEXT = '{"text":"Grüße","n":1}'.encode()
URL = "https://webhooks.example.com/hooks"
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Vector:
    """A genuine request.

    Attributes:
        secret: the source's; a public key where the provider has one.
        now: seconds since the epoch.
        options: of the scheme, besides the provider's own.
    """

    provider: str
    proof: str
    secret: str
    headers: dict[str, str]
    body: bytes = TEXT
    path: str = "/github"
    query: str = ""
    now: float = TIME
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def request(self) -> Envelope:
        headers = tuple(self.headers.items())
        return Envelope("POST", self.path, self.query, headers, self.body, TIME * 1000)

    @property
    def verification(self) -> Verification:
        return Verification.of({**PROVIDERS[self.provider].spec, **self.options})


_GITHUB = "its documentation"
_SLACK_BODY = (
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&"
    "channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&"
    "command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2F"
    "T1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&"
    "trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
_STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
_LINEAR = json.dumps(
    {"action": "create", "type": "Issue", "webhookTimestamp": TIME * 1000}, separators=(",", ":")
).encode()
_GRAPH = json.dumps(
    {"value": [{"id": 1, "clientState": "state-1"}, {"id": 2, "clientState": "state-1"}]}
).encode()

VECTORS = (
    # Source: docs.github.com, "Validating webhook deliveries", "Testing the webhook payload
    # validation".
    Vector(
        "github", "published", "It's a Secret to Everybody",
        {"x-hub-signature-256":
         "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
        b"Hello, World!",
    ),
    # The same header as of @octokit/webhooks-methods 6.0.0, ``sign``.
    Vector(
        "github", "published", "It's a Secret to Everybody",
        {"x-hub-signature-256":
         "sha256=f98528967de8b0077f124f2c36b6b168d9089d493711fa7feb1b7551cbc16e94"},
    ),
    # ``stripe.webhooks.generateTestHeaderString``, and ``WebhookSignature`` of stripe 16.1.0
    # for Python.
    Vector(
        "stripe", "signed by stripe 23.1.0 (Node)", "whsec_test",
        {"stripe-signature": f"t={TIME},v1="
         "d7cd02091a64f39fd16cf6f687c4fda0f6acc4cae57a755aa7e7b74b0c842dc5"},
    ),
    # A second signature, as during a rotation, and one of a version that does not count.
    Vector(
        "stripe", "signed by stripe 23.1.0 (Node)", "whsec_test",
        {"stripe-signature": f"t={TIME},v1={'0' * 64},v0=abc,v1="
         "d7cd02091a64f39fd16cf6f687c4fda0f6acc4cae57a755aa7e7b74b0c842dc5"},
    ),
    # Source: api.slack.com, "Verifying requests from Slack".
    Vector(
        "slack", "published", "8f742231b10e8888abcd99yyyzzz85a5",
        {"x-slack-signature": "v0="
         "a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
         "x-slack-request-timestamp": "1531420618"},
        _SLACK_BODY.encode(), now=1_531_420_618,
    ),
    # ``SignatureVerifier.generate_signature`` of slack_sdk 3.48.0.
    Vector(
        "slack", "published", "8f742231b10e8888abcd99yyyzzz85a5",
        {"x-slack-signature": "v0="
         "d516712c108558d8ecb0c3a148001622d4b57688144e88ab365d2435ce1af9f9",
         "x-slack-request-timestamp": str(TIME)},
    ),
    # ``webhooks.validate`` says that it is valid.
    Vector(
        "shopify", "accepted by @shopify/shopify-api 13.1.0", "shpss_1",
        {"x-shopify-hmac-sha256": "WlyGx/gHbrYKAAfQrxCtDIUKsa4zw+J0MzF/BnmuNyM="},
    ),
    # Source: the specification's own libraries, ``test_webhooks.py``, "test_sign_function".
    Vector(
        "standard-webhooks", "published", _STANDARD_SECRET,
        {"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
         "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
        b'{"test": 2432232314}', now=1_614_265_330,
    ),
    # Two signatures, one of another version.
    Vector(
        "standard-webhooks", "published", _STANDARD_SECRET,
        {"webhook-id": "msg_1", "webhook-timestamp": str(TIME),
         "webhook-signature": "v1a,AAAA v1,diTP3AdJtNRFRuyzqeOuvkTiD3PPXsqCpgMIMLLvUIw="},
    ),
    Vector(
        "svix", "signed by svix 2.9.1 (Python)", _STANDARD_SECRET,
        {"svix-id": "msg_1", "svix-timestamp": str(TIME),
         "svix-signature": "v1,diTP3AdJtNRFRuyzqeOuvkTiD3PPXsqCpgMIMLLvUIw="},
    ),
    # Source: the example of twilio's SDKs and documentation.
    Vector(
        "twilio", "published", "12345",
        {"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8=", "content-type": _FORM},
        b"Digits=1234&To=%2B18005551212&From=%2B14158675309&Caller=%2B14158675309"
        b"&CallSid=CA1234567890ABCDE",
        path="/myapp.php", query="foo=1&bar=2", options={"url": "https://mycompany.com"},
    ),
    # ``RequestValidator.compute_signature`` of twilio 9.13.0 (Python), like the next.
    Vector(
        "twilio", "published", "12345",
        {"x-twilio-signature": "EmTe58Q0NAxFzQBzvcWp37F+PQs=",
         "content-type": f"{_FORM}; charset=UTF-8"},
        b"CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&Caller=%2B14158675309"
        b"&To=%2B18005551212&Body=Gr%C3%BC%C3%9Fe+",
        path="/twilio", query="foo=1&bar=2", options={"url": URL},
    ),
    Vector(
        "twilio", "published", "12345",
        {"x-twilio-signature": "pP6sWQi4W1jGbwk3xxjiVXL0Fbg=", "content-type": "application/json"},
        path="/twilio", options={"url": URL},
        query="bodySHA256=dedd3443591792b8b9cb4e197d1a7a1140a894e84b405c1dc0ab9827c1fae7f0",
    ),
    # ``WebhooksHelper.verifySignature`` says that it is valid.
    Vector(
        "square", "accepted by square 46.0.0 (Node)", "sqkey",
        {"x-square-hmacsha256-signature": "eCAS6d20O9QMkFuX6vZWa0wAGKl1nOS/WBkZcpSU9t4="},
        path="/square", options={"url": URL},
    ),
    Vector(
        "zoom", "constructed from the specification", "zoomtoken",
        {"x-zm-signature": "v0="
         "3d15c3fe374313f46c6c7e6cba4f56035706d0269863a952964de0f49f82d7ed",
         "x-zm-request-timestamp": str(TIME)},
    ),
    # ``LinearWebhookClient.verify`` says that a body signed like this is valid.
    Vector(
        "linear", "accepted by @linear/sdk 98.0.0", "lin_wh",
        {"linear-signature": "7382dfa5bba504ad24113ffd83ee0910c985abe1ba465b194865cdddcb56249b"},
        _LINEAR,
    ),
    # Signed by PyNaCl 1.6.2; ``verifyKey`` says that it is valid.
    Vector(
        "discord", "accepted by discord-interactions 4.4.0",
        "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8",
        {"x-signature-ed25519":
         "0e1a9cb10c7a05779540fd86e180a4711f63c60013783c4cb942f82bdef0bd50"
         "512da4db47f2c385163aab6eef82163632db26f123ba900c2e430a2b10491c0c",
         "x-signature-timestamp": str(TIME)},
    ),
    Vector(
        "meta", "constructed from the specification", "appsecret",
        {"x-hub-signature-256":
         "sha256=2e0efa52f29972782592a4836ebee21042da095035a3ee3b6f240293b78975c5"},
    ),
    Vector(
        "x", "constructed from the specification", "consumersecret",
        {"x-twitter-webhooks-signature": "sha256=oiYF7MftkWWmdzFIvG1ED50lx1e3DUahishZyZgq8UE="},
    ),
    Vector(
        "dropbox", "constructed from the specification", "dbxsecret",
        {"x-dropbox-signature": "433c175c9663ca575c0c21f9b24bafa30f2d4855c91a70f1ff5f6f68715380e0"},
    ),
    Vector(
        "xero", "constructed from the specification", "xerokey",
        {"x-xero-signature": "Gd/SlB8AtSqwUJHTByGRojMKUYcrn2LJh+TvUEUjqN8="},
    ),
    Vector("gitlab", "constructed from the specification", "gl-tok", {"x-gitlab-token": "gl-tok"}),
    # Signed by standardwebhooks 1.1.0 (Python), whose specification GitLab follows.
    Vector(
        "gitlab-signed", "constructed from the specification",
        "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        {"webhook-id": "msg_1", "webhook-timestamp": str(TIME),
         "webhook-signature": "v1,9aUxgGRxW/9MnGRJDXXUdriSkXOXYqC6vvoIhVHzrIg="},
    ),
    Vector(
        "intercom", "constructed from the specification", "icsecret",
        {"x-hub-signature": "sha1=d02227feca4ddb57d4b03c686e96ec7ac3e0f828"},
    ),
    Vector("microsoft-graph", "constructed from the specification", "state-1", {}, _GRAPH),
    Vector(
        "asana", "constructed from the specification",
        "b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81",
        {"x-hook-signature": "a59e249a79701e31a6186e89f088ee1eda40edba85aa1959452367465f8dd742"},
    ),
)  # fmt: skip
