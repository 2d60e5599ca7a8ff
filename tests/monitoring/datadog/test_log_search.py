"""Log searches match the lines that Datadog would find."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.datadog.log_search import matcher
from monitoring.datadog.query import QueryError

_TAGS = {"functionname": "webhook-buffer-local-subscribe"}
_FIELDS = {
    "level": "WARNING", "event": "webhook.failed", "Backend5xx": 1, "age_ms": 1500.0,
    "http": {"status_code": 503},
}  # fmt: skip
_TEXT = '{"event": "webhook.failed", "error": "Connection refused"}'


@pytest.mark.parametrize(
    ("search", "matches"),
    [
        ("", True),
        ("$env $service", True),
        ("@Backend5xx:1", True),
        ("@Backend5xx:2", False),
        ("-@Backend5xx:1", False),
        ("@Missing:1", False),
        ("@http.status_code:>=500", True),
        ("@http.status_code:<500", False),
        ("@level:WARNING @event:webhook.failed", True),
        ("@level:(ERROR)", None),
        ("status:warning", True),
        ("@level:ERROR OR @event:webhook.*", True),
        ("(@level:ERROR OR @level:INFO) @Backend5xx:1", False),
        ("NOT @level:ERROR AND refused", True),
        ('"connection refused"', True),
        ('"refused connection"', False),
        ("functionname:webhook-buffer-local-subscribe", True),
        ("functionname:webhook-buffer-local-publish", False),
    ],
)
def test_searches(search: str, matches: bool | None) -> None:
    """Fields, tags, texts, comparisons, and their combinations."""
    if matches is None:
        with pytest.raises(QueryError):
            matcher(search)
    else:
        assert matcher(search)(_TAGS, _FIELDS, _TEXT) is matches


@given(st.text(alphabet='ab@:()-" ORNTD<>=1*\\', max_size=50))
def test_no_search_is_a_crash(search: str) -> None:
    """A stranger's dashboard may hold anything."""
    try:
        assert matcher(search)(_TAGS, _FIELDS, _TEXT) in (True, False)
    except QueryError:
        pass
