"""What CloudFormation refuses of any resource: its form, and properties of CloudWatch's types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from alarmproof.base import schema
from alarmproof.base.alarms import Source
from alarmproof.base.definitions import Fault
from alarmproof.reading.properties import unknown_property

# Of any resource. Source: the schema of cfn-lint 1.58.0, which has SAM's as well.
_ATTRIBUTES = frozenset(
    (
        "Condition", "Connectors", "CreationPolicy", "DeletionPolicy", "DependsOn",
        "IgnoreGlobals", "Metadata", "Properties", "Type", "UpdatePolicy", "UpdateReplacePolicy",
        "Version",
    )
)  # fmt: skip


def form(entry: Any, source: Source) -> Fault | None:
    """That a resource is not an object with a Type, or its properties are not an object."""
    if not isinstance(entry, dict) or not (
        isinstance(entry.get("Type"), str) or any(map(is_function, entry))
    ):
        why = f"The resource '{source.logical_id}' is not an object with a Type."
    elif not isinstance(entry.get("Properties") or {}, dict):
        why = f"Properties of '{source.logical_id}' is not an object."
    else:
        return None
    return Fault(source, "invalid-value", why)


def attributes(entry: Mapping[str, Any], source: Source) -> Iterator[Fault]:
    """Names beside ``Type`` and ``Properties`` that no resource has."""
    for name in entry:
        if name not in _ATTRIBUTES and not is_function(name):
            why = unknown_property(str(name), _ATTRIBUTES, "", "an attribute of a resource")
            yield Fault(source, "unknown-property", f"{why}.")


def is_function(name: Any) -> bool:
    """Whether a key calls a macro, as ``Fn::Transform`` does, which may make a whole resource."""
    return str(name).startswith("Fn::")


def properties(kind: str, resolved: Mapping[str, Any], source: Source) -> Iterator[Fault]:
    """What the schema of a type of CloudWatch refuses."""
    for where, name, allowed in schema.unknown_names(kind, resolved):
        why = unknown_property(name, allowed, f"{where}." if where else "")
        yield Fault(source, "unknown-property", f"{why}.")
    for _, sentence in schema.violations(kind, resolved):
        yield Fault(source, "schema", sentence)
