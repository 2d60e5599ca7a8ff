"""How the buffer signs what it delivers."""

from __future__ import annotations

from pydantic import Field

from settings.monitoring import KeyArn, Part, SecretArn


class Signing(Part):
    """The secret that attempts are signed with."""

    secretArn: SecretArn = Field(
        description="The secret: `whsec_…`, or JSON with `current` and, during a rotation, "
        "`previous`.",
    )
    secretKeyArn: KeyArn | None = Field(
        default=None,
        description="The KMS key that encrypts the secret, where it is one of your own.",
    )


def example(partition: str, place: str) -> dict[str, str]:
    """Nobody's signing; for alarms and documents that show what signing brings.

    Args:
        partition: ``aws``, of the environment that it is for.
        place: its region and account, ``eu-west-1:111111111111``.
    """
    return {"secretArn": f"arn:{partition}:secretsmanager:{place}:secret:example-AbCdEf"}
