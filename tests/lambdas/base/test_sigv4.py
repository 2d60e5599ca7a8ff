"""Our signatures are AWS's: its published examples, and botocore's signer on random requests."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from unittest.mock import patch

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdas.base.sigv4 import Credentials, signed

_AT = "20150830T123600Z"
_EXAMPLE = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None)
_FORM = "application/x-www-form-urlencoded; charset=utf-8"


def _botocore(
    method: str,
    headers: dict[str, str],
    body: bytes,
    *,
    service: str,
    region: str,
    credentials: Credentials,
    query: str = "",
) -> dict[str, str]:
    """The headers that botocore's signer makes of the same request, at the examples' time."""
    url = f"https://{headers['Host']}/" + (f"?{query}" if query else "")
    request: Any = AWSRequest(method, url, headers=dict(headers), data=body)
    signer: Any = SigV4Auth(BotocoreCredentials(*credentials), service, region)
    moment = datetime.strptime(_AT, "%Y%m%dT%H%M%S%z")
    with patch("botocore.auth.get_current_datetime", return_value=moment):
        signer.add_auth(request)
    return dict(request.headers.items())


@pytest.mark.parametrize(
    ("method", "service", "host", "query", "headers", "signature"),
    [
        ("GET", "service", "example.amazonaws.com", "", {},
         "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "service", "example.amazonaws.com", "", {},
         "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        ("GET", "service", "example.amazonaws.com", "Param1=value1", {},
         "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"),
        ("GET", "service", "example.amazonaws.com", "Param2=value2&Param1=value1", {},
         "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
        ("GET", "iam", "iam.amazonaws.com", "Action=ListUsers&Version=2010-05-08",
         {"Content-Type": _FORM},
         "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"),
    ],
)  # fmt: skip
def test_published_examples(
    method: str, service: str, host: str, query: str, headers: dict[str, str], signature: str
) -> None:
    """AWS's own examples have the signatures that AWS gives them.

    Source: AWS's Signature Version 4 test suite (get-vanilla, post-vanilla,
    get-vanilla-query, get-vanilla-query-order-key-case)
    and General Reference, "Signature Version 4 signing process" (ListUsers).
    """
    request: Any = {"service": service, "region": "us-east-1", "credentials": _EXAMPLE}
    headers = {"Host": host, **headers}
    ours = signed(method, headers, b"", at=_AT, query=query, **request)
    assert ours["Authorization"].endswith(f"Signature={signature}")
    assert ours == _botocore(method, headers, b"", query=query, **request)


_WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12)
_QUERY_PART = st.text("abcABC019-_.~%20", max_size=8)
_HEADERS = st.dictionaries(
    st.builds("X-{}-{}".format, _WORD, _WORD),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=30),
    max_size=5,
)
# botocore folds headers whose names differ in case only; requests of ours have each name once.
_DISTINCT = _HEADERS.filter(lambda headers: len({name.lower() for name in headers}) == len(headers))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    host=st.builds("{}.{}.amazonaws.com".format, _WORD, _WORD),
    headers=_DISTINCT,
    query=st.lists(st.builds("{}={}".format, _WORD, _QUERY_PART), max_size=3).map("&".join),
    body=st.binary(max_size=100) | st.text(max_size=50).map(lambda text: text.encode()),
    service=_WORD,
    region=_WORD,
    credentials=st.builds(
        Credentials,
        access_key=_WORD,
        secret_key=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1),
        token=st.none() | _WORD,
    ),
)
def test_equal_to_botocore(
    method: str, host: str, headers: dict[str, str], query: str, body: bytes, **request: Any
) -> None:
    """Any request gets the very headers that botocore gives it."""
    headers = {"Host": host, **headers}
    ours = signed(method, headers, body, at=_AT, query=query, **request)
    assert ours == _botocore(method, headers, body, query=query, **request)


def test_secrets_are_not_shown() -> None:
    """Credentials show who they are of, and nothing that signs."""
    shown = repr(Credentials("AKIDEXAMPLE", "s3cr3t", "t0ken"))
    assert "AKIDEXAMPLE" in shown
    assert "s3cr3t" not in shown
    assert "t0ken" not in shown
