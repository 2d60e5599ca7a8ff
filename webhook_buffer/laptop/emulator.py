"""The laptop's AWS: an embedded emulator (ministack), started and stopped by this command.

It listens on 127.0.0.1 only, keeps its state in memory, and sees nothing of the user's
environment variables: functions inherit what it has.
"""

from __future__ import annotations

import time
from pathlib import Path

import urllib3

from settings.errors import InputError, ToolError
from settings.names import LAPTOP_ACCOUNT
from webhook_buffer.laptop.process import HOST, Background, Running, free_port, listens

DEFAULT_PORT = 4566
_START_SECONDS = 60.0


class Emulator(Background):
    """One emulator, known by the folder that holds its record and its log."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "emulator")

    def start(self, port: int | None = None) -> Running:
        """Starts the emulator, or returns the one that runs.

        Args:
            port: on 127.0.0.1; without one, any free port.

        Raises:
            InputError: When the port is taken, or the emulator runs on another one.
            ToolError: When the emulator does not come up.
        """
        known = self.running()
        if known:
            if port and port != known.port:
                raise InputError(
                    f"The emulator already runs on port {known.port}. "
                    "To move it: webhook-buffer down, then up again with --port."
                )
            return known
        self.folder.mkdir(parents=True, exist_ok=True)
        port = port or free_port()
        if listens(port):
            raise InputError(
                f"Port {port} on 127.0.0.1 is in use by another program. "
                "Stop that program, or choose another port with --port."
            )
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        environ = {
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(port),
            "MINISTACK_ACCOUNT_ID": LAPTOP_ACCOUNT,
            "TMPDIR": str(temporary),
            "LOG_LEVEL": "WARNING",
        }
        process, running = self._spawn("ministack", port=port, cwd=self.folder, environ=environ)
        deadline = time.monotonic() + _START_SECONDS
        while not _healthy(running):
            if process.poll() is not None:
                raise ToolError(
                    f"The emulator exited during start-up (exit code {process.returncode}).",
                    log=self.log,
                )
            if time.monotonic() > deadline:
                self.stop()
                raise ToolError(
                    f"The emulator did not answer within {_START_SECONDS:.0f} s.", log=self.log
                )
            time.sleep(0.1)
        return running

    def require(self) -> Running:
        """The running emulator.

        Raises:
            ToolError: When it was started and died, or was never started.
        """
        running = self.running()
        if running:
            return running
        if self._record_file.exists():
            raise ToolError(
                "The emulator died after it was started; queued webhooks are lost. "
                "Start it again: webhook-buffer up",
                log=self.log,
            )
        raise ToolError("Nothing is running on this laptop. To start the buffer: webhook-buffer up")


def _healthy(running: Running) -> bool:
    try:
        url = f"{running.endpoint_url}/_ministack/health"
        reply = urllib3.request("GET", url, timeout=2.0, retries=False)
    except urllib3.exceptions.HTTPError:
        return False
    return reply.status == 200
