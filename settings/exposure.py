"""What strangers can do to an environment: refused at synth unless the settings allow it."""

from __future__ import annotations

from settings.errors import SettingsError
from settings.names import Names
from settings.paths import CDK_JSON

_ANYBODY = (
    "anybody on the internet can send webhooks to this environment, and they are queued; "
    "name its senders in 'sources' (docs/sources.md)"
)


def require_allowed(settings: Names) -> None:
    """Checks that an environment behind which something real stands is not open by oversight.

    Raises:
        SettingsError: When it is; it names the key that allows it.
    """
    if settings.anybody_sends and not settings.for_practice and not settings.openToEveryone:
        raise SettingsError(
            CDK_JSON,
            settings.environment,
            [f"key 'sources': missing, so that {_ANYBODY}, or set openToEveryone to true"],
        )


def notices(settings: Names) -> list[str]:
    """What is allowed and should not be forgotten, each as a sentence."""
    exposed = settings.anybody_sends and not settings.on_laptop
    return [f"{_ANYBODY[0].upper()}{_ANYBODY[1:]}."] if exposed else []
