"""Group and deduplication ids out of requests."""

from __future__ import annotations

import json
import re

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.base import extract

_FORM = "application/x-www-form-urlencoded"
_SQS_ID = re.compile(r"[!-~]{1,128}")
_EXPRESSIONS = ("json:a", "json:length(a)", "json:a.b[0].c", "json:sort(@)", "json:a > `1`")


def _facts(
    body: bytes = b"", *, path: str = "/", query: str = "", headers: dict[str, str] | None = None
) -> extract.RequestFacts:
    return extract.RequestFacts(
        path=path, query=query, headers=tuple((headers or {}).items()), body=body
    )


def _first(facts: extract.RequestFacts, *lines: str) -> str | None:
    return extract.first([extract.parse(line) for line in lines], facts)


@pytest.mark.parametrize(
    ("line", "facts", "expected"),
    [
        ("json:id", _facts(b'{"id": "o-1"}'), "o-1"),
        ("json:repository.full_name", _facts(b'{"repository": {"full_name": "a/b"}}'), "a/b"),
        ("json:items[0].id", _facts(b'{"items": [{"id": 7}]}'), "7"),
        ("json:id", _facts(b'{"id": 0}'), "0"),
        ("json:id", _facts(b'{"id": 1.5}'), "1.5"),
        ("json:id", _facts(b'{"id": true}'), "true"),
        ("json:id", _facts(b'{"id": false}'), "false"),
        ("json:[0]", _facts(b'["x"]'), "x"),
        ("json:id", _facts('{"id": "o-1"}'.encode("utf-16")), "o-1"),
        ("json:length(id)", _facts(b'{"id": 5}'), None),
        ("json:items[?n > `1`].id | [0]", _facts(b'{"items": [{"n": "x", "id": 1}]}'), None),
        ("json:items[::0]", _facts(b'{"items": [1]}'), None),
        ("json:id", _facts(b'{"id": null}'), None),
        ("json:id", _facts(b'{"id": ""}'), None),
        ("json:id", _facts(b'{"id": ["o-1"]}'), None),
        ("json:id", _facts(b'{"id": {"a": 1}}'), None),
        ("json:id", _facts(b'{"id": "o-1"'), None),
        ("json:id", _facts(b"\xff\xfe\xff"), None),
        ("json:id", _facts(b"[" * 200_000), None),
        ("json:id", _facts(b'{"id": ' + b"9" * 5000 + b"}"), None),
        ("form:id", _facts(b"x=1&id=a%2Bb", headers={"Content-Type": _FORM}), "a+b"),
        ("form:id", _facts(b"id=1&id=2", headers={"content-type": f"{_FORM}; charset=x"}), "1"),
        ("form:id", _facts(b"id=1", headers={"content-type": _FORM.upper()}), "1"),
        ("form:id", _facts(b"id=&id=2", headers={"content-type": _FORM}), None),
        ("form:id", _facts(b"id=1", headers={"content-type": "text/plain"}), None),
        ("form:id", _facts(b"id=1"), None),
        ("header:X-GitHub-Delivery", _facts(headers={"x-github-delivery": "d-1"}), "d-1"),
        ("header:x-github-delivery", _facts(headers={"X-GitHub-Delivery": "d-1"}), "d-1"),
        ("header:x-other", _facts(headers={"x-github-delivery": "d-1"}), None),
        ("query:id", _facts(query="a=1&id=%41&id=2"), "A"),
        ("query:id", _facts(query="id"), None),
        ("path:1", _facts(path="/orders/7"), "orders"),
        ("path:2", _facts(path="/orders/%37"), "7"),
        ("path:3", _facts(path="/orders/7"), None),
        ("path:1", _facts(path="/"), None),
    ],
)
def test_table(line: str, facts: extract.RequestFacts, expected: str | None) -> None:
    """Each kind finds what its request holds, and nothing where there is nothing to find."""
    assert _first(facts, line) == expected


def test_first_that_finds_wins() -> None:
    """Extractors are asked in order, and one that finds nothing passes on to the next."""
    facts = _facts(b'{"id": ""}', query="id=q", headers={"x-id": "h"})
    assert _first(facts, "json:id", "header:x-id", "query:id") == "h"
    assert _first(facts, "query:id", "header:x-id") == "q"
    assert _first(facts, "json:id", "path:1") is None
    assert _first(facts) is None


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("id", "'id' is not an extractor; write json:"),
        ("json:", "is not an extractor"),
        ("", "is not an extractor"),
        ("json:a..b", "'json:a..b' is not valid JMESPath"),
        ("json:a[?nosuch(b)].c", "JMESPath has no function nosuch"),
        ("header:X Y", "'X Y' is not a header name"),
        ("path:0", "a path segment is a number from 1"),
        ("path:x", "a path segment is a number from 1"),
        ("path:-1", "a path segment is a number from 1"),
        ("cookie:id", "unknown kind 'cookie'; one of json, form, header, query, path"),
    ],
)
def test_a_line_that_is_none_is_refused_with_words(line: str, says: str) -> None:
    """A wrong line of settings says what is wrong with it."""
    with pytest.raises(ValueError, match=re.escape(says)):
        extract.parse(line)


@pytest.mark.parametrize("value", ["a b", "é", "x" * 129, "\n", "\ud800", "a\x7f"])
def test_what_sqs_refuses_is_hashed(value: str) -> None:
    """A value SQS does not take as an id becomes one it takes, the same one each time."""
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", extract.allowed(value))
    assert extract.allowed(value) == extract.allowed(value)


@given(st.lists(st.text(st.characters(), min_size=1, max_size=140), min_size=2, unique=True))
def test_ids_are_allowed_and_distinct(values: list[str]) -> None:
    """Different values never share an id, and every id is one SQS takes."""
    ids = [extract.allowed(value) for value in values]
    assert all(_SQS_ID.fullmatch(extracted) for extracted in ids)
    assert len(set(ids)) == len(values)


_DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(_DOCUMENTS.map(lambda document: json.dumps(document).encode()) | st.binary(max_size=50))
def test_no_body_breaks_it(body: bytes) -> None:
    """Whatever the body, the answer is an id that SQS takes, or None."""
    for line in _EXPRESSIONS:
        extracted = _first(_facts(body), line)
        assert extracted is None or _SQS_ID.fullmatch(extracted)


@given(st.text(st.characters(), max_size=30), st.binary(max_size=50))
def test_no_query_path_or_form_breaks_it(text: str, body: bytes) -> None:
    """Whatever the path, query and form, the answer is an id that SQS takes, or None."""
    facts = _facts(body, path=f"/{text}", query=text, headers={"content-type": _FORM})
    for line in ("path:1", "path:2", "query:a", f"query:{text or 'a'}", "form:a"):
        extracted = _first(facts, line)
        assert extracted is None or _SQS_ID.fullmatch(extracted)


_NAMES = st.sampled_from(["a", "b", "c_1", "_"])
_DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=20,
)


@given(_DOCUMENTS, st.lists(_NAMES, min_size=1, max_size=4).map(".".join))
def test_members_are_found_as_jmespath_finds_them(document: object, path: str) -> None:
    """What is read without JMESPath's library is what the library would have found."""
    assert extract._MEMBERS.fullmatch(path)
    assert extract._members(path)(document) == jmespath.search(path, document)
