"""POST to a URL: what the heartbeat and the notifications need of HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import urllib3

from lambdas.backend_url import address


class HttpError(Exception):
    """When no answer came; it names the class of the failure, never the URL, a secret maybe."""


def post(url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> tuple[int, bytes]:
    """Sends once and follows no redirect.

    Args:
        seconds: for connecting, and again for each read.

    Returns:
        The answer's status and body.

    Raises:
        HttpError: When no answer came, or the URL is none.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host:
        raise HttpError("NotAnHttpUrl")
    kind = urllib3.HTTPSConnectionPool if parts.scheme == "https" else urllib3.HTTPConnectionPool
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    try:
        with kind(address(host), parts.port, retries=False) as pool:
            reply = pool.request(
                "POST",
                target,
                body=body,
                headers={**headers, "Host": parts.netloc.rpartition("@")[2]},
                timeout=urllib3.Timeout(total=seconds),
                redirect=False,
            )
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        raise HttpError(type(error).__name__) from None
    return reply.status, reply.data
