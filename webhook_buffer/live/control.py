"""The folder of live alarms, and what others want of them: written there by whoever runs a drill.

It expires, so that a drill that is killed leaves nothing behind.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from webhook_buffer.live.pace import FASTEST, REAL_TIME
from webhook_buffer.operations.files import write

# All that live alarms know, and what they found in the last minute.
SESSION, VERDICTS = "session.jsonl", "verdicts.json"
# What is wanted of them, and what of it they do.
CONTROL, IN_FORCE = "control.json", "control-in-force.json"


@dataclass(frozen=True, slots=True)
class Control:
    """What somebody wants of live alarms, for a while.

    Attributes:
        pace: real seconds per minute.
        held: alarms whose states somebody else sets.
        until: when it expires, Unix seconds.
        mark: what was done last, for the session; with its time, Unix seconds.
    """

    pace: float = REAL_TIME
    held: tuple[str, ...] = ()
    until: float = 0.0
    mark: tuple[float, str] | None = None

    @classmethod
    def read(cls, folder: Path) -> Control:
        """What is wanted now; nothing where it has expired or can't be read."""
        try:
            said = json.loads((folder / CONTROL).read_text())
            mark = said["mark"]
            wanted = cls(
                max(FASTEST, float(said["pace"])),
                tuple(said["held"]),
                float(said["until"]),
                (float(mark[0]), str(mark[1])) if mark else None,
            )
        except (OSError, ValueError, LookupError, TypeError):
            return cls()
        return wanted if wanted.until > time.time() else cls()

    def write(self, folder: Path) -> None:
        """Wants it.

        Raises:
            FileError: When it can't be written.
        """
        write(folder / CONTROL, json.dumps(asdict(self)))

    def is_in_force(self, folder: Path) -> bool:
        """Whether live alarms do what is wanted, and nothing any more that they began before."""
        try:
            return (folder / IN_FORCE).read_text() == self._sign
        except OSError:
            return False

    def put_in_force(self, folder: Path) -> None:
        """Says that it is."""
        if not self.is_in_force(folder):
            write(folder / IN_FORCE, self._sign)

    @property
    def _sign(self) -> str:
        return json.dumps([self.held, self.until])
