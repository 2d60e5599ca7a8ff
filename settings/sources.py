"""The sources in an environment's block: who may send, and what is different for each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from lambdas import extract
from lambdas.backend_url import Backend
from lambdas.sources import networks, routing
from settings.forms import Form, Parsed
from settings.monitoring import Name, Part

# What API Gateway answers by itself at the root of an HTTP API's default endpoint, so that a
# webhook sent there is acknowledged and lost. Source: serverless/examples issue 667.
_RESERVED = ("/ping", "/sping")
# Where the monitoring's own requests go.
OURS = "/webhook-buffer/"


def _path(pattern: str) -> str:
    problem = routing.path_problem(pattern)
    if problem:
        raise ValueError(problem)
    if pattern.startswith(OURS):
        raise ValueError(f"'{pattern}' is below {OURS}, which is the monitoring's; choose another")
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
ContentType = Annotated[
    str,
    AfterValidator(
        Form("a content type such as text/plain", r"[\w.+-]+/[\w.+-]+(; ?[\w-]+=[\w-]+)*")
    ),
]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class Answer(Part):
    """What a provider wants to be answered instead of the message's id."""

    # Any other says that the webhook was not taken.
    status: int = Field(default=200, ge=200, le=299, description="The HTTP status.")
    body: str = Field(default="", max_length=1024, description="The body, as it is sent.")
    contentType: ContentType = Field(
        default="text/plain; charset=utf-8", description="Its content type, where there is a body."
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.status == 204 and self.body:
            raise ValueError("a 204 has no body; remove body or set status to 200")
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
    groupId: Extractors | None = Field(
        default=None, description="Extractors of this source instead of the environment's."
    )
    deduplicationId: Extractors | None = Field(
        default=None, description="Extractors of this source instead of the environment's."
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


def entries(sources: Iterable[Source]) -> list[dict[str, Any]]:
    """The sources as functions get them; see ``lambdas.sources.table``."""
    return [_entry(source) for source in sources]


def _entry(source: Source) -> dict[str, Any]:
    own = source.model_dump(
        include={"groupId", "deduplicationId", "backend_url", "allowedIps"}, exclude_none=True
    )
    entry = {"name": source.name, "paths": source.paths, "methods": source.methods, **own}
    if source.answer:
        answer = source.answer
        entry["answer"] = {
            "status": answer.status,
            "body": answer.body,
            "content_type": answer.contentType,
        }
    return entry


def problems(sources: list[Source], *, prefixed: bool) -> Iterable[str]:
    """What does not hold among sources.

    Args:
        prefixed: whether all paths are below a prefix.
    """
    names = [source.name for source in sources]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"sources: two are called '{name}'; give each a name of its own"
    takers: dict[str, str] = {}
    for number, source in enumerate(sources):
        for path in source.paths:
            if path in takers:
                yield (
                    f"sources.{number}.paths: '{path}' is also of source '{takers[path]}', and "
                    "neither is longer; give it to one of them"
                )
            takers[path] = source.name
            if path in _RESERVED and not prefixed:
                yield (
                    f"sources.{number}.paths: API Gateway answers {path} by itself, so that its "
                    "webhooks are lost; set pathPrefix or choose another path"
                )
