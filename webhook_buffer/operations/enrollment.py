"""Taking a secret that comes with a provider's handshake: the window in which ``publish`` may."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable

from botocore.exceptions import ClientError

from lambdas.base import secrets
from lambdas.sources import enrollment
from settings.errors import InputError
from webhook_buffer.operations.environment import Environment

_POLL_SECONDS = 1.0


class Enrollment:
    """A window of one source; use it as ``open``, ``wait``, and ``close`` in any case.

    Its methods raise botocore's errors where AWS refuses.

    Args:
        arn: of the source's secret.
    """

    def __init__(self, target: Environment, name: str, arn: str) -> None:
        self._target = target
        self._name = name
        self._arn = arn
        self._id = ""

    def open(self, *, seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
        """Allows the next handshake's secret to be taken; every container knows it afterwards.

        Raises:
            InputError: When there is a secret already, which is never overwritten, or somebody
                else's window is open.
        """
        members = self._members()
        if "current" in members:
            raise InputError(
                f"Source '{self._name}' has a secret already, and it is never overwritten. To take "
                "another, delete its webhook at the provider and make a new secret in Secrets "
                f"Manager, in place of {self._arn}."
            )
        if enrollment.is_open(members, time.time()):
            raise InputError(
                f"Another enrollment of source '{self._name}' is open. Wait until it has ended."
            )
        self._id = uuid.uuid4().hex
        until = str(round(time.time() + seconds))
        self._put({"enrollment": self._id, "until": until}, token=uuid.uuid4().hex)
        # One that has just read the secret does not read it again before.
        sleep(secrets.FIRST_PAUSE_SECONDS)

    def wait(self, *, seconds: float, sleep: Callable[[float], None] = time.sleep) -> bool:
        """Waits until a secret was taken; False if none came."""
        deadline = time.monotonic() + seconds
        while "current" not in self._members():
            if time.monotonic() > deadline:
                return False
            sleep(_POLL_SECONDS)
        return True

    def close(self) -> None:
        """Takes the window back, unless a secret was taken in it.

        Under the window's own id, so that of this and a secret that comes at the same moment
        Secrets Manager takes one.
        """
        if "current" in self._members():
            return
        try:
            self._put({}, token=self._id)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceExistsException":
                raise

    def _members(self) -> dict[str, str]:
        try:
            reply = self._target.secrets.get_secret_value(SecretId=self._arn)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            raise InputError(
                f"Secrets Manager has no secret {self._arn}, or no value in it. Create it with "
                "the value {}, and name its whole ARN in the source's verify.secretArn."
            ) from None
        return secrets.members(reply.get("SecretString") or "{}")

    def _put(self, members: dict[str, str], *, token: str) -> None:
        self._target.secrets.put_secret_value(
            SecretId=self._arn, ClientRequestToken=token, SecretString=json.dumps(members)
        )
