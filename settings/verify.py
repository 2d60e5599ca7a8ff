"""How a source's requests are verified: by a provider's name, or by a scheme of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from lambdas.base import extract
from lambdas.base.http import HEADER_NAME
from lambdas.sources import schemes
from lambdas.sources.providers import PROVIDERS
from settings.answer import Answer
from settings.forms import Form, Parsed
from settings.monitoring import KeyArn, Part, SecretArn

ProviderName = Literal[
    "github", "stripe", "slack", "shopify", "standard-webhooks", "svix", "twilio", "square", "zoom",
    "linear", "discord", "meta", "x", "dropbox", "xero", "gitlab", "gitlab-signed", "intercom",
    "microsoft-graph", "asana", "sns",
]  # fmt: skip
Header = Annotated[str, AfterValidator(Form("a header's name", HEADER_NAME.pattern))]
Url = Annotated[
    str,
    AfterValidator(
        Form("the beginning of an https:// URL", r"https://[A-Za-z0-9.-]+(:\d{1,5})?(/[\w.~/-]*)?")
    ),
]
PublicKey = Annotated[
    str, AfterValidator(Form("an Ed25519 public key, 64 digits and letters a to f", "[0-9a-f]{64}"))
]
TopicArn = Annotated[
    str,
    AfterValidator(
        Form("an SNS topic's ARN", r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]+(\.fifo)?")
    ),
]
Timestamp = Annotated[
    str,
    AfterValidator(
        Form(
            "a timestamp's place: header:NAME, entry:PREFIX or json:NAME",
            r"(header:[A-Za-z0-9-]+|entry:[!-+\--~]+|json:[A-Za-z0-9_]+)",
        )
    ),
]
TokenPlace = Annotated[str, AfterValidator(Parsed("an [extractor](#extractors)", extract.parse))]
# What each scheme has besides what every source has.
_SIGNED = frozenset(
    {"header", "signed", "prefix", "separator", "encoding", "timestamp", "unit", "url", "digest"}
)
_OF_SCHEME = {
    "hmac": _SIGNED | {"algorithm", "secretEncoding"},
    "ed25519": _SIGNED,
    "token": frozenset({"token", "prefix"}),
    "basic": frozenset[str](),
    "sns": frozenset({"topics"}),
}
_REQUIRED = {"hmac": {"header", "signed"}, "ed25519": {"header", "signed"}, "token": {"token"}}
# Keys that are not part of a scheme's specification.
_OURS = frozenset({"provider", "scheme", "secretArn", "secretKeyArn", "publicKeys", "topics"})


class Verify(Part):
    """How a source's requests are verified."""

    provider: ProviderName | None = Field(
        default=None, description="A provider of [the list](sources.md#providers)."
    )
    scheme: Literal["hmac", "ed25519", "token", "basic"] | None = Field(
        default=None, description="Where no provider fits: how requests are verified."
    )
    secretArn: SecretArn | None = Field(
        default=None,
        description="The Secrets Manager secret: the secret itself, or "
        '`{"current": "…", "previous": "…"}` while it is rotated. For `basic` it is '
        "`user:password`.",
    )
    secretKeyArn: KeyArn | None = Field(
        default=None,
        description="The KMS key that encrypts the secret, where it is one of your own.",
    )
    publicKeys: list[PublicKey] = Field(
        default=[], max_length=2, description="Ed25519 only: the sender's public keys."
    )
    topics: list[TopicArn] = Field(
        default=[], max_length=50, description="`sns` only: the topics, by ARN."
    )
    url: Url | None = Field(
        default=None,
        description="Where the URL is signed: what it begins with, up to and without the source's "
        "path. By default the custom domain and `pathPrefix`.",
    )
    toleranceSeconds: int | None = Field(
        default=None,
        ge=1,
        le=86_400,
        description="How far a signature's time may be from now; by default the provider's or 300.",
    )
    header: Header | None = Field(default=None, description="The signature's header.")
    signed: str | None = Field(
        default=None,
        min_length=1,
        max_length=256,
        description="What is signed, with `{body}`, `{timestamp}`, `{url}`, `{method}`, `{path}` "
        "and `{header:NAME}` in it, such as `{timestamp}.{body}`.",
    )
    prefix: str | None = Field(
        default=None, max_length=32, description="Before the signature or token, such as `sha256=`."
    )
    separator: Literal[",", " ", ";"] | None = Field(
        default=None, description="Between several signatures in the header."
    )
    algorithm: Literal["sha1", "sha256", "sha512"] | None = Field(
        default=None, description="Of the HMAC; by default `sha256`."
    )
    encoding: Literal["hex", "base64"] | None = Field(
        default=None, description="Of the signature; by default `hex`."
    )
    secretEncoding: Literal["text", "base64", "hex"] | None = Field(
        default=None,
        description="Of the secret; by default `text`. `base64` may begin with `whsec_`.",
    )
    timestamp: Timestamp | None = Field(
        default=None,
        description="Where the signature's time is: `header:NAME`, `entry:t=` among the header's "
        "entries, or `json:NAME` in the body.",
    )
    unit: Literal["s", "ms"] | None = Field(
        default=None, description="Of that time; by default seconds."
    )
    token: TokenPlace | None = Field(
        default=None, description="Where the token is, such as `header:X-Api-Key`."
    )

    @property
    def handshakes(self) -> tuple[str, ...]:
        return PROVIDERS[self.provider].handshakes if self.provider else ()

    @property
    def answer(self) -> Answer | None:
        """What the provider wants to be answered; None for the usual."""
        status = PROVIDERS[self.provider].answer if self.provider else 200
        return None if status == 200 else Answer(status=status)

    @property
    def bodiless(self) -> bool:
        """Whether the provider takes an answer with a body for a failure."""
        return bool(self.provider) and PROVIDERS[str(self.provider)].bodiless

    @property
    def kind(self) -> str:
        """The name of its scheme."""
        if self.provider:
            return str(PROVIDERS[self.provider].spec["scheme"])
        assert self.scheme
        return self.scheme

    @property
    def needs_cryptography(self) -> bool:
        """Whether its scheme needs a library that the functions otherwise do without."""
        return self.kind in ("ed25519", "sns")

    def spec(self, url: str = "") -> dict[str, Any]:
        """The specification as functions get it; see ``lambdas.sources.schemes.build``.

        Args:
            url: what the environment's URLs begin with.
        """
        spec = {**self._scheme, "scheme": self.kind}
        if self._signs_url:
            spec["url"] = self.url or url
        if self.toleranceSeconds is not None:
            spec["tolerance"] = self.toleranceSeconds
        spec |= {"topics": self.topics} if self.topics else {}
        spec |= {"publicKeys": self.publicKeys} if self.publicKeys else {}
        spec |= {"secretArn": self.secretArn} if self.secretArn else {}
        return spec

    @property
    def _scheme(self) -> Mapping[str, Any]:
        if self.provider:
            return PROVIDERS[self.provider].spec
        return self.model_dump(exclude=set(_OURS | {"toleranceSeconds", "url"}), exclude_none=True)

    @property
    def _signs_url(self) -> bool:
        return "{url}" in self._scheme.get("signed", "")

    def problem(self, url: str) -> str | None:
        """Why its scheme can't work; the text begins with the key.

        Args:
            url: what the environment's URLs begin with; empty where only a deployment knows it.
        """
        if self.url and not self._signs_url:
            return "url: set, and the signature does not cover the URL; remove it"
        try:
            schemes.build({k: v for k, v in self.spec(url).items() if k not in _NOT_BUILT})
        except ValueError as error:
            return str(error)
        return None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.provider is None) == (self.scheme is None):
            raise ValueError("needs either provider or scheme; set one of the two")
        own = self.model_fields_set - {"provider", "scheme", "secretArn", "secretKeyArn"}
        own -= {"publicKeys", "topics", "url", "toleranceSeconds"}
        if self.provider and own:
            raise ValueError(f"{min(own)} is the provider's; remove it, or set scheme")
        for key in sorted(own - _OF_SCHEME[self.kind]):
            raise ValueError(f"{key} is nothing that the scheme {self.kind} has; remove it")
        for key in sorted(_REQUIRED.get(self.scheme or "", set()) - self.model_fields_set):
            raise ValueError(f"{key} is missing; the scheme {self.kind} needs it")
        for key, kinds in (("publicKeys", {"ed25519"}), ("topics", {"sns"})):
            if bool(getattr(self, key)) != (self.kind in kinds):
                done = "remove it" if getattr(self, key) else "add it"
                raise ValueError(
                    f"{key} is for {', '.join(sorted(kinds))}, and for no other; {done}"
                )
        if bool(self.secretArn) == (self.kind in ("ed25519", "sns")):
            done = "it has no secret; remove secretArn" if self.secretArn else "add secretArn"
            raise ValueError(f"verifies with {self.kind}; {done}")
        if self.secretKeyArn and not self.secretArn:
            raise ValueError("secretKeyArn is set without secretArn; remove it")
        return self


_NOT_BUILT = frozenset({"secretArn", "publicKeys"})
