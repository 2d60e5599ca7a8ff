"""One environment's settings: its keys, what follows from them, and what must hold among them."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from settings.consistency import problems
from settings.names import Names


class Settings(Names):
    """An environment's block in ``cdk.json``, validated. ``docs/settings.md`` explains the keys."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        faults = problems(self)
        if faults:
            raise ValueError("\n".join(faults))
        return self
