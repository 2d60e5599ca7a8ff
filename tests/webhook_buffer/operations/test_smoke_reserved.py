"""Paths that API Gateway keeps for itself: a smoke test notices when webhooks there are lost."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from settings.errors import ProofFailedError
from settings.loader import load
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.send import Receipt, Webhook
from webhook_buffer.operations.smoke import Check, Smoke


class _Sender:
    """Answers as the buffer does, and as API Gateway on some paths.

    Args:
        kept: the paths that never reach the buffer.
    """

    def __init__(self, *kept: str) -> None:
        self._kept = kept

    def post(self, webhook: Webhook) -> Receipt:
        if webhook.path in self._kept:
            return Receipt(200, {}, 0.01)  # "Healthy Connection"
        return Receipt(413, {"error": "too large"}, 0.01, release="1.0")


def _checks(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *kept: str, **keys: Any
) -> Mapping[str, Check]:
    settings = load("prd", overrides=keys)
    target = Environment(settings=settings, folder=folder, outputs_file=folder / "o.json")
    outputs = {"BufferedEndpoint": "https://x", "Release": "1.0", "UsesFauxBackend": "false"}
    smoke = Smoke(target, outputs)
    monkeypatch.setattr(smoke, "_sender", _Sender(*kept))
    return {check.claim: check for check in smoke.checks(failures=False, deliver=False)}


def test_they_reach_the_buffer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the buffer answers there, that is what is said."""
    assert "/ping and /sping reach the buffer" in _checks(monkeypatch, tmp_path)


def test_they_are_lost_at_the_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a prefix it is said that they don't arrive, and what to do; nothing fails."""
    checks = _checks(monkeypatch, tmp_path, "/ping", "/sping")
    lost = checks["webhooks to /ping and /sping do not arrive: API Gateway answers them"]
    assert "set pathPrefix" in lost.detail


def test_they_are_lost_below_a_prefix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Below a prefix they must arrive."""
    with pytest.raises(ProofFailedError, match="/sping below pathPrefix were not answered"):
        _checks(monkeypatch, tmp_path, "/sping", pathPrefix="/hooks")
