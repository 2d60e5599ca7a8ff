"""What an account must have for a deployment, and how much is left of what it shares."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError

from settings.errors import WebhookBufferError
from webhook_buffer.operations.environment import Environment, stack
from webhook_buffer.operations.preflight.model import Level, Problem
from webhook_buffer.operations.rights import QUALIFIER

# Source: the rule CheckBootstrapVersion in templates that the CDK synthesizes.
_BOOTSTRAP = 6
_NOTIFY_CONCURRENCY = 2
# Beside what subscribe and notify may take. Assumed: less, and a burst of webhooks is refused.
_PUBLISH_CONCURRENCY = 10
# Source: Lambda developer guide, "Configuring reserved concurrency": 100 stay unreserved.
_UNRESERVED = 100
# The policy that AWS writes for logs under /aws/vendedlogs/, once and for all of them, and about
# how long its statement is. Source: CloudWatch Logs user guide, "Enable logging from AWS
# services"; quotas: 10 policies a region, 5,120 characters each.
_VENDED_POLICY, _VENDED_PATH = "AWSLogDeliveryWrite20150319", "/aws/vendedlogs/"
_POLICIES, _POLICY_LENGTH, _STATEMENT_LENGTH = 10, 5120, 400
_STUCK = {
    "UPDATE_ROLLBACK_FAILED": "Continue it: aws cloudformation continue-update-rollback",
    "ROLLBACK_FAILED": "Delete it in CloudFormation's console, whose events say what it lacks",
    "CREATE_FAILED": "Delete it in CloudFormation's console",
    "DELETE_FAILED": "Delete it in CloudFormation's console, whose events say what holds it",
}


def account(target: Environment) -> Iterator[Problem]:
    """Credentials of the environment's account."""
    try:
        target.session.get_credentials()
    except WebhookBufferError as error:
        what, _, remedy = str(error).partition(". ")
        yield Problem(f"{what}.", remedy)


def bootstrap(target: Environment) -> Iterator[Problem]:
    """The CDK's bootstrap stack, recent enough."""
    settings = target.settings
    remedy = (
        "An administrator runs, outside of this folder: npx aws-cdk bootstrap "
        f"aws://{settings.awsAccount}/{settings.awsRegion}"
    )
    try:
        reply = target.ssm.get_parameter(Name=f"/cdk-bootstrap/{QUALIFIER}/version")
    except ClientError as error:
        if error.response["Error"]["Code"] != "ParameterNotFound":
            raise
        where = f"{settings.awsAccount} in {settings.awsRegion}"
        yield Problem(f"The account {where} is not bootstrapped for the CDK.", remedy)
        return
    version = int(reply["Parameter"]["Value"])
    if version < _BOOTSTRAP:
        yield Problem(
            f"The CDK's bootstrap stack has version {version}; {_BOOTSTRAP} is needed.", remedy
        )


def boundary(target: Environment) -> Iterator[Problem]:
    """A policy that roles can be bounded by."""
    arn = target.settings.permissionsBoundaryArn
    assert arn
    try:
        target.iam.get_policy(PolicyArn=arn)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
        yield Problem(
            f"The policy of permissionsBoundaryArn does not exist: {arn}",
            "Correct it in cdk.json, or have an administrator create that policy.",
        )


def stacks(target: Environment) -> Iterator[Problem]:
    """Stacks that are ours, and that can be updated."""
    settings = target.settings
    marks = {settings.monitoring_stack_name: "DashboardName"}
    if settings.existing is None:
        marks[settings.prefix] = "BufferedEndpoint"
    for name, mark in marks.items():
        present = stack(target, name)
        if present is None or not present.was_created:
            continue
        if present.status.endswith("_IN_PROGRESS"):
            yield Problem(
                f"The stack {name} is in state {present.status}.", "Wait until that has ended."
            )
        elif present.status in _STUCK:
            yield Problem(
                f"The stack {name} is in state {present.status}, which can't be deployed to.",
                f"{_STUCK[present.status]}.",
            )
        elif mark not in present.outputs:
            yield Problem(
                f"The stack {name} is not this project's: it has no output {mark}.",
                "Choose another 'service' or 'environment' in cdk.json.",
            )


def concurrency(target: Environment) -> Iterator[Problem]:
    """Enough of the account's Lambda concurrency for ``publish`` beside ``subscribe``."""
    settings = target.settings
    limit = target.functions.get_account_settings()["AccountLimit"]
    total, left = limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]
    if total != settings.lambdaConcurrencyQuota:
        yield Problem(
            f"The account's Lambda concurrency is {total}; lambdaConcurrencyQuota, on which "
            f"alarms rest, is {settings.lambdaConcurrencyQuota}.",
            f"Set lambdaConcurrencyQuota to {total} in cdk.json.",
            Level.TODO,
        )
    if settings.existing:
        return
    reserved = settings.reservedConcurrency or 0
    deployed = stack(target, settings.prefix)
    if reserved and not (deployed and deployed.was_created) and left - reserved < _UNRESERVED:
        yield Problem(
            f"reservedConcurrency ({reserved}) leaves {left - reserved} of the account's "
            f"concurrency unreserved; {_UNRESERVED} must stay.",
            f"Lower reservedConcurrency to {max(0, left - _UNRESERVED)} or less, remove it, or "
            "have the quota raised (Service Quotas, Lambda, concurrent executions).",
        )
        return
    others = settings.maxConcurrency + (_NOTIFY_CONCURRENCY if settings.monitoring else 0)
    needed = others + (0 if reserved else _PUBLISH_CONCURRENCY)
    if left < needed:
        yield Problem(
            f"{left} of the account's Lambda concurrency is left, of which subscribe and notify "
            f"may take {others}: publish would be throttled, and senders refused.",
            "Have the quota raised (Service Quotas, Lambda, concurrent executions), or lower "
            "maxConcurrency in cdk.json.",
        )


def log_policies(target: Environment) -> Iterator[Problem]:
    """Room in the log resource policies for the API's access log."""
    known = target.logs.describe_resource_policies()["resourcePolicies"]
    policies = {policy["policyName"]: policy["policyDocument"] for policy in known}
    document = policies.get(_VENDED_POLICY)
    if document is None and len(policies) >= _POLICIES:
        yield Problem(
            f"The region has {len(policies)} log resource policies, the maximum; the "
            "access log's can't be added.",
            "Delete one that nothing uses: aws logs describe-resource-policies",
        )
    if document and _VENDED_PATH not in document:
        free = _POLICY_LENGTH - len(document)
        if free < _STATEMENT_LENGTH:
            yield Problem(
                f"The log resource policy {_VENDED_POLICY} has {free} characters left, too few "
                "for the access log's entry.",
                "Remove entries of APIs that are gone: aws logs put-resource-policy",
            )
