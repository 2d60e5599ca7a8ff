"""Topics → queue → notify → people; undeliverable notifications are kept."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from aws_cdk.aws_lambda_event_sources import SqsEventSource
from constructs import Construct

from functions.encryption import WRITE_TABLE
from functions.factory import FunctionFactory
from functions.statements import allow, log_arn, table_arn
from monitoring.channels import described
from monitoring.model.signals import Severity
from settings.monitoring import Channel
from settings.names import NOTIFY_ATTEMPTS
from settings.schema import Settings

_TIMEOUT_SECONDS = 30


class Notifications(Construct):
    """A topic per severity, and ``notify`` behind them.

    Args:
        names_webhooks: whether there is a buffer whose webhooks notifications name.

    Attributes:
        topics: by purpose: the severities, and one for each email channel's addresses.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        functions: FunctionFactory,
        names_webhooks: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings, self._names_webhooks = settings, names_webhooks
        self._encryption = functions.encryption
        self._key = self._encryption.key or self._create_key()
        undelivered = self._undelivered()
        queue = self._queue(undelivered)
        self.topics = {
            severity.value: self._topic(
                f"{severity.value.title()}Topic", severity.value, master_key=self._key
            )
            for severity in Severity
        }
        for topic in self.topics.values():
            topic.add_subscription(
                subscriptions.SqsSubscription(queue, dead_letter_queue=undelivered)
            )
        for channel in settings.notifications:
            if channel.addresses:
                self.topics[channel.mail_topic] = self._mail(channel)
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

    def _topic(
        self, construct_id: str, purpose: str, *, master_key: kms.IKey | None = None
    ) -> sns.Topic:
        """A topic that this environment's alarms may publish to."""
        topic = sns.Topic(
            self,
            construct_id,
            topic_name=self._settings.topic_name(purpose),
            display_name=f"{self._settings.prefix} {purpose}",
            master_key=master_key,
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

    def _mail(self, channel: Channel) -> sns.Topic:
        """The channel's addresses: ``notify`` writes to them, and so do alarms on the alert path.

        One topic for both, because every subscription has to be confirmed; and without a key,
        because the news of a broken alert path must not need what may be broken in it.
        """
        topic = self._topic(f"{channel.id.title().replace('-', '')}Mail", channel.mail_topic)
        for address in channel.addresses:
            topic.add_subscription(subscriptions.EmailSubscription(address))
        return topic

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
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=undelivered, max_receive_count=NOTIFY_ATTEMPTS
            ),
        )

    def _notify(self, functions: FunctionFactory, queue: sqs.Queue) -> None:
        settings = self._settings
        mail = {
            channel.id: self.topics[channel.mail_topic].topic_arn
            for channel in settings.notifications
            if channel.addresses
        }
        plain = settings.for_practice or "http-channel" in settings.allowedRisks
        channels = [
            described(channel, mail.get(channel.id), https_only=not plain)
            for channel in settings.notifications
        ]
        table = self._incidents()
        environment = {
            "CHANNELS": Stack.of(self).to_json_string(channels),
            "TABLE": table.table_name,
        }
        if self._names_webhooks:
            environment["PARKING_TABLE"] = settings.parking_table_name
        function = functions.create(
            self,
            "Notify",
            name="notify",
            module="notify",
            timeout_seconds=_TIMEOUT_SECONDS,
            environment=environment,
            statements=self._statements(table, mail.values()),
        )
        function.add_event_source(
            SqsEventSource(queue, batch_size=1, max_concurrency=2, report_batch_item_failures=True)
        )

    def _incidents(self) -> dynamodb.Table:
        """What each channel was notified of."""
        return dynamodb.Table(
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

    def _statements(self, table: dynamodb.Table, mail: Iterable[str]) -> list[iam.PolicyStatement]:
        """What ``notify`` may do.

        Args:
            mail: ARNs of the topics that lead to addresses.
        """
        channels = self._settings.notifications
        return [
            *allow([table.table_arn], "dynamodb:GetItem", "dynamodb:PutItem"),
            *self._encryption.allow(*WRITE_TABLE),
            # CloudWatch does not support a narrower resource for it.
            *allow(["*"], "cloudwatch:DescribeAlarms"),
            *(self._reads_webhooks() if self._names_webhooks else ()),
            *allow((channel.secretArn for channel in channels), "secretsmanager:GetSecretValue"),
            *allow((channel.secretKeyArn for channel in channels), "kms:Decrypt"),
            *allow(mail, "sns:Publish"),
        ]

    def _reads_webhooks(self) -> list[iam.PolicyStatement]:
        """Reading which webhooks are parked, block or are lost: nothing of it has bodies."""
        logs = [
            log_arn(self, self._settings.log_group_name(name)) for name in ("subscribe", "audit")
        ]
        parked = table_arn(self, f"{self._settings.parking_table_name}/index/*")
        return [*allow([parked], "dynamodb:Query"), *allow(logs, "logs:FilterLogEvents")]
