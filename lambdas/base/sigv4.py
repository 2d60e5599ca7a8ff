"""AWS's signature of a request, Signature Version 4.

Source: AWS General Reference, "Create a signed AWS API request". botocore's signer does the same
and more, and takes longer to load than everything else that publish needs;
``docs/decisions/0005-cold-start.md`` has the figures. A test compares the two.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

_ALGORITHM = "AWS4-HMAC-SHA256"


class Credentials(NamedTuple):
    """Who signs; ``token`` is there where the credentials are temporary."""

    access_key: str
    secret_key: str
    token: str | None

    def __repr__(self) -> str:
        return f"Credentials({self.access_key!r})"


def signed(
    method: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    service: str,
    region: str,
    credentials: Credentials,
    at: str,
    path: str = "/",
    query: str = "",
) -> dict[str, str]:
    """The headers of a request, those that sign it included.

    Args:
        headers: all that are to be signed, with Host.
        at: the time, ``20150830T123600Z``.
        path: of characters that need no escape.
        query: encoded as it goes out.
    """
    headers = {**headers, "X-Amz-Date": at}
    if credentials.token:
        headers["X-Amz-Security-Token"] = credentials.token
    # White space within a value counts as one blank.
    lines = sorted((name.lower(), " ".join(value.split())) for name, value in headers.items())
    names = ";".join(name for name, _ in lines)
    canonical = "\n".join(
        [
            method,
            path,
            "&".join(sorted(query.split("&"), key=lambda pair: pair.partition("=")[::2])),
            *(f"{name}:{value}" for name, value in lines),
            "",
            names,
            sha256(body).hexdigest(),
        ]
    )
    scope = f"{at[:8]}/{region}/{service}/aws4_request"
    to_sign = f"{_ALGORITHM}\n{at}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret_key}".encode()
    for part in (*scope.split("/"), to_sign):
        key = hmac.digest(key, part.encode(), "sha256")
    credential = f"Credential={credentials.access_key}/{scope}"
    headers["Authorization"] = (
        f"{_ALGORITHM} {credential}, SignedHeaders={names}, Signature={key.hex()}"
    )
    return headers
