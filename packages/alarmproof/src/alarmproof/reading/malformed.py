"""What is wrong with a file that can't be what CloudFormation's schema says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from alarmproof.base.errors import InputError

MALFORMED = (
    AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError, RecursionError,
)  # fmt: skip


@contextmanager
def kept(errors: list[InputError], file: str) -> Iterator[None]:
    """Keeps what is wrong with a file."""
    try:
        with _malformed(file):
            yield
    except InputError as error:
        errors.append(error)


@contextmanager
def _malformed(where: object) -> Iterator[None]:
    """Names what can't be what CloudFormation's schema says, whatever it is instead."""
    try:
        yield
    except RecursionError:
        raise InputError(f"{where}: nested too deeply, or refers to itself.") from None
    except MALFORMED as error:
        raise InputError(f"{where}: not what CloudFormation's schema says ({error}).") from None
