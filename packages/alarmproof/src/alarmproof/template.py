"""The alarms of CloudFormation templates: any synthesized one, JSON or YAML.

Values that only a deployment knows stay symbolic, in a way that two references to the same thing
come out equal: a resource is its literal name where it has one, else its logical id.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from alarmproof import files
from alarmproof.errors import InputError
from alarmproof.model import (
    AnyAlarm,
    CompositeAlarm,
    MetricAlarm,
    MetricKey,
    Missing,
    Query,
    Resource,
    Source,
    Templates,
)

# Custom resources replace the two on an emulator whose CloudFormation lacks them.
METRIC_ALARMS = ("AWS::CloudWatch::Alarm", "Custom::Alarm")
COMPOSITE_ALARMS = ("AWS::CloudWatch::CompositeAlarm", "Custom::CompositeAlarm")
# Properties that are a resource's name in CloudWatch's dimensions and in ARNs.
_NAMES = (
    "QueueName", "FunctionName", "TableName", "TopicName", "RoleName", "AlarmName", "Name",
    "LogGroupName", "DashboardName",
)  # fmt: skip
# Source: each service's API reference; a dashboard's and an alarm's have 255 characters.
_LONGEST_NAME = 1024


class _Template:
    """One template, in the reach of others: for exports."""

    def __init__(self, document: Mapping[str, Any], file: str) -> None:
        self.file = file
        self.resources: Mapping[str, Any] = document.get("Resources") or {}
        self.parameters: Mapping[str, Any] = document.get("Parameters") or {}
        self.mappings: Mapping[str, Any] = document.get("Mappings") or {}
        self.outputs: Mapping[str, Any] = document.get("Outputs") or {}
        self.exports: dict[str, str] = {}
        # By logical id; None while it is being made.
        self._names: dict[str, str | None] = {}

    def exported(self) -> dict[str, str]:
        """What other stacks can import, by the export's name."""
        return {
            self.text(output["Export"]["Name"]): self.text(output.get("Value"))
            for output in self.outputs.values()
            if isinstance(output, dict) and "Export" in output
        }

    def text(self, value: Any) -> str:
        """A value as text, with intrinsics resolved as far as a template allows."""
        resolved = self.value(value)
        if isinstance(resolved, str):
            return resolved
        if isinstance(resolved, bool):
            return str(resolved).lower()
        return json.dumps(resolved, sort_keys=True)

    def value(self, value: Any) -> Any:
        """A value with every intrinsic in it resolved; a condition's true branch is taken."""
        if isinstance(value, list):
            return [self.value(one) for one in value if one != {"Ref": "AWS::NoValue"}]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(function, argument)] = value.items()
            if function == "Ref":
                return self._ref(str(argument))
            if function.startswith("Fn::"):
                return self._intrinsic(function[4:], argument)
        return {
            name: self.value(one) for name, one in value.items() if one != {"Ref": "AWS::NoValue"}
        }

    def _ref(self, name: str) -> Any:
        if name in self.resources:
            return self._name(name)
        if name in self.parameters:
            return self.parameters[name].get("Default", name)
        return f"${{{name}}}" if name.startswith("AWS::") else name

    def _name(self, logical_id: str) -> str:
        if logical_id not in self._names:
            self._names[logical_id] = None
            self._names[logical_id] = self._literal_name(logical_id)
        name = self._names[logical_id]
        if name is None:
            raise InputError(
                f"{self.file} {logical_id}: its name refers to itself through other resources."
            )
        return name

    def _literal_name(self, logical_id: str) -> str:
        properties = self.resources[logical_id].get("Properties") or {}
        for key in _NAMES:
            literal = properties.get(key)
            if isinstance(literal, dict) and logical_id not in json.dumps(literal):
                literal = self.text(literal)
            if isinstance(literal, str):
                if len(literal) > _LONGEST_NAME:
                    raise InputError(
                        f"{self.file} {logical_id}: {key} has more than {_LONGEST_NAME} characters."
                    )
                return literal
        return logical_id

    def _intrinsic(self, function: str, argument: Any) -> Any:
        match function, argument:
            case "GetAtt", _:
                parts = argument.split(".", 1) if isinstance(argument, str) else argument
                logical_id, attribute = str(parts[0]), self.text(parts[1])
                if logical_id not in self.resources:
                    return f"{logical_id}.{attribute}"
                name = self._name(logical_id)
                # An ARN or a name: both stand for the resource.
                whole = attribute.endswith(("Arn", "Name", "ApiId")) or attribute == "Ref"
                return name if whole else f"{name}.{attribute}"
            case "Join", [str(separator), list(parts)]:
                return separator.join(self.text(part) for part in parts)
            case "Sub", _:
                text, names = (argument, {}) if isinstance(argument, str) else argument
                return re.sub(
                    r"\$\{([^}!]+)\}", lambda match: self._substituted(match[1], names), text
                )
            case "Select", [index, of]:
                among = self.value(of)
                if isinstance(among, list) and int(index) < len(among):
                    return among[int(index)]
            case "Split", [str(separator), of]:
                text = self.value(of)
                if isinstance(text, str) and separator in text:
                    return text.split(separator)
            case "If", [_, then, _]:
                return self.value(then)
            case "ImportValue", _:
                name = self.text(argument)
                return self.exports.get(name, name)
            case "FindInMap", [name, first, second]:
                keys = self.text(name), self.text(first), self.text(second)
                row = self.mappings.get(keys[0], {}).get(keys[1], {})
                return row.get(keys[2], ".".join(keys))
        return f"Fn::{function}({json.dumps(self.value(argument), sort_keys=True)})"

    def _substituted(self, name: str, names: Mapping[str, Any]) -> str:
        if name in names:
            return self.text(names[name])
        if "." in name:
            return self.text({"Fn::GetAtt": name})
        return self.text({"Ref": name})


