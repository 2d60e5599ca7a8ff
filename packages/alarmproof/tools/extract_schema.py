"""Writes ``data/alarm_schema.json``: the constraints of CloudFormation's schema of alarms.

``python tools/extract_schema.py`` reads the schemas that the installed cfn-lint ships, which are
CloudFormation's own with cfn-lint's corrections. Only what constrains a value is kept.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "src" / "alarmproof" / "data" / "alarm_schema.json"
TYPES = (
    "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm", "AWS::CloudWatch::LogAlarm",
)  # fmt: skip
_REGION = "us-east-1"
# Neither constrains what a user writes.
_LEFT_OUT = frozenset(
    (
        "$schema", "additionalProperties", "anyOf", "createOnlyProperties", "default",
        "deprecatedProperties", "description", "format", "handlers", "insertionOrder",
        "primaryIdentifier", "additionalIdentifiers", "readOnlyProperties", "replacementStrategy",
        "sourceUrl", "tagging", "title", "typeName", "writeOnlyProperties", "documentationUrl",
        "propertyTransform", "conditionalCreateOnlyProperties", "examples", "$comment", "taggable",
        "relationshipRef", "arrayType", "awsType",
    )
)  # fmt: skip


def extracted() -> dict[str, Any]:
    """The constraints, by resource type."""
    schemas = resources.files("cfnlint").joinpath("data/schemas")
    index = json.loads(schemas.joinpath(f"providers/{_REGION}.json").read_text("utf-8"))
    return {
        kind: _constraints(
            json.loads(schemas.joinpath(f"resources/{index[kind]}.json").read_text("utf-8"))
        )
        for kind in TYPES
        if kind in index
    }


def _constraints(schema: Any, *, names: bool = False) -> Any:
    """A schema without what does not constrain; keys of ``properties`` are names, and stay."""
    if isinstance(schema, list):
        return [_constraints(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _constraints(inner, names=not names and key in ("properties", "definitions"))
        for key, inner in sorted(schema.items())
        if names or key not in _LEFT_OUT
    }


def text() -> str:
    """What the file has."""
    return json.dumps(extracted(), indent=1) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), "utf-8")
    print(f"{TARGET}: {', '.join(extracted())}")
