"""Datadog's library around functions: those that are named, each once, and nothing else changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from settings import loader, schema
from settings.datadog import Site
from settings.errors import WebhookBufferError
from tests.instrumented import (
    API_KEY,
    CHOICES,
    FORWARDER,
    HANDLER,
    Choices,
    Resources,
    Synthesized,
)

pytestmark = [pytest.mark.xdist_group("synth"), pytest.mark.slow]

_LAYERS = [
    "arn:aws:lambda:us-east-1:464622532012:layer:Datadog-Python314-ARM:130",
    "arn:aws:lambda:us-east-1:464622532012:layer:Datadog-Extension-ARM:101",
]


def test_every_function_or_those_named(chosen: Choices) -> None:
    """What settings name is wrapped, in both stacks, and our handler is what the wrapper calls."""
    for name, environment in chosen.items():
        wrapped = {
            n for n, function in environment.functions.items() if function["Handler"] == HANDLER
        }
        assert wrapped == set(environment.settings.instrumented_functions), name
        for function in wrapped:
            ours = chosen["plain"].functions[function]["Handler"]
            assert environment.variables(function)["DD_LAMBDA_HANDLER"] == ours
    assert set(chosen["extension"].settings.instrumented_functions) == {
        "publish", "subscribe", "faux-backend", "notify", "audit", "heartbeat",
    }  # fmt: skip
    assert chosen["some"].settings.instrumented_functions == ["subscribe", "notify"]


def test_layers_are_pinned_and_of_the_right_kind(chosen: Choices) -> None:
    """Python 3.14's arm64 layer in the version that settings say, and one extension or none."""
    for function in chosen["extension"].functions.values():
        assert function["Layers"] == _LAYERS
        assert (function["Runtime"], function["Architectures"]) == ("python3.14", ["arm64"])
    for function in chosen["forwarder"].functions.values():
        assert function["Layers"] == _LAYERS[:1]
    for name, function in chosen["some"].functions.items():
        versions = [layer.rpartition(":")[2] for layer in function.get("Layers", [])]
        assert versions == (["7", "8"] if name in ("subscribe", "notify") else [])


def test_what_functions_get(chosen: Choices) -> None:
    """Tags, site and tracing come from settings; payloads stay; Sentry stays beside it."""
    for function in chosen["extension"].functions:
        variables = chosen["extension"].variables(function)
        assert {
            "DD_ENV": "dev",
            "DD_SERVICE": "webhook-buffer",
            "DD_VERSION": variables["RELEASE"],
            "DD_SITE": "datadoghq.com",
            "DD_TRACE_ENABLED": "true",
            "DD_SERVERLESS_LOGS_ENABLED": "true",
            "DD_FLUSH_TO_LOG": "false",
            "DD_CAPTURE_LAMBDA_PAYLOAD": "false",
            "DD_TRACE_CLOUD_REQUEST_PAYLOAD_TAGGING": "",
            "DD_TRACE_CLOUD_RESPONSE_PAYLOAD_TAGGING": "",
            "DD_COLD_START_TRACING": "false",
            "DD_TRACE_BOTOCORE_ENABLED": "false",
            "DD_API_KEY_SECRET_ARN": API_KEY,
            "SENTRY_DSN": "https://key@127.0.0.1/1",
        }.items() <= variables.items()
    some = chosen["some"].variables("notify")
    assert (some["DD_SITE"], some["DD_TRACE_ENABLED"]) == ("datadoghq.eu", "false")


def test_the_forwarder_gets_every_log_group(chosen: Choices) -> None:
    """Each function's own log group is subscribed, metrics go to the log, and no key is needed."""
    environment = chosen["forwarder"]
    filters = environment.of("AWS::Logs::SubscriptionFilter")
    groups = [
        function["LoggingConfig"]["LogGroup"]["Ref"] for function in environment.functions.values()
    ]
    assert sorted(subscription["LogGroupName"]["Ref"] for subscription in filters) == sorted(groups)
    assert {subscription["DestinationArn"] for subscription in filters} == {FORWARDER}
    assert all(
        environment.variables(name)["DD_FLUSH_TO_LOG"] == "true" for name in environment.functions
    )
    assert "DD_API_KEY_SECRET_ARN" not in environment.text


def test_functions_may_read_the_key_and_no_other_secret(chosen: Choices) -> None:
    """Every wrapped function's role, and no other, gets that one secret."""
    plain = _readable_secrets(chosen["plain"])
    for name in ("extension", "some"):
        wrapped = chosen[name].settings.instrumented_functions
        roles = {chosen[name].functions[function]["Role"]["Fn::GetAtt"][0] for function in wrapped}
        readable = _readable_secrets(chosen[name])
        assert readable - plain == {(role, json.dumps(API_KEY)) for role in roles}
        assert plain <= readable


def _readable_secrets(environment: Synthesized) -> set[tuple[str, str]]:
    """Each role that may read secrets, with the resource of a statement that says so."""
    return {
        (role["Ref"], json.dumps(statement["Resource"]))
        for policy in environment.of("AWS::IAM::Policy")
        for statement in policy["PolicyDocument"]["Statement"]
        if "secretsmanager" in json.dumps(statement["Action"])
        for role in policy["Roles"]
    }


def test_no_log_group_is_made_behind_our_back(chosen: Choices) -> None:
    """Every function keeps the log group that is written down, and no custom resource appears."""
    for environment in chosen.values():
        assert all(
            "LogGroup" in function["LoggingConfig"] for function in environment.functions.values()
        )
        kinds = {entry["Type"] for entry in environment.resources.values()}
        assert not {kind for kind in kinds if kind.startswith("Custom::")}


