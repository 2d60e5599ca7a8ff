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
                f"[`{name}`]({one.source})",
                _scheme(one),
                one.paste,
                one.proof,
            ]
            for name, one in PROVIDERS.items()
        ),
    )


def _scheme(provider: Provider) -> str:
    """``HMAC-SHA256, `x-header`, 300 s``."""
    spec = provider.spec
    found = _SCHEMES[spec["scheme"]]
    if spec["scheme"] == "hmac":
        found += f"-{spec.get('algorithm', 'sha256').upper()}"
    place = spec.get("header") or spec.get("token", "").removeprefix("header:")
    found += f", `{place}`" if place else ""
    found += f", {spec['tolerance']} s" if "tolerance" in spec else ""
    if provider.needs:
        found += f"; needs {', '.join(f'`{need}`' for need in provider.needs)}"
    return found


def _again() -> str:
    return table(
        ["provider", "comes again after 401, 404, 503, and disables"],
        ([one.title, one.again] for one in PROVIDERS.values()),
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
                f"[`{name}`]({one.source})",
                one.method,
                "yes" if one.verified else "no",
                ", ".join(f"`{need}`" for need in one.needs) or "–",  # noqa: RUF001
                ", ".join(brought.get(name, [])) or "–",  # noqa: RUF001
            ]
            for name, one in HANDSHAKES.items()
        ),
    )