def read(paths: Sequence[Path]) -> Templates:
    """The alarms of template files, and of all ``*.template.json`` in folders such as cdk.out.

    Raises:
        InputError: When a file can't be read, or holds no template; it names the file.
    """
    return parse_all([(_document(file), str(file)) for file in _files(paths)])


def parse(template: Mapping[str, object], file: str) -> Templates:
    """The alarms of one template.

    Args:
        file: what to call it in messages.
    """
    return parse_all([(template, file)])


def parse_all(documents: Sequence[tuple[Mapping[str, Any], str]]) -> Templates:
    """The alarms of several templates, each with the name of its file."""
    templates = [_Template(document, file) for document, file in documents]
    exports: dict[str, str] = {}
    for template in templates:
        with _malformed(template.file):
            exports |= template.exported()
    alarms: list[AnyAlarm] = []
    resources = {}
    for template in templates:
        template.exports = exports
        for logical_id, entry in template.resources.items():
            source = Source(template.file, str(logical_id))
            with _malformed(source):
                kind = str(entry.get("Type"))
                properties = entry.get("Properties") or {}
                resolved = template.value(properties)
                metadata = entry.get("Metadata") or {}
                resources[source.file, source.logical_id] = Resource(
                    kind, properties, source, resolved, metadata
                )
                if kind in METRIC_ALARMS:
                    alarms.append(_metric_alarm(resolved, source))
                elif kind in COMPOSITE_ALARMS:
                    alarms.append(_composite(resolved, source))
    return Templates(tuple(alarms), resources)


@contextmanager
def _malformed(where: object) -> Iterator[None]:
    """Names what can't be what CloudFormation's schema says, whatever it is instead."""
    try:
        yield
    except RecursionError:
        raise InputError(f"{where}: nested too deeply, or refers to itself.") from None
    except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise InputError(f"{where}: not what CloudFormation's schema says ({error}).") from None


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(path.rglob("*.template.json"))
        if not found:
            raise InputError(
                f"{path}: no *.template.json in this folder. Synthesize first (cdk synth), or name "
                "the folder that it wrote."
            )
        yield from found


