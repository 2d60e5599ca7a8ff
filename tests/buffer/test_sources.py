"""The stack of an environment with sources: what its functions get and may do, and nothing more."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lambdas.sources import table
from settings import loader
from settings.schema import Settings
from tests.templates import Template

pytestmark = [pytest.mark.xdist_group("synth"), pytest.mark.slow]

_ARN = "arn:aws:secretsmanager:us-east-1:111111111111:secret:{}-AbCdEf"
Synth = tuple[dict[str, Any], list[str], Path]
_KEY = "arn:aws:kms:us-east-1:111111111111:key/1234"


def _settings(*sources: dict[str, Any], **overrides: Any) -> Settings:
    return loader.load("dev", overrides={"sources": list(sources) or None, **overrides})


def _synthesized(settings: Settings, folder: Path) -> Synth:
    """The buffer's template, what the CDK says of it, and its functions' asset."""
    from buffer.stack import BufferStack  # here, for loading the CDK takes seconds

    # isort: split
    from aws_cdk import App

    app = App(
        outdir=str(folder),
        context={"aws:cdk:disable-asset-staging": True},
        builtin_cloud_formation_validation=False,
    )
    BufferStack(app, "buffer", settings=settings)
    app.synth()
    template = json.loads((folder / "buffer.template.json").read_text())
    metadata = json.loads((folder / "buffer.metadata.json").read_text())
    said = [
        entry["data"]
        for entries in metadata.values()
        for entry in entries
        if entry["type"] == "aws:cdk:warning"
    ]
    [file] = {
        entry["source"]["path"]
        for entry in json.loads((folder / "buffer.assets.json").read_text())["files"].values()
        if entry["source"]["packaging"] == "zip"
    }
    return template, said, Path(folder, file)


def _environment(template: Mapping[str, Any], function: str) -> dict[str, Any]:
    for resource in template["Resources"].values():
        name = resource.get("Properties", {}).get("FunctionName", "")
        if resource["Type"] == "AWS::Lambda::Function" and name.endswith(f"-{function}"):
            variables: dict[str, Any] = resource["Properties"]["Environment"]["Variables"]
            return variables
    raise AssertionError(function)


def _allowed(template: dict[str, Any], role: str) -> dict[str, list[Any]]:
    """Resources by action, of the statements of one role that name ARNs of other services."""
    allowed: dict[str, list[Any]] = {}
    for name, resource in template["Resources"].items():
        if resource["Type"] != "AWS::IAM::Policy" or not name.startswith(role):
            continue
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
            actions, resources = statement["Action"], statement["Resource"]
            for action in actions if isinstance(actions, list) else [actions]:
                if action.startswith(("secretsmanager:", "kms:")):
                    allowed.setdefault(action, []).extend(
                        resources if isinstance(resources, list) else [resources]
                    )
    return allowed


@pytest.fixture(scope="module")
def with_sources(tmp_path_factory: pytest.TempPathFactory) -> Synth:
    settings = _settings(
        {
            "name": "github",
            "paths": ["/github"],
            "verify": {
                "provider": "github",
                "secretArn": _ARN.format("github"),
                "secretKeyArn": _KEY,
            },
        },
        {
            "name": "asana",
            "paths": ["/asana"],
            "verify": {"provider": "asana", "secretArn": _ARN.format("asana")},
        },
        {
            "name": "discord",
            "paths": ["/discord"],
            "verify": {"provider": "discord", "publicKeys": ["0" * 64]},
        },
        pathPrefix="/hooks",
        signing={"secretArn": _ARN.format("signing"), "secretKeyArn": _KEY},
    )
    return _synthesized(settings, tmp_path_factory.mktemp("sources"))


def test_functions_may_read_exactly_their_secrets(with_sources: Synth) -> None:
    """Secrets by ARN and their key to decrypt; writing only what comes by a handshake."""
    template, _, _ = with_sources
    assert _allowed(template, "PublishRole") == {
        "secretsmanager:GetSecretValue": [
            _ARN.format("github"),
            _ARN.format("asana"),
            {"Ref": _environment(template, "publish")["HEARTBEAT_KEY"]["Ref"]},
        ],
        "kms:Decrypt": [_KEY],
        "secretsmanager:PutSecretValue": [_ARN.format("asana")],
    }
    assert _allowed(template, "SubscribeRole") == {
        "secretsmanager:GetSecretValue": [_ARN.format("signing")],
        "kms:Decrypt": [_KEY],
    }
    assert _environment(template, "subscribe")["SIGNING_SECRET"] == _ARN.format("signing")


def test_functions_find_the_sources_in_their_asset(
    with_sources: Synth,
) -> None:
    """The environment names a file that is in the asset, and holds no more than that."""
    template, _, asset = with_sources
    for function in ("publish", "subscribe"):
        assert _environment(template, function)["SOURCES"] == table.FILE
    assert _environment(template, "publish")["PATH_PREFIX"] == "/hooks"
    sources = table.read(asset / "lambdas" / table.FILE)
    assert [source.name for source in sources] == ["github", "asana", "discord"]


def test_the_library_is_bundled_where_a_source_needs_it(with_sources: Synth) -> None:
    """Ed25519 brings a compiled library into the asset; HMAC does not need it."""
    assert (with_sources[2] / "cryptography").is_dir()
    hmac = {"provider": "github", "secretArn": _ARN.format("github")}
    settings = _settings({"name": "github", "paths": ["/github"], "verify": hmac})
    assert not settings.needs_cryptography


def test_synth_says_that_anybody_can_send(
    with_sources: Synth, environments: dict[str, Template]
) -> None:
    """An environment without sources says so with each synth, and one with sources is silent."""
    for name, template in environments.items():
        said = any("Anybody on the internet can send" in text for text in template.warnings)
        assert said is (name != "local"), name
        assert "SOURCES" not in _environment(template.template, "publish")
    assert not any("Anybody" in text for text in with_sources[1])


def test_the_edge_is_what_settings_say(tmp_path: Path) -> None:
    """Throttling, mutual TLS, and no second address where there is a custom domain."""
    settings = loader.load(
        "prd",
        overrides={
            "throttleRate": 50,
            "throttleBurst": 100,
            "mutualTlsTruststore": "s3://certificates/clients.pem",
            "heartbeat": "off",
        },
    )
    template, _, _ = _synthesized(settings, tmp_path)
    resources = template["Resources"].values()

    def properties(kind: str) -> dict[str, Any]:
        [matching] = [
            resource for resource in resources if resource["Type"] == f"AWS::ApiGatewayV2::{kind}"
        ]
        own: dict[str, Any] = matching["Properties"]
        return own

    assert properties("Api")["DisableExecuteApiEndpoint"] is True
    assert properties("Stage")["DefaultRouteSettings"] == {
        "ThrottlingBurstLimit": 100,
        "ThrottlingRateLimit": 50,
    }
    assert properties("DomainName")["MutualTlsAuthentication"] == {
        "TruststoreUri": "s3://certificates/clients.pem"
    }
    assert "path" not in json.loads(properties("Stage")["AccessLogSettings"]["Format"])
    assert "HEARTBEAT_KEY" not in _environment(template, "publish")
