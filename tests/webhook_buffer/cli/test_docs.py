"""What is generated in the docs is what the generators say now."""

from __future__ import annotations

from pathlib import Path

import pytest

from settings.errors import InputError
from settings.paths import ROOT
from webhook_buffer.cli import docs


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
