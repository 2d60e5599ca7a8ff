"""What somebody wants of live alarms for as long as their command lives.

It expires soon and is written again and again, so that a command that is killed leaves nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Real seconds until it expires, and between two times that it is written.
EXPIRES_SECONDS = 20.0
_RENEWED_SECONDS = 5.0


@contextmanager
def renewed(want: Callable[[], object]) -> Iterator[None]:
    """Has what was wanted last not expire.

    Args:
        want: wants it for ``EXPIRES_SECONDS`` more; called in another thread.
    """
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(_RENEWED_SECONDS):
            want()

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
