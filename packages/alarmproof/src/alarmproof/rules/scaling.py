"""Whether an alarm that scales a group is about that group, and its policy has a step for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from alarmproof.base.alarms import Action, AnyAlarm, MetricAlarm
from alarmproof.base.definitions import Resource
from alarmproof.base.values import Reference, Unknown, listed
from alarmproof.rules.context import Context, fires_above
from alarmproof.rules.registry import ERROR, WARNING, Hit, rule

_OF_GROUPS = "AWS::AutoScaling::ScalingPolicy"
_OF_OTHERS = "AWS::ApplicationAutoScaling::ScalingPolicy"
_GROUP = "AutoScalingGroupName"


def _policies(context: Context, alarm: MetricAlarm) -> Iterator[Resource]:
    """The scaling policies in the templates that an alarm's alarm actions name."""
    for action in alarm.alarm_actions:
        if isinstance(action, Action):
            for kind in (_OF_GROUPS, _OF_OTHERS):
                policy = context.resource(kind, action.given, stack=alarm.source.stack)
                if policy is not None:
                    yield policy


@rule(
    "no-scaling-step",
    ERROR,
    finds="a step scaling policy without a step on the side on which its alarm fires",
    why="Nothing is scaled: No step adjustment found for metric value.",
    remedy="Steps count from the alarm's threshold: below it they end with "
    "MetricIntervalUpperBound 0, above it they begin with MetricIntervalLowerBound 0.",
)
def no_scaling_step(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Source: Auto Scaling API reference, StepAdjustment; reported:
    https://github.com/DFE-Digital/teaching-vacancies/pull/58.
    """
    if not isinstance(alarm, MetricAlarm) or alarm.band:
        return
    above = fires_above(alarm)
    for policy in _policies(context, alarm):
        steps = _steps(policy.resolved)
        if steps and not any(_begins_at_threshold(step, above=above) for step in steps):
            side = "above" if above else "below"
            yield (
                f"It fires {side} the threshold, and no step of the scaling policy "
                f"'{policy.source.logical_id}' begins there."
            )


def _steps(properties: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The steps of a policy; none where it has none, or where they are not known."""
    inner = properties.get("StepScalingPolicyConfiguration")
    if isinstance(inner, list):
        inner = next(iter(inner), None)
    given = (inner if isinstance(inner, Mapping) else properties).get("StepAdjustments")
    steps = [step for step in listed(given) if isinstance(step, Mapping)]
    bounds = [step.get(name) for step in steps for name in _BOUNDS]
    return [] if any(bound is not None and _number(bound) is None for bound in bounds) else steps


_BOUNDS = ("MetricIntervalLowerBound", "MetricIntervalUpperBound")


def _number(value: Any) -> float | None:
    try:
        return None if isinstance(value, Unknown) else float(value)
    except (TypeError, ValueError):
        return None


def _begins_at_threshold(step: Mapping[str, Any], *, above: bool) -> bool:
    lower, upper = (_number(step.get(name)) for name in _BOUNDS)
    if above:
        return (lower is None or lower <= 0) and (upper is None or upper > 0)
    return (upper is None or upper >= 0) and (lower is None or lower < 0)


@rule(
    "scales-on-others",
    WARNING,
    finds="an alarm that scales a group by the metric of all instances, or of another group",
    why="The group is scaled by what others do.",
    remedy="Give the metric the dimension AutoScalingGroupName of the policy's group.",
)
def scales_on_others(context: Context, alarm: AnyAlarm) -> Iterator[str | Hit]:
    """Source: https://github.com/hashicorp/terraform/pull/3614."""
    if not isinstance(alarm, MetricAlarm):
        return
    for policy in _policies(context, alarm):
        group = policy.resolved.get(_GROUP)
        if policy.type != _OF_GROUPS or not group or isinstance(group, Unknown):
            continue
        for metric in alarm.metrics:
            watched = dict(metric.dimensions).get(_GROUP)
            if metric.namespace == "AWS/EC2" and not metric.dimensions:
                yield f"{metric.name} without a dimension is that of all instances in the region."
            elif (
                watched
                and not isinstance(watched, Unknown)
                # A reference and a name may mean the same group.
                and isinstance(watched, Reference) == isinstance(group, Reference)
                and watched != group
            ):
                yield f"It scales the group '{group}' by {metric.name} of '{watched}'."
