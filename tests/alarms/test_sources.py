"""Sources: each that verifies its requests has an alarm, and only where it is configured."""

from __future__ import annotations

from alarms import CATALOG
from lambdas.base import metrics as written
from monitoring.alarm_set import AlarmSet
from monitoring.model import metrics
from settings.loader import load
from settings.sources import EXAMPLE
from webhook_buffer.composition import alarm_set


def _set(*sources: dict[str, object]) -> AlarmSet:
    return alarm_set(load("stg", overrides={"sources": list(sources), "openToEveryone": None}))


def test_every_verified_source_has_an_alarm() -> None:
    """An alarm of a source reads its own metrics, and one without verification has none."""
    alarms = _set(EXAMPLE, {"name": "open", "paths": ["/open"]})
    alarm = alarms.alarm("source-example-refused")
    assert alarm
    assert alarms.alarm("source-open-refused") is None
    dimensions = [measure.dimensions for measure in alarm.measures.values()]
    assert dimensions == 2 * [{"service": "webhook-buffer", "env": "stg", "source": "example"}]
    assert alarm.topics == ("page",)


def test_the_functions_write_what_the_alarm_reads() -> None:
    """The metrics of a source are written with exactly the dimensions that its alarm asks for."""
    for metric in (
        metrics.SOURCE_ACCEPTED,
        metrics.SOURCE_REFUSED,
        metrics.SOURCE_SIGNATURES_REFUSED,
    ):
        assert ("source",) in written.BY[metric.name]
    assert () in written.BY[metrics.SIGNATURES_REFUSED.name]


def test_without_sources_their_signals_are_left_out() -> None:
    """What only sources bring costs nothing elsewhere, and says how to get it."""
    alarms = alarm_set(load("stg"))
    for name in ("secret-unreadable", "signatures-refused"):
        assert "set 'sources'" in alarms.left_out[name]
    assert CATALOG.source("source-example")
