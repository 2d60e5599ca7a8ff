"""What strangers can do to an environment: refused at synth unless the settings allow it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lambdas.base.backend_url import Backend
from settings.errors import SettingsError
from settings.hosts import is_internal
from settings.names import Names
from settings.paths import CDK_JSON

_ANYBODY = (
    "anybody on the internet can send webhooks to this environment, and they are queued; "
    "name its senders in 'sources' (docs/sources.md)"
)


class Risk(NamedTuple):
    """What an environment behind which something real stands should not have.

    Attributes:
        name: by which ``allowedRisks`` allows it.
        key: where it is.
        problem: what is wrong, and the remedy.
    """

    name: str
    key: str
    problem: str


def risks(settings: Names) -> list[Risk]:
    """All risks of an environment, allowed or not; none where it is for practice."""
    return [] if settings.for_practice or settings.existing else list(_risks(settings))


def require_allowed(settings: Names) -> None:
    """Checks that an environment behind which something real stands has no risk by oversight.

    Raises:
        SettingsError: When it has; it names the key that allows it.
    """
    problems = []
    if settings.anybody_sends and not settings.for_practice and not settings.openToEveryone:
        problems.append(
            f"key 'sources': missing, so that {_ANYBODY}, or set openToEveryone to true"
        )
    open_risks = risks(settings)
    problems += [
        f"key '{risk.key}': {risk.problem}, or allow it with its reason: "
        f'"allowedRisks": {{"{risk.name}": "…"}}'
        for risk in open_risks
        if risk.name not in settings.allowedRisks
    ]
    # Where a channel's URL leads is in its secret.
    unused = settings.allowedRisks.keys() - {risk.name for risk in open_risks} - {"http-channel"}
    problems += [
        f"key 'allowedRisks.{name}': allows what this environment does not have; remove it"
        for name in sorted(unused)
    ]
    if problems:
        raise SettingsError(CDK_JSON, settings.environment, problems)


def notices(settings: Names) -> list[str]:
    """What is allowed and should not be forgotten, each as a sentence."""
    exposed = settings.anybody_sends and not settings.on_laptop
    sentences = [f"{_ANYBODY[0].upper()}{_ANYBODY[1:]}."] if exposed else []
    reasons = settings.allowedRisks
    sentences += [
        f"Allowed in {settings.environment}: {name}, because: {reasons[name]}" for name in reasons
    ]
    return sentences


def backends(settings: Names) -> Iterator[tuple[str, str]]:
    """Every URL that webhooks are delivered to, with its key."""
    if settings.backend_url:
        yield "backend_url", settings.backend_url
    for number, source in enumerate(settings.sources or ()):
        if source.backend_url:
            yield f"sources.{number}.backend_url", source.backend_url


def _risks(settings: Names) -> Iterator[Risk]:
    if settings.testFlags:
        yield Risk(
            "test-flags",
            "testFlags",
            "true, so that a sender's body decides what becomes of its webhook; set it to false",
        )
    if settings.create_faux_backend:
        yield Risk(
            "faux-backend",
            "create_faux_backend",
            "true, so that what real senders send is thrown away; set backend_url instead",
        )
    if settings.sentryDsn and not settings.sentryDsn.startswith("https://"):
        yield Risk(
            "sentry-without-tls",
            "sentryDsn",
            "has no TLS, so that reports can be read on the way; write https://",
        )
    for key, url in backends(settings):
        backend = Backend.parse(url)
        if backend.scheme != "https":
            yield Risk(
                "http-backend",
                key,
                "has no TLS, so that webhooks can be read and changed on the way; write https://",
            )
        if is_internal(backend.host):
            yield Risk(
                "internal-backend",
                key,
                "is a loopback, link-local or metadata address, not a backend; name its host",
            )
