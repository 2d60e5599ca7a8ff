"""Live alarms of `up`: a program of its own that judges what runs on the laptop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from settings.paths import ROOT
from webhook_buffer.laptop.programs.process import Background, Running
from webhook_buffer.live import control
from webhook_buffer.operations.files import private_folder

LAST_SESSION = "last-session.jsonl"


class LiveAlarms(Background):
    """The program, as commands see it, and the folder of its session."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "alarms")

    @property
    def session_file(self) -> Path:
        return self.folder / control.SESSION

    def start(self) -> Running:
        """Restarts it, so that it judges what is deployed now; its session goes on.

        Raises:
            ToolError: When it does not come up.
        """
        self.stop()
        private_folder(self.folder)
        (self.folder / control.VERDICTS).unlink(missing_ok=True)
        state = str(self.folder.parent)
        process, running = self._spawn(
            "webhook_buffer.laptop.judging", "--folder", str(self.folder),
            port=0, cwd=ROOT, environ={"WEBHOOK_BUFFER_STATE": state, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        self._await(process, "Live alarms", lambda: self.verdicts() is not None)
        return running

    def end_session(self) -> None:
        """Ends the session, whose buffer is gone; the file stays, under another name."""
        self.stop()
        if self.session_file.exists():
            self.session_file.replace(self.folder / LAST_SESSION)
        for name in (control.VERDICTS, control.CONTROL, control.IN_FORCE):
            (self.folder / name).unlink(missing_ok=True)

    def verdicts(self) -> dict[str, Any] | None:
        """The verdicts of the last minute that is over; None while there are none.

        Returns:
            ``judged`` (session time), ``real``, ``pace`` and ``verdicts``.
        """
        try:
            document: dict[str, Any] = json.loads((self.folder / control.VERDICTS).read_text())
        except (OSError, ValueError):
            return None
        return document
