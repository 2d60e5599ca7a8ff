"""What every scheme is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from lambdas.base.envelope import Envelope
from lambdas.sources.schemes.reasons import Reason


class UnreachableError(Exception):
    """When something that a scheme needs can't be fetched, so that nothing can be verified."""


class SecretFormError(Exception):
    """When a secret or a public key does not have the form that its scheme needs."""


class Scheme(Protocol):
    """A way to verify a request."""

    def check(self, request: Envelope, secrets: Sequence[str], now: float) -> Reason | None:
        """Why a request is refused; None for a genuine request.

        Args:
            secrets: those that are valid at present.
            now: seconds since the epoch.

        Raises:
            SecretFormError: When a secret does not have the form that the scheme needs.
            UnreachableError: When something it needs can't be fetched.
        """
        ...
