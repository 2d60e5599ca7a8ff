"""The providers that settings can name: data for the schemes, each with its documentation.

Functions never load this: what they need of it stands in their file of sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

_PUBLISHED = "published"
_CONSTRUCTED = "constructed from the specification"


class Provider(NamedTuple):
    """A provider.

    Attributes:
        spec: of its scheme; see ``lambdas.sources.schemes.build``.
        handshakes: names in ``lambdas.sources.handshakes``.
        paste: what goes into the secret or the settings, and where it is found.
        again: whether it comes again after 401, 404 and 503, and whether it disables an endpoint,
            as the provider's own pages say.
        source: its documentation.
        needs: settings beside the secret: ``url``, ``publicKeys``, ``topics``.
        proof: whose genuine requests it is tested with, and of which version.
        secret: whether it has one in Secrets Manager.
        answer: the status it wants for a webhook that was taken, where that is not 200.
        bodiless: whether it takes an answer with a body for a failure.
    """

    title: str
    spec: Mapping[str, Any]
    paste: str
    again: str
    source: str
    proof: str = _CONSTRUCTED
    handshakes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    secret: bool = True
    answer: int = 200
    bodiless: bool = False


_FIVE_MINUTES = 300


def _standard(prefix: str) -> dict[str, Any]:
    """The scheme of Standard Webhooks, with headers of this prefix."""
    return {
        "scheme": "hmac",
        "header": f"{prefix}-signature",
        "prefix": "v1,",
        "separator": " ",
        "encoding": "base64",
        "secretEncoding": "base64",
        "timestamp": f"header:{prefix}-timestamp",
        "signed": f"{{header:{prefix}-id}}.{{timestamp}}.{{body}}",
        "tolerance": _FIVE_MINUTES,
    }


def _of_body(header: str, **changes: str) -> dict[str, Any]:
    """HMAC-SHA256 of the body alone."""
    return {"scheme": "hmac", "header": header, "signed": "{body}", **changes}


_GITLAB_AGAIN = (
    "No automatic retry is documented; resend by hand. After four failures in a row, all alike, a "
    "webhook is disabled for a minute, then for longer, up to a day; after forty for good."
)

PROVIDERS: Mapping[str, Provider] = {
    "github": Provider(
        title="GitHub",
        proof=_PUBLISHED,
        spec=_of_body("x-hub-signature-256", prefix="sha256="),
        paste="The webhook's Secret, which you choose in its settings.",
        again="Never by itself; redeliver by hand or by API. Its pages name nothing that disables "
        "a webhook.",
        source="https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries",
    ),
    "stripe": Provider(
        title="Stripe",
        proof="signed by stripe 23.1.0 (Node)",
        spec={
            "scheme": "hmac",
            "header": "stripe-signature",
            "separator": ",",
            "prefix": "v1=",
            "timestamp": "entry:t=",
            "signed": "{timestamp}.{body}",
            "tolerance": _FIVE_MINUTES,
        },
        paste="The endpoint's signing secret (`whsec_…`), as Workbench shows it.",
        again="All alike: for up to three days in live mode, three times in a few hours in a "
        "sandbox.",
        source="https://docs.stripe.com/webhooks#verify-manually",
    ),
    "slack": Provider(
        title="Slack",
        proof=_PUBLISHED,
        spec={
            "scheme": "hmac",
            "header": "x-slack-signature",
            "prefix": "v0=",
            "timestamp": "header:x-slack-request-timestamp",
            "signed": "v0:{timestamp}:{body}",
            "tolerance": _FIVE_MINUTES,
        },
        handshakes=("slack",),
        paste="The app's Signing Secret, under Basic Information.",
        again="All alike: three times, at once, after 1 and after 5 minutes. Where fewer than 5"
        " % of an hour's events are taken, they are disabled.",
        source="https://api.slack.com/authentication/verifying-requests-from-slack",
    ),
    "shopify": Provider(
        title="Shopify",
        proof="accepted by @shopify/shopify-api 13.1.0",
        spec=_of_body("x-shopify-hmac-sha256", encoding="base64"),
        paste="The app's client secret; for webhooks made in the admin, the secret shown there.",
        again="All alike: eight times in four hours; then a subscription made by API is deleted.",
        source="https://shopify.dev/docs/apps/build/webhooks/subscribe/https#step-2-validate-the-"
        "origin-of-your-webhook",
    ),
    "standard-webhooks": Provider(
        title="Standard Webhooks",
        proof=_PUBLISHED,
        spec=_standard("webhook"),
        paste="The endpoint's signing secret (`whsec_…`).",
        again="As the sender decides. The specification recommends to treat all alike, to repeat "
        "for days, and to disable what fails for long.",
        source="https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/"
        "standard-webhooks.md",
    ),
    "svix": Provider(
        title="Svix",
        proof="signed by svix 2.9.1 (Python)",
        spec=_standard("svix"),
        paste="The endpoint's signing secret (`whsec_…`).",
        again="All alike: eight attempts in 28 hours; an endpoint that fails for five days is "
        "disabled.",
        source="https://docs.svix.com/receiving/verifying-payloads/how-manual",
    ),
    "twilio": Provider(
        title="Twilio",
        proof=_PUBLISHED,
        spec={
            "scheme": "hmac",
            "header": "x-twilio-signature",
            "algorithm": "sha1",
            "encoding": "base64",
            "signed": "{url}{form}",
            "digest": "bodySHA256",
        },
        needs=("url",),
        paste="The account's primary Auth Token.",
        again="Once, if it can't connect; `#rc=` and `#rp=` in the webhook's URL ask for more, "
        "also after 4xx and 5xx. Calls the number's fallback URL at once.",
        source="https://www.twilio.com/docs/usage/webhooks/webhooks-security",
    ),
    "square": Provider(
        title="Square",
        proof="accepted by square 46.0.0 (Node)",
        spec={
            "scheme": "hmac",
            "header": "x-square-hmacsha256-signature",
            "encoding": "base64",
            "signed": "{url}{body}",
        },
        needs=("url",),
        paste="The subscription's Signature Key.",
        again="All alike: for up to 24 hours; then the notification is discarded. Disables an "
        "endpoint that answers no 2xx for three weeks.",
        source="https://developer.squareup.com/docs/webhooks/step3validate",
    ),
    "zoom": Provider(
        title="Zoom",
        spec={
            "scheme": "hmac",
            "header": "x-zm-signature",
            "prefix": "v0=",
            "timestamp": "header:x-zm-request-timestamp",
            "signed": "v0:{timestamp}:{body}",
            "tolerance": _FIVE_MINUTES,
        },
        handshakes=("zoom",),
        paste="The app's Secret Token, under Feature.",
        again="All alike: three times, after 5, 20 and 60 minutes; it expects 200 or 204 within "
        "three seconds. After the last, its support pages say, that event stops until you file a "
        "ticket. Validates the endpoint every 72 hours.",
        source="https://developers.zoom.us/docs/api/webhooks/#verify-webhook-events",
    ),
    "linear": Provider(
        title="Linear",
        proof="accepted by @linear/sdk 98.0.0",
        spec=_of_body("linear-signature", timestamp="json:webhookTimestamp", unit="ms")
        | {"tolerance": 60},
        paste="The webhook's signing secret, on its page in the settings.",
        again="All alike: after 1 minute, 1 hour and 6 hours. May disable an endpoint that keeps "
        "failing; enable it again by hand.",
        source="https://linear.app/developers/webhooks#securing-webhooks",
    ),
    "discord": Provider(
        title="Discord",
        proof="accepted by discord-interactions 4.4.0",
        spec={
            "scheme": "ed25519",
            "header": "x-signature-ed25519",
            "timestamp": "header:x-signature-timestamp",
            "signed": "{timestamp}{body}",
            "tolerance": _FIVE_MINUTES,
        },
        handshakes=("discord", "discord-events"),
        needs=("publicKeys",),
        answer=204,
        secret=False,
        paste="The app's Public Key into `publicKeys`; it is not a secret.",
        again="Webhook events: for up to 10 minutes; stops sending to an endpoint that fails "
        "too often. Sends wrong signatures on purpose, and removes an endpoint that "
        "accepts them.",
        source="https://docs.discord.com/developers/interactions/overview#setting-up-an-endpoint-"
        "validating-security-request-headers",
    ),
    "meta": Provider(
        title="Meta",
        spec=_of_body("x-hub-signature-256", prefix="sha256="),
        handshakes=("hub-challenge",),
        paste="The App Secret as `current`, and the Verify Token you choose as `verify_token`: "
        '`{"current": "…", "verify_token": "…"}`.',
        again="All alike: at once, and then less often for 36 hours. Messenger unsubscribes an "
        "app whose webhook fails for an extended period.",
        source="https://developers.facebook.com/docs/graph-api/webhooks/getting-started"
        "#validate-payloads",
    ),
    "x": Provider(
        title="X",
        spec=_of_body("x-twitter-webhooks-signature", prefix="sha256=", encoding="base64"),
        handshakes=("x-crc",),
        paste="The app's consumer secret (API Key Secret).",
        again="Account Activity (enterprise), all alike: three times in five minutes. Repeats the "
        "CRC; the webhook becomes invalid at once after a wrong token, and after 28 hours of 4xx "
        "or 5xx.",
        source="https://docs.x.com/x-api/webhooks/introduction",
    ),
    "dropbox": Provider(
        title="Dropbox",
        spec=_of_body("x-dropbox-signature"),
        handshakes=("dropbox",),
        paste="The app's App secret.",
        again="All alike: with growing pauses for about ten minutes; then the App Console shows a "
        "failure. Whether it disables a webhook is not documented.",
        source="https://www.dropbox.com/developers/reference/webhooks",
    ),
    "xero": Provider(
        title="Xero",
        spec=_of_body("x-xero-signature", encoding="base64"),
        handshakes=("xero",),
        # Source: its page: "There is no body in the response".
        bodiless=True,
        paste="The webhook's signing key, as Xero shows it.",
        again="All alike: less and less often for 24 hours; then the webhook is disabled.",
        source="https://developer.xero.com/documentation/guides/webhooks/configuring-your-server/",
    ),
    "gitlab": Provider(
        title="GitLab",
        spec={"scheme": "token", "token": "header:x-gitlab-token"},
        paste="The webhook's Secret token, which you choose in its settings.",
        again=_GITLAB_AGAIN,
        source="https://docs.gitlab.com/user/project/integrations/webhooks/",
    ),
    # Source: GitLab merge requests 230944 (headers, what is signed) and 231325 (its form).
    "gitlab-signed": Provider(
        title="GitLab, with a signing token",
        spec=_standard("webhook"),
        paste="The webhook's Signing token (`whsec_…`), which GitLab recommends for new webhooks.",
        again=_GITLAB_AGAIN,
        source="https://docs.gitlab.com/user/project/integrations/webhooks/",
    ),
    "intercom": Provider(
        title="Intercom",
        spec=_of_body("x-hub-signature", prefix="sha1=", algorithm="sha1"),
        paste="The app's client secret, under Basic Information.",
        again="Its pages name no retry but after 429, for up to 2 hours. Pauses for a quarter of "
        "an hour after 1,000 errors in a row within one; suspends a private app's subscription "
        "after seven days of errors.",
        source="https://developers.intercom.com/docs/webhooks/setting-up-webhooks",
    ),
    "microsoft-graph": Provider(
        title="Microsoft Graph",
        spec={"scheme": "token", "token": "json:value[*].[clientState]"},
        handshakes=("microsoft-graph",),
        paste="The `clientState` that you choose for the subscription.",
        again="All alike: for up to four hours. Drops notifications for 10 minutes where more than "
        "15 % of the answers take longer than 10 s.",
        source="https://learn.microsoft.com/graph/change-notifications-delivery-webhooks",
    ),
    "asana": Provider(
        title="Asana",
        spec=_of_body("x-hook-signature"),
        handshakes=("asana",),
        paste="Nothing: create an empty secret, run `webhook-buffer sources enroll NAME`, and "
        "create the webhook at Asana. One source takes one webhook.",
        again="All alike: for up to 24 hours. Its API says when a failing webhook will be deleted "
        "(`failure_deletion_timestamp`).",
        source="https://developers.asana.com/docs/webhooks-guide#webhook-security",
    ),
    "sns": Provider(
        title="Amazon SNS",
        spec={"scheme": "sns", "tolerance": 3600},
        handshakes=("sns",),
        needs=("topics",),
        secret=False,
        paste="Each topic's ARN into `topics`; the subscription confirms itself. Leave raw message "
        "delivery off: raw messages are not signed.",
        again="Not after 401 and 404; after 503 as the delivery policy says: three times, 20 s "
        "apart, by default. Disables nothing; a dead-letter queue keeps what failed.",
        source="https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html",
    ),
}
