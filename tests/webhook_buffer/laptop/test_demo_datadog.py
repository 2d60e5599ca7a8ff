"""The demo's Datadog half proves what it says, and says so when it can't."""

from __future__ import annotations

from collections import Counter

import pytest

from monitoring.datadog.sync import fields
from settings.errors import ProofFailedError
from settings.loader import load
from webhook_buffer.composition import definitions
from webhook_buffer.laptop import demo_datadog


def test_the_plan_is_empty_while_quiet_hours_run() -> None:
    """One step runs in a downtime that mutes monitors; in the end all is there, and once."""
    settings, steps = load("local"), list[str]()
    seen = demo_datadog.run(settings, steps.append)
    assert steps.index("plan again") < steps.index("plan in quiet hours") < steps.index("drift")
    assert seen.objects == Counter(definition.kind.value for definition in definitions(settings))
    assert 0 < seen.muted <= seen.objects["monitor"]
    assert seen.drifted == ["options.renotify_interval"]


def test_a_mute_that_counts_as_a_change_ends_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a running downtime were drift, the demo would end with that sentence."""
    monkeypatch.setitem(fields._OPTIONS, "silenced", {})
    with pytest.raises(ProofFailedError, match="the plan in quiet hours is not empty"):
        demo_datadog.run(load("local"), lambda _: None)
