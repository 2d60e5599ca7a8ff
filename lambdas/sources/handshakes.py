"""What providers want to be answered before they send, as data: one entry per handshake.

An answer that repeats something of a request is bounded, plain text, and not sniffed for anything
else. What would sign a text of the sender's choice takes a token's characters only, and a body of
nothing but these is not a webhook of a source with such a handshake: anybody can have it signed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from lambdas.base.envelope import Envelope
from lambdas.base.reply import Reply
from lambdas.base.safe_json import json_object

# A challenge: printable ASCII. Microsoft's has spaces and colons.
_CHALLENGE = re.compile(r"[ -~]{1,1024}")
# A token that is signed. X's and Zoom's are base64 or letters and digits.
_TOKEN = re.compile(r"[A-Za-z0-9_=+/.-]{1,256}")
_TOKEN_AS_BODY = re.compile(_TOKEN.pattern.replace("{1,", "{0,").encode())
_RATE = re.compile(r"[1-9][0-9]{0,5}")
_MOST_PARAMETERS = 50
# SNS's confirmations are the largest, some 2 KB. A webhook's body is not parsed twice for nothing.
_MOST_BODY_BYTES = 16_384
_PLAIN = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
_EVENT = "webhook.handshake"


class Facts(NamedTuple):
    """What a handshake is answered with.

    Attributes:
        members: of the source's secret; empty where it has none or it is not needed.
        arn: of that secret.
        within: seconds that the answer may take.
        topics, origins: what the settings name.
    """

    request: Envelope
    members: Mapping[str, str] = MappingProxyType({})
    arn: str = ""
    within: float = 1.0
    topics: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()

    def query(self, name: str) -> str:
        """A query parameter, decoded; empty without it."""
        try:
            parameters = parse_qs(self.request.query, max_num_fields=_MOST_PARAMETERS)
        except ValueError:
            return ""
        return parameters.get(name, [""])[0]

    def header(self, name: str) -> str:
        return dict(self.request.headers).get(name, "")

    @property
    def document(self) -> Mapping[str, Any]:
        """The body's JSON object; empty where it is none, or larger than any handshake."""
        small = len(self.request.body) <= _MOST_BODY_BYTES
        return (json_object(self.request.body) or {}) if small else {}


class Handshake(NamedTuple):
    """A provider's handshake.

    Attributes:
        method: of its request, which is not queued.
        verified: whether it is signed like any webhook, and verified first.
        needs: settings it can't do without: ``topics``, ``origins``, ``verify_token`` (a member
            of the secret), ``current`` (the secret itself), ``enrollment`` (a secret that comes
            with the handshake).
        source: where the provider documents it.
        signs: whether it signs a token for anybody who asks.
        refused: the status where the provider must not get its answer.
        acts: whether answering fetches or stores something.
        asks: whether a request is one.
        answer: its answer; None where the provider must not get one.
    """

    method: str
    source: str
    asks: Callable[[Facts], object]
    answer: Callable[[Facts], Reply | None]
    verified: bool = False
    needs: tuple[str, ...] = ()
    signs: bool = False
    refused: int = 403
    acts: bool = False


def is_signed_for_anybody(handshakes: Iterable[Handshake], body: bytes) -> bool:
    """Whether anybody could have had a body signed by one of these handshakes.

    An empty one too: a timestamp before it can be a token.
    """
    signs = any(handshake.signs for handshake in handshakes)
    return signs and _TOKEN_AS_BODY.fullmatch(body) is not None


def _echo(challenge: object) -> Reply | None:
    if not isinstance(challenge, str) or not _CHALLENGE.fullmatch(challenge):
        return None
    return Reply(200, challenge, _PLAIN, event=_EVENT)


def _done(status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, "", headers or {}, event=_EVENT)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def _hub_challenge(facts: Facts) -> Reply | None:
    token = facts.members.get("verify_token", "")
    genuine = token and _same(facts.query("hub.verify_token"), token)
    return _echo(facts.query("hub.challenge")) if genuine else None


def _websub(facts: Facts) -> Reply | None:
    """Confirms what the settings wish, for whoever knows the token in the callback's own query.

    Anybody can ask a hub to subscribe a callback again, with a ``hub.secret`` that replaces ours,
    or to end its subscription. Source: WebSub, 5.1 (a callback's query is preserved; subscribing
    again overrides) and 5.3.1 (a subscriber confirms what it wishes to carry out, or answers 404).
    """
    token = facts.members.get("verify_token", "")
    if not token or not _same(facts.query("verify_token"), token):
        return None
    is_known = facts.query("hub.topic") in facts.topics
    is_wanted = is_known == (facts.query("hub.mode") == "subscribe")
    return _echo(facts.query("hub.challenge")) if is_wanted else None


def _crc(facts: Facts) -> Reply | None:
    mac = _signed(facts, facts.query("crc_token"))
    if mac is None:
        return None
    return _json({"response_token": f"sha256={base64.b64encode(mac).decode()}"})


def _zoom(facts: Facts) -> Reply | None:
    payload = facts.document.get("payload")
    token = payload.get("plainToken") if isinstance(payload, dict) else None
    mac = _signed(facts, token)
    return None if mac is None else _json({"plainToken": token, "encryptedToken": mac.hex()})


