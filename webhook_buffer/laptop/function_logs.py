"""A function's log on the emulator is whole once its invocation has ended.

ministack stops reading what a function printed as soon as nothing came for five milliseconds, and
gives the rest to the next invocation; on a busy machine that is the last line, if not all. Here
each invocation ends its output with a mark, and the log is read up to it.
"""

from __future__ import annotations

import queue
import time
from typing import Any

from ministack.core import lambda_runtime
from ministack.core.lambda_runtime import Worker

# A record separator of ASCII on both sides: nothing prints it by chance.
MARK = "\x1ewebhook-buffer: the invocation has ended\x1e"
# Before the function's answer leaves, whatever it is.
_ANSWERED = "        _real_stdout.flush()\n\nrun()\n"
_MARKED = f"        print({MARK!r}, file=sys.__stderr__, flush=True)\n{_ANSWERED}"
# For a function that closed its output, or left it to another process.
_SECONDS = 2.0

_bounded = Worker._drain_stderr_bounded


def install() -> None:
    """Lets the emulator read whole logs; said again, it changes nothing.

    Raises:
        RuntimeError: When this version of ministack runs functions in another way.
    """
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    if _MARKED in script:
        return
    if script.count(_ANSWERED) != 1:
        raise RuntimeError("ministack's worker does not end as webhook_buffer.laptop expects.")
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(_ANSWERED, _MARKED)
    Worker._drain_stderr_bounded = printed


def printed(worker: Any, *limits: float, **named: float) -> str:
    """What an invocation printed; see ``Worker._drain_stderr_bounded``."""
    if type(worker) is not Worker or not worker.config["Runtime"].startswith("python"):
        text: str = _bounded(worker, *limits, **named)
        return text
    if worker._proc is None:  # it failed and was killed: its output has an end
        worker._stderr_thread.join(_SECONDS)
    lines, deadline = [], time.monotonic() + _SECONDS
    while worker._proc is not None or not worker._stderr_queue.empty():
        try:
            line = worker._stderr_queue.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        text, mark, _ = line.partition(MARK)
        if text or not mark:
            lines.append(text)
        if mark:
            break
    return "\n".join(lines)
