"""The laptop's AWS: an embedded emulator (ministack), started and stopped by this command.

It listens on 127.0.0.1 only, keeps its state in memory, and sees nothing of the user's
environment variables: functions inherit what it has.
"""

from __future__ import annotations

import json
from pathlib import Path

import urllib3

from settings.errors import InputError, ToolError
from settings.names import LAPTOP_ACCOUNT
from settings.paths import ROOT
from webhook_buffer.laptop.programs.process import (
    HOST,
    Background,
    Running,
    free_port,
    listens,
    listens_itself,
)
from webhook_buffer.operations.files import private_folder, write

DEFAULT_PORT = 4566
DEFAULT_ENDPOINT_PORT = 4560
# Under this path the emulator's process is asked to open public endpoints.
ENDPOINTS_PATH = "/_webhook-buffer/endpoints/"
_ELSEWHERE = "Stop that program, or choose another port with --port."


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
        private_folder(self.folder)
        port = port or free_port()
        if listens(port):
            raise InputError(f"Port {port} on {HOST} is in use by another program. {_ELSEWHERE}")
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        environ = {
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(port),
            "MINISTACK_ACCOUNT_ID": LAPTOP_ACCOUNT,
            "TMPDIR": str(temporary),
            "LOG_LEVEL": "WARNING",
            # Its MQTT broker would listen on every address.
            "IOT_MTLS_ENABLED": "0",
        }
        process, running = self._spawn(
            "webhook_buffer.laptop.emulator_server", port=port, cwd=ROOT, environ=environ
        )
        self._await(
            process, "The emulator", lambda: listens_itself(running) and _healthy(running),
            elsewhere=_ELSEWHERE,
        )  # fmt: skip
        self._keep_port(port)
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

    def open_endpoint(
        self, environment: str, *, port: int | None = None, api_id: str | None = None
    ) -> str:
        """The URL of an environment's public webhook endpoint, opened where it was not.

        Args:
            port: on 127.0.0.1; without one its present or last, or any free one.
            api_id: the API that its requests go to from now on; without one, the present.

        Raises:
            InputError: When the port is taken.
            ToolError: When nothing runs here.
        """
        running = self.require()
        asked = {"port": port or self._endpoint_port(environment) or 0, "api": api_id}
        reply = urllib3.request(
            "PUT", f"{running.endpoint_url}{ENDPOINTS_PATH}{environment}", json=asked, timeout=10.0
        )
        if reply.status != 200:
            raise InputError(
                f"The endpoint's port {asked['port']} on {HOST} is in use by another program "
                f"({reply.json()['error']}). "
                "Stop that program, or choose another port with --endpoint-port."
            )
        opened: int = reply.json()["port"]
        if opened != self._endpoint_port(environment):
            write(self._ports_file, json.dumps({**self._ports(), environment: opened}))
        return f"http://{HOST}:{opened}"

    def endpoint_url(self, environment: str) -> str | None:
        """Where an environment's public endpoint listens while the emulator runs; None if it has
        not been opened yet."""
        port = self._endpoint_port(environment)
        return f"http://{HOST}:{port}" if port else None

    def _endpoint_port(self, environment: str) -> int | None:
        return self._ports().get(environment)

    def _ports(self) -> dict[str, int]:
        """The last port of each environment's endpoint."""
        try:
            ports = json.loads(self._ports_file.read_text())
        except (OSError, ValueError):
            return {}
        return ports if isinstance(ports, dict) else {}

    @property
    def _ports_file(self) -> Path:
        return self.folder / "endpoints.json"


def _healthy(running: Running) -> bool:
    try:
        url = f"{running.endpoint_url}/_ministack/health"
        reply = urllib3.request("GET", url, timeout=2.0, retries=False)
    except urllib3.exceptions.HTTPError:
        return False
    return reply.status == 200