def _signed(facts: Facts, token: object) -> bytes | None:
    """A token's HMAC with the source's secret."""
    secret = facts.members.get("current", "")
    if not secret or not isinstance(token, str) or not _TOKEN.fullmatch(token):
        return None
    return hmac.new(secret.encode(), token.encode(), hashlib.sha256).digest()


def _json(document: Mapping[str, Any]) -> Reply:
    return Reply(200, document, {"X-Content-Type-Options": "nosniff"}, event=_EVENT)


def _cloudevents(facts: Facts) -> Reply | None:
    origin, rate = facts.header("webhook-request-origin"), facts.header("webhook-request-rate")
    if origin not in facts.origins:
        return None
    headers = {"WebHook-Allowed-Origin": origin, "Allow": "OPTIONS, POST"}
    if rate:
        headers["WebHook-Allowed-Rate"] = rate if _RATE.fullmatch(rate) else "*"
    return _done(200, headers)


def _sns(facts: Facts) -> Reply | None:
    """Confirms a subscription whose message was verified, so that its topic is a known one."""
    from lambdas.sources.schemes import sns

    url = sns.confirmation_url(facts.request)
    if url is None:
        return None
    try:
        sns.fetch(url)
    except ValueError:
        return None
    return _done()


def _asana(facts: Facts) -> Reply | None:
    from lambdas.sources import enrollment

    secret = facts.header("x-hook-secret")
    if not _TOKEN.fullmatch(secret):
        return None
    if not enrollment.taken(facts.arn, facts.members, secret, within=facts.within):
        return None
    return _done(200, {"X-Hook-Secret": secret})


HANDSHAKES: Mapping[str, Handshake] = {
    "hub-challenge": Handshake(
        method="GET",
        source="https://developers.facebook.com/docs/graph-api/webhooks/getting-started",
        asks=lambda facts: facts.query("hub.mode") == "subscribe",
        answer=_hub_challenge,
        needs=("verify_token",),
    ),
    "websub": Handshake(
        method="GET",
        source="https://www.w3.org/TR/websub/#hub-verifies-intent",
        asks=lambda facts: facts.query("hub.mode") in ("subscribe", "unsubscribe"),
        answer=_websub,
        needs=("topics", "verify_token"),
        refused=404,
    ),
    "slack": Handshake(
        method="POST",
        source="https://api.slack.com/events/url_verification",
        asks=lambda facts: facts.document.get("type") == "url_verification",
        answer=lambda facts: _echo(facts.document.get("challenge")),
        verified=True,
    ),
    "microsoft-graph": Handshake(
        method="POST",
        source="https://learn.microsoft.com/graph/change-notifications-delivery-webhooks",
        asks=lambda facts: facts.query("validationToken"),
        answer=lambda facts: _echo(facts.query("validationToken")),
    ),
    "dropbox": Handshake(
        method="GET",
        source="https://www.dropbox.com/developers/reference/webhooks",
        asks=lambda facts: facts.query("challenge"),
        answer=lambda facts: _echo(facts.query("challenge")),
    ),
    "x-crc": Handshake(
        method="GET",
        source="https://docs.x.com/x-api/webhooks/introduction",
        asks=lambda facts: facts.query("crc_token"),
        answer=_crc,
        needs=("current",),
        signs=True,
    ),
    "zoom": Handshake(
        method="POST",
        source="https://developers.zoom.us/docs/api/webhooks/#validate-your-webhook-endpoint",
        asks=lambda facts: facts.document.get("event") == "endpoint.url_validation",
        answer=_zoom,
        verified=True,
        needs=("current",),
    ),
    "cloudevents": Handshake(
        method="OPTIONS",
        source=(
            "https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md"
            "#4-abuse-protection"
        ),
        asks=lambda facts: facts.header("webhook-request-origin"),
        answer=_cloudevents,
        needs=("origins",),
    ),
    "discord": Handshake(
        method="POST",
        source="https://docs.discord.com/developers/interactions/overview",
        # An event has the type 1, too.
        asks=lambda facts: facts.document.get("type") == 1 and "event" not in facts.document,
        answer=lambda _: _json({"type": 1}),
        verified=True,
    ),
    "discord-events": Handshake(
        method="POST",
        source="https://docs.discord.com/developers/events/webhook-events",
        asks=lambda facts: facts.document.get("type") == 0,
        # Wants a content type even where there is no content.
        answer=lambda _: _done(204, {"Content-Type": "application/json"}),
        verified=True,
    ),
    "xero": Handshake(
        method="POST",
        source="https://developer.xero.com/documentation/guides/webhooks/configuring-your-server/",
        asks=lambda facts: facts.document.get("events") == [],
        answer=lambda _: _done(200),
        verified=True,
    ),
    "sns": Handshake(
        method="POST",
        source="https://docs.aws.amazon.com/sns/latest/dg/sns-http-https-endpoint-as-subscriber.html",
        asks=lambda facts: facts.document.get("Type") == "SubscriptionConfirmation",
        answer=_sns,
        verified=True,
        acts=True,
    ),
    "asana": Handshake(
        method="POST",
        source="https://developers.asana.com/docs/webhooks-guide#the-webhook-handshake",
        asks=lambda facts: facts.header("x-hook-secret"),
        answer=_asana,
        needs=("enrollment",),
        acts=True,
    ),
}
