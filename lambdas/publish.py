"""HTTP API → FIFO queue: a webhook is acknowledged once SQS has it, and never before."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from lambdas.base import observe

if TYPE_CHECKING:
    from lambdas.sources.table import Source

with observe.loading():
    from lambdas import deduplication, heartbeat_key
    from lambdas.base import aws, envelope, extract, redaction, tracing
    from lambdas.base.reply import Reply, counted, refusal, unmatched
    from lambdas.config import PublishConfig

    CONFIG = PublishConfig.read(os.environ)
    _REPEATS = deduplication.Repeats()

# Seconds a sender is asked to wait before it sends again.
_RETRY_AFTER = 5
# Two attempts of this length are within what most senders wait for an answer (GitHub: 10 s).
_SEND_SECONDS = 3.0
# Kept back from the function's remaining time to answer and to report a failure.
_RESERVE_SECONDS = 1.0
# Characters of a path in the log.
_LOGGED_PATH = 256
_HEARTBEAT_GROUP = "webhook-buffer-heartbeat"


@observe.observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers an HTTP API event (payload format 2.0): 200, 400, 413, 415 or 503.

    Where sources are configured also what they answer: 401, 403, 404, 405, or an answer of their
    own.
    """
    started = time.monotonic()
    try:
        remaining = context.get_remaining_time_in_millis() / 1000 - _RESERVE_SECONDS
        reply = _reply(event, remaining)
    except Exception as error:
        observe.report_exception(error)
        reply = refusal(503, "The webhook was not queued. Send it again.")
        reply = reply._replace(fields={"error": type(error).__name__})
    failed = reply.status >= 500
    observe.log(
        "ERROR" if failed else "WARNING" if reply.status >= 400 else "INFO",
        reply.event,
        metrics=reply.metrics,
        http_status=reply.status,
        duration_ms=round((time.monotonic() - started) * 1000, 1),
        **reply.fields,
    )
    if reply.status == 503:
        reply = reply._replace(headers={**reply.headers, "Retry-After": str(_RETRY_AFTER)})
    return reply.as_http(CONFIG.release)


def _reply(event: dict[str, Any], seconds: float) -> Reply:
    """The answer to a request, with what is logged of the request.

    Args:
        seconds: how long it may take.
    """
    webhook = envelope.Envelope.from_event(event, prefix=CONFIG.path_prefix)
    if CONFIG.heartbeats and heartbeat_key.claimed(webhook):
        is_ours = CONFIG.heartbeats.proves(webhook, now=time.time(), within=seconds)
        webhook = webhook._replace(heartbeat=is_ours)
    is_whole = _is_whole(webhook.path)
    fields = {
        "method": webhook.method,
        "path": redaction.masked(webhook.path)[:_LOGGED_PATH] if is_whole else None,
        "body_bytes": len(webhook.body),
        "heartbeat": webhook.heartbeat or None,
    }
    reply = _judged(event, webhook, seconds) if is_whole else refusal(400, _PATH)
    return reply._replace(fields={**fields, **reply.fields})


def _judged(event: dict[str, Any], webhook: envelope.Envelope, seconds: float) -> Reply:
    """Queues what may be queued."""
    deadline = time.monotonic() + seconds
    if envelope.below(CONFIG.path_prefix, event.get("rawPath") or "/") is None:
        return unmatched(_PREFIX, "prefix")
    source, reply = None, None
    if CONFIG.sources and not webhook.heartbeat:
        source, reply = CONFIG.sources.route(webhook)
        webhook = webhook._replace(source=source.name if source else "")
    if reply is None and _altered(event, webhook):
        reply = refusal(415, _ALTERED, reason="altered")
    elif reply is None and CONFIG.sources and source:
        reply = CONFIG.sources.judge(source, webhook, seconds=seconds - _SEND_SECONDS)
        if source.verification:
            webhook = webhook._replace(verified=source.verification.name)
        if reply and _perhaps_altered(event, webhook, reply):
            reply = refusal(415, _PERHAPS_ALTERED, reason="altered")._replace(metrics=reply.metrics)
    reply = reply or _queued(webhook, source, deadline - time.monotonic())
    reply = reply._replace(fields={"source": webhook.source or None, **reply.fields})
    if source and source.bodiless:
        reply = reply._replace(body="")
    return counted(reply) if source else reply


class _Ids(NamedTuple):
    """Where a webhook belongs.

    Attributes:
        deduplication: as SQS gets it.
        reused: whether the same id came with another request before.
        mark: of the deduplication id in the log; None where no other webhook can have it.
    """

    group: str
    deduplication: str
    reused: bool = False
    mark: str | None = None


def _ids(webhook: envelope.Envelope, source: Source | None) -> _Ids | None:
    """A webhook's ids, which its source may find in other places; None where it lacks a group."""
    own = os.urandom(16).hex()
    if webhook.heartbeat:
        return _Ids(_HEARTBEAT_GROUP, own)
    facts = extract.RequestFacts(
        path=webhook.path, query=webhook.query, headers=webhook.headers, body=webhook.body
    )
    group_from, deduplication_from = CONFIG.group_id, CONFIG.deduplication_id
    if source and source.group_id is not None:
        group_from = source.group_id
    if source and source.deduplication_id is not None:
        deduplication_from = source.deduplication_id
    value = extract.first(deduplication_from, facts)
    group = extract.first(group_from, facts)
    if group is None:
        if CONFIG.reject_without_group:
            return None
        # SQS looks for duplicates within a group, so a repeat has to meet its original.
        group = value or own
    group = _group(group, source)
    if value is None:
        return _Ids(group, own)
    key = deduplication.Key(webhook.source, group, value)
    whole = key.with_request(webhook)
    for_sqs = key.alone if source and source.by_id_alone else whole
    return _Ids(group, for_sqs, _REPEATS.is_reused(key, whole), deduplication.mark(for_sqs))


