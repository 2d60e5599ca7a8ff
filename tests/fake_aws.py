"""AWS for boto3's real clients, answered in this process and held to botocore's models.

A call with parameters, or an answer with fields, that the service's model does not know fails. So
does any call that no answer was given for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import botocore.handlers
import botocore.loaders
import pytest
from botocore.exceptions import ParamValidationError
from botocore.validate import validate_parameters

CALLER = "AKIACALLER000000"
OPERATOR = "ASIAOPERATOR0000"


@dataclass(frozen=True)
class Refusal:
    """An error in place of an answer."""

    code: str
    message: str = "refused"
    status: int = 400


Answer = Mapping[str, Any] | Refusal | Callable[[dict[str, Any]], Any]


@dataclass(frozen=True)
class Call:
    """A call that was made.

    Attributes:
        name: ``sts.GetCallerIdentity``: service as boto3 names it, operation.
        key: id of the access key that signed it.
    """

    name: str
    parameters: Mapping[str, Any]
    key: str


@dataclass
class FakeAws:
    """What AWS answers, and what it was asked.

    Attributes:
        answers: by the name of the call; a callable gets the call's parameters.
        accounts: by the id of the access key.
    """

    answers: dict[str, Answer]
    accounts: dict[str, str]
    calls: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.answers.setdefault("sts.AssumeRole", self._assumed)

    @property
    def names(self) -> list[str]:
        """The calls' names, in their order."""
        return [call.name for call in self.calls]

    def remember(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        """Keeps a call's parameters as they were given."""
        context["given"] = dict(params)

    def answer(self, model: Any, context: Any, request_signer: Any, **_: Any) -> Any:
        """Answers in place of the network."""
        service = model.service_model.service_name
        name = f"{service}.{model.name}"
        credentials = request_signer._credentials
        key = credentials.get_frozen_credentials().access_key if credentials else ""
        given = context["given"]
        self.calls.append(Call(name, given, key))
        if name == "sts.GetCallerIdentity":
            said: Any = self._identity(key)
        else:
            assert name in self.answers, f"AWS was asked {name}, which the test did not expect"
            said = self.answers[name]
        said = said(given) if callable(said) else said
        if isinstance(said, Refusal):
            error = {"Code": said.code, "Message": said.message}
            return SimpleNamespace(status_code=said.status, headers={}), {
                "Error": error, "ResponseMetadata": {"HTTPStatusCode": said.status},
            }  # fmt: skip
        if model.output_shape:
            try:
                validate_parameters(dict(said), model.output_shape)
            except ParamValidationError as error:
                raise AssertionError(f"{name} can't be answered so: {error}") from None
        answered = {**said, "ResponseMetadata": {"HTTPStatusCode": 200}}
        return SimpleNamespace(status_code=200, headers={}), answered

    def _identity(self, key: str) -> dict[str, Any]:
        account = self.accounts[key]
        return {"Account": account, "Arn": f"arn:aws:iam::{account}:user/ana", "UserId": "AIDA"}

    def _assumed(self, given: Mapping[str, Any]) -> dict[str, Any]:
        self.accounts.setdefault(OPERATOR, given["RoleArn"].split(":")[4])
        return {
            "Credentials": {
                "AccessKeyId": OPERATOR, "SecretAccessKey": "x", "SessionToken": "x",
                "Expiration": "2099-01-01T00:00:00Z",
            }
        }  # fmt: skip


class _Models(botocore.loaders.Loader):
    """Reads each service's model once, for all sessions."""

    @property
    def search_paths(self) -> list[str]:
        """A list of its own, because boto3 appends the same folder to it with each session."""
        return list(super().search_paths)


MODELS = _Models()


def install(monkeypatch: pytest.MonkeyPatch, account: str, **answers: Answer) -> FakeAws:
    """Has every session that is made from now on ask a fake.

    Args:
        account: of the caller.
        answers: ``sts_AssumeRole`` for ``sts.AssumeRole``.
    """
    named = {name.replace("_", ".", 1): answer for name, answer in answers.items()}
    fake = FakeAws(named, {CALLER: account})
    hook(monkeypatch, fake)
    return fake


def hook(monkeypatch: pytest.MonkeyPatch, fake: FakeAws) -> None:
    """Has every session that is made from now on ask this fake."""
    handlers = [("before-parameter-build", fake.remember), ("before-call", fake.answer)]
    known = [*botocore.handlers.BUILTIN_HANDLERS, *handlers]
    monkeypatch.setattr(botocore.handlers, "BUILTIN_HANDLERS", known)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", CALLER)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
