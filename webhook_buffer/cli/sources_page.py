"""The generated parts of ``docs/sources.md``: providers and handshakes, from their data."""

from __future__ import annotations

from collections.abc import Mapping

from lambdas.sources.handshakes import HANDSHAKES
from lambdas.sources.providers import PROVIDERS, Provider
from monitoring.documents.markdown import table
from settings.paths import ROOT

FILE = ROOT / "docs" / "sources.md"
_SCHEMES = {
    "hmac": "HMAC",
    "ed25519": "Ed25519",
    "token": "token",
    "sns": "RSA, Amazon's certificate",
}


def parts() -> Mapping[str, str]:
    """The page's parts, by the names in their markers."""
    return {
        "providers": _providers(),
        "answers of providers": _again(),
        "handshakes": _handshakes(),
    }


def _providers() -> str:
    return table(
        ["`provider`", "verified by", "what to paste where", "tested with requests"],
        (
            [
                f"[`{name}`]({provider.source})",
                _scheme(provider),
                provider.paste,
                provider.proof,
            ]
            for name, provider in PROVIDERS.items()
        ),
    )


def _scheme(provider: Provider) -> str:
    """``HMAC-SHA256, `x-header`, 300 s``."""
    spec = provider.spec
    text = _SCHEMES[spec["scheme"]]
    if spec["scheme"] == "hmac":
        text += f"-{spec.get('algorithm', 'sha256').upper()}"
    place = spec.get("header") or spec.get("token", "").removeprefix("header:")
    text += f", `{place}`" if place else ""
    text += f", {spec['tolerance']} s" if "tolerance" in spec else ""
    if provider.needs:
        text += f"; needs {', '.join(f'`{need}`' for need in provider.needs)}"
    return text


def _again() -> str:
    return table(
        ["provider", "comes again after 401, 404, 503, and disables"],
        ([provider.title, provider.again] for provider in PROVIDERS.values()),
    )


def _handshakes() -> str:
    brought: dict[str, list[str]] = {}
    for provider in PROVIDERS.values():
        for name in provider.handshakes:
            brought.setdefault(name, []).append(provider.title)
    return table(
        ["`handshake`", "request", "verified first", "needs", "comes with"],
        (
            [
                f"[`{name}`]({handshake.source})",
                handshake.method,
                "yes" if handshake.verified else "no",
                ", ".join(f"`{need}`" for need in handshake.needs) or "–",  # noqa: RUF001
                ", ".join(brought.get(name, [])) or "–",  # noqa: RUF001
            ]
            for name, handshake in HANDSHAKES.items()
        ),
    )
