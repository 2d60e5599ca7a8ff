"""What keeps a request from its usual answer: rate limits, and faults on demand."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal


@dataclass(frozen=True)
class Limit:
    """Datadog's rate limit of some endpoints: so many requests in each period.

    Args:
        seconds: the period, which begins at whole multiples of itself.
    """

    requests: int
    seconds: int


@dataclass(frozen=True)
class Reply:
    """An answer as it is sent."""

    status: int
    content: bytes
    headers: Mapping[str, str]


def json_reply(status: int, body: object, headers: Mapping[str, str]) -> Reply:
    content = b"" if status == HTTPStatus.NO_CONTENT else json.dumps(body).encode()
    return Reply(status, content, {"Content-Type": "application/json", **headers})


class Counter:
    """Counts requests against limits, by the limits' names."""

    def __init__(self, limits: dict[str, Limit]) -> None:
        self.limits = limits
        self._used: dict[str, tuple[int, int]] = {}

    def count(self, name: str, now: float) -> tuple[dict[str, str], str | None]:
        """Counts a request.

        Returns:
            The headers of its answer, and what is wrong if it was one too many.
        """
        limit = self.limits.get(name)
        if limit is None:
            return {}, None
        period = int(now // limit.seconds)
        last, used = self._used.get(name, (period, 0))
        used = used + 1 if last == period else 1
        self._used[name] = (period, used)
        reset = (period + 1) * limit.seconds - now
        headers = {
            "X-RateLimit-Limit": str(limit.requests),
            "X-RateLimit-Period": str(limit.seconds),
            "X-RateLimit-Remaining": str(max(0, limit.requests - used)),
            "X-RateLimit-Reset": str(int(-(-reset // 1))),
            "X-RateLimit-Name": name,
        }
        return headers, _reached(limit) if used > limit.requests else None


def _reached(limit: Limit) -> str:
    return (
        f"Rate limit of {limit.requests} requests in {limit.seconds} seconds reached. "
        "Please try again later."
    )


@dataclass
class Fault:
    """Something that goes wrong.

    Args:
        method: of the requests that it meets; any without one.
        path: a regular expression searched in their path.
        kind: ``status`` answers so without carrying the request out; ``lose_reply`` carries it
            out and closes the connection without an answer, ``drop_request`` closes it before;
            ``slow`` carries it out and answers later.
        seconds: later, for ``slow``.
        times: how many requests it meets.
        after: how many it lets pass first.
        headers: beside those that such an answer has, or instead of them.
    """

    method: str | None = None
    path: str = ""
    kind: Literal["status", "lose_reply", "drop_request", "slow"] = "status"
    status: int = 500
    seconds: float = 0.0
    times: int = 1
    after: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def reply(self) -> Reply:
        """The answer of the kind ``status``."""
        phrase = HTTPStatus(self.status).phrase
        if self.status > HTTPStatus.INTERNAL_SERVER_ERROR:
            # Not Datadog's program but what stands before it.
            content = f"<html><body><h1>{self.status} {phrase}</h1></body></html>"
            return Reply(
                self.status, content.encode(), {"Content-Type": "text/html", **self.headers}
            )
        if self.status == HTTPStatus.TOO_MANY_REQUESTS:
            limit = Limit(requests=100, seconds=10)
            headers = {
                "X-RateLimit-Limit": str(limit.requests),
                "X-RateLimit-Period": str(limit.seconds),
                "X-RateLimit-Remaining": "0",
                "X-RateLimit-Reset": "1",
                "X-RateLimit-Name": "fault",
                **self.headers,
            }
            return json_reply(self.status, {"errors": [_reached(limit)]}, headers)
        return json_reply(self.status, {"errors": [phrase]}, self.headers)


def met(faults: list[Fault], method: str, path: str) -> Fault | None:
    """The first fault that meets a request; it is used up by that."""
    for fault in faults:
        if fault.method in (None, method) and re.search(fault.path, path):
            if fault.after:
                fault.after -= 1
                continue
            fault.times -= 1
            if fault.times <= 0:
                faults.remove(fault)
            return fault
    return None
