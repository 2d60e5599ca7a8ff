"""The sources in an environment's block: who may send, and what is different for each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from lambdas.base import extract
from lambdas.base.backend_url import Backend
from lambdas.sources import networks, routing
from lambdas.sources.handshakes import HANDSHAKES
from settings.answer import Answer
from settings.forms import Form, Parsed
from settings.monitoring import Name, Part
from settings.verify import Verify

# What API Gateway answers by itself at the root of an HTTP API's default endpoint, so that a
# webhook sent there is acknowledged and lost. Source: serverless/examples issue 667.
RESERVED = ("/ping", "/sping")
# Where the monitoring's own requests go.
OURS = "/webhook-buffer/"


def _path(pattern: str) -> str:
    problem = routing.path_problem(pattern)
    if problem:
        raise ValueError(problem)
    if pattern.startswith(OURS):
        raise ValueError(
            f"'{pattern}' is below {OURS}, which is reserved for the monitoring; choose another"
        )
    return pattern


def _network(text: str) -> str:
    try:
        networks.parse(text)
    except ValueError:
        raise ValueError(
            f"'{text}' is not a network; write it as 192.0.2.0/24 or 2001:db8::/32, with no bits "
            "beyond the prefix"
        ) from None
    return text


Extractors = list[
    Annotated[str, AfterValidator(Parsed("an [extractor](#extractors)", extract.parse))]
]
BackendUrl = Annotated[
    str,
    AfterValidator(
        Parsed("an HTTP or HTTPS URL without credentials, query and fragment", Backend.parse)
    ),
]
Path = Annotated[str, AfterValidator(Parsed("a path such as `/github` or `/github/*`", _path))]
Network = Annotated[str, AfterValidator(Parsed("a network such as `192.0.2.0/24`", _network))]
Kind = Literal[
    "hub-challenge", "websub", "slack", "microsoft-graph", "dropbox", "x-crc", "zoom",
    "cloudevents", "discord", "discord-events", "xero", "sns", "asana",
]  # fmt: skip
Topic = Annotated[str, AfterValidator(Form("a topic's URL", r"https?://[!-~]{1,1000}"))]
Origin = Annotated[
    str, AfterValidator(Form("an origin such as eventgrid.azure.net", r"[!-~]{1,255}"))
]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


# No provider's source; for alarms and documents that show what sources bring.
EXAMPLE: dict[str, Any] = {
    "name": "example",
    "paths": ["/example"],
    "verify": {"provider": "discord", "publicKeys": ["0" * 64]},
}


class Handshake(Part):
    """What a provider wants to be answered before it sends."""

    kind: Kind = Field(description="Whose; a provider in `verify` brings its own.")
    topics: list[Topic] = Field(
        default=[], max_length=50, description="`websub` only: the topics subscribed to."
    )
    origins: list[Origin] = Field(
        default=[],
        max_length=20,
        description="`cloudevents` only: the origins that may send, as the event source's name "
        "(`eventgrid.azure.net`).",
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for key, kinds in (("topics", {"websub"}), ("origins", {"cloudevents"})):
            if bool(getattr(self, key)) != (self.kind in kinds):
                done = "remove it" if getattr(self, key) else "name at least one"
                raise ValueError(
                    f"{key} is for {', '.join(sorted(kinds))}, and for no other; {done}"
                )
        return self


class Source(Part):
    """Who may send to some paths."""

    name: Name = Field(description="Stands in the log, in the record and in metrics.")
    paths: list[Path] = Field(
        min_length=1,
        max_length=20,
        description="`/github` is one path, `/github/*` are all below `/github/`. The longest path "
        "wins, an exact one over every prefix; one path in two sources is an error.",
    )
    methods: list[Method] = Field(
        default=["POST"], min_length=1, description="What is queued; others are answered 405."
    )
    verify: Verify | None = Field(
        default=None,
        description="How its requests are verified before they are queued. With neither "
        "it nor `allowedIps`, anybody can send to its paths, and its webhooks get [groups of their "
        "own](sources.md#groups).",
    )
    handshake: Handshake | None = Field(
        default=None,
        description="What a provider wants to be answered before it sends, where `verify` does not "
        "name the provider.",
    )
    groupId: Extractors | None = Field(
        default=None, description="Extractors of this source instead of the environment's."
    )
    deduplicationId: Extractors | None = Field(
        default=None, description="Extractors of this source instead of the environment's."
    )
    deduplicateBy: Literal["id and request", "id"] = Field(
        default="id and request",
        description="What makes a webhook a repeat: its deduplication id with the same method, "
        "path, query and body, or the id alone. `id` is for providers that change the request "
        "between retries. It needs `verify`, or anybody could use up another sender's id.",
    )
    backend_url: BackendUrl | None = Field(
        default=None, description="Where this source's webhooks go instead of to the environment's."
    )
    allowedIps: list[Network] = Field(
        default=[],
        max_length=200,
        description="The networks that requests may come from, IPv4 and IPv6, as API Gateway sees "
        "the sender; behind CloudFront that is CloudFront. Empty for any.",
    )
    answer: Answer | None = Field(
        default=None,
        description="What the provider is answered once its webhook is queued, instead of 200 and "
        "the message's id.",
    )

    @property
    def handshakes(self) -> tuple[str, ...]:
        """The names of what is answered: its own, or else its provider's."""
        if self.handshake:
            return (self.handshake.kind,)
        return self.verify.handshakes if self.verify else ()

    @property
    def is_open(self) -> bool:
        """Whether anybody can send: nothing is verified, and addresses are not limited."""
        limited = self.allowedIps and not any(text.endswith("/0") for text in self.allowedIps)
        return self.verify is None and not limited

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.deduplicateBy == "id" and self.verify is None:
            raise ValueError("deduplicateBy is id, and anybody can send one; add verify")
        for name in self.handshakes:
            handshake = HANDSHAKES[name]
            if handshake.verified and self.verify is None:
                raise ValueError(
                    f"the handshake {name} is signed, and nothing verifies it; add verify"
                )
            secret = {"current", "verify_token", "enrollment"} & set(handshake.needs)
            if secret and not (self.verify and self.verify.secretArn):
                raise ValueError(f"the handshake {name} needs a secret; add verify.secretArn")
        return self


