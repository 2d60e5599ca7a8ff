"""Reads YAML so that hostile files can't produce more than a bounded amount of data.

Aliases and merge keys (``<<``) multiply what a few lines hold, so nodes are counted as often as
they are used, before anything is built of them.
"""

from __future__ import annotations

from typing import Any

import yaml

# Values of one file, aliases followed, and how deep they may be nested. CloudFormation's largest
# template (1 MB) has fewer.
MOST_NODES, DEEPEST = 500_000, 100
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def compose(text: str) -> yaml.Node | None:
    """The node at the top; None where the text is empty.

    Raises:
        yaml.YAMLError: When it is not YAML; most have the place in ``problem_mark``.
        ValueError: When it holds too much.
    """
    try:
        _check_depth(text)
        root: yaml.Node | None = yaml.compose(text, Loader=_LOADER)
    except ValueError as error:
        raise ValueError(str(error).replace("\n", " ")) from None
    _count(root)
    return root


def load(text: str) -> Any:
    """The text as plain data.

    Raises:
        ValueError: When it is not YAML, or holds too much.
    """
    try:
        root = compose(text)
        if root is None:
            return None
        building = _LOADER("")
        try:
            return building.construct_document(root)
        finally:
            building.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or "it can't be parsed"
        raise ValueError(f"line {mark.line + 1}: {what}" if mark else what) from None
    except (TypeError, OverflowError) as error:
        raise ValueError(str(error).replace("\n", " ")) from None


def _check_depth(text: str) -> None:
    """Composing is recursive, in libyaml's binding even on C's stack; reading events is not."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise ValueError(f"nested more than {DEEPEST} levels deep")


def _count(root: yaml.Node | None) -> None:
    pending = [(root, 0)]
    count = 0
    while pending:
        node, depth = pending.pop()
        count += 1
        if depth > DEEPEST:
            raise ValueError(f"nested more than {DEEPEST} levels deep, or an alias of itself")
        if count + len(pending) > MOST_NODES:
            raise ValueError(f"more than {MOST_NODES:,} values, aliases followed")
        if isinstance(node, yaml.MappingNode):
            pending += [(child, depth + 1) for pair in node.value for child in pair]
        elif isinstance(node, yaml.SequenceNode):
            pending += [(child, depth + 1) for child in node.value]
