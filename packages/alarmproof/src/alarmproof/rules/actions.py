"""Whether an alarm's actions reach anybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from alarmproof.base.alarms import AnyAlarm
from alarmproof.base.values import Reference, Unknown, listed
from alarmproof.rules.context import Context, actions_of
from alarmproof.rules.registry import ERROR, NOTE, WARNING, Hit, rule
from alarmproof.rules.resources import key


@rule(
    "no-action",
    WARNING,
    finds="no alarm action, and nothing in the templates that uses the alarm",
    why="Nobody is notified.",
    remedy="Give it an action, or make it part of a composite alarm.",
    everywhere=True,
)
def no_action(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Composite alarms, health checks, deployments and scaling use alarms without actions.

    Where a condition chooses it, somebody meant it so.
    """
    if alarm.alarm_actions or alarm.name in context.parts or context.is_used(alarm):
        return
    message = "It has no alarm action, and is not part of a composite alarm."
    chosen = "AlarmActions" in alarm.conditional
    yield Hit(f"With these parameters: {message}", NOTE) if chosen else message


@rule(
    "invalid-action",
    WARNING,
    finds="an action that is not an ARN, or an incomplete one",
    why="CloudWatch refuses the alarm.",
    remedy="Give the complete ARN of a topic, a function, a scaling policy, or another action that "
    "CloudWatch supports.",
)
def invalid_action(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """What is written out, and resources in the templates.

    Source: CloudWatch API reference, PutMetricAlarm, AlarmActions; CloudFormation template
    reference, "Return values" of each type.
    """
    for action in dict.fromkeys(actions_of(alarm)):
        if isinstance(action.given, Reference):
            given = action.given
            resource = context.templates.resources.get((given.stack, given.logical_id))
            kind = resource.type if resource else ""
            if kind in _NO_ACTIONS:
                yield f"'{given.logical_id}' is of the type {kind}, which an alarm can't notify."
            elif (kind, given.attribute) in _NAMES_OF_ACTIONS:
                yield f"The action is the name of '{given.logical_id}', not its ARN."
        elif not isinstance(action.given, Unknown) and not _is_arn(action.given):
            yield f"The action '{action.given}' is not an ARN."


_NO_ACTIONS = frozenset(
    ("AWS::SQS::Queue", "AWS::StepFunctions::StateMachine", "AWS::Kinesis::Stream",
     "AWS::Logs::LogGroup", "AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::Events::EventBus")
)  # fmt: skip
_NAMES_OF_ACTIONS = frozenset(
    (("AWS::Lambda::Function", "Ref"), ("AWS::Serverless::Function", "Ref"),
     ("AWS::SNS::Topic", "TopicName"))
)  # fmt: skip


def _is_arn(text: str) -> bool:
    parts = text.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        return False
    _, _, service, region, account, resource = parts
    return bool(resource) and (service != "sns" or bool(region and account))


@rule(
    "actions-disabled",
    WARNING,
    finds="`ActionsEnabled: false`",
    why="Nobody is notified.",
    remedy="Enable them, or remove the alarm.",
    everywhere=True,
)
def actions_disabled(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Where a condition chooses it, somebody meant it so."""
    if alarm.actions_enabled:
        return
    chosen = "ActionsEnabled" in alarm.conditional
    yield (
        Hit("With these parameters its actions are disabled.", NOTE)
        if chosen
        else "Its actions are disabled."
    )


@rule(
    "unsubscribed-topic",
    WARNING,
    finds="a topic in the templates without a subscription",
    why="The action notifies nobody, without an error.",
    remedy="Add a subscription to the topic.",
)
def unsubscribed_topic(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Only topics that the templates define; what another stack may subscribe to is a note."""
    for action, topic in context.topics(alarm):
        if key(topic) in context.subscribed:
            filtered = [_filters(given) for given in context.subscriptions_of(topic)]
            if filtered and all(filtered):
                yield Hit(
                    f"Every subscription of the topic '{action}' has a FilterPolicy on attributes, "
                    "which CloudWatch's messages don't have.",
                    remedy="Set FilterPolicyScope to MessageBody, or leave FilterPolicy out.",
                )
            continue
        if key(topic) in context.passed_on:
            yield Hit(
                f"The topic '{action}' has no subscription in these templates, but is passed on.",
                NOTE,
                "Lint the templates together that subscribe to it.",
            )
        else:
            yield f"The topic '{action}' has no subscription."


def _filters(subscription: Mapping[str, Any]) -> bool:
    """Source: SNS developer guide, "Amazon SNS subscription filter policies"."""
    scope = subscription.get("FilterPolicyScope", "MessageAttributes")
    return bool(subscription.get("FilterPolicy")) and scope == "MessageAttributes"


@rule(
    "key-forbids",
    ERROR,
    finds="a topic whose key CloudWatch may not use",
    why="The action fails, without an error.",
    remedy="Use a customer managed key that grants cloudwatch.amazonaws.com kms:Decrypt and "
    "kms:GenerateDataKey*.",
)
def key_forbids(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """AWS's own key never grants it; a customer's must."""
    for action, topic in context.topics(alarm):
        given = topic.resolved.get("KmsMasterKeyId") or ""
        if not isinstance(given, str) or not given:
            continue
        if given.endswith("alias/aws/sns"):
            yield f"The topic '{action}' uses AWS's own key, which CloudWatch may not use."
            continue
        key = context.resource("AWS::KMS::Key", given, stack=topic.source.stack)
        if key and not _lets_cloudwatch(key.resolved.get("KeyPolicy")):
            name = key.source.logical_id
            yield f"The key '{name}' of the topic '{action}' does not let CloudWatch use it."


def _lets_cloudwatch(policy: Any) -> bool:
    granted: set[str] = set()
    for statement in listed(policy.get("Statement") if isinstance(policy, dict) else None):
        if not isinstance(statement, Mapping):
            continue
        principal = statement.get("Principal")
        services = principal.get("Service", []) if isinstance(principal, dict) else principal
        mine = {"cloudwatch.amazonaws.com", "*"} & {str(service) for service in listed(services)}
        if statement.get("Effect") == "Allow" and mine:
            granted.update(str(action) for action in listed(statement.get("Action")))
    return bool(granted & {"kms:*", "*"}) or (
        "kms:Decrypt" in granted
        and any(action.startswith("kms:GenerateDataKey") for action in granted)
    )
