"""A secret that comes with a provider's handshake: taken once, and only while that is allowed.

``webhook-buffer sources enroll`` writes a window into the secret: ``{"enrollment": id, "until":
seconds}``. Whoever comes first within it writes the secret under the window's id, under which
Secrets Manager takes no other value. Outside of a window nothing is taken, and nothing is ever
overwritten.
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

from lambdas.base import aws, observe, secrets

_ATTEMPT_SECONDS = 1.5


def taken(arn: str, members: Mapping[str, str], secret: str, *, within: float) -> bool:
    """Takes a provider's secret, if a window is open; whether it is the source's secret now.

    Args:
        members: of the source's secret, as they were read some seconds ago at most.
        secret: what the provider sent.

    Raises:
        AwsError: When Secrets Manager can't be asked.
    """
    if "current" not in members and is_open(members, time.time()):
        # Read again right before it is written: in these seconds it may have been taken.
        reply = _call("GetSecretValue", {"SecretId": arn}, within)
        members = secrets.members(reply.get("SecretString") or "{}")
    if "current" in members:
        # The provider repeats its handshake where the answer was lost.
        return hmac.compare_digest(members["current"].encode(), secret.encode())
    if not is_open(members, time.time()):
        return False
    parameters = {
        "SecretId": arn,
        # Source: Secrets Manager API reference, PutSecretValue: with the token of a version that
        # exists, another value is refused. So of two at the same moment one wins.
        "ClientRequestToken": members["enrollment"],
        "SecretString": json.dumps({"current": secret}),
    }
    try:
        _call("PutSecretValue", parameters, within)
    except aws.AwsError as error:
        if error.code == "ResourceExistsException":
            return False
        raise
    observe.log("INFO", "secret.enrolled")
    return True


def _call(action: str, parameters: Mapping[str, str], within: float) -> dict[str, Any]:
    return aws.SECRETS.call(action, parameters, seconds=_ATTEMPT_SECONDS, within=within)


def is_open(members: Mapping[str, str], now: float) -> bool:
    """Whether a window is open.

    Args:
        now: seconds since the epoch.
    """
    until = members.get("until", "")
    return (
        bool(members.get("enrollment"))
        and until.isdecimal()
        and until.isascii()
        and now < int(until)
    )
