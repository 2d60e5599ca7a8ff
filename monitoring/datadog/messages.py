"""A monitor's message: what is wrong, who is affected, what to do first, where to read more.

Source: Datadog documentation, "Notifications", for conditionals and variables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from monitoring.model.signals import Comparison, Severity
from monitoring.quantities import quantity
from monitoring.resources import plain
from settings.schema import Settings

# The sign behind a value, of our units and of Datadog's.
_SIGNS = {
    "Percent": " %", "Seconds": " s", "second": " s", "Milliseconds": " ms", "millisecond": " ms",
    "US dollars": " USD", "dollar": " USD", "mebibyte": " MiB",
}  # fmt: skip
# How a threshold is met, with its number.
_LIMITS = {
    Comparison.ABOVE: "more than {}",
    Comparison.AT_LEAST: "{} or more",
    Comparison.BELOW: "less than {}",
    Comparison.AT_MOST: "{} or less",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A monitor's value in words, beside its threshold.

    Attributes:
        text: with ``{value}`` in place of the number and its sign.
        unit: of value and thresholds.
        window: seconds over which the value is.
        silence: seconds without data after which it alerts; None where it does not.
        of_slo: whether the value is how fast an SLO's error budget is used up.
    """

    text: str = field(kw_only=False)
    unit: str
    comparison: Comparison
    critical: float
    window: int
    warning: float | None = None
    silence: int | None = None
    of_slo: bool = False

    def at(self, threshold: float) -> str:
        """The sentence of an alert: "{{value}} timeouts in 15 min (threshold: 3 or more)"."""
        sign = _SIGNS.get(self.unit, "")
        value = "{{long_window_burn_rate}}" if self.of_slo else "{{value}}"
        if "{value}" not in self.text:
            return self.text
        said = self.text.replace("{value}", f"{value}{sign}")
        limit = _LIMITS[self.comparison].format(f"{plain(threshold)}{sign}")
        return f"{said} in the last {_duration(self.window)} (threshold: {limit})"


@dataclass(frozen=True, slots=True)
class Incident:
    """What a message is about.

    Attributes:
        steps: what to do first, in order.
    """

    title: str
    impact: str
    severity: Severity
    runbook: str
    steps: Sequence[str]
    reading: Reading


def message(incident: Incident, settings: Settings) -> str:
    """The message of a monitor, in Markdown, with the parts that each state shows."""
    handles = recipients(incident.severity, settings)
    lines = [
        "".join(_states(incident, settings.environment)) + "{{^is_recovery}}",
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


def _states(incident: Incident, environment: str) -> Iterator[str]:
    """What each state shows that the monitor can be in, as a block each."""
    reading, where = incident.reading, f"{incident.title}** in {environment}"
    severity = f"Severity: {incident.severity.value}."
    yield _block("is_alert", f"**{where}: {reading.at(reading.critical)}.\n{severity}")
    if reading.warning is not None:
        yield _block("is_warning", f"**Warning: {where}: {reading.at(reading.warning)}.")
    if reading.silence is not None:
        silence = f"no data for {_duration(reading.silence)}"
        yield _block("is_no_data", f"**{where}: {silence}.\n{severity}")


def _block(state: str, text: str) -> str:
    return f"{{{{#{state}}}}}\n{text}\n{{{{/{state}}}}}"


def _duration(seconds: int) -> str:
    """``hour``, ``15 minutes``: behind "the last" or "for"."""
    number, unit = quantity(seconds, "Seconds").split(" ")
    name = {"d": "day", "h": "hour", "min": "minute", "s": "second"}[unit]
    return name if number == "1" else f"{number} {name}s"


def recipients(severity: Severity, settings: Settings) -> list[str]:
    """The notification handles of a severity, from the settings."""
    return list(settings.datadog.recipients.get(severity.value, [])) if settings.datadog else []


def _runbook(incident: Incident, settings: Settings) -> str:
    target = f"{settings.runbookUrl}#{incident.runbook}"
    if settings.runbookUrl.startswith(("https://", "http://")):
        return f"[Runbook]({target})"
    return f"Runbook: `{target}`"


def _logs(settings: Settings) -> str:
    """Where the service's logs are, at the organization's site."""
    assert settings.datadog is not None
    query = quote(f"service:{settings.service} env:{settings.environment} -@level:INFO")
    return f"{pages(settings.datadog.site)}/logs?query={query}"


def pages(site: str) -> str:
    """The address of a site's pages.

    Source: Datadog documentation, "Getting Started with Datadog Sites".
    """
    return f"https://{f'app.{site}' if site.count('.') == 1 else site}"
