"""Markdown as a tree of elements, which a page builds without parsing any HTML.

A node is a text, or ``[tag, attributes, children]`` with a tag and attributes from a short list.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

Node = str | list[Any]

_TAGS = {
    "p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "pre", "code", "em", "strong", "a",
    "blockquote", "table", "thead", "tbody", "tr", "th", "td", "hr", "br", "s",
}  # fmt: skip
_LINK = re.compile(r"(?:https?://|#|[\w./-]+(?:#|$))")
_MOST = 200_000
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_PARSER = MarkdownIt("commonmark", {"html": False}).enable("table")


def markdown(text: str) -> list[Node]:
    """The elements of a text, without the comments in it."""
    root: list[Node] = []
    _build(_PARSER.parse(_COMMENT.sub("", text[:_MOST])), root)
    return root


@lru_cache(maxsize=4)
def sections(text: str) -> dict[str, list[Node]]:
    """The sections of a document, by heading of the second level."""
    parts = re.split(r"^## (.+?)\s*$", text, flags=re.MULTILINE)
    return {heading: markdown(body) for heading, body in zip(parts[1::2], parts[2::2], strict=True)}


def linked(nodes: list[Node], headings: Collection[str]) -> list[Node]:
    """The same with what names a heading of the runbook as a link to it."""
    made: list[Node] = []
    for node in nodes:
        if isinstance(node, list) and node[0] == "code" and node[2][0] in headings:
            made.append(["a", {"href": f"#{node[2][0]}"}, list(node[2])])
        elif isinstance(node, list):
            made.append([node[0], node[1], linked(node[2], headings)])
        else:
            made.append(node)
    return made


def targets(nodes: list[Node]) -> Iterator[str]:
    """What the links within the page lead to, without the ``#``."""
    for node in nodes:
        if isinstance(node, list):
            href = node[1].get("href", "")
            if href.startswith("#"):
                yield href.removeprefix("#")
            yield from targets(node[2])


def unlinked(nodes: list[Node], known: Collection[str]) -> list[Node]:
    """The same with what a link within the page shows in its place, unless its target is known."""
    made: list[Node] = []
    for node in nodes:
        if not isinstance(node, list):
            made.append(node)
            continue
        tag, attributes, children = node[0], node[1], unlinked(node[2], known)
        href = attributes.get("href", "")
        if href.startswith("#") and href.removeprefix("#") not in known:
            made += children
        else:
            made.append([tag, attributes, children])
    return made


def _build(tokens: list[Token], root: list[Node]) -> None:
    stack = [root]
    for token in tokens:
        if token.type == "inline":
            _build(token.children or [], stack[-1])
        elif token.type in ("fence", "code_block"):
            stack[-1].append(["pre", {}, [["code", {}, [token.content]]]])
        elif token.type == "code_inline":
            stack[-1].append(["code", {}, [token.content]])
        elif token.type in ("softbreak", "hardbreak"):
            stack[-1].append("\n")
        elif token.type == "image":
            stack[-1].append(token.content)
        elif token.nesting == 1 and token.tag in _TAGS:
            if token.hidden:
                continue
            node: list[Any] = [token.tag, _attributes(token), []]
            stack[-1].append(node)
            stack.append(node[2])
        elif token.nesting == -1 and token.tag in _TAGS:
            if not token.hidden:
                stack.pop()
        elif token.tag == "hr":
            stack[-1].append(["hr", {}, []])
        elif token.content:
            stack[-1].append(token.content)


def _attributes(token: Token) -> dict[str, str]:
    target = token.attrGet("href")
    if token.tag == "a" and isinstance(target, str) and _LINK.match(target):
        return {"href": target}
    return {}
