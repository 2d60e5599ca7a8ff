"""Random changes to genuine requests, which must all be refused without an exception.

``python -m tests.lambdas.sources.mutations`` makes 100,000 of them and prints what was accepted.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from lambdas.base.envelope import Envelope
from lambdas.sources.providers import PROVIDERS
from tests.lambdas.sources.vectors import VECTORS, Vector

_ODD = ["\ud800", "é", ",", " ", "\n", "\x00", "=", "v1,", "t=", "%", "A" * 300]


@dataclass
class Outcome:
    """What became of the changes; ``accepted`` should be empty."""

    tried: int = 0
    accepted: list[tuple[str, Envelope]] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)


def run(vectors: Sequence[Vector], *, count: int, seed: int) -> Outcome:
    """Changes requests at random, ``count`` times in all.

    A change to something that is not signed is none, and does not count.
    """
    chance, outcome = random.Random(seed), Outcome()
    verifications = [vector.verification for vector in vectors]
    while outcome.tried < count:
        number = chance.randrange(len(vectors))
        vector = vectors[number]
        changed, late = vector.request, 0.0
        for _ in range(chance.randint(1, 3)):
            changed, late = _changed(changed, late, chance)
        if means_the_same(vector, changed, late):
            continue
        outcome.tried += 1
        reason = verifications[number].checked_with([vector.secret], changed, vector.now + late)
        outcome.reasons[str(reason)] += 1
        if reason is None:
            outcome.accepted.append((vector.provider, changed))
    return outcome


def _changed(request: Envelope, late: float, chance: random.Random) -> tuple[Envelope, float]:
    """The request with one part changed, and how late it is."""
    match chance.choice(
        ["body", "body", "body", "header", "header", "header", "path", "query", "time"]
    ):
        case "body":
            return request._replace(body=_bytes(request.body, chance)), late
        case "header" if request.headers:
            position = chance.randrange(len(request.headers))
            headers = list(request.headers)
            name, value = headers.pop(position)
            if chance.random() < 0.9:
                headers.insert(position, (name, _text(value, chance)))
            return request._replace(headers=tuple(headers)), late
        case "path":
            return request._replace(path="/" + _text(request.path[1:], chance)), late
        case "query":
            return request._replace(query=_text(request.query, chance)), late
        case _:
            return request, late + chance.choice([-1, 1]) * chance.randint(301, 10**7)


def _bytes(raw: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(raw) + 1)
    match chance.randrange(4):
        case 0:
            return raw[:at] + bytes([chance.randrange(256)]) + raw[at + 1 :]
        case 1:
            return raw[:at] + raw[at + chance.randint(1, 5) :]
        case 2:
            return raw[:at] + chance.randbytes(chance.randint(1, 4)) + raw[at:]
        case _:
            return raw[at:] + raw[:at]


def _text(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text) + 1)
    match chance.randrange(5):
        case 0:
            return text[:at] + chr(chance.randrange(32, 127)) + text[at + 1 :]
        case 1:
            return text[:at] + text[at + chance.randint(1, 5) :]
        case 2:
            return text[:at] + chance.choice(_ODD) + text[at:]
        case 3:
            return f"{text},{text}"
        case _:
            return text.swapcase()


def means_the_same(vector: Vector, changed: Envelope, late: float = 0) -> bool:
    """Whether nothing that is signed differs."""
    return _meaning(vector, vector.request, 0) == _meaning(vector, changed, late)


def _meaning(vector: Vector, request: Envelope, late: float) -> tuple[Any, ...]:
    """What a provider's signature covers, in a form in which equal means equally signed."""
    spec = PROVIDERS[vector.provider].spec
    headers = dict(request.headers)
    timed = spec.get("tolerance", 0)
    parts: list[Any] = [abs(late) > timed if timed else None]
    if spec["scheme"] == "token":
        return (*parts, headers if spec["token"].startswith("header") else _states(request.body))
    if "{url}" in spec["signed"]:
        parts += [request.path, request.query]
    if "{form}" in spec["signed"]:
        kind = headers.pop("content-type", "").partition(";")[0].strip().lower()
        is_form = kind == "application/x-www-form-urlencoded"
        parts.append(_fields(request.body) if is_form else request.body)
        parts.append(is_form)
    else:
        parts.append(request.body)
    signature = headers.pop(spec["header"], "")
    if spec.get("separator"):
        every = [entry.strip(" ") for entry in signature.split(spec["separator"])]
        # The genuine entry stands last in a vector; others that have its form count for nothing.
        genuine = vector.headers[spec["header"]].split(spec["separator"])[-1]
        parts.append(genuine in every)
        if spec["timestamp"] == "entry:t=":
            parts.append([entry for entry in every if entry.startswith("t=")])
    else:
        parts.append(signature)
    return (*parts, headers)


def _fields(body: bytes) -> str:
    """A form as Twilio signs it, which says little about where a field's name ends."""
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True)
    except ValueError:
        return repr(body)
    return "".join(name + value for name, value in sorted(set(fields)))


def _states(body: bytes) -> Any:
    """Microsoft's tokens, which are all of a body that is compared."""
    try:
        return [notification.get("clientState") for notification in json.loads(body)["value"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        return repr(body)


def main(count: int = 100_000) -> int:
    """Prints what became of so many changes; 1 if any was accepted."""
    outcome = run(VECTORS, count=count, seed=2026)
    print(f"{outcome.tried} changed requests, {len(outcome.accepted)} accepted; by reason:")
    for reason, number in outcome.reasons.most_common():
        print(f"  {reason:<10} {number}")
    for provider, request in outcome.accepted[:10]:
        print(f"  accepted: {provider} {request!r}")
    return 1 if outcome.accepted else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
