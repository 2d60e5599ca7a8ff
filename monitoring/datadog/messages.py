"""A monitor's message: what is wrong, who is affected, what to do first, where to read more.

Source: Datadog documentation, "Notifications", for conditionals and variables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from monitoring.model.signals import Severity
from settings.schema import Settings

# Datadog's own name of a unit's sign, behind a value.
_SIGNS = {"Percent": " %", "Seconds": " s", "Milliseconds": " ms", "US dollars": " USD"}


@dataclass(frozen=True, slots=True)
class Incident:
    """What a message is about.

    Attributes:
        steps: what to do first, in order.
        unit: of value and threshold.
        kind: the monitor's type; what is known of a value depends on it.
    """

    title: str
    impact: str
    severity: Severity
    runbook: str
    steps: Sequence[str]
    unit: str
    kind: str


def message(incident: Incident, settings: Settings) -> str:
    """The message of a monitor, in Markdown, with the parts that each state shows."""
    handles = recipients(incident.severity, settings)
    lines = [
        "{{#is_alert}}",
        f"**{incident.title}** in {settings.environment}: {_value(incident)}.",
        f"Severity: {incident.severity.value}.",
        "{{/is_alert}}{{#is_warning}}",
        f"**Warning: {incident.title}** in {settings.environment}: {_value(incident, 'warn_')}.",
        "{{/is_warning}}{{#is_no_data}}",
        f"**No data: {incident.title}** ({settings.environment}).",
        "{{/is_no_data}}{{^is_recovery}}",
        f"**Impact.** {incident.impact}",
        "",
        "**First steps**",
        *(f"{number}. {step}" for number, step in enumerate(incident.steps, 1)),
        "",
        f"{_runbook(incident, settings)} · [Logs]({_logs(settings)})",
        "{{/is_recovery}}{{#is_recovery}}",
        f"**Recovered: {incident.title}** in {settings.environment}.",
        "{{/is_recovery}}",
    ]
    return "\n".join([*lines, *([" ".join(handles)] if handles else [])])


def recipients(severity: Severity, settings: Settings) -> list[str]:
    """The notification handles of a severity, from the settings."""
    return list(settings.datadog.recipients.get(severity.value, [])) if settings.datadog else []


def _value(incident: Incident, prefix: str = "") -> str:
    if incident.kind == "slo alert":
        return (
            "the error budget burns at {{short_window_burn_rate}} times the rate that lasts "
            "{{timeframe}} ({{long_window_burn_rate}} over the long window)"
        )
    sign = _SIGNS.get(incident.unit, "")
    return f"{{{{value}}}}{sign}, threshold {{{{{prefix}threshold}}}}{sign}"


def _runbook(incident: Incident, settings: Settings) -> str:
    target = f"{settings.runbookUrl}#{incident.runbook}"
    if settings.runbookUrl.startswith(("https://", "http://")):
        return f"[Runbook]({target})"
    return f"Runbook: `{target}`"


def _logs(settings: Settings) -> str:
    """Where the service's logs are, at the organization's site."""
    assert settings.datadog is not None
    site = settings.datadog.site
    host = f"app.{site}" if site.count(".") == 1 else site
    query = quote(f"service:{settings.service} env:{settings.environment} -@level:INFO")
    return f"https://{host}/logs?query={query}"
