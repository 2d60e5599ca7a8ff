"""Whether a request is its source's: its scheme, with the secrets that are valid at present."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from lambdas.base.envelope import Envelope
from lambdas.base.secrets import Secrets, UnavailableError, unreadable, valid
from lambdas.sources import schemes
from lambdas.sources.schemes.reasons import Reason
from lambdas.sources.schemes.scheme import Scheme, SecretFormError

# Members of a specification that are not the scheme's.
_OURS = frozenset({"secretArn", "publicKeys"})


class Verification(NamedTuple):
    """How a source's requests are verified.

    Attributes:
        arn: of the secret in Secrets Manager; empty where the scheme has none.
        public: keys that are not secret.
        name: of the scheme: ``hmac``.
        authentication: HTTP's name for it, which a 401 has to give. Signatures and API keys have
            none; theirs is unregistered, so that no client mistakes it for another scheme.
            Source: RFC 9110, 15.5.2 (a 401 must carry a challenge) and 11.6.1.
    """

    scheme: Scheme
    arn: str
    public: tuple[str, ...]
    name: str
    authentication: str

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Verification:
        """A verification from its specification.

        Raises:
            ValueError: When the scheme can't work as specified.
        """
        options = {name: value for name, value in spec.items() if name not in _OURS}
        public = tuple(spec.get("publicKeys", ()))
        scheme, arn = schemes.build(options), spec.get("secretArn", "")
        return cls(scheme, arn, public, spec["scheme"], _authentication(spec))

    def check(self, request: Envelope, secrets: Secrets, *, within: float) -> Reason | None:
        """Why a request is refused; None for a genuine request.

        A refused one is checked again where its secret turns out to have been rotated.

        Args:
            within: seconds that reading a secret may take.

        Raises:
            UnavailableError: When nothing can be verified at present.
        """
        reason = self.checked_with(self._valid(secrets, within), request, time.time())
        retriable = reason is Reason.WRONG and self.arn
        if retriable and secrets.refresh(self.arn, within=within):
            return self.checked_with(self._valid(secrets, within), request, time.time())
        return reason

    def checked_with(self, values: list[str], request: Envelope, now: float) -> Reason | None:
        """Why a request is refused with these secrets or keys.

        Args:
            now: seconds since the epoch.

        Raises:
            UnavailableError: When one of them does not have the scheme's form.
        """
        try:
            return self.scheme.check(request, values, now)
        except SecretFormError:
            unreadable("NotOfTheSchemesForm")
            raise UnavailableError from None

    def _valid(self, secrets: Secrets, within: float) -> list[str]:
        if not self.arn:
            return list(self.public)
        members = valid(secrets.get(self.arn, within=within))
        if not members and secrets.refresh(self.arn, within=within):
            members = valid(secrets.get(self.arn, within=within))
        if not members:
            unreadable("HasNoCurrent")
            raise UnavailableError
        return members


def _authentication(spec: Mapping[str, Any]) -> str:
    if spec["scheme"] == "basic":
        return "Basic"
    if spec["scheme"] != "token":
        return "Webhook-Signature"
    is_bearer = spec.get("prefix", "").strip().lower() == "bearer"
    return "Bearer" if is_bearer else "Webhook-Token"
