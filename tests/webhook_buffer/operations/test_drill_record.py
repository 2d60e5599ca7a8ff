"""One drill at a time is announced in an environment, whoever runs it."""

from __future__ import annotations

import re
import time
from types import SimpleNamespace
from typing import Any

import pytest

from settings.errors import InputError
from tests.emulated_aws import Aws
from webhook_buffer.operations import drill_record

_SETTINGS = SimpleNamespace(environment="prd", awsAccount="333333333333", awsRegion="us-east-1")


@pytest.fixture
def target(aws: Aws) -> Any:
    settings = SimpleNamespace(**vars(_SETTINGS), incidents_table_name=aws.table)
    return SimpleNamespace(settings=settings, dynamodb=aws.dynamodb)


def _announced(target: Any, drill: str, until: float) -> None:
    drill_record.write(target, drill, {"webhook-buffer-prd-x": (time.time(), until)})


def test_a_second_operator_is_refused(
    target: Any, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With who runs what since when, and from when on; the first one's record stays as it is."""
    monkeypatch.setattr("getpass.getuser", lambda: "ana")
    monkeypatch.setattr("platform.node", lambda: "laptop")
    _announced(target, "duplicates", time.time() + 60)
    first = aws.record("drill")
    monkeypatch.setattr(drill_record, "_RUN", "another")
    with pytest.raises(InputError) as refused:
        _announced(target, "invalid-requests", time.time() + 60)
    assert re.search(
        r"in environment 'prd': duplicates, by ana@laptop, since \d\d:\d\d:\d\d UTC\. .* Begin "
        r"yours after \d\d:\d\d:\d\d UTC\.$",
        str(refused.value),
    )
    assert aws.record("drill") == first


@pytest.mark.parametrize(
    ("run", "since"), [("another", -10), (drill_record._RUN, 60)], ids=["expired", "its own"]
)
def test_a_record_is_replaced(
    target: Any, aws: Aws, monkeypatch: pytest.MonkeyPatch, run: str, since: float
) -> None:
    """Once it has expired, and before by the same run."""
    _announced(target, "duplicates", time.time() + since)
    monkeypatch.setattr(drill_record, "_RUN", run)
    _announced(target, "invalid-requests", time.time() + 60)
    record = aws.record("drill")
    assert record
    assert record["drill"] == {"S": "invalid-requests"}
