"""Smoke tests: each is a claim that is checked against the deployed buffer."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from lambdas.base.envelope import MAX_MESSAGE_BYTES
from settings.errors import InputError, ProofFailedError
from settings.sources import RESERVED
from webhook_buffer.operations.environment import Environment, aws_errors
from webhook_buffer.operations.send import Receipt, Sender, Webhook

_RELEASE_SECONDS = 60.0
_DELIVERY_SECONDS = 60.0
_FORCED_STATUSES = (500, 404, 302)


@dataclass(frozen=True)
class Check:
    """A claim that held, in words."""

    claim: str
    detail: str


@dataclass(frozen=True)
class Opening:
    """Where a test webhook can be sent.

    Attributes:
        extractors: that find its group.
        anywhere: whether the path may go on; its last segment then counts for nothing.
    """

    path: str
    extractors: list[str]
    anywhere: bool

    def with_segment(self, number: int, value: str) -> str | None:
        """A path whose n-th segment is a value; None if none of these can be."""
        fixed = self.path.strip("/").split("/")[:-1]
        if not self.anywhere or number <= len(fixed):
            return None
        between = ["smoke-test"] * (number - 1 - len(fixed))
        return "/" + "/".join([*fixed, *between, value])


_NOT_DELIVERED = Check(
    "deliveries are not tested", "every source verifies its senders, or has an answer of its own"
)


class Smoke:
    """The tests of one environment. Every run uses group ids of its own."""

    def __init__(self, target: Environment, outputs: Mapping[str, str]) -> None:
        self._target = target
        self._outputs = outputs
        self._sender = Sender(outputs["BufferedEndpoint"])
        self._run = uuid4().hex[:12]

    @property
    def uses_faux_backend(self) -> bool:
        """Whether our webhooks end at a faux backend, where they can do no harm."""
        return self._outputs["UsesFauxBackend"] == "true"

    def checks(self, *, failures: bool, deliver: bool) -> Iterator[Check]:
        """Runs the tests one by one.

        Args:
            failures: also make the faux backend fail.
            deliver: also send test webhooks where the backend is real.

        Raises:
            InputError: When the environment has nothing to make fail.
            ProofFailedError: When a claim does not hold; it says what was seen instead.
        """
        if failures and not (self.uses_faux_backend and self._target.settings.testFlags):
            raise InputError(
                "--failures needs create_faux_backend and testFlags, and environment "
                f"'{self._target.settings.environment}' does not have both."
            )
        yield self._new_version_answers()
        if self._target.settings.sources:
            yield self._refuses_strangers()
        else:
            yield self._refuses_what_can_not_be_queued()
        yield self._receives_reserved_paths()
        if self.uses_faux_backend or deliver:
            yield self._delivers_in_order() if self._open else _NOT_DELIVERED
        for status in _FORCED_STATUSES if failures and self._open else ():
            yield self._records_failure(status)

    def _new_version_answers(self) -> Check:
        """Polls with a request that is refused before it reaches the queue."""
        release = self._outputs["Release"]
        seen: list[str | None] = []

        def answers() -> bool:
            seen.append(self._sender.post(_oversized()).release)
            return seen[-1] == release

        if not _within(_RELEASE_SECONDS, answers):
            raise ProofFailedError(
                f"The deployed version {release} did not answer at "
                f"{self._outputs['BufferedEndpoint']} within {_RELEASE_SECONDS:.0f} s; "
                f"last seen: {seen[-1] or 'no buffer at all'}."
            )
        return Check("the deployed version answers", release)

    def _refuses_what_can_not_be_queued(self) -> Check:
        receipt = self._sender.post(_oversized())
        if receipt.status not in (400, 413) or "error" not in receipt.answer:
            raise ProofFailedError(
                "A request too large for SQS, without a group, was answered "
                f"{receipt.status}, not 413 or 400 with a reason."
            )
        return Check("what can't be queued is refused", f"{receipt.status} with a reason")

    def _refuses_strangers(self) -> Check:
        receipt = self._sender.post(Webhook(body=b"", path=f"/{self._run}/.env"))
        # A provider such as Xero, whose source may take every path, wants answers without a body.
        if receipt.status not in (401, 403, 404, 405) or receipt.release is None:
            raise ProofFailedError(
                f"A request from a sender that 'sources' does not name was answered "
                f"{receipt.status}, not 404 by the buffer."
            )
        return Check("what no source takes is refused", f"{receipt.status} by the buffer")

    def _receives_reserved_paths(self) -> Check:
        """With requests that the buffer refuses, and that nobody else would."""
        taken = [
            path
            for path in RESERVED  # that API Gateway answers POST, too, is assumed
            if self._sender.post(Webhook(body=os.urandom(MAX_MESSAGE_BYTES + 1), path=path)).release
            is None
        ]
        named = " and ".join(taken)
        if taken and self._target.settings.pathPrefix:
            raise ProofFailedError(
                f"Requests to {named} below pathPrefix were not answered by the buffer: webhooks "
                "sent there are lost. Do not name these paths to senders."
            )
        if taken:
            return Check(
                f"webhooks to {named} do not arrive: API Gateway answers them",
                "set pathPrefix in cdk.json to receive them",
            )
        return Check("/ping and /sping reach the buffer", "their answers carry its release")

    @property
    def _open(self) -> Opening | None:
        """Where a test webhook can be sent and its message's id is answered."""
        settings = self._target.settings
        if settings.sources is None:
            return Opening("/smoke-test", settings.groupId, anywhere=True)
        for source in settings.sources:
            limited = source.verify or source.allowedIps or source.answer
            if "POST" in source.methods and not limited:
                path = source.paths[0].replace("*", "smoke-test")
                extractors = settings.groupId if source.groupId is None else source.groupId
                return Opening(path, extractors, anywhere=source.paths[0].endswith("*"))
        return None

    def _delivers_in_order(self) -> Check:
        group = f"smoke-{self._run}"
        receipts = [self._post(group, {"smoke_test": number}) for number in range(3)]
        records = [self._record(receipt, "delivered_timestamp") for receipt in receipts]
        delivered = [int(record["delivered_timestamp"]["N"]) for record in records]
        sequence = [receipt.answer["sequence_number"] for receipt in receipts]
        if delivered != sorted(delivered) or sequence != sorted(sequence):
            raise ProofFailedError(
                f"Three webhooks of group {group} were delivered out of order: at {delivered}."
            )
        lag = delivered[0] - int(records[0]["received_timestamp"]["N"])
        return Check("three webhooks of a group are delivered in order", f"first after {lag} ms")

    def _records_failure(self, status: int) -> Check:
        flags = {
            "faux_backend_force_status_code": status,
            "consume_bad_messages": True,
            "suppress_sentry": True,
        }
        receipt = self._post(f"smoke-{self._run}-{status}", flags)
        record = self._record(receipt, "backend_response_status_code")
        recorded = int(record["backend_response_status_code"]["N"])
        if recorded != status or "delivered_timestamp" in record:
            raise ProofFailedError(
                f"The backend answered {status}, and the record of {receipt.answer['message_id']} "
                f"says {recorded}."
            )
        return Check(f"a backend's {status} is recorded as a failure", receipt.answer["message_id"])

    def _post(self, group: str, document: Mapping[str, Any]) -> Receipt:
        opening = self._open
        assert opening
        webhook = in_group(opening, group, document)
        receipt = self._sender.post(webhook)
        if not receipt.accepted:
            reason = receipt.answer.get("error", "no reason given")
            raise ProofFailedError(f"A webhook was not accepted: {receipt.status} ({reason}).")
        return receipt

    def _record(self, receipt: Receipt, attribute: str) -> Mapping[str, Any]:
        """The webhook's record once it has an attribute."""
        key = {"id": {"S": receipt.answer["message_id"]}}
        table = self._outputs["DynamoDBTable"]
        record: dict[str, Any] = {}

        def complete() -> bool:
            with aws_errors(self._target.settings):
                reply = self._target.dynamodb.get_item(
                    TableName=table, Key=key, ConsistentRead=True
                )
            record.update(reply.get("Item", {}))
            return attribute in record

        if not _within(_DELIVERY_SECONDS, complete):
            seen = f"has {', '.join(sorted(record))}" if record else "does not exist"
            raise ProofFailedError(
                f"The record of {receipt.answer['message_id']} had no {attribute} within "
                f"{_DELIVERY_SECONDS:.0f} s; it {seen}. See: webhook-buffer logs --env "
                f"{self._target.settings.environment}"
            )
        return record


