"""What is generated in the docs is what the generators say now."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.documents import ENVIRONMENT
from settings.errors import InputError
from settings.loader import load
from settings.paths import ROOT
from webhook_buffer.cli import docs
from webhook_buffer.composition import alarm_set
from webhook_buffer.live.pace import MINUTE, REAL_TIME


@pytest.mark.slow
def test_make_docs_leaves_a_clean_tree(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No generated file differs from its generator's text, and no old one is left."""
    written: list[str] = []
    monkeypatch.setattr(docs, "write", lambda file, _: written.append(str(file)))
    monkeypatch.setattr(Path, "unlink", lambda file: written.append(str(file)))
    monkeypatch.setattr(docs, "bench", lambda **_: None)  # takes minutes
    docs.main()
    assert written == [], "run make docs"
    assert "generated files are up to date." in capsys.readouterr().out


@pytest.mark.slow
def test_the_readme_s_table_is_the_benchmark_s() -> None:
    """Our own set comes first, then the others by what they notice."""
    readme = docs.generated()[ROOT / "README.md"]
    part = readme.partition("<!-- generated: benchmark -->\n")[2].partition("\n<!-- end -->")[0]
    names = [line.split("|")[1].strip() for line in part.splitlines()]
    assert names[:4] == ["set", "---", "webhook-buffer", "AWS recommended alarms"]
    assert len(names) == 8


@pytest.mark.slow
def test_a_missing_marker_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever removes the marker of a part learns which one to put back."""
    monkeypatch.setattr(docs, "_read", lambda file: file.read_text().replace("generated: cost", ""))
    with pytest.raises(InputError, match=r"README\.md: write <!-- generated: cost --> and <!-- e"):
        docs.generated()


def test_drills_in_real_time_fire_as_recorded() -> None:
    """Within a minute of the recording, or within one period of an alarm that counts in longer."""
    recorded = docs.recorded_signals()
    alarms = alarm_set(load(ENVIRONMENT))
    real = {each.drill: each for each in docs.kept_drills() if each.pace == REAL_TIME}
    compared = 0
    for name in set(real) & set(recorded):
        for fired in real[name].fired:
            alarm = alarms.alarm(fired.signal)
            if alarm is None or fired.limit is None or fired.signal not in recorded[name]:
                continue
            apart = abs(fired.minute - recorded[name][fired.signal])
            assert apart <= max(1, alarm.period // MINUTE), (name, fired)
            compared += 1
    assert compared >= 10


def test_drills_that_users_notice_page_within_three_minutes() -> None:
    """In real time, with the seconds that the emulator needs."""
    for result in docs.kept_drills():
        if result.pace == REAL_TIME and result.users_notice:
            assert result.page_seconds is not None, result.drill
            assert result.page_seconds <= 3 * MINUTE + 5, result.drill
