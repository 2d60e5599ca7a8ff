"""Values that only a deployment knows, as texts that still compare and join like texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class Unknown(str):
    """A text in place of a value that nobody knows before the deployment.

    Two of them with the same text stand for the same value.

    Attributes:
        why: the reason, and what to do, as the end of "not evaluated, because …".
    """

    why: str

    def __new__(cls, text: str, why: str = "") -> Unknown:
        """A text that stands for the value, with the reason that it is not known."""
        made = super().__new__(cls, text)
        made.why = why
        return made


class Reference(str):
    """The name of a resource that a template defines: its literal name, or else its logical id.

    Attributes:
        stack: the name of the stack that has it.
        logical_id: within that stack.
        attribute: of ``Fn::GetAtt``; ``Ref`` otherwise.
    """

    stack: str
    logical_id: str
    attribute: str

    def __new__(
        cls, name: str, stack: str = "", logical_id: str = "", attribute: str = "Ref"
    ) -> Reference:
        """A reference to a resource of a stack."""
        made = super().__new__(cls, name)
        made.stack, made.logical_id, made.attribute = stack, logical_id, attribute
        return made


class TooLargeError(ValueError):
    """When a few characters of a template stand for more text than any property holds."""


# Characters of a text that is put together. Source: CloudFormation user guide, "Understand
# CloudFormation quotas": a template body has at most 1 MB; a dashboard body is the longest text.
LONGEST_TEXT = 1_000_000


class NoValue:
    """What ``AWS::NoValue`` leaves: the property or the element is not there."""


NO_VALUE = NoValue()


def leaves(value: Any) -> Iterator[Any]:
    """The scalars within a value, depth first."""
    pending = [value]
    while pending:
        inner = pending.pop()
        if isinstance(inner, dict):
            pending += reversed(inner.values())
        elif isinstance(inner, list):
            pending += reversed(inner)
        else:
            yield inner


def unknown_in(value: Any) -> Unknown | None:
    """The first unknown value within a value."""
    for leaf in leaves(value):
        if isinstance(leaf, Unknown):
            return leaf
    return None


def listed(value: Any) -> list[Any]:
    """A value as a list: CloudFormation takes a single element for a list of it."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
