"""Whether CloudWatch may do what an alarm's actions ask for, and whether it can be done there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from alarmproof.base.alarms import AnyAlarm
from alarmproof.base.definitions import Resource
from alarmproof.base.values import Reference, Unknown, listed
from alarmproof.rules.context import Context, actions_of
from alarmproof.rules.registry import ERROR, WARNING, Hit, rule
from alarmproof.rules.resources import key

_SERVICE = "cloudwatch.amazonaws.com"
_LAMBDA_SERVICE = "lambda.alarms.cloudwatch.amazonaws.com"
# Source: CloudFront developer guide, "View CloudFront metrics"; Route 53 developer guide,
# "Monitoring health checks using CloudWatch"; Billing user guide, "Creating a billing alarm".
_VIRGINIA_ONLY = frozenset(("AWS/CloudFront", "AWS/Route53", "AWS/Billing"))
_VIRGINIA = "us-east-1"
_FUNCTIONS = ("AWS::Lambda::Function", "AWS::Lambda::Alias", "AWS::Lambda::Version")


@rule(
    "topic-policy-forbids",
    ERROR,
    finds="a topic policy that does not let CloudWatch publish",
    why="The action fails, without an error.",
    remedy="Allow the service cloudwatch.amazonaws.com sns:Publish. A topic policy replaces the "
    "default one, which lets the account's alarms publish.",
)
def topic_policy_forbids(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Source: CloudWatch user guide, "Notifying users on alarm changes"."""
    for action, topic in context.topics(alarm):
        policies = context.policies_of_topics.get(key(topic), ())
        statements = [
            statement
            for policy in policies
            for statement in listed(_document(policy).get("Statement"))
            if isinstance(statement, Mapping)
        ]
        if policies and not any(map(_lets_publish, statements)):
            yield f"The policy of the topic '{action}' does not let CloudWatch publish."
        elif any(map(_denies, statements)):
            yield f"The policy of the topic '{action}' denies CloudWatch to publish."


def _document(policy: Mapping[str, Any]) -> Mapping[str, Any]:
    document = policy.get("PolicyDocument")
    return document if isinstance(document, Mapping) else {}


def _principals(statement: Mapping[str, Any]) -> set[str]:
    principal = statement.get("Principal")
    if isinstance(principal, Mapping):
        return {str(name) for kind in principal.values() for name in listed(kind)}
    return {str(name) for name in listed(principal)}


def _lets_publish(statement: Mapping[str, Any]) -> bool:
    """Whether it may let CloudWatch publish; an account counts, for it may be the topic's own."""
    if statement.get("Effect") != "Allow" or "NotPrincipal" in statement:
        return statement.get("Effect") == "Allow"
    actions = {str(action).lower() for action in listed(statement.get("Action"))}
    publishes = bool(actions & {"sns:publish", "sns:*", "*", "sns:pub*"}) or not actions
    services = {
        principal
        for principal in _principals(statement)
        if not principal.endswith(".amazonaws.com")
    }
    return (
        publishes
        and (_SERVICE in _principals(statement) or bool(services))
        and not any(_never_holds(*condition) for condition in _conditions(statement))
    )