def in_group(opening: Opening, group: str, document: Mapping[str, Any]) -> Webhook:
    """A JSON webhook that an environment's extractors put into ``group``.

    The first extractor that a request can be made for decides; with none of those (only
    JMESPath beyond plain names, say) the webhook has whatever group the buffer finds.
    """
    headers = {"Content-Type": "application/json"}
    path = opening.path
    for line in opening.extractors:
        kind, _, argument = line.partition(":")
        match kind:
            case "header":
                return _json(document, headers={**headers, argument: group}, path=path)
            case "query":
                return _json(document, headers=headers, path=f"{path}?{argument}={group}")
            case "path" if segmented := opening.with_segment(int(argument), group):
                return _json(document, headers=headers, path=segmented)
            case "json" if all(name.isidentifier() for name in argument.split(".")):
                nested: Any = group
                for name in reversed(argument.split(".")):
                    nested = {name: nested}
                return _json({**document, **nested}, headers=headers, path=path)
    return _json(document, headers=headers, path=path)


def _json(document: Mapping[str, Any], *, headers: Mapping[str, str], path: str) -> Webhook:
    return Webhook(body=json.dumps(document).encode(), headers=headers, path=path)


def _oversized() -> Webhook:
    """Larger than a message, and random, so that compressing does not help."""
    return Webhook(body=os.urandom(MAX_MESSAGE_BYTES + 1))


def _within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Whether a condition became true before the deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.25)
    return True
