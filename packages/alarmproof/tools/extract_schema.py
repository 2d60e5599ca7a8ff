"""Writes ``data/alarm_schema.json``: the constraints of CloudFormation's schemas of CloudWatch.

``python tools/extract_schema.py`` reads the schemas that the installed cfn-lint ships, which are
CloudFormation's own with cfn-lint's corrections. Only what constrains a value is kept.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "src" / "alarmproof" / "data" / "alarm_schema.json"
PREFIX = "AWS::CloudWatch::"
_REGION = "us-east-1"
# What does not constrain what a user writes, or is not applied.
_LEFT_OUT = frozenset(
    (
        "$schema", "additionalProperties", "anyOf", "createOnlyProperties", "default",
        "deprecatedProperties", "description", "format", "handlers", "insertionOrder",
        "primaryIdentifier", "additionalIdentifiers", "readOnlyProperties", "replacementStrategy",
        "sourceUrl", "tagging", "title", "typeName", "writeOnlyProperties", "documentationUrl",
        "propertyTransform", "conditionalCreateOnlyProperties", "examples", "$comment", "taggable",
        "relationshipRef", "arrayType", "awsType", "allOf", "maxProperties", "patternProperties",
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
        for kind in sorted(index)
        if kind.startswith(PREFIX)
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
