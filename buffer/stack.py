"""BufferStack, in the order in which a webhook travels."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from aws_cdk import Annotations, CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk.aws_lambda_event_sources import SqsEventSource
from constructs import Construct

from buffer.http_api import create_custom_domain, create_http_api
from buffer.secrets import create_heartbeat_key, read_secrets, read_signing_secret
from buffer.stores import Stores, create_stores
from functions import requirements
from functions.encryption import READ_SECRET, SEND, WRITE_TABLE, Encryption
from functions.factory import FunctionFactory
from functions.statements import allow
from functions.vpc import connect
from lambdas.base.envelope import MAX_MESSAGE_BYTES
from lambdas.sources.table import FILE
from settings import exposure, sources
from settings.names import BLOCKED_ATTEMPTS, BLOCKED_SECONDS
from settings.schema import Settings

# What a transaction does needs the right of each action in it. Source: DynamoDB developer guide,
# "Amazon DynamoDB Transactions", "IAM permissions".
_PARKING_ACTIONS = tuple(
    f"dynamodb:{action}"
    for action in ("GetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem")
)
# Its longest answer is a delay a test asked for.
_FAUX_TIMEOUT_SECONDS = 29


class BufferStack(Stack):
    """HTTP API → publish → FIFO queue → subscribe → backend, and the record of it.

    Args:
        public_url: where senders reach the API, if neither at its own URL nor at its domain.
        practice_backend: URL of one that runs already, which is delivered to in place of our own.
        record_indexes: names of those that the record table gets; default: all.

    Attributes:
        functions: its functions, by name without prefix.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        public_url: str | None = None,
        practice_backend: str | None = None,
        record_indexes: Collection[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            scope, construct_id, termination_protection=not settings.for_practice, **kwargs
        )
        requirements.apply(self, settings)

        # Read from the deployed template when a change of it is about to be deployed.
        self.template_options.metadata = {"GroupIds": settings.group_ids}
        self._settings = settings
        self._encryption = Encryption.of(self, settings)
        for notice in exposure.notices(settings):
            Annotations.of(self).add_warning_v2("webhook-buffer:exposure", notice)
        self._functions = self._factory()
        queue = self._queue()
        stores = create_stores(
            self, settings=settings, encryption=self._encryption, indexes=record_indexes
        )
        publish = self._publish(queue)
        domain = create_custom_domain(self, "Domain", settings=settings)
        api = self._api(publish, domain)
        faux = self._faux_backend().api_endpoint if settings.create_faux_backend else None
        backend_url = settings.backend_url or practice_backend or faux
        assert backend_url, "settings have one of the two"
        subscribe = self._subscribe(queue, stores, backend_url)
        # An update replaces the reader of envelopes before their writer.
        publish.node.add_dependency(subscribe)
        own_origin = f"https://{settings.domain_name}" if domain else api.api_endpoint
        endpoint = f"{public_url or own_origin}{settings.pathPrefix or ''}"
        self._outputs(queue, stores, endpoint, api)
        self.functions = self._functions.made

    def _factory(self) -> FunctionFactory:
        """What makes the functions, with the sources in a file beside their code."""
        settings = self._settings
        beside = None
        if settings.sources:
            entries = sources.entries(settings.sources, url=settings.public_url)
            beside = {FILE: json.dumps(entries, indent=1)}
        return FunctionFactory.of(
            settings,
            encryption=self._encryption,
            beside=beside,
            cryptography=settings.needs_cryptography,
        )

    def _queue(self) -> sqs.Queue:
        settings = self._settings
        return sqs.Queue(
            self,
            "Queue",
            queue_name=settings.queue_name,
            fifo=True,
            deduplication_scope=sqs.DeduplicationScope.MESSAGE_GROUP,
            fifo_throughput_limit=sqs.FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
            retention_period=Duration.seconds(settings.retention_seconds),
            visibility_timeout=Duration.seconds(settings.visibility_seconds),
            max_message_size_bytes=MAX_MESSAGE_BYTES,
            **self._encryption.queue,
            enforce_ssl=True,
            # Destroying the stack deletes the queue, too; `webhook-buffer destroy` warns about
            # queued webhooks.
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _api(
        self, publish: lambda_.Function, domain: apigateway.DomainName | None
    ) -> apigateway.HttpApi:
        settings = self._settings
        throttle = None
        if settings.throttleRate:
            throttle = apigateway.ThrottleSettings(
                rate_limit=settings.throttleRate, burst_limit=settings.throttleBurst
            )
        return create_http_api(
            self,
            "Api",
            name=settings.prefix,
            function=publish,
            settings=settings,
            domain=domain,
            throttle=throttle,
        )

    def _publish(self, queue: sqs.Queue) -> lambda_.Function:
        settings = self._settings
        key = create_heartbeat_key(
            self, "HeartbeatKey", settings=settings, encryption=self._encryption
        )
        return self._functions.create(
            self,
            "Publish",
            name="publish",
            module="publish",
            timeout_seconds=settings.publishTimeoutSeconds,
            reserved_concurrency=settings.reservedConcurrency,
            environment={
                "QUEUE_URL": queue.queue_url,
                "GROUP_ID": json.dumps(settings.groupId),
                "GROUP_ID_MISSING": settings.groupIdMissing,
                "DEDUPLICATION_ID": json.dumps(settings.deduplicationId),
                **({"HEARTBEAT_KEY": key.secret_arn} if key else {}),
                **({"PATH_PREFIX": settings.pathPrefix} if settings.pathPrefix else {}),
                **self._sources,
            },
            statements=[
                *allow([queue.queue_arn], "sqs:SendMessage"),
                *self._encryption.allow(*SEND, *READ_SECRET),
                *read_secrets(settings.sources or ()),
                *allow([key.secret_arn if key else None], "secretsmanager:GetSecretValue"),
            ],
        )

    def _subscribe(self, queue: sqs.Queue, stores: Stores, backend_url: str) -> lambda_.Function:
        """Its right to receive and delete comes with the event source."""
        settings = self._settings
        function = self._functions.create(
            self,
            "Subscribe",
            name="subscribe",
            module="subscribe",
            timeout_seconds=settings.subscribeTimeoutSeconds,
            environment={
                "QUEUE_URL": queue.queue_url,
                "VISIBILITY_SECONDS": str(settings.visibility_seconds),
                "TABLE": stores.records.table_name,
                "BODIES_BUCKET": stores.bodies.bucket_name,
                "BACKEND_URL": backend_url,
                "RETRY_BASE_SECONDS": str(settings.retryBaseSeconds),
                "RETRY_MAX_SECONDS": str(settings.retryMaxSeconds),
                "RETRY_AFTER_MAX_SECONDS": str(settings.retryAfterMaxSeconds),
                "RECORD_TTL_SECONDS": str(settings.record_ttl_seconds),
                "TEST_FLAGS": _flag(settings.testFlags),
                "REDACTED": json.dumps(
                    {"headers": settings.redactHeaders, "parameters": settings.redactParameters}
                ),
                "HEARTBEAT_TO_BACKEND": _flag(settings.heartbeat == "backend"),
                "BLOCKED_ATTEMPTS": str(BLOCKED_ATTEMPTS),
                "BLOCKED_SECONDS": str(BLOCKED_SECONDS),
                **({"SIGNING_SECRET": settings.signing.secretArn} if settings.signing else {}),
                "PARKING_TABLE": stores.parking.table_name,
                "FAILURE_POLICY": json.dumps(self._policy),
                **self._sources,
            },
            statements=[
                *allow([stores.records.table_arn], "dynamodb:GetItem", "dynamodb:UpdateItem"),
                *stores.may_put_bodies(),
                *read_signing_secret(settings.signing),
                *allow([stores.parking.table_arn], *_PARKING_ACTIONS),
                *self._encryption.allow(*WRITE_TABLE),
            ],
        )
        if settings.vpc:
            connect(function, settings.vpc, arn=settings.function_arn("subscribe"))
        function.add_event_source(
            SqsEventSource(
                queue,
                batch_size=1,
                max_concurrency=settings.maxConcurrency,
                report_batch_item_failures=True,
            )
        )
        return function

    @property
    def _policy(self) -> dict[str, Any]:
        """The failure policy as ``lambdas.failure_policy.Policy`` reads it, in seconds."""
        policy = self._settings.failure_policy
        return {
            "on_park": policy.onPark,
            "temporary": policy.temporaryStatuses,
            "refusals": policy.refusals,
            "refused_for": 60 * policy.refusalMinutes,
            "alone_for": 3600 * policy.uncountedHours,
            "longest": self._settings.longest_seconds,
            "per_hour": policy.parkedPerHour,
            "keep": 86_400 * policy.keepDays,
            "breaker": policy.breaker,
            "retry_share": policy.retrySharePercent / 100,
        }

    @property
    def _sources(self) -> dict[str, str]:
        """The variables that give publish and subscribe their sources; empty without any."""
        return {"SOURCES": FILE} if self._settings.sources else {}

    def _faux_backend(self) -> apigateway.HttpApi:
        settings = self._settings
        function = self._functions.create(
            self,
            "FauxBackend",
            name="faux-backend",
            module="faux_backend",
            timeout_seconds=_FAUX_TIMEOUT_SECONDS,
            environment={"TEST_FLAGS": _flag(settings.testFlags)},
            statements=[],
        )
        name = settings.function_name("faux-backend")
        return create_http_api(
            self, "FauxBackendApi", name=name, function=function, settings=settings
        )

    def _outputs(
        self, queue: sqs.Queue, stores: Stores, endpoint: str, api: apigateway.HttpApi
    ) -> None:
        """The names are a contract; see ``docs/contracts.md``.

        Values that no physical name reveals are exported for the monitoring stack. Neither ever
        changes: CloudFormation refuses to change an export that is in use.
        """
        outputs = {
            "AWSREGION": self.region,
            "DynamoDBTable": stores.records.table_name,
            "QueueUrl": queue.queue_url,
            "BufferedEndpoint": endpoint,
            "ApiId": api.api_id,
            "ApiEndpoint": api.api_endpoint,
            "UsesFauxBackend": _flag(self._settings.create_faux_backend),
            "Release": self._functions.release,
        }
        exports = {
            "ApiId": self._settings.api_id_export,
            "ApiEndpoint": self._settings.endpoint_export,
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value, export_name=exports.get(name))


def _flag(value: bool) -> str:
    return "true" if value else "false"
