"""Properties of an alarm, read as what they have to be; what is not so is kept as a problem."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from alarmproof.base.alarms import Action, Problem, ProblemKind, Source
from alarmproof.base.values import Reference, Unknown, listed

# What the type of a resource does as an action.
_ACTING = {
    "AWS::SNS::Topic": "sns",
    "AWS::Lambda::Function": "lambda",
    "AWS::Lambda::Alias": "lambda",
    "AWS::Lambda::Version": "lambda",
    "AWS::AutoScaling::ScalingPolicy": "autoscaling",
    "AWS::ApplicationAutoScaling::ScalingPolicy": "autoscaling",
    "AWS::SSMIncidents::ResponsePlan": "ssm-incidents",
}
# Parts of ARNs, and the kind of action that they stand for.
_SERVICES = {"automate": "ec2", "swf": "ec2"}


def unknown_property(
    name: str, allowed: Iterable[str], where: str, what: str = "a property that CloudFormation has"
) -> str:
    """That a name is not one of those allowed, and which it resembles; without a full stop.

    Args:
        where: what stands before the name.
        what: each of those allowed is.
    """
    near = difflib.get_close_matches(name, sorted(allowed), n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return f"{where}{name} is not {what}{hint}"


class Reader:
    """Reads properties, and keeps what is wrong with them."""

    def __init__(
        self,
        properties: Mapping[str, Any],
        source: Source,
        types: Mapping[tuple[str, str], str],
    ) -> None:
        self.properties, self.source = properties, source
        self.problems: list[Problem] = []
        self._types = types

    def wrong(self, kind: ProblemKind, name: str, why: str, *, blocks: bool = True) -> None:
        self.problems.append(Problem(kind, name, why, blocks))

    def only(self, given: Mapping[str, Any], allowed: Iterable[str], where: str) -> None:
        """Keeps every property that is not one of those allowed."""
        for name in given:
            if name in allowed:
                continue
            self.wrong(
                ProblemKind.UNKNOWN_PROPERTY,
                f"{where}{name}",
                unknown_property(str(name), allowed, where),
            )

    def number(self, value: Any, name: str) -> float | None:
        """A finite number; None where it is missing, unknown or not a number."""
        if value is None:
            return None
        if isinstance(value, Unknown):
            self.unresolved(value, name)
            return None
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if math.isfinite(number):
            return number
        try:
            shown = json.dumps(value, default=str)[:100]
        except ValueError:
            shown = "an integer of thousands of digits"
        self.wrong(ProblemKind.INVALID, name, f"{name} is not a finite number but {shown}")
        return None

    def integer(self, value: Any, name: str, default: int) -> int:
        """A whole number of at least 1."""
        number = self.number(value, name)
        if number is None:
            return default
        if number != int(number) or not 0 <= number <= 10**9:
            self.wrong(ProblemKind.INVALID, name, f"{name} is not a whole number but {number:g}")
            return default
        return int(number)

    def text(self, name: str, default: str = "") -> str:
        """A property as text; an unknown one stays the text that stands for it."""
        value = self.properties.get(name)
        if value is None:
            return default
        if isinstance(value, dict | list):
            self.wrong(ProblemKind.INVALID, name, f"{name} is not a text")
            return default
        return value if isinstance(value, str) else str(value)

    def flag(self, value: Any, name: str, default: bool) -> bool:
        """A truth value."""
        if isinstance(value, Unknown):
            self.unresolved(value, name)
            return default
        return default if value is None else str(value).lower() == "true"

    def one_of(self, name: str, allowed: Sequence[str], default: str) -> str:
        """One of a few words."""
        value = self.text(name, default)
        if isinstance(value, Unknown):
            self.unresolved(value, name)
            return default
        if value not in allowed:
            listed = ", ".join(allowed)
            self.wrong(ProblemKind.INVALID, name, f"{name} '{value[:100]}' is not one of {listed}")
            return default
        return value

    def unresolved(self, value: Unknown, name: str) -> None:
        self.wrong(ProblemKind.UNRESOLVED, name, f"{name} is not known: {value.why}")

    def mappings(self, value: Any, name: str) -> list[Mapping[str, Any]]:
        """A list of mappings; whatever else is in it is a problem."""
        if value is None:
            return []
        if isinstance(value, Unknown):
            self.unresolved(value, name)
            return []
        entries = listed(value)
        if not all(isinstance(entry, dict) for entry in entries):
            self.wrong(ProblemKind.INVALID, name, f"{name} is not a list of objects")
        return [entry for entry in entries if isinstance(entry, dict)]

    def mapping(self, value: Any, name: str) -> Mapping[str, Any]:
        """A mapping; an empty one where it is something else."""
        if isinstance(value, dict):
            return value
        if isinstance(value, Unknown):
            self.unresolved(value, name)
        else:
            self.wrong(ProblemKind.INVALID, name, f"{name} is not an object")
        return {}

    def actions(self, name: str) -> tuple[Action, ...]:
        value = self.properties.get(name)
        listed = value if isinstance(value, list) else [] if value is None else [value]
        if not all(isinstance(entry, str) for entry in listed):
            self.wrong(ProblemKind.INVALID, name, f"{name} is not a list of ARNs", blocks=False)
        return tuple(self._action(entry) for entry in listed if isinstance(entry, str))

    def _action(self, given: str) -> Action:
        if isinstance(given, Reference):
            kind = _ACTING.get(self._types.get((given.stack, given.logical_id), ""), "")
            return Action(str(given), given, kind)
        parts = given.split(":")
        service = parts[2] if len(parts) > 2 and parts[0] == "arn" else ""
        name = "function:" + ":".join(parts[6:]) if service == "lambda" else parts[-1]
        short = name.removeprefix("function:")
        return Action(short, given, _SERVICES.get(service, service))

    def common(self) -> dict[str, Any]:
        declared = self.properties.get("AlarmName")
        name = self.text("AlarmName") or self.source.logical_id
        return {
            "name": str(name),
            "declared_name": str(name) if isinstance(declared, str) else None,
            "source": self.source,
            "description": str(self.text("AlarmDescription")),
            "actions_enabled": self.flag(
                self.properties.get("ActionsEnabled"), "ActionsEnabled", True
            ),
            "alarm_actions": self.actions("AlarmActions"),
            "ok_actions": self.actions("OKActions"),
            "insufficient_data_actions": self.actions("InsufficientDataActions"),
        }
