"""Datadog's Serverless view: functions and resources carry what it shows and groups by."""

from __future__ import annotations

from typing import Any

import pytest

from tests.instrumented import API_KEY, HANDLER, Choices, Synthesized

pytestmark = pytest.mark.xdist_group("synth")

# What every instrumented function gets, whichever way it sends.
# Source: Datadog documentation, "Configure Serverless Monitoring for AWS Lambda" and "Enhanced
# Lambda Metrics"; datadog_lambda/config.py.
_EVERY_WAY = {
    "DD_ENV": "dev",
    "DD_SERVICE": "webhook-buffer",
    "DD_TRACE_ENABLED": "true",
    "DD_TRACE_MANAGED_SERVICES": "true",
    "DD_ENHANCED_METRICS": "true",
    "DD_LOGS_INJECTION": "true",
    "DD_CAPTURE_LAMBDA_PAYLOAD": "false",
    "DD_TRACE_CLOUD_REQUEST_PAYLOAD_TAGGING": "",
    "DD_TRACE_CLOUD_RESPONSE_PAYLOAD_TAGGING": "",
    "DD_COLD_START_TRACING": "false",
}
_ONE_WAY: dict[str, dict[str, str]] = {
    "extension": {
        "DD_SITE": "datadoghq.com",
        "DD_API_KEY_SECRET_ARN": API_KEY,
        "DD_FLUSH_TO_LOG": "false",
        "DD_SERVERLESS_LOGS_ENABLED": "true",
    },
    "forwarder": {"DD_FLUSH_TO_LOG": "true"},
}
_WAYS = sorted(_ONE_WAY)

# What the view lists or groups, by type: Datadog copies the resources' tags to their metrics.
# Source: Datadog documentation, "AWS integration": resource tags are added to metrics.
_GROUPED = (
    "AWS::Lambda::Function",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Logs::LogGroup",
    "AWS::SQS::Queue",
    "AWS::DynamoDB::Table",
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Stage",
)


@pytest.mark.parametrize("way", _WAYS)
def test_every_function_gets_what_the_view_needs(chosen: Choices, way: str) -> None:
    """Site, service, env, version, metrics, traces and inferred spans; the key is never text."""
    environment = chosen[way]
    assert set(environment.functions) == {
        "publish", "subscribe", "faux-backend", "notify", "audit", "heartbeat",
    }  # fmt: skip
    for name, function in environment.functions.items():
        variables = environment.variables(name)
        expected = {**_EVERY_WAY, **_ONE_WAY[way], "DD_VERSION": variables["RELEASE"]}
        assert expected.items() <= variables.items(), name
        assert function["Handler"] == HANDLER
        assert variables["DD_LAMBDA_HANDLER"] == chosen["plain"].functions[name]["Handler"]
        assert "DD_API_KEY" not in variables


def test_the_forwarder_has_its_own_site_and_key(chosen: Choices) -> None:
    """Where functions only write to their logs, nothing of them says where it goes."""
    for name in chosen["forwarder"].functions:
        variables = chosen["forwarder"].variables(name)
        assert not {"DD_SITE", "DD_API_KEY_SECRET_ARN", "DD_TRACE_AGENT_URL"} & variables.keys()


@pytest.mark.parametrize("way", _WAYS)
def test_resources_have_the_tags_that_the_view_groups_by(chosen: Choices, way: str) -> None:
    """Functions, logs, queues, tables and APIs have service and env; functions their version."""
    environment = chosen[way]
    unified = {"env": "dev", "service": "webhook-buffer"}
    for kind in _GROUPED:
        tagged = environment.of(kind)
        assert tagged, kind
        for properties in tagged:
            tags = _tags(properties)
            assert unified.items() <= tags.items(), kind
    for name, function in environment.functions.items():
        assert _tags(function)["version"] == environment.variables(name)["DD_VERSION"]


def test_functions_without_datadog_have_no_version_tag(chosen: Choices) -> None:
    """The tag comes with instrumentation; a template without it is as it was."""
    assert not any("version" in _tags(function) for function in _functions(chosen["plain"]))
    assert "version" not in _tags(chosen["some"].functions["publish"])
    assert "version" in _tags(chosen["some"].functions["subscribe"])


def _functions(environment: Synthesized) -> list[dict[str, Any]]:
    return environment.of("AWS::Lambda::Function")


def _tags(properties: dict[str, Any]) -> dict[str, str]:
    """A resource's tags; CloudFormation has two forms of them."""
    tags = properties.get("Tags", {})
    return tags if isinstance(tags, dict) else {tag["Key"]: tag["Value"] for tag in tags}
