"""Each function's environment variables, parsed once when its module loads.

A missing or malformed variable fails the load, where it is reported, instead of a request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from lambdas.base.backend_url import Backend
from lambdas.base.redaction import Redaction

if TYPE_CHECKING:
    from pathlib import Path

    from lambdas.base.extract import Extractor
    from lambdas.failure_policy import Policy
    from lambdas.heartbeat_key import HeartbeatKey
    from lambdas.signing import Signer
    from lambdas.sources.intake import Intake


class PublishConfig(NamedTuple):
    """``publish``'s environment.

    Attributes:
        queue_url: the FIFO queue.
        group_id, deduplication_id: extractors in order.
        reject_without_group: answer 400 when no group is found, else give it its own.
        heartbeats: what the monitoring's are known by; None where it sends none.
        path_prefix: what every path has to begin with, without a slash at its end.
        sources: None where anybody may send.
        release: what runs, sent in every answer's ``X-Buffer-Release``.
    """

    queue_url: str
    group_id: tuple[Extractor, ...]
    deduplication_id: tuple[Extractor, ...]
    reject_without_group: bool
    heartbeats: HeartbeatKey | None
    path_prefix: str
    sources: Intake | None
    release: str

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> PublishConfig:
        from lambdas.heartbeat_key import HeartbeatKey  # nothing of it is subscribe's

        return cls(
            queue_url=environ["QUEUE_URL"],
            group_id=_extractors(environ["GROUP_ID"]),
            deduplication_id=_extractors(environ["DEDUPLICATION_ID"]),
            reject_without_group=environ["GROUP_ID_MISSING"] == "reject",
            heartbeats=HeartbeatKey(key) if (key := environ.get("HEARTBEAT_KEY")) else None,
            path_prefix=environ.get("PATH_PREFIX", ""),
            sources=_intake(environ),
            release=environ["RELEASE"],
        )


class SubscribeConfig(NamedTuple):
    """``subscribe``'s environment.

    Attributes:
        visibility: the queue's visibility timeout, seconds.
        retry_base, retry_max, retry_after_max: seconds; see ``lambdas.backoff``.
        record_ttl: seconds after which DynamoDB may delete a record.
        test_flags: whether flags in a JSON body are obeyed.
        backends: of sources that have one of their own, by their names.
        signer: None where attempts are not signed.
        redaction: what records leave out.
        heartbeat_to_backend: whether a heartbeat goes on to the backend.
        blocked_attempts, blocked_seconds: a group counts as blocked once its head failed that
            often, or waited that long.
        bodies: the bucket of bodies that are too large for the record table.
        parking: the table of parked webhooks.
        policy: when a webhook that fails is parked.
    """

    queue_url: str
    visibility: int
    table: str
    bodies: str
    backend: Backend
    backends: Mapping[str, Backend]
    signer: Signer | None
    retry_base: float
    retry_max: float
    retry_after_max: float
    record_ttl: int
    test_flags: bool
    heartbeat_to_backend: bool
    blocked_attempts: int
    blocked_seconds: float
    parking: str
    policy: Policy
    redaction: Redaction

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> SubscribeConfig:
        from lambdas.failure_policy import Policy  # nothing of it is publish's

        return cls(
            queue_url=environ["QUEUE_URL"],
            visibility=int(environ["VISIBILITY_SECONDS"]),
            table=environ["TABLE"],
            bodies=environ["BODIES_BUCKET"],
            backend=Backend.parse(environ["BACKEND_URL"]),
            backends=_backends(environ),
            signer=_signer(environ),
            retry_base=float(environ["RETRY_BASE_SECONDS"]),
            retry_max=float(environ["RETRY_MAX_SECONDS"]),
            retry_after_max=float(environ["RETRY_AFTER_MAX_SECONDS"]),
            record_ttl=int(environ["RECORD_TTL_SECONDS"]),
            test_flags=environ["TEST_FLAGS"] == "true",
            heartbeat_to_backend=environ["HEARTBEAT_TO_BACKEND"] == "true",
            blocked_attempts=int(environ["BLOCKED_ATTEMPTS"]),
            blocked_seconds=float(environ["BLOCKED_SECONDS"]),
            parking=environ["PARKING_TABLE"],
            policy=Policy.of(json.loads(environ["FAILURE_POLICY"])),
            redaction=Redaction.parse(environ["REDACTED"]),
        )


def _intake(environ: Mapping[str, str]) -> Intake | None:
    """Loaded only where there are sources: its modules take a share of a cold start."""
    if "SOURCES" not in environ:
        return None
    from lambdas.sources.intake import Intake

    return Intake(_beside(environ["SOURCES"]))


def _backends(environ: Mapping[str, str]) -> Mapping[str, Backend]:
    if "SOURCES" not in environ:
        return {}
    from lambdas.sources import table

    return table.backends(_beside(environ["SOURCES"]))


def _signer(environ: Mapping[str, str]) -> Signer | None:
    """Loaded only where attempts are signed."""
    if "SIGNING_SECRET" not in environ:
        return None
    from lambdas.signing import Signer

    return Signer(environ["SIGNING_SECRET"])


def _beside(file: str) -> Path:
    """A file by its name in the asset's ``lambdas/``, or by its whole path."""
    from pathlib import Path

    return Path(__file__).parent / file


def _extractors(lines: str) -> tuple[Extractor, ...]:
    from lambdas.base import extract

    return tuple(extract.parse(line) for line in json.loads(lines))
