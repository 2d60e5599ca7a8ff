"""What Datadog knows us by; whoever calls reads it from where it is kept."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keys:
    """What Datadog knows us by. Never shown: ``origin`` says where they are from.

    Attributes:
        url: of the API, ``https://api.datadoghq.com``.
        api, application: the keys.
        origin: in words, for errors.
    """

    url: str
    api: str
    application: str
    origin: str

    def __repr__(self) -> str:
        return f"Keys({self.url}, from {self.origin})"
