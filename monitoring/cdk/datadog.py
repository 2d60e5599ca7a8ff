"""Wraps functions in Datadog's library, extension and tags: ``DatadogLambda``, strictly checked.

The construct skips what it does not know with a line in a log, and wraps twice what it is handed
twice. Here both are errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions import jsii  # noqa: F401 - before aws_cdk

# isort: split
from aws_cdk import Stack, Tags
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from datadog_cdk_constructs_v2 import DatadogLambda

from functions.assets import release
from settings.errors import WebhookBufferError
from settings.schema import Settings

# What Lambda calls instead of ours, which the variable DD_LAMBDA_HANDLER then names.
HANDLER = "datadog_lambda.handler.handler"


def instrument(functions: Mapping[str, lambda_.Function], *, settings: Settings) -> None:
    """Has Datadog's library wrap the functions that settings name, in whichever stack they are.

    Args:
        functions: all that are deployed, by name without prefix.

    Raises:
        WebhookBufferError: When one of them is not deployed, was wrapped before, or was not
            wrapped by the construct.
    """
    names = settings.instrumented_functions
    missing = set(names) - functions.keys()
    if missing:
        raise WebhookBufferError(
            f"environment '{settings.environment}': datadog.functions: no stack has the function "
            f"'{min(missing)}', so it can't be instrumented; remove it from the list"
        )
    by_stack: dict[Stack, list[lambda_.Function]] = {}
    for name, function in functions.items():
        if name in names:
            by_stack.setdefault(Stack.of(function), []).append(function)
    for stack, chosen in by_stack.items():
        _instrument(stack, chosen, settings)


def _instrument(stack: Stack, functions: list[lambda_.Function], settings: Settings) -> None:
    for function in functions:
        if _handler(function) == HANDLER:
            raise WebhookBufferError(
                f"{function.node.path}: instrumented for Datadog already, and a second time its "
                "handler would call itself; hand each function over once"
            )
    construct = DatadogLambda(stack, "Datadog", **_options(stack, settings))
    construct.add_lambda_functions(functions)
    for function in functions:
        if _handler(function) != HANDLER:
            raise WebhookBufferError(
                f"{function.node.path}: Datadog's construct skipped it, so Datadog "
                f"receives nothing from it; it does not know {function.runtime.name}. "
                "Upgrade datadog-cdk-constructs-v2, or leave the function out of datadog.functions."
            )
        if settings.datadog and settings.datadog.secretKeyArn and not settings.forwarderArn:
            function.add_to_role_policy(
                iam.PolicyStatement(
                    actions=["kms:Decrypt"], resources=[settings.datadog.secretKeyArn]
                )
            )
        for name, value in _variables(settings).items():
            function.add_environment(name, value)
        # The construct leaves it to the extension, which does not tag CloudWatch's metrics.
        Tags.of(function).add("version", release(settings))


def _variables(settings: Settings) -> dict[str, str]:
    """Set after the construct's own, which overwrite what was there before."""
    variables = {
        # Signing is all the functions use of botocore; patching the rest would load it all.
        "DD_TRACE_BOTOCORE_ENABLED": "false",
        # The library's defaults, on which the Serverless view depends.
        # Source: datadog_lambda/config.py, enhanced_metrics_enabled and make_inferred_span.
        "DD_ENHANCED_METRICS": "true",
        "DD_TRACE_MANAGED_SERVICES": "true",
        # Log lines have their trace from the library. With the extension the construct turns that
        # off, for the extension adds ids to text. Source: datadog-cdk-constructs, src/env.ts.
        "DD_LOGS_INJECTION": "true",
    }
    if settings.datadog and settings.datadog.traceAgentUrl:
        variables |= {"DD_TRACE_AGENT_URL": settings.datadog.traceAgentUrl, "DD_LOCAL_TEST": "true"}
    return variables


def _options(stack: Stack, settings: Settings) -> dict[str, Any]:
    """The options of the construct: one way to send, pinned layers, and no payload ever."""
    datadog = settings.datadog
    assert datadog is not None
    options: dict[str, Any] = {
        "env": settings.environment,
        "service": settings.service,
        "version": release(settings),
        "enable_datadog_tracing": datadog.tracing,
        "inject_log_context": True,
        "capture_lambda_payload": False,
        "capture_cloud_service_payload": False,
        # A span for every import of every cold start, under a service of its own.
        "enable_cold_start_tracing": False,
        # It would put the commit into the template, which then changes with each.
        "source_code_integration": False,
        "add_layers": not settings.on_laptop,
    }
    if settings.on_laptop:
        return {**options, "flush_metrics_to_logs": True}
    options["python_layer_version"] = datadog.pythonLayerVersion
    if settings.forwarderArn:
        return {**options, "forwarder_arn": settings.forwarderArn, "flush_metrics_to_logs": True}
    # As a secret, not as text: only then the construct grants reading it, and exactly it.
    secret = secretsmanager.Secret.from_secret_complete_arn(
        stack, "DatadogApiKey", str(datadog.apiKeySecretArn)
    )
    return {
        **options,
        "api_key_secret": secret,
        "site": datadog.site,
        "extension_layer_version": datadog.extensionLayerVersion,
        "enable_datadog_logs": True,
    }


def _handler(function: lambda_.Function) -> str | None:
    resource = function.node.default_child
    assert isinstance(resource, lambda_.CfnFunction)
    return resource.handler
