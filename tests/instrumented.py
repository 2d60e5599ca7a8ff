"""Environments under each way of sending to Datadog, synthesized once for all tests of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from settings import loader

API_KEY = "arn:aws:secretsmanager:us-east-1:111111111111:secret:datadog/api-key-AbCdEf"
FORWARDER = "arn:aws:lambda:us-east-1:111111111111:function:datadog-forwarder"
# What Lambda calls where Datadog's library wraps ours.
HANDLER = "datadog_lambda.handler.handler"

# Overrides of the environment dev.
CHOICES: dict[str, dict[str, Any]] = {
    "plain": {"datadog": None, "forwarderArn": None},
    "extension": {"datadog": {"apiKeySecretArn": API_KEY}, "sentryDsn": "https://key@127.0.0.1/1"},
    "forwarder": {"datadog": {}, "forwarderArn": FORWARDER},
    "some": {
        "datadog": {
            "apiKeySecretArn": API_KEY,
            "functions": ["subscribe", "notify"],
            "tracing": False,
            "site": "datadoghq.eu",
            "pythonLayerVersion": 7,
            "extensionLayerVersion": 8,
        }
    },
    "none": {"datadog": {"functions": []}},
}

Resources = dict[str, dict[str, Any]]


class Synthesized:
    """An environment's stacks: all their resources, by stack and logical id."""

    def __init__(self, folder: Path, environment: str, overrides: Mapping[str, Any]) -> None:
        from app import build

        # isort: split
        from aws_cdk import App

        self.settings = loader.load(environment, overrides=overrides)
        app = App(
            outdir=str(folder),
            context={"aws:cdk:disable-asset-staging": True},
            builtin_cloud_formation_validation=False,
        )
        build(app, self.settings)
        app.synth()
        self.resources: Resources = {}
        for file in folder.glob("*.template.json"):
            resources = json.loads(file.read_text())["Resources"]
            self.resources |= {f"{file.stem}/{name}": entry for name, entry in resources.items()}

    @property
    def text(self) -> str:
        return json.dumps(self.resources)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The properties of every resource of a type."""
        entries = self.resources.values()
        return [entry["Properties"] for entry in entries if entry["Type"] == kind]

    @property
    def functions(self) -> dict[str, dict[str, Any]]:
        """Every function's properties, by name without prefix."""
        prefix = f"{self.settings.prefix}-"
        functions = self.of("AWS::Lambda::Function")
        return {
            properties["FunctionName"].removeprefix(prefix): properties for properties in functions
        }

    def variables(self, function: str) -> dict[str, Any]:
        environment: dict[str, Any] = self.functions[function]["Environment"]["Variables"]
        return environment


class Choices(Mapping[str, Synthesized]):
    """The environment dev under every choice; each is synthesized when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[str, Synthesized] = {}

    def __getitem__(self, name: str) -> Synthesized:
        if name not in self._made:
            folder = self._folder / name
            folder.mkdir()
            self._made[name] = Synthesized(folder, "dev", CHOICES[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(CHOICES)

    def __len__(self) -> int:
        return len(CHOICES)
