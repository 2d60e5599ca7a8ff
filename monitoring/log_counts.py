"""Which lines of the buffer's logs count as errors, as warnings or as problems (either), as data.

The metric filters of the stack and the laptop's live alarms count by the same conditions.
Source of the patterns' language: CloudWatch Logs user guide, "Filter pattern syntax".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitoring.model import metrics

# What the runtime itself says is text, not JSON.
_RUNTIME = ("Task timed out", "Runtime exited", "Runtime.ImportModuleError")


@dataclass(frozen=True, slots=True)
class LogCount:
    """Lines of ours with one of these levels, but for some events; perhaps the runtime's, too.

    Attributes:
        but_for: events that have a signal of their own, so that none is counted twice.
        runtime: whether what the runtime says of a crash counts as well.
    """

    levels: tuple[str, ...]
    but_for: tuple[str, ...]
    runtime: bool

    @property
    def patterns(self) -> tuple[str, ...]:
        """One pattern per metric filter."""
        named = " || ".join(f'($.level = "{level}")' for level in self.levels)
        terms = [f"({named})" if len(self.levels) > 1 else named]
        terms += [f'($.event != "{event}")' for event in self.but_for]
        ours = "{ " + " && ".join(terms) + " }"
        return (ours, " ".join(f'?"{text}"' for text in _RUNTIME)) if self.runtime else (ours,)

    def counts(self, text: str, fields: Mapping[str, Any]) -> bool:
        """Whether a line counts.

        Args:
            fields: of a JSON line of ours; empty for any other.
        """
        if fields:
            return fields.get("level") in self.levels and fields.get("event") not in self.but_for
        return self.runtime and any(said in text for said in _RUNTIME)


# By the name of the metric, as the stack's filters write it.
COUNTS: Mapping[str, LogCount] = {
    metrics.LOG_ERRORS.name: LogCount(
        ("ERROR",), ("record.failed", "parking.braked"), runtime=True
    ),
    # Named one by one: lines of Datadog's library have no level at all.
    metrics.LOG_PROBLEMS.name: LogCount(
        ("WARNING", "ERROR"),
        ("heartbeat.failed", "probe.failed", "notification.failed"),
        runtime=True,
    ),
    metrics.LOG_WARNINGS.name: LogCount(
        ("WARNING",), ("webhook.failed", "webhook.refused", "webhook.parked"), runtime=False
    ),
}
