"""Where a webhook's group id and deduplication id come from: an ordered list of extractors.

An extractor is one line of settings:

=================  =========================================================
``json:<JMESPath>``  a value in a JSON body (``json:repository.full_name``)
``form:<field>``     a field of a form-encoded body
``header:<name>``    a request header, any case
``query:<name>``     a query-string parameter
``path:<n>``         the n-th segment of the path, counted from 1
=================  =========================================================

The first extractor that finds a string, number or boolean that is not empty wins.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, unquote

from lambdas.base.http import HEADER_NAME
from lambdas.base.safe_json import json_value

# JMESPath that only names members: the usual case, which need not load its library.
_MEMBERS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
# Up to which floating-point numbers are exact: 1.0 and 1 are the same number.
_EXACT = 2**53
# Source: SQS API reference, SendMessage, MessageGroupId and MessageDeduplicationId:
# up to 128 alphanumeric characters and punctuation (ASCII "!" to "~").
_ALLOWED_ID = re.compile(r"[!-~]{1,128}")
# What the groups of a source that anybody can send to begin with.
OPEN = "open:"


class RequestFacts:
    """What extractors may look at, each part parsed once and only when asked for.

    Args:
        path: as received, starting with ``/``.
        query: the raw query string, without ``?``.
        headers: (name, value) pairs; the API has joined repeats of a name with commas.
        body: the body's bytes.
    """

    def __init__(
        self, *, path: str, query: str, headers: Sequence[tuple[str, str]], body: bytes
    ) -> None:
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None when it is not JSON."""
        return json_value(self.body)

    @cached_property
    def form(self) -> dict[str, list[str]]:
        """The body's fields when the content type is form-encoded; empty otherwise."""
        content_type = self.header("content-type") or ""
        if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
            return {}
        return _parse_pairs(self.body.decode("utf-8", "replace"))

    @cached_property
    def parameters(self) -> dict[str, list[str]]:
        """The query string's parameters, decoded."""
        return _parse_pairs(self.query)

    def header(self, name: str) -> str | None:
        """The first value of a header, whatever the case of its name."""
        lowered = name.lower()
        return next((value for key, value in self.headers if key.lower() == lowered), None)

    def segment(self, number: int) -> str | None:
        """The n-th path segment, decoded, counted from 1."""
        segments = self.path.lstrip("/").split("/")
        return unquote(segments[number - 1]) if number <= len(segments) else None


Extractor = Callable[[RequestFacts], Any]


def parse(line: str) -> Extractor:
    """An extractor from its line of settings.

    Raises:
        ValueError: When the kind is unknown or its argument can't be used.
    """
    kind, _, argument = line.partition(":")
    if not argument:
        raise ValueError(
            f"'{line}' is not an extractor; write json:<JMESPath>, form:<field>, "
            "header:<name>, query:<name> or path:<n>"
        )
    match kind:
        case "json":
            search = _members(argument) if _MEMBERS.fullmatch(argument) else _jmespath(argument)
            return lambda facts: search(facts.json)
        case "form":
            return lambda facts: facts.form.get(argument, [None])[0]
        case "header":
            if not HEADER_NAME.fullmatch(argument):
                raise ValueError(f"'{line}': '{argument}' is not a header name")
            return lambda facts: facts.header(argument)
        case "query":
            return lambda facts: facts.parameters.get(argument, [None])[0]
        case "path":
            if not argument.isdecimal() or int(argument) < 1:
                raise ValueError(f"'{line}': a path segment is a number from 1")
            number = int(argument)
            return lambda facts: facts.segment(number)
        case _:
            raise ValueError(
                f"'{line}': unknown kind '{kind}'; one of json, form, header, query, path"
            )


def first(extractors: Sequence[Extractor], facts: RequestFacts) -> str | None:
    """The id that the first successful extractor finds, in a form SQS allows; None if none does."""
    for extractor in extractors:
        value = extractor(facts)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT:
            value = int(value)
        if isinstance(value, int | float | str) and str(value) != "":
            return allowed(str(value))
    return None


def allowed(value: str) -> str:
    """The value itself where SQS allows it as an id, else a hash that stands for it."""
    if _ALLOWED_ID.fullmatch(value):
        return value
    return hashed(value)


def hashed(value: str) -> str:
    """A hash that stands for a value."""
    return "sha256:" + hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def open_group(source: str, value: str) -> str:
    """The group of a value that anybody can have sent: none but that source's webhooks share it.

    Args:
        source: its name.
        value: as ``first`` finds it.
    """
    prefix = f"{OPEN}{source}:"
    return prefix + (value if _ALLOWED_ID.fullmatch(prefix + value) else hashed(value))


def _members(path: str) -> Callable[[Any], Any]:
    """What JMESPath finds for names with dots between them."""
    names = path.split(".")

    def search(value: Any) -> Any:
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    return search


def _jmespath(argument: str) -> Callable[[Any], Any]:
    """What JMESPath finds; None where the expression can't handle the document's types.

    Raises:
        ValueError: When the expression is not valid.
    """
    import jmespath
    from jmespath.exceptions import JMESPathError
    from jmespath.functions import Functions

    try:
        expression = jmespath.compile(argument)
    except JMESPathError as error:
        raise ValueError(f"'json:{argument}' is not valid JMESPath: {error}") from None
    unknown = _functions(expression.parsed) - Functions.FUNCTION_TABLE.keys()
    if unknown:
        names = ", ".join(sorted(unknown))
        raise ValueError(f"'json:{argument}': JMESPath has no function {names}")

    def search(document: Any) -> Any:
        try:
            return expression.search(document) if document is not None else None
        except Exception:  # besides its own errors it lets Python's through: TypeError for "a" > 1
            return None

    return search


def _functions(node: Any) -> set[str]:
    """The functions that a parsed expression calls."""
    own = {node["value"]} if node["type"] == "function_expression" else set()
    return own.union(*(_functions(c) for c in node["children"] if isinstance(c, dict)))


def _parse_pairs(encoded: str) -> dict[str, list[str]]:
    try:
        return parse_qs(encoded, keep_blank_values=True)
    except ValueError:  # more fields than Python's parser takes
        return {}
