"""Schemes of verification. A provider is data for one of them; see ``lambdas.sources.providers``.

Each scheme's module is imported only where a source uses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdas.sources.schemes.scheme import Scheme


def build(spec: Mapping[str, Any]) -> Scheme:
    """The scheme that a specification describes: ``{"scheme": "hmac", …}``.

    Raises:
        ValueError: When the scheme can't work as specified; its text names the member.
    """
    options = {name: value for name, value in spec.items() if name != "scheme"}
    match spec["scheme"]:
        case "hmac" | "ed25519":
            from lambdas.sources.schemes import signed

            return signed.build(spec["scheme"], options)
        case "token" | "basic":
            from lambdas.sources.schemes import shared

            return shared.build(spec["scheme"], options)
        case "sns":
            from lambdas.sources.schemes import sns

            return sns.Sns(topics=tuple(options["topics"]), tolerance=options["tolerance"])
        case unknown:
            raise ValueError(f"scheme: '{unknown}' is not a scheme")