def test_the_template_does_not_change_with_the_commit(chosen: Choices) -> None:
    """No commit, no repository, nothing that Datadog's construct reads from git."""
    for environment in chosen.values():
        assert "git." not in environment.text
        assert "DD_TAGS" not in environment.text


@pytest.mark.parametrize("name", ["extension", "forwarder", "none"])
def test_nothing_else_changes(chosen: Choices, name: str) -> None:
    """Less what instrumentation adds, the templates are those of an environment without it."""
    plain = json.loads(chosen["plain"].text)
    other = json.loads(chosen[name].text)
    assert "DD_" not in json.dumps(plain)
    assert "atadog" not in json.dumps(plain)
    handlers = {
        properties["FunctionName"]: properties["Handler"] for properties in _functions(plain)
    }
    for function in (*_functions(plain), *_functions(other)):
        variables = function["Environment"]["Variables"]
        for variable in [key for key in variables if key.startswith(("DD_", "RELEASE", "SENTRY"))]:
            del variables[variable]
        function.pop("Layers", None)
        function["Handler"] = handlers[function["FunctionName"]]
    for entry in other.values():
        # The event sources of instrumented functions are tagged with the version, too.
        if isinstance(tags := entry.get("Properties", {}).get("Tags"), list):
            tags[:] = [tag for tag in tags if tag["Key"] not in ("version", "dd_cdk_construct")]
        if entry["Type"] == "AWS::IAM::Policy":
            statements = entry["Properties"]["PolicyDocument"]["Statement"]
            statements[:] = [
                statement for statement in statements if statement.get("Resource") != API_KEY
            ]
    added = {key for key, entry in other.items() if entry["Type"].endswith("SubscriptionFilter")}
    assert {key: entry for key, entry in other.items() if key not in added} == plain


def _functions(resources: Resources) -> Iterator[dict[str, Any]]:
    for entry in resources.values():
        if entry["Type"] == "AWS::Lambda::Function":
            yield entry["Properties"]


def test_the_laptop_has_no_layers(tmp_path: Path) -> None:
    """There functions find the library on the host, and send to the agent that is named."""
    agent = "http://127.0.0.1:8126"
    environment = Synthesized(tmp_path, "local", {"datadog": {"traceAgentUrl": agent}})
    for name in environment.settings.instrumented_functions:
        assert environment.functions[name]["Handler"] == HANDLER
        assert "Layers" not in environment.functions[name]
        assert environment.variables(name)["DD_TRACE_AGENT_URL"] == agent
    assert environment.functions["laptop-alarms"]["Handler"] == "lambdas.laptop_alarms.handler"
    assert "secret:datadog" not in environment.text


def test_existing_resources_have_only_notify(tmp_path: Path) -> None:
    """Where only monitoring is deployed, its one function is instrumented."""
    overrides = {
        **CHOICES["extension"],
        "sentryDsn": None,
        "create_faux_backend": None,
        "existing": {"queues": [{"name": "orders.fifo"}]},
    }
    environment = Synthesized(tmp_path, "dev", overrides)
    assert {name: function["Handler"] for name, function in environment.functions.items()} == {
        "notify": HANDLER
    }


@pytest.mark.parametrize("site", get_args(Site))
def test_every_site_of_settings_is_known(site: str) -> None:
    """Whatever site settings allow, the construct takes it."""
    from monitoring.cdk.datadog import instrument

    overrides = {"datadog": {"apiKeySecretArn": API_KEY, "site": site, "functions": ["publish"]}}
    functions = _in_a_stack("python3.14")
    instrument(functions, settings=loader.load("dev", overrides=overrides))


def test_an_unknown_runtime_is_an_error() -> None:
    """Datadog's construct would skip it and say nothing; here it names function and remedy."""
    from monitoring.cdk.datadog import instrument

    with pytest.raises(WebhookBufferError, match=r"S/publish: .*python9\.9.*Upgrade"):
        instrument(_in_a_stack("python9.9"), settings=_only_publish())


def test_a_second_time_is_an_error() -> None:
    """A handler wrapped twice would call itself for ever; here it names the function."""
    from monitoring.cdk.datadog import instrument

    functions = _in_a_stack("python3.14")
    instrument(functions, settings=_only_publish())
    with pytest.raises(WebhookBufferError, match="S/publish: instrumented for Datadog already"):
        instrument(functions, settings=_only_publish())


def test_a_function_that_is_nowhere_is_an_error() -> None:
    """A name without a function in any stack is not passed over."""
    from monitoring.cdk.datadog import instrument

    with pytest.raises(WebhookBufferError, match=r"'dev': datadog\.functions:.*publish"):
        instrument({}, settings=_only_publish())


def _only_publish() -> schema.Settings:
    overrides = {"datadog": {"apiKeySecretArn": API_KEY, "functions": ["publish"]}}
    return loader.load("dev", overrides=overrides)


def _in_a_stack(runtime: str) -> dict[str, Any]:
    """A function of a runtime of its own, in a stack."""
    from aws_cdk import App, Environment, Stack
    from aws_cdk import aws_lambda as lambda_

    where = Environment(account="111111111111", region="us-east-1")
    stack = Stack(App(), "S", env=where)
    function = lambda_.Function(
        stack,
        "publish",
        runtime=lambda_.Runtime(runtime, lambda_.RuntimeFamily.PYTHON, supports_inline_code=True),
        architecture=lambda_.Architecture.ARM_64,
        code=lambda_.Code.from_inline("def handler(event, context): return {}"),
        handler="index.handler",
    )
    return {"publish": function}