def _document(file: Path) -> Mapping[str, Any]:
    text = files.read_text(file)
    try:
        document = _json(text) if text.lstrip().startswith("{") else _yaml(text)
    except ValueError as error:
        raise InputError(f"{file}: neither JSON nor YAML: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise InputError(f"{file}: not a CloudFormation template: it has no 'Resources'.")
    for logical_id, entry in document["Resources"].items():
        if not isinstance(entry, dict) or not isinstance(entry.get("Properties") or {}, dict):
            raise InputError(f"{file}: resource '{logical_id}' is not an object with a Type.")
    return document


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _yaml(text: str) -> Any:
    """YAML with CloudFormation's short forms (``!Ref``, ``!GetAtt``, …).

    Raises:
        ValueError: When it can't be parsed, or holds too much.
    """
    import yaml

    from alarmproof import bounded_yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        # Source: CloudFormation user guide, "Template format": no !!timestamp; dates are texts.
        yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {
            first: [(tag, form) for tag, form in resolvers if not tag.endswith(":timestamp")]
            for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

    def short(loader: Any, suffix: str, node: Any) -> Any:
        construct = {
            yaml.ScalarNode: loader.construct_scalar,
            yaml.SequenceNode: lambda node: loader.construct_sequence(node, deep=True),
            yaml.MappingNode: lambda node: loader.construct_mapping(node, deep=True),
        }[type(node)]
        name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
        return {name: construct(node)}

    Loader.add_multi_constructor("!", short)
    return bounded_yaml.load(text, Loader)


def _metric_alarm(properties: Mapping[str, Any], source: Source) -> MetricAlarm:
    queries = _queries(properties, source)
    returned = [
        query.id
        for query, entry in zip(queries, properties.get("Metrics") or [{}], strict=True)
        if entry.get("ReturnData", True) in (True, "true")
    ]
    band = properties.get("ThresholdMetricId")
    chosen = [one for one in returned if one != band] or [queries[0].id]
    period = next((query.period for query in queries if query.period), None)
    periods = _integer(properties, "EvaluationPeriods", source, 1)
    missing = str(properties.get("TreatMissingData", Missing.MISSING))
    if missing not in set(Missing):
        known = ", ".join(Missing)
        raise InputError(f"{source}: TreatMissingData '{missing}' is not one of {known}.")
    return MetricAlarm(
        queries=queries,
        returned=chosen[0],
        band=band,
        comparison=str(properties.get("ComparisonOperator", "")),
        threshold=_number(properties.get("Threshold"), "Threshold", source),
        period=period or 60,
        evaluation_periods=periods,
        datapoints_to_alarm=_integer(properties, "DatapointsToAlarm", source, periods),
        missing=Missing(missing),
        low_samples=str(properties.get("EvaluateLowSampleCountPercentile") or "evaluate"),
        **_common(properties, source),
    )


def _composite(properties: Mapping[str, Any], source: Source) -> CompositeAlarm:
    suppressor = properties.get("ActionsSuppressor")
    return CompositeAlarm(
        rule=str(properties.get("AlarmRule", "")),
        suppressor=str(suppressor).rpartition(":alarm:")[2] if suppressor else None,
        wait=_integer(properties, "ActionsSuppressorWaitPeriod", source, 60),
        extension=_integer(properties, "ActionsSuppressorExtensionPeriod", source, 60),
        **_common(properties, source),
    )


def _common(properties: Mapping[str, Any], source: Source) -> dict[str, Any]:
    return {
        "name": str(properties.get("AlarmName") or source.logical_id),
        "source": source,
        "description": str(properties.get("AlarmDescription") or ""),
        "actions_enabled": properties.get("ActionsEnabled", True) in (True, "true"),
        "alarm_actions": _actions(properties.get("AlarmActions")),
        "ok_actions": _actions(properties.get("OKActions")),
        "insufficient_data_actions": _actions(properties.get("InsufficientDataActions")),
    }


def _actions(given: Any) -> tuple[str, ...]:
    found = given if isinstance(given, list) else [given] if given else []
    return tuple(str(one).rpartition(":")[2] for one in found)


def _queries(properties: Mapping[str, Any], source: Source) -> tuple[Query, ...]:
    entries = properties.get("Metrics")
    if not entries:
        statistic = properties.get("ExtendedStatistic") or properties.get("Statistic") or "Average"
        period = _integer(properties, "Period", source, 300)
        return (Query("m1", _metric(properties), str(statistic), period),)
    found = []
    for entry in entries:
        stat, expression = entry.get("MetricStat"), entry.get("Expression")
        given = entry.get("Period") or (stat or {}).get("Period")
        number = int(_number(given, "Period", source) or 0) or None
        if stat:
            metric = _metric(stat.get("Metric") or {})
            found.append(Query(str(entry["Id"]), metric, str(stat.get("Stat")), number))
        else:
            found.append(Query(str(entry.get("Id")), period=number, expression=str(expression)))
    return tuple(found)


def _metric(entry: Mapping[str, Any]) -> MetricKey:
    dimensions = {
        str(one.get("Name")): str(one.get("Value")) for one in entry.get("Dimensions") or ()
    }
    return MetricKey.of(str(entry.get("Namespace")), str(entry.get("MetricName")), dimensions)


def _number(value: Any, name: str, source: Source) -> float | None:
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        shown = json.dumps(value)[:100]
        raise InputError(f"{source}: {name} is not a finite number but {shown}.")
    return number


def _integer(properties: Mapping[str, Any], name: str, source: Source, default: int) -> int:
    number = _number(properties.get(name), name, source)
    return default if number is None else int(number)
