"""Alarms of a Terraform plan or state: the output of ``terraform show -json``.

What is known after the apply stays symbolic: where the configuration says which resource it comes
from, it is a reference to that. Source: Terraform documentation, "JSON output format" (format
version 1); the AWS provider's pages of each resource.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any

from alarmproof.base.alarms import AnyAlarm, Source
from alarmproof.base.definitions import Resource, Templates
from alarmproof.base.errors import InputError
from alarmproof.base.values import Reference, Unknown
from alarmproof.reading import alarms
from alarmproof.reading.documents import Document
from alarmproof.reading.terraform_types import ALARMS, NESTED, RESOURCES

_DEEPEST = 50
_AFTER_APPLY = "it is known after the apply"
# Attributes that are documents, written as JSON.
_DOCUMENTS = {"policy"}


def is_plan(data: Mapping[str, Any]) -> bool:
    """Whether a file is a plan or a state in JSON."""
    return "Resources" not in data and (
        "planned_values" in data or {"format_version", "values"} <= data.keys()
    )


def read(document: Document) -> Templates:
    """The alarms of a plan, and the resources that checks look at, as CloudFormation's types.

    Raises:
        InputError: When it is not a plan.
    """
    data = document.data
    planned = data.get("planned_values") or data.get("values")
    module = planned.get("root_module") if isinstance(planned, dict) else None
    if not isinstance(module, dict):
        raise InputError(f"{document.file}: no root_module; write it with terraform show -json.")
    stack = document.file
    unknown = dict(_unknown(data))
    references = dict(_references(data))
    regions = dict(_regions(data))
    entries = list(_resources(module, 0))
    types = {
        (stack, str(entry["address"])): RESOURCES[str(entry.get("type"))][0]
        for entry in entries
        if str(entry.get("type")) in RESOURCES
    }
    names = {address: _named(entry) for entry in entries if (address := str(entry["address"]))}
    made: list[AnyAlarm] = []
    resources: dict[tuple[str, str], Resource] = {}
    for entry in entries:
        address, kind = str(entry["address"]), str(entry.get("type"))
        if kind not in RESOURCES:
            continue
        source = Source(document.file, address, document.lines.get(address, 1), stack)
        values = entry.get("values")
        given = dict(values) if isinstance(values, dict) else {}
        pending = _pending(address, unknown, references, names, stack)
        given |= {name: value for name, value in pending.items() if given.get(name) is None}
        for name, value in pending.items():
            if isinstance(value, dict) and isinstance(given[name], dict):
                given[name] = {**value, **given[name]}
        given = _completed(given, unknown.get(address, {}), address)
        cloudformation, attributes = RESOURCES[kind]
        properties = _translated(given, attributes)
        if kind in ALARMS:
            alarm = alarms.read(cloudformation, _alarm(properties), source, types)
            region = given.get("region") or regions.get(address.partition("[")[0])
            place = f"/{region}" if isinstance(region, str) and type(region) is str else ""
            made.append(dataclasses.replace(alarm, environment=place))
        resources[stack, address] = Resource(cloudformation, properties, source, properties, {})
    return Templates(tuple(made), resources)


def _resources(module: Mapping[str, Any], depth: int) -> Iterator[Mapping[str, Any]]:
    if depth > _DEEPEST:
        raise ValueError(f"modules nested more than {_DEEPEST} deep")
    for entry in module.get("resources") or ():
        if entry.get("mode", "managed") == "managed" and "address" in entry:
            yield entry
    for child in module.get("child_modules") or ():
        yield from _resources(child, depth + 1)


def _named(entry: Mapping[str, Any]) -> str:
    """What a resource is called in ARNs and dimensions; its address where that is not known."""
    values = entry.get("values")
    for key in ("name", "function_name", "alarm_name", "topic_name"):
        if isinstance(values, dict) and isinstance(values.get(key), str):
            return str(values[key])
    return str(entry["address"])


def _unknown(data: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for change in data.get("resource_changes") or ():
        after = (change.get("change") or {}).get("after_unknown")
        if isinstance(after, dict):
            yield str(change.get("address")), after


def _references(data: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, list[str]]]]:
    """By address without an index, the references of each attribute."""
    configuration = data.get("configuration")
    module = configuration.get("root_module") if isinstance(configuration, dict) else None
    pending = [("", module, 0)] if isinstance(module, dict) else []
    while pending:
        prefix, inner, depth = pending.pop()
        for entry in inner.get("resources") or ():
            expressions = entry.get("expressions")
            if isinstance(expressions, dict):
                yield (
                    f"{prefix}{entry.get('address')}",
                    {
                        name: [str(reference) for reference in value.get("references") or ()]
                        for name, value in expressions.items()
                        if isinstance(value, dict)
                    },
                )
        calls = inner.get("module_calls")
        for name, call in (calls if isinstance(calls, dict) else {}).items():
            child = call.get("module")
            if isinstance(child, dict) and depth < _DEEPEST:
                pending.append((f"{prefix}module.{name}.", child, depth + 1))


def _regions(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """By address without an index, the region of a resource's provider, where it is written out.

    Only of the root module: what a module's provider stands for is its caller's.
    """
    configuration = data.get("configuration")
    if not isinstance(configuration, dict):
        return
    providers = configuration.get("provider_config")
    module = configuration.get("root_module")
    for entry in (module.get("resources") or ()) if isinstance(module, dict) else ():
        name = str(entry.get("provider_config_key"))
        provider = providers.get(name) if isinstance(providers, dict) else None
        expressions = provider.get("expressions") if isinstance(provider, dict) else None
        region = expressions.get("region") if isinstance(expressions, dict) else None
        constant = region.get("constant_value") if isinstance(region, dict) else None
        if isinstance(constant, str):
            yield str(entry.get("address")), constant


def _pending(
    address: str,
    unknown: Mapping[str, Mapping[str, Any]],
    references: Mapping[str, Mapping[str, list[str]]],
    names: Mapping[str, str],
    stack: str,
) -> dict[str, Any]:
    """What stands for the attributes that are known after the apply."""
    bare = address.partition("[")[0]
    prefix = bare.rpartition(".module.")[0]
    values: dict[str, Any] = {}
    for name, flag in unknown.get(address, {}).items():
        if flag is False or flag in ({}, []):
            continue
        targets = [
            f"{prefix}{target}"
            for target in references.get(bare, {}).get(name, [])
            if f"{prefix}{target}" in names
        ]
        referred: list[str] = [
            Reference(
                names[target], stack, target, _attribute(target, references[bare][name], prefix)
            )
            for target in dict.fromkeys(targets)
        ]
        nobody = Unknown(f"{address}.{name}", _AFTER_APPLY)
        if isinstance(flag, list):
            values[name] = referred or [nobody]
        elif isinstance(flag, dict):
            # Which entry has which reference is not said.
            of_each = referred[0] if len(referred) == 1 else None
            values[name] = {
                key: of_each or Unknown(f"{address}.{name}.{key}", _AFTER_APPLY)
                for key, pending in flag.items()
                if pending
            }
        elif name == "dimensions":
            values[name] = nobody
        else:
            values[name] = referred[0] if referred else nobody
    return values


# What CloudFormation calls an attribute of a resource; Terraform's own name for all others.
_ATTRIBUTES = {"arn": "Arn", "id": "Ref", "url": "Ref"}


def _attribute(target: str, references: list[str], prefix: str) -> str:
    """The attribute that is referred to; ``Ref`` where it is the resource as a whole."""
    for reference in references:
        if f"{prefix}{reference}".startswith(f"{target}."):
            name = f"{prefix}{reference}".removeprefix(f"{target}.").partition(".")[0]
            return _ATTRIBUTES.get(name, name)
    return "Ref"


def _completed(value: Any, flag: Any, where: str) -> Any:
    """A value in which unknown ones stand where they are missing, at any depth."""
    if flag is True:
        return Unknown(where, _AFTER_APPLY) if value is None else value
    if isinstance(flag, dict) and isinstance(value, dict | None):
        given = value or {}
        known = {
            name: _completed(given.get(name), inner, f"{where}.{name}")
            for name, inner in flag.items()
            if inner not in (False, {}, [])
        }
        return {**given, **known}
    if isinstance(flag, list) and isinstance(value, list) and len(flag) == len(value):
        return [_completed(*pair, where) for pair in zip(value, flag, strict=True)]
    return value


# What a state has as 0 where it is not set.
_NOT_ZERO = ("datapoints_to_alarm", "period")


def _translated(values: Mapping[str, Any], attributes: Mapping[str, str]) -> dict[str, Any]:
    """Attributes as CloudFormation calls them; empty ones are not there."""
    made: dict[str, Any] = {}
    for name, value in values.items():
        target = attributes.get(name)
        if target is None or value in (None, "", [], {}) or (name in _NOT_ZERO and value == 0):
            continue
        if name in _DOCUMENTS and isinstance(value, str) and value.startswith("{"):
            made[target] = json.loads(value)
        elif name in NESTED and isinstance(value, list):
            made[target] = [
                _translated(inner, NESTED[name]) for inner in value if isinstance(inner, dict)
            ]
        elif target == "Dimensions" and isinstance(value, dict):
            made[target] = [{"Name": key, "Value": inner} for key, inner in value.items()]
        else:
            made[target] = value
    return made


def _alarm(properties: Mapping[str, Any]) -> dict[str, Any]:
    """An alarm's queries and suppressor in the form that CloudFormation has."""
    made = dict(properties)
    for query in made.get("Metrics") or ():
        metric = (query.pop("_metric", None) or [None])[0]
        if metric:
            stat = {key: metric.pop(key) for key in ("Period", "Stat", "Unit") if key in metric}
            query["MetricStat"] = {"Metric": metric, **stat}
        query.setdefault("ReturnData", False)
    suppressor = (made.pop("_suppressor", None) or [None])[0]
    return {**made, **(suppressor or {})}
