"""Who is notified: the channels of an environment by severity."""

from __future__ import annotations

from typing import Any

from monitoring.model.signals import Severity
from settings.monitoring import Channel
from settings.schema import Settings


def channels_for(settings: Settings, severity: Severity) -> list[Channel]:
    """The channels that receive alarms of a severity."""
    return [channel for channel in settings.notifications if severity.value in channel.severities]


def unrouted(settings: Settings) -> list[str]:
    """Alarms that no channel receives, each with the setting that changes it."""
    problems = [
        f"No channel receives alarms of severity '{severity.value}'. "
        f"Add one to \"notifications\" of environment '{settings.environment}' in cdk.json "
        "(docs/settings.md)."
        for severity in (Severity.PAGE, Severity.TICKET)
        if not channels_for(settings, severity)
    ]
    if settings.notifications and not any(
        channel.kind == "email" for channel in settings.notifications
    ):
        problems.append(
            "If notify itself fails, nobody is notified: only addresses of an email channel are "
            f'reached without it. Add one to "notifications" of environment '
            f"'{settings.environment}' in cdk.json."
        )
    return problems


def unlinked(settings: Settings) -> str | None:
    """What to say where notifications name the runbook by a path, which nobody can click."""
    if settings.on_laptop or settings.runbookUrl.startswith(("https://", "http://")):
        return None
    return (
        f'Notifications name {settings.runbookUrl}, which is not a link. Set "runbookUrl" of '
        f"environment '{settings.environment}' in cdk.json to its URL (docs/settings.md)."
    )


def described(
    channel: Channel, topic_arn: str | None, *, https_only: bool = False
) -> dict[str, Any]:
    """A channel as ``notify`` reads it from its environment.

    Args:
        https_only: whether it may send nothing without TLS.
    """
    reached = {"topic_arn": topic_arn} if topic_arn else {"secret_arn": channel.secretArn}
    return {
        "id": channel.id,
        "kind": channel.kind,
        "severities": list(channel.severities),
        **reached,
        **({"https_only": True} if https_only else {}),
    }
