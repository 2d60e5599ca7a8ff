"""Whether a signature fits a message, by a secret or a public key."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence

from lambdas.sources.schemes.scheme import SecretFormError

# Whether one of some signatures fits.
Matches = Callable[[Sequence[str], bytes, str], bool]
ALGORITHMS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha512": hashlib.sha512}


def by_hmac(algorithm: str, encoding: str, secret_encoding: str) -> Matches:
    """HMAC.

    Args:
        encoding: of the signature: ``hex`` or ``base64``.
        secret_encoding: ``text``, ``hex`` or ``base64``.
    """
    digest = ALGORITHMS[algorithm]

    def matches(signatures: Sequence[str], message: bytes, secret: str) -> bool:
        # Once, however many signatures a stranger sends.
        mac = hmac.new(key(secret, secret_encoding), message, digest).digest()
        expected = mac.hex() if encoding == "hex" else base64.b64encode(mac).decode()
        # Compared as texts, so that a signature in an unusual encoding is not one.
        matching = [hmac.compare_digest(signature, expected) for signature in signatures]
        return any(matching)

    return matches


def by_ed25519(encoding: str) -> Matches:
    """Source of the keys' form: Discord's documentation, "Security and Authorization": hex."""

    def matches(signatures: Sequence[str], message: bytes, public_key: str) -> bool:
        return any(verified(signature, message, public_key) for signature in signatures)

    def verified(signature: str, message: bytes, public_key: str) -> bool:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            public = Ed25519PublicKey.from_public_bytes(key(public_key, "hex"))
        except ValueError:
            raise SecretFormError from None
        try:
            raw = bytes.fromhex(signature) if encoding == "hex" else base64.b64decode(signature)
            public.verify(raw, message)
        except (ValueError, InvalidSignature):
            return False
        return True

    return matches


def key(secret: str, encoding: str) -> bytes:
    """A secret's bytes.

    Raises:
        SecretFormError: When it does not have its encoding, or none is left: with an empty key
            anybody could sign.
    """
    try:
        secret_bytes = _decoded(secret, encoding)
    except ValueError:
        raise SecretFormError from None
    if not secret_bytes:
        raise SecretFormError
    return secret_bytes


def _decoded(secret: str, encoding: str) -> bytes:
    match encoding:
        case "base64":
            # Source: Standard Webhooks, "Signature scheme": whsec_ and base64.
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        case "hex":
            return bytes.fromhex(secret)
        case _:
            return secret.encode()
