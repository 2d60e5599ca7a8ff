"""Deploying and deleting an environment, step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

from botocore.exceptions import ClientError, WaiterError

from monitoring.alarm_set import alarm_set
from monitoring.model.catalog import Catalog
from settings import exposure
from settings.errors import InputError, ToolError
from settings.names import function_log_group
from webhook_buffer.operations import record_indexes, stores, template_limits
from webhook_buffer.operations.cdk import Cdk
from webhook_buffer.operations.environment import (
    Environment,
    aws_errors,
    outputs,
    require_account,
    stack,
)
from webhook_buffer.operations.template_lint import Finding, Linter

# In an environment's folder: what cfn-lint found in its latest templates.
VERDICTS = "cfn-lint.json"
# Source: AWS CDK guide, "cdk bootstrap", read on 2026-11-26.
_BOOTSTRAP_STACK = "CDKToolkit"
# Shows a step's name while it runs.
Step = Callable[[str], AbstractContextManager[object]]


def prepare(target: Environment, step: Step, catalog: Catalog, *, lint: bool = True) -> Cdk:
    """Synthesizes an environment; on the emulator it also bootstraps the account.

    On AWS, bootstrapping is left to an administrator: ``cdk bootstrap``.

    Raises:
        WebhookBufferError: When there are no credentials of its account. Nothing is made then.
    """
    require_account(target)
    if target.settings.on_laptop:
        _bootstrap(target, step)
        lint = False  # nothing of it goes to AWS, and `up` is run again and again
    indexes = record_indexes.planned(target).included
    return synthesize(target, step, catalog, lint=lint, indexes=indexes)


def _bootstrap(target: Environment, step: Step) -> None:
    """Bootstraps the emulator's account once; the CDK takes a second to find nothing to do."""
    made = stack(target, _BOOTSTRAP_STACK)
    if made is None or not made.was_created:
        with step("Bootstrapping the emulator's account"):
            Cdk(target).bootstrap()


def synthesize(
    target: Environment,
    step: Step,
    catalog: Catalog,
    *,
    lint: bool,
    indexes: Sequence[str] | None = None,
) -> Cdk:
    """Synthesizes an environment; the returned CDK's other commands read the result.

    Args:
        catalog: what the app deploys; checked here, where an error is more than CDK's output.
        lint: also have cfn-lint judge the templates.
        indexes: those that the record table gets; default: all, as a new one does.

    Raises:
        DefinitionError: When a definition can't work.
        SettingsError: When ``alarms`` changes something that can't be changed, strangers can do
            what the settings don't allow by name, or AWS would refuse a template.
    """
    exposure.require_allowed(target.settings)
    if target.settings.monitoring:
        alarm_set(target.settings, catalog)
    cdk = Cdk(target)
    region, verdicts = target.settings.awsRegion, target.folder / VERDICTS
    with Linter(region, verdicts) if lint else nullcontext() as linter:
        with step("Synthesizing the stacks"):
            cdk.synth(indexes)
        templates = sorted(cdk.assembly.glob("*.template.json"))
        findings: list[Finding] = []
        if linter:
            with step("Linting the templates"):
                findings = linter.findings(templates)
    template_limits.require(target.settings, templates, findings)
    return cdk


def apply(target: Environment, cdk: Cdk, step: Step) -> dict[str, str]:
    """Deploys what ``prepare`` synthesized and returns the outputs.

    Whatever an earlier ``destroy`` left is adopted, and a monitoring stack that the settings no
    longer want goes.
    """
    _require_logs(target)
    remove_leftover(target, step)
    left = stores.left(target)
    with step("Deploying"):
        cdk.deploy(import_existing=bool(left))
    return outputs(target)


def deployed(target: Environment) -> list[str]:
    """The environment's existing stacks, whatever the settings now say."""
    settings = target.settings
    names = dict.fromkeys((settings.main_stack_name, settings.monitoring_stack_name))
    return [name for name in names if stack(target, name)]


def destroy(target: Environment, cdk: Cdk, step: Step) -> None:
    """Deletes whatever exists of an environment, its monitoring first."""
    for name in deployed(target):
        unprotect(target, name)
    remove_leftover(target, step)
    with step("Destroying"):
        cdk.destroy()


def leftover(target: Environment) -> str | None:
    """The monitoring stack that still exists although ``monitoring`` is now false."""
    settings = target.settings
    if settings.monitoring or stack(target, settings.monitoring_stack_name) is None:
        return None
    return settings.monitoring_stack_name


def remove_leftover(target: Environment, step: Step) -> None:
    """Deletes a monitoring stack that the settings no longer want, and waits until it is gone.

    The buffer's stack can't be deleted while the other one imports from it.

    Raises:
        ToolError: When CloudFormation does not delete it.
    """
    name = leftover(target)
    if name is None:
        return
    unprotect(target, name)
    with step(f"Deleting {name}"), aws_errors(target.settings):
        target.cloudformation.delete_stack(StackName=name)
        try:
            target.cloudformation.get_waiter("stack_delete_complete").wait(
                StackName=name, WaiterConfig={"Delay": 2, "MaxAttempts": 300}
            )
        except WaiterError as error:
            raise ToolError(
                f"The stack {name} was not deleted: CloudFormation's events say why. "
                "Delete it there and run this again."
            ) from error


def unprotect(target: Environment, name: str) -> None:
    """Lets a stack be deleted. Stacks of environments for practice never are protected."""
    if not target.settings.for_practice:
        with aws_errors(target.settings):
            target.cloudformation.update_termination_protection(
                StackName=name, EnableTerminationProtection=False
            )


def _require_logs(target: Environment) -> None:
    """Checks that the logs of existing functions, whose errors are counted, exist.

    Raises:
        InputError: When one is not, as before a function's first run.
    """
    existing, env = target.settings.existing, target.settings.environment
    for function in existing.functions if existing else ():
        group = function_log_group(function.name)
        with aws_errors(target.settings):
            groups = target.logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        if not any(candidate["logGroupName"] == group for candidate in groups):
            raise InputError(
                f"cdk.json: environment '{env}': key 'existing.functions': '{function.name}' has "
                f"no log group {group} yet. Correct its name, run it once, or create the log: "
                f"aws logs create-log-group --log-group-name {group}"
            )


def waiting(target: Environment) -> int | None:
    """About how many webhooks are in the queue, waiting or being delivered; None if there is no
    queue."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    with aws_errors(target.settings):
        try:
            url = target.sqs.get_queue_url(QueueName=target.settings.queue_name)["QueueUrl"]
            reply = target.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)  # type: ignore[arg-type]
        except ClientError as error:
            if "NonExistentQueue" in error.response["Error"]["Code"]:
                return None
            raise
    return sum(int(value) for value in reply["Attributes"].values())
