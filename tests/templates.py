"""Synthesized environments: their templates, and what cdk-nag found in them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from settings import schema
from webhook_buffer.operations.physical_names import EXPORT, Named

_ACCOUNT = "222222222222"
_SECRET = f"arn:aws:secretsmanager:us-east-1:{_ACCOUNT}:secret"
_KEY = f"arn:aws:kms:us-east-1:{_ACCOUNT}:key/11111111-2222-3333-4444-55555555555"
# Overrides of the environment stg: everything that an account may require of templates, and
# everything that brings a function a right.
# The outputs that other programs read. Source: docs/contracts.md.
OUTPUTS = {
    "AWSREGION",
    "ApiEndpoint",
    "ApiId",
    "DynamoDBTable",
    "QueueUrl",
    "BufferedEndpoint",
    "UsesFauxBackend",
    "Release",
}

DEMANDING: Mapping[str, Any] = {
    "backend_url": None,
    "create_faux_backend": True,
    "openToEveryone": None,
    "encryptionKeyArn": f"{_KEY}9",
    "permissionsBoundaryArn": f"arn:aws:iam::{_ACCOUNT}:policy/teams/boundary",
    "tags": {"cost-center": "4711", "team": "Integrations"},
    "vpc": {
        "subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        "securityGroups": ["sg-0123456789abcdef0"],
    },
    "signing": {"secretArn": f"{_SECRET}:signing-abcdef", "secretKeyArn": f"{_KEY}0"},
    "sources": [
        {
            "name": "asana",
            "paths": ["/asana"],
            "verify": {
                "provider": "asana",
                "secretArn": f"{_SECRET}:asana-abcdef",
                "secretKeyArn": f"{_KEY}1",
            },
        }
    ],
    "notifications": [
        {"kind": "slack", "secretArn": f"{_SECRET}:slack-abcdef", "secretKeyArn": f"{_KEY}2"},
        {"kind": "email", "addresses": ["ana@example.com"]},
    ],
}
# The property with the name that a resource takes in its account; None for what has no name of its
# own, or one that CloudFormation makes up.
_NAMES = {
    "AWS::ApiGatewayV2::Api": None,
    "AWS::ApiGatewayV2::ApiMapping": None,
    "AWS::ApiGatewayV2::DomainName": "DomainName",
    "AWS::ApiGatewayV2::Integration": None,
    "AWS::ApiGatewayV2::Route": None,
    "AWS::ApiGatewayV2::Stage": None,
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::CompositeAlarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Events::Rule": "Name",
    "AWS::IAM::ManagedPolicy": None,
    "AWS::IAM::Policy": None,
    "AWS::IAM::Role": None,
    "AWS::KMS::Key": None,
    "AWS::Lambda::EventInvokeConfig": None,
    "AWS::Lambda::EventSourceMapping": None,
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Lambda::Permission": None,
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::Logs::MetricFilter": None,
    "AWS::Logs::SubscriptionFilter": None,
    "AWS::Route53::RecordSet": "Name",
    "AWS::S3::Bucket": "BucketName",
    "AWS::S3::BucketPolicy": None,
    "AWS::SNS::Subscription": None,
    "AWS::SNS::Topic": "TopicName",
    "AWS::SNS::TopicPolicy": None,
    "AWS::SQS::Queue": "QueueName",
    "AWS::SQS::QueuePolicy": None,
    "AWS::SecretsManager::Secret": "Name",
}


@dataclass(frozen=True)
class Template:
    """A synthesized stack.

    Attributes:
        template: the template's document.
        file: where it is.
        warnings: that the CDK printed of it.
    """

    settings: schema.Settings
    template: Mapping[str, Any]
    file: Path
    warnings: tuple[str, ...]

    def resources(self, *kinds: str) -> dict[str, Mapping[str, Any]]:
        """The resources of some types, by logical id."""
        declared = self.template["Resources"]
        return {name: entry for name, entry in declared.items() if entry["Type"] in kinds}

    def properties(self, kind: str, **wanted: Any) -> Mapping[str, Any]:
        """The properties of the one resource of a type that has ``wanted``."""
        matching = [
            entry["Properties"]
            for entry in self.resources(kind).values()
            if wanted.items() <= entry["Properties"].items()
        ]
        assert len(matching) == 1, f"{len(matching)} resources of {kind} have {wanted}"
        single: Mapping[str, Any] = matching[0]
        return single

    def named(self) -> set[Named]:
        """Whatever takes a name in an account, as the template has it."""
        resources: Mapping[str, Mapping[str, Any]] = self.template["Resources"]
        return {
            *(
                Named(entry["Type"], name)
                for entry in resources.values()
                for name in self._name(entry)
            ),
            *(
                Named(EXPORT, output["Export"]["Name"])
                for output in self.template.get("Outputs", {}).values()
                if "Export" in output
            ),
        }

    def _name(self, entry: Mapping[str, Any]) -> Iterator[str]:
        """A resource's name, where it has one; a type that is new here has to be added."""
        key = _NAMES[entry["Type"]]
        if key:
            name = entry["Properties"][key]
            while not isinstance(name, str):  # that of another resource
                other = self.template["Resources"][name["Ref"]]
                name = other["Properties"][_NAMES[other["Type"]]]
            yield name


@dataclass(frozen=True)
class Synthesized:
    """A synthesized environment.

    Attributes:
        buffer, monitoring: its stacks; None where it has none.
        findings: of cdk-nag and the CDK's own rules, as (rule, construct path without the stack's
            name).
    """

    buffer: Template | None
    monitoring: Template | None
    findings: frozenset[tuple[str, str]]

    @property
    def stacks(self) -> list[Template]:
        return [stack for stack in (self.buffer, self.monitoring) if stack]


def synthesize(chosen: schema.Settings, folder: Path) -> Synthesized:
    """Synthesizes settings in this process, under the CDK's own rules and cdk-nag's packs."""
    from app import build

    # isort: split
    from aws_cdk import App, Validations
    from cdk_nag import AwsSolutionsChecks, ServerlessChecks

    app = App(
        outdir=str(folder),
        context={"aws:cdk:disable-asset-staging": True},
        builtin_cloud_formation_validation=True,  # app.py leaves these rules to the tests
    )
    build(app, chosen)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    Validations.of(app).add_plugins(ServerlessChecks(app))
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()  # the packs have findings; test_rules.py explains each
    report = json.loads((folder / "validation-report.json").read_text())
    findings = {
        (violation["ruleName"], construct["constructPath"].partition("/")[2])
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    }
    return Synthesized(
        _template(chosen, folder, chosen.prefix),
        _template(chosen, folder, chosen.monitoring_stack_name),
        frozenset(findings),
    )


def _template(chosen: schema.Settings, folder: Path, stack: str) -> Template | None:
    file = folder / f"{stack}.template.json"
    if not file.exists():
        return None
    metadata = json.loads((folder / f"{stack}.metadata.json").read_text())
    warnings = tuple(
        entry["data"]
        for entries in metadata.values()
        for entry in entries
        if entry["type"] == "aws:cdk:warning"
    )
    return Template(chosen, json.loads(file.read_text()), file, warnings)
