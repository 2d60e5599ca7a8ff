"""The secrets that an environment's settings name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from settings.monitoring import Channel
from settings.names import Names
from settings.signing import Signing
from settings.verify import Verify


@dataclass(frozen=True)
class Secret:
    """A secret that a function or a command reads.

    Attributes:
        key: of ``cdk.json`` that names it.
        key_arn: of the customer's KMS key that encrypts it; None for AWS's own.
        key_name: of ``cdk.json`` that names, or would name, that KMS key.
        by_functions: whether functions read it; the others only commands read.
    """

    key: str
    arn: str
    key_arn: str | None
    key_name: str
    by_functions: bool = True


def secrets(settings: Names) -> list[Secret]:
    """All of them, each once."""
    return list({secret.arn: secret for secret in _named(settings)}.values())


def _named(settings: Names) -> Iterator[Secret]:
    owners: list[tuple[str, Channel | Verify | Signing]] = [
        (f"notifications.{position}", channel)
        for position, channel in enumerate(settings.notifications)
    ]
    owners += [
        (f"sources.{position}.verify", source.verify)
        for position, source in enumerate(settings.sources or ())
        if source.verify
    ]
    if settings.signing:
        owners.append(("signing", settings.signing))
    for place, owner in owners:
        if owner.secretArn:
            yield Secret(
                f"{place}.secretArn", owner.secretArn, owner.secretKeyArn, f"{place}.secretKeyArn"
            )
    datadog = settings.datadog
    for key in ("apiKeySecretArn", "applicationKeySecretArn") if datadog else ():
        arn = getattr(datadog, key)
        if datadog and arn:
            yield Secret(
                f"datadog.{key}",
                arn,
                datadog.secretKeyArn,
                "datadog.secretKeyArn",
                by_functions=key == "apiKeySecretArn" and bool(settings.instrumented_functions),
            )