def _group(value: str, source: Source | None) -> str:
    """The group for a value: not the heartbeat's, and for strangers none that others have."""
    if source and source.is_open:
        return extract.open_group(source.name, value)
    is_another = value == _HEARTBEAT_GROUP or (source and value.startswith(extract.OPEN))
    return extract.hashed(value) if is_another else value


def _queued(webhook: envelope.Envelope, source: Source | None, seconds: float) -> Reply:
    """Queues a webhook under its ids."""
    ids = _ids(webhook, source)
    if ids is None:
        return refusal(400, _NO_GROUP, reason="no-group")
    observe.about(group_id=ids.group)
    try:
        message = envelope.pack(webhook, trace=tracing.carried())
    except envelope.TooLargeError:
        return refusal(413, _TOO_LARGE, reason="too-large")
    fields: dict[str, Any] = {"message_bytes": message.size}
    try:
        reply = aws.SQS.call(
            "SendMessage",
            {
                "QueueUrl": CONFIG.queue_url,
                "MessageBody": message.text,
                "MessageGroupId": ids.group,
                "MessageDeduplicationId": ids.deduplication,
                **({"MessageAttributes": message.attributes} if message.attributes else {}),
            },
            seconds=_SEND_SECONDS,
            within=seconds,
        )
    except aws.AwsError as error:
        observe.report(f"SQS did not take a webhook: {error.code}")
        return refusal(503, _NOT_QUEUED, **fields, aws_error=error.code, reason="not-queued")
    fields |= {
        "message_id": reply["MessageId"],
        "sequence_number": reply["SequenceNumber"],
        "deduplication": ids.mark,
    }
    answer = {
        "message_id": reply["MessageId"],
        "sequence_number": reply["SequenceNumber"],
        "group_id": ids.group,
    }
    metrics = {} if webhook.heartbeat else {"Accepted": 1}
    if ids.reused:
        metrics["IdReused"] = 1
    if source:
        metrics["SourceAccepted"] = 1
    queued = Reply(200, answer, fields=fields, metrics=metrics, event="webhook.queued")
    if source and source.answer:
        own = source.answer
        headers = {"Content-Type": own.content_type} if own.body else {}
        return queued._replace(status=own.status, body=own.body, headers=headers)
    return queued


def _is_whole(path: str) -> bool:
    """Whether the API has handed the path over as it was sent.

    Where a path's escapes are no UTF-8 it puts replacement characters, which go out as other
    bytes. A sender's own replacement character can't be distinguished from those.
    """
    return "\ufffd" not in path and not any("\ud800" <= char <= "\udfff" for char in path)


def _has_replacements(event: dict[str, Any], webhook: envelope.Envelope) -> bool:
    """Whether the API may have put replacement characters in place of bytes that are no UTF-8.

    It hands bodies of text types over as text.
    """
    return not event.get("isBase64Encoded") and "\ufffd".encode() in webhook.body


def _altered(event: dict[str, Any], webhook: envelope.Envelope) -> bool:
    """Whether the API has altered a body, as its length shows."""
    if not _has_replacements(event, webhook):
        return False
    length = next((value for name, value in webhook.headers if name == "content-length"), None)
    return length is not None and length != str(len(webhook.body))


def _perhaps_altered(event: dict[str, Any], webhook: envelope.Envelope, reply: Reply) -> bool:
    """Whether a signed body is refused as wrong that the API may have altered in equal length.

    It puts three bytes for each mistake, which may have been three as well.
    """
    is_signed = webhook.verified not in ("", "token", "basic")
    is_wrong = reply.status == 401 and reply.fields["reason"] == "wrong"
    return is_signed and is_wrong and _has_replacements(event, webhook)


_PREFIX = (
    "This path is outside of this environment's 'pathPrefix' setting. Send to a path that begins "
    "with it."
)
_NOT_QUEUED = f"The queue does not accept right now. Send again in {_RETRY_AFTER} s."
_NO_GROUP = (
    "No group id found in this request, so its order can't be kept. "
    "Send one where this environment's 'groupId' setting looks for it."
)
_PATH = (
    "The path is not UTF-8 once its escapes are decoded, so it can't be passed on unchanged. "
    "Send to a path in UTF-8."
)
_ALTERED = (
    "The body is not UTF-8, but its Content-Type says text, so it can't be passed on unchanged. "
    "Send it with Content-Type: application/octet-stream."
)
_PERHAPS_ALTERED = (
    "The signature does not match, and the body has replacement characters: API Gateway puts them "
    "in place of bytes that are not UTF-8 where the Content-Type says text. Send such a body with "
    "Content-Type: application/octet-stream; if it was UTF-8, sign it with this source's current "
    "secret."
)
_TOO_LARGE = (
    "The request does not fit into one SQS message of 1 MiB, even compressed. "
    "Send a smaller body, or a reference to it."
)