def entries(sources: Iterable[Source], *, url: str = "") -> list[dict[str, Any]]:
    """The sources as functions get them; see ``lambdas.sources.table``.

    Args:
        url: what the environment's URLs begin with, if that is known before it is deployed.
    """
    return [_entry(source, url) for source in sources]


def _entry(source: Source, url: str) -> dict[str, Any]:
    own = source.model_dump(
        include={"groupId", "deduplicationId", "deduplicateBy", "backend_url", "allowedIps"},
        exclude_none=True,
    )
    entry = {"name": source.name, "paths": source.paths, "methods": source.methods, **own}
    if source.is_open:
        entry["open"] = True
    if source.verify:
        entry["verify"] = source.verify.spec(url)
    if source.handshakes:
        entry["handshakes"] = source.handshakes
    if source.handshake:
        entry |= {"topics": source.handshake.topics, "origins": source.handshake.origins}
    if source.verify and source.verify.bodiless:
        entry["bodiless"] = True
    answer = source.answer or (source.verify.answer if source.verify else None)
    if answer:
        entry["answer"] = {
            "status": answer.status,
            "body": answer.body,
            "content_type": answer.contentType,
        }
    return entry


def secrets(sources: Iterable[Source]) -> list[str]:
    """What functions read: the ARNs of secrets and of their keys, each once."""
    arns = [
        arn
        for source in sources
        if source.verify
        for arn in (source.verify.secretArn, source.verify.secretKeyArn)
        if arn
    ]
    return list(dict.fromkeys(arns))


def problems(sources: list[Source], *, prefixed: bool, url: str) -> Iterable[str]:
    """What does not hold among sources.

    Args:
        prefixed: whether all paths are below a prefix.
        url: what the environment's URLs begin with; empty where only a deployment knows it.
    """
    names = [source.name for source in sources]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"sources: two are called '{name}'; give each a name of its own"
    takers: dict[str, str] = {}
    for number, source in enumerate(sources):
        problem = source.verify.problem(url) if source.verify else None
        if problem:
            yield f"sources.{number}.verify.{problem}"
        for path in source.paths:
            if path in takers:
                yield (
                    f"sources.{number}.paths: '{path}' also belongs to source '{takers[path]}', "
                    "and neither is longer; give it to one of them"
                )
            takers[path] = source.name
            if path in RESERVED and not prefixed:
                yield (
                    f"sources.{number}.paths: API Gateway answers {path} by itself, so that its "
                    "webhooks are lost; set pathPrefix or choose another path"
                )
