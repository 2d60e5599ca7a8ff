"""On the emulator, an update of a function lets its running invocations end, as Lambda does.

ministack kills them, and counts each as a crash of the function.
Source: AWS Lambda API reference, "UpdateFunctionConfiguration", read 2026-11-26: a new instance of
the function is provisioned, and the function can be invoked meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from ministack.core import lambda_runtime

_kill = lambda_runtime.kill_workers


def install() -> None:
    """Lets the emulator kill no worker that runs an invocation; said again, it changes nothing."""
    lambda_runtime.kill_workers = retire


def retire(workers: Iterable[Any]) -> None:
    """Kills idle workers now, and each busy one once its invocation has ended."""
    idle = []
    for worker in [worker for worker in workers if worker is not None]:
        if worker._lock.locked():
            threading.Thread(target=_once_idle, args=(worker,), daemon=True).start()
        else:
            idle.append(worker)
    _kill(idle)


def _once_idle(worker: Any) -> None:
    with worker._lock:
        _kill([worker])
