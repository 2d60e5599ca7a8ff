"""The smoke test that strangers are refused: by the buffer, with or without a body."""

from __future__ import annotations

from pathlib import Path

import pytest

from settings.errors import ProofFailedError
from settings.loader import load
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.send import Receipt, Webhook
from webhook_buffer.operations.smoke import Smoke

_SECRET = "arn:aws:secretsmanager:us-east-1:333333333333:secret:xero-AbCdEf"
_XERO = {"name": "xero", "paths": ["/*"], "verify": {"provider": "xero", "secretArn": _SECRET}}


class _Sender:
    """Answers a stranger's request, and any other as the buffer does."""

    def __init__(self, answer: Receipt) -> None:
        self._answer = answer

    def post(self, webhook: Webhook) -> Receipt:
        if webhook.path.endswith("/.env"):
            return self._answer
        return Receipt(413, {"error": "too large"}, 0.01, release="1.0")


def _claims(monkeypatch: pytest.MonkeyPatch, folder: Path, answer: Receipt) -> list[str]:
    settings = load("prd", overrides={"sources": [_XERO], "openToEveryone": False})
    target = Environment(settings=settings, folder=folder, outputs_file=folder / "o.json")
    outputs = {"BufferedEndpoint": "https://x", "Release": "1.0", "UsesFauxBackend": "false"}
    smoke = Smoke(target, outputs)
    monkeypatch.setattr(smoke, "_sender", _Sender(answer))
    return [check.claim for check in smoke.checks(failures=False, deliver=False)]


def test_a_provider_s_answers_may_have_no_body(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A source at every path that answers nothing but a status passes."""
    claims = _claims(monkeypatch, tmp_path, Receipt(401, {}, 0.01, release="1.0"))
    assert "what no source takes is refused" in claims


@pytest.mark.parametrize(
    "answer",
    [
        Receipt(200, {"message_id": "m"}, 0.01, release="1.0"),
        Receipt(404, {"message": "Not Found"}, 0.01),
        Receipt(503, {"error": "later"}, 0.01, release="1.0"),
    ],
    ids=["queued", "not the buffer's", "not a refusal"],
)
def test_anything_else_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: Receipt
) -> None:
    """An accepted request, or one that something else refused, proves nothing."""
    with pytest.raises(ProofFailedError, match=f"was answered {answer.status}, not 404"):
        _claims(monkeypatch, tmp_path, answer)