def _conditions(statement: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Keys in lower case, each with a value; of operators that ask for a value to be there."""
    given = statement.get("Condition")
    for operator, keys in (given if isinstance(given, Mapping) else {}).items():
        if str(operator).startswith(("StringEquals", "StringLike", "Arn", "ForAnyValue")):
            for name, values in (keys if isinstance(keys, Mapping) else {}).items():
                for value in listed(values):
                    yield str(name).lower(), "" if isinstance(value, Unknown) else str(value)


def _never_holds(name: str, value: str) -> bool:
    """A condition that no request of CloudWatch fulfills.

    Source: IAM user guide, "AWS global condition context keys": aws:PrincipalOrgID and the like are
    not in requests of service principals; aws:SourceOwner is an account. Reported:
    https://github.com/aws-samples/amazon-cloudwatch-auto-alarms/pull/63,
    https://github.com/cloudposse/terraform-aws-rds-cloudwatch-sns-alarms/pull/4.
    """
    of_account = name in ("aws:sourceowner", "aws:sourceaccount")
    return name.startswith("aws:principalorg") or (of_account and value.startswith("arn:"))


def _denies(statement: Mapping[str, Any]) -> bool:
    """Only what denies it whatever the conditions."""
    if statement.get("Effect") != "Deny" or statement.get("Condition"):
        return False
    actions = {str(action).lower() for action in listed(statement.get("Action"))}
    mine = _principals(statement) & {_SERVICE, "*"}
    return bool(mine) and bool(actions & {"sns:publish", "sns:*", "*"})


@rule(
    "lambda-action-permission",
    ERROR,
    finds="a Lambda action on a function in the templates that CloudWatch may not invoke",
    why="The action fails; only the alarm's history says so.",
    remedy="Add an AWS::Lambda::Permission for the principal "
    "lambda.alarms.cloudwatch.amazonaws.com.",
)
def lambda_action_permission(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Source: CloudWatch user guide, "Invoke a Lambda function from an alarm"."""
    for action in actions_of(alarm):
        if action.kind != "lambda":
            continue
        functions = [
            target
            for kind in _FUNCTIONS
            if (target := context.resource(kind, action.given, stack=alarm.source.stack))
        ]
        if functions and not any(_permitted(context, function) for function in functions):
            yield f"No permission lets CloudWatch invoke the function '{action}'."


def _permitted(context: Context, function: Resource) -> bool:
    """Whether some permission is for this function, or what it is an alias of."""
    of_function = function.resolved.get("FunctionName")
    for permission in context.of_type("AWS::Lambda::Permission"):
        if permission.resolved.get("Principal") not in (_LAMBDA_SERVICE, "*"):
            continue
        given = permission.resolved.get("FunctionName")
        if isinstance(given, Reference):
            if (given.stack, given.logical_id) == key(function):
                return True
        elif isinstance(given, Unknown) or str(given).rpartition(":")[2] in (
            str(of_function), function.source.logical_id,
        ):  # fmt: skip
            return True
    return False


@rule(
    "other-region",
    ERROR,
    finds="an action in another region than the alarm's",
    why="CloudWatch refuses the alarm.",
    remedy="Use a topic or a function in the alarm's region.",
)
def other_region(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Where the stack's region is known, or two actions are in different regions."""
    own = alarm.environment.rpartition("/")[2]
    regions = {
        region: str(action) for action in actions_of(alarm) if (region := _region(action.given))
    }
    for region, name in regions.items():
        if _is_region(own) and region != own:
            yield f"The action '{name}' is in {region}, and the stack in {own}."
    if not _is_region(own) and len(regions) > 1:
        yield f"Its actions are in different regions: {', '.join(sorted(regions))}."


def _region(arn: str) -> str:
    """The region of an ARN; empty where it is not known."""
    parts = str(arn).split(":")
    known = len(parts) > 4 and parts[0] == "arn" and _is_region(parts[3])
    return parts[3] if known else ""


def _is_region(text: str) -> bool:
    parts = text.split("-")
    return 3 <= len(parts) <= 4 and parts[-1].isdigit() and parts[0].isalpha()


@rule(
    "metric-elsewhere",
    ERROR,
    finds="a metric that is only published in us-east-1, watched from another region",
    why="It never has data.",
    remedy="Put the alarm into a stack in us-east-1.",
)
def metric_elsewhere(_context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Where the stack's region is known, or an action has to be in the alarm's."""
    own, why = alarm.environment.rpartition("/")[2], ""
    if not _is_region(own):
        own = next(filter(None, (_region(action.given) for action in actions_of(alarm))), "")
        why = ", by the ARN of its action"
    if not own or own == _VIRGINIA:
        return
    for metric in alarm.metrics:
        if metric.namespace in _VIRGINIA_ONLY:
            yield (
                f"{metric.namespace} is published in {_VIRGINIA}, and the alarm is in {own}{why}."
            )


@rule(
    "subscriber-forbids",
    WARNING,
    finds="a function or a queue that is subscribed to the alarm's topic and does not let SNS in",
    why="SNS can't deliver the notification, and nobody is notified.",
    remedy="Add an AWS::Lambda::Permission for sns.amazonaws.com, or an AWS::SQS::QueuePolicy that "
    "lets sns.amazonaws.com send messages.",
)
def subscriber_forbids(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Only of CloudFormation's templates, whose permissions stand beside the function or the queue.

    Source: SNS developer guide, "Fanout to Lambda functions", "Fanout to Amazon SQS queues".
    """
    for action, topic in context.topics(alarm):
        if topic.depends_on is None:
            continue
        for subscription in context.subscriptions_of(topic):
            endpoint, stack = subscription.get("Endpoint"), topic.source.stack
            function = context.resource("AWS::Lambda::Function", endpoint, stack=stack)
            queue = context.resource("AWS::SQS::Queue", endpoint, stack=stack)
            protocol = subscription.get("Protocol")
            if protocol == "lambda" and function and not _lets_invoke(context, function):
                name = function.source.logical_id
                yield f"'{name}', subscribed to '{action}', may not be invoked by SNS."
            elif protocol == "sqs" and queue and not _lets_send(context, queue):
                name = queue.source.logical_id
                yield f"'{name}', subscribed to '{action}', has no policy that lets SNS send."


def _lets_invoke(context: Context, function: Resource) -> bool:
    return any(
        permission.resolved.get("Principal") in ("sns.amazonaws.com", "*")
        and (
            isinstance(permission.resolved.get("FunctionName"), Unknown)
            or context.resource(
                "AWS::Lambda::Function",
                permission.resolved.get("FunctionName"),
                stack=permission.source.stack,
            )
            is function
        )
        for permission in context.of_type("AWS::Lambda::Permission")
    )


def _lets_send(context: Context, queue: Resource) -> bool:
    """Whether a policy is there at all; what it allows is not judged."""
    policies = (*context.of_type("AWS::SQS::QueuePolicy"), *context.of_type(_INLINE_POLICY))
    return any(
        isinstance(given, Unknown)
        or context.resource("AWS::SQS::Queue", given, stack=policy.source.stack) is queue
        for policy in policies
        for given in (
            *listed(policy.resolved.get("Queues")), *listed(policy.resolved.get("Queue")),
        )
    )  # fmt: skip


_INLINE_POLICY = "AWS::SQS::QueueInlinePolicy"
