"""Applies an environment's ``alarms`` setting to its signals."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import replace

from monitoring.model.catalog import Catalog
from monitoring.model.signals import Evaluator, Severity, Signal, Threshold
from monitoring.resources import Resources, plain
from settings.errors import SettingsError
from settings.paths import CDK_JSON
from settings.schema import Settings


def overridden(settings: Settings, signals: Iterable[Signal], catalog: Catalog) -> list[Signal]:
    """The signals with what ``alarms`` changes in them.

    Raises:
        SettingsError: When ``alarms`` has an unknown key, or assigns a signal to Datadog, which is
            not set up.
    """
    signals = list(signals)
    known = {signal.id for signal in (*catalog.signals, *signals)}
    known |= {monitor.id for monitor in catalog.monitors}
    unknown = sorted(settings.alarms.keys() - known)
    if unknown:
        raise SettingsError(
            CDK_JSON,
            settings.environment,
            [
                f"key 'alarms.{name}': no signal has this id{_meant(name, known)}; all of them: "
                f"webhook-buffer alarms list --env {settings.environment}, and those of Datadog: "
                "docs/datadog-objects.md"
                for name in unknown
            ],
        )
    return [_overridden(settings, signal) for signal in signals]


def has_own_severity(settings: Settings, signal_id: str) -> bool:
    """Whether the settings give a signal a severity; then it leaves its incident."""
    change = settings.alarms.get(signal_id)
    return change is not None and change.severity is not None


def replaced(threshold: Threshold, value: float) -> Threshold:
    """A threshold with a number from the settings in its place."""
    return replace(threshold, value=value, of=None, reason="Set in cdk.json.")


def has_own_threshold(settings: Settings, signal_id: str) -> bool:
    """Whether the settings give a signal its threshold."""
    change = settings.alarms.get(signal_id)
    return change is not None and change.threshold is not None


def impossible(threshold: Threshold, value: float, resources: Resources) -> list[str]:
    """Why a threshold could never be crossed, or always is.

    Args:
        value: the threshold in this environment, in its unit.
    """
    if value <= 0:
        return [f"{plain(value)} must be more than 0"]
    if threshold.unit == "Percent" and value > 100:
        return [f"{plain(value)} % is more than 100 %; lower it"]
    if threshold.at_most is None:
        return []
    most = resources.value(threshold.at_most, threshold.unit)
    if value <= most:
        return []
    return [
        f"{plain(value)} {threshold.unit.lower()} is more than "
        f"{threshold.at_most} ({plain(most)}), so the alarm could never fire; lower it"
    ]


def _overridden(settings: Settings, signal: Signal) -> Signal:
    change = settings.alarms.get(signal.id)
    if change is None:
        return signal
    if change.threshold is not None:
        signal = replace(signal, threshold=replaced(signal.threshold, change.threshold))
    if change.severity is not None:
        signal = replace(signal, severity=Severity(change.severity))
    if change.evaluatedBy is not None:
        evaluator = _evaluator(settings, signal.id, change.evaluatedBy)
        signal = replace(signal, evaluated_by=evaluator)
    return signal


def _meant(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def _evaluator(settings: Settings, signal_id: str, name: str) -> Evaluator:
    evaluator = Evaluator(name)
    if evaluator is not Evaluator.CLOUDWATCH and settings.datadog is None:
        problem = f"key 'alarms.{signal_id}.evaluatedBy': {name} without 'datadog'; add its block"
        raise SettingsError(CDK_JSON, settings.environment, [problem])
    return evaluator
