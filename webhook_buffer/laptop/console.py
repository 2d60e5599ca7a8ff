"""The console as commands see it: a program of its own, and the address that opens it."""

from __future__ import annotations

import secrets
from pathlib import Path

from settings.paths import ROOT
from webhook_buffer.laptop.programs.process import Background, listens_itself, usable_port
from webhook_buffer.operations.files import private_folder, write

DEFAULT_PORT = 4570
_TOKEN = "token"  # noqa: S105 - the file's name


class ConsoleProcess(Background):
    """The program. Its token is a file for nobody but the user.

    Args:
        state: the laptop's state, where it is apart from the project.
    """

    def __init__(self, folder: Path, *, state: Path | None) -> None:
        super().__init__(folder, "console")
        self._state = state

    def address(self) -> str | None:
        """The URL that opens it; None where it is not running."""
        running = self.running()
        return f"{running.endpoint_url}/{self._token()}/" if running else None

    def start(self, port: int | None = None) -> str:
        """Restarts it, so that it shows what is deployed now; its address stays the same.

        Args:
            port: on 127.0.0.1; taken only if it is free.

        Raises:
            ToolError: When it does not come up.
        """
        last = self.last_port()
        self.stop()
        token = self._token()
        environ = {"OMP_NUM_THREADS": "1"}
        if self._state:
            environ["WEBHOOK_BUFFER_STATE"] = str(self._state)
        port = usable_port(port, last, None if self._state else DEFAULT_PORT)
        process, running = self._spawn(
            "webhook_buffer.console.server",
            "--port", str(port), "--folder", str(self.folder),
            port=port, cwd=ROOT, environ=environ,
        )  # fmt: skip
        self._await(process, "The console", lambda: listens_itself(running))
        self._keep_port(port)
        return f"{running.endpoint_url}/{token}/"

    def _token(self) -> str:
        private_folder(self.folder)
        return token_of(self.folder)


def token_of(folder: Path) -> str:
    """The token of a folder, made where there is none."""
    file = folder / _TOKEN
    if not file.exists():
        write(file, secrets.token_urlsafe(24))
        file.chmod(0o600)
    return file.read_text("utf-8").strip()
