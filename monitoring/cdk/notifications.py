"""Topics → queue → notify → people; undeliverable notifications are kept."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from aws_cdk.aws_lambda_event_sources import SqsEventSource
from constructs import Construct

from functions.encryption import SEND, WRITE_TABLE
from functions.factory import FunctionFactory
from monitoring.channels import described
from monitoring.model.signals import Severity
from settings.schema import Settings

_TIMEOUT_SECONDS = 30
_ATTEMPTS = 5


class Notifications(Construct):
    """A topic per severity, and ``notify`` behind them.

    Attributes:
        topics: by purpose: the severities, and where there are email addresses ``alert-path``,
            which goes to them directly, neither through the key nor through ``notify``.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, functions: FunctionFactory
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self._encryption = functions.encryption
        self._key = self._encryption.key or self._create_key()
        undelivered = self._undelivered()
        queue = self._queue(undelivered)
        self.topics = {
            severity.value: self._topic(severity.value, self._key) for severity in Severity
        }
        for topic in self.topics.values():
            topic.add_subscription(
                subscriptions.SqsSubscription(queue, dead_letter_queue=undelivered)
            )
        addresses = self._addresses()
        if addresses:
            self.topics["alert-path"] = self._alert_path(addresses)
        self._notify(functions, queue)

    def _create_key(self) -> kms.Key:
        """A key that CloudWatch may use: without that grant it publishes nothing, silently."""
        key = kms.Key(
            self,
            "Key",
            description=f"Alarm topics of {self._settings.prefix}",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.DESTROY,
            pending_window=Duration.days(7),
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions=self._own_alarms(),
            )
        )
        return key

    def _own_alarms(self) -> dict[str, dict[str, str]]:
        """Limits what CloudWatch may do to alarms of this environment.

        Source: SNS developer guide, "Key management", "Enable compatibility between event sources
        from AWS services and encrypted topics".
        """
        stack = Stack.of(self)
        alarms = (
            f"arn:{stack.partition}:cloudwatch:{stack.region}:{stack.account}"
            f":alarm:{self._settings.prefix}-*"
        )
        return {
            "StringEquals": {"aws:SourceAccount": stack.account},
            "ArnLike": {"aws:SourceArn": alarms},
        }

    def _topic(self, purpose: str, key: kms.IKey | None) -> sns.Topic:
        topic = sns.Topic(
            self,
            f"{purpose.title().replace('-', '')}Topic",
            topic_name=self._settings.topic_name(purpose),
            display_name=f"{self._settings.prefix} {purpose}",
            master_key=key,
            enforce_ssl=True,
        )
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions=self._own_alarms(),
            )
        )
        return topic

    def _alert_path(self, addresses: Sequence[str]) -> sns.Topic:
        """Notified when the usual path is broken, so it shares nothing with it."""
        topic = self._topic("alert-path", None)
        for address in addresses:
            topic.add_subscription(subscriptions.EmailSubscription(address))
        return topic

    def _addresses(self) -> list[str]:
        addresses = [
            address for channel in self._settings.notifications for address in channel.addresses
        ]
        return list(dict.fromkeys(addresses))

    def _undelivered(self) -> sqs.Queue:
        """Keeps the notifications that could not be sent; an alarm watches it."""
        return sqs.Queue(
            self,
            "Undelivered",
            queue_name=self._settings.notify_dlq_name,
            **self._encryption.queue,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )

    def _queue(self, undelivered: sqs.Queue) -> sqs.Queue:
        return sqs.Queue(
            self,
            "Queue",
            queue_name=self._settings.notify_queue_name,
            **self._encryption.queue,
            enforce_ssl=True,
            # A notification that a channel did not accept is retried after this long.
            visibility_timeout=Duration.seconds(2 * _TIMEOUT_SECONDS),
            dead_letter_queue=sqs.DeadLetterQueue(queue=undelivered, max_receive_count=_ATTEMPTS),
        )

    def _email_topics(self) -> dict[str, sns.Topic]:
        """A topic per email channel: SNS sends the text that ``notify`` rendered."""
        topics = {}
        for channel in self._settings.notifications:
            if channel.kind == "email":
                topic = sns.Topic(
                    self,
                    f"{channel.id.title().replace('-', '')}Mail",
                    topic_name=self._settings.topic_name(f"mail-{channel.id}"),
                    display_name=self._settings.prefix,
                    master_key=self._key,
                    enforce_ssl=True,
                )
                for address in channel.addresses:
                    topic.add_subscription(subscriptions.EmailSubscription(address))
                topics[channel.id] = topic
        return topics

    def _notify(self, functions: FunctionFactory, queue: sqs.Queue) -> lambda_.Function:
        mail = self._email_topics()
        table = dynamodb.Table(
            self,
            "Incidents",
            table_name=self._settings.incidents_table_name,
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute="expires_at",
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            **self._encryption.table,
            removal_policy=RemovalPolicy.DESTROY,
        )
        secrets = [
            channel.secretArn for channel in self._settings.notifications if channel.secretArn
        ]
        statements = [
            iam.PolicyStatement(
                actions=["dynamodb:GetItem", "dynamodb:PutItem"],
                resources=[table.table_arn],
            ),
            *self._encryption.allow(*WRITE_TABLE),
            # CloudWatch does not support a narrower resource for it.
            iam.PolicyStatement(actions=["cloudwatch:DescribeAlarms"], resources=["*"]),
        ]
        if secrets:
            statements.append(
                iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=secrets)
            )
        keys = [
            channel.secretKeyArn for channel in self._settings.notifications if channel.secretKeyArn
        ]
        if keys:
            statements.append(
                iam.PolicyStatement(actions=["kms:Decrypt"], resources=list(dict.fromkeys(keys)))
            )
        if mail:
            arns = [topic.topic_arn for topic in mail.values()]
            statements += [
                iam.PolicyStatement(actions=["sns:Publish"], resources=arns),
                iam.PolicyStatement(actions=list(SEND), resources=[self._key.key_arn]),
            ]
        plain = self._settings.for_practice or "http-channel" in self._settings.allowedRisks
        channels = [
            described(
                channel,
                mail[channel.id].topic_arn if channel.id in mail else None,
                https_only=not plain,
            )
            for channel in self._settings.notifications
        ]
        function = functions.create(
            self,
            "Notify",
            name="notify",
            module="notify",
            timeout_seconds=_TIMEOUT_SECONDS,
            environment={
                "CHANNELS": Stack.of(self).to_json_string(channels),
                "TABLE": table.table_name,
            },
            statements=statements,
        )
        function.add_event_source(
            SqsEventSource(queue, batch_size=1, max_concurrency=2, report_batch_item_failures=True)
        )
        return function
