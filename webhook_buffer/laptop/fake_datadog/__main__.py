"""Serves the fake Datadog until it is ended: ``python -m … --port N --state FILE``."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path

from webhook_buffer.laptop.fake_datadog.server import FakeDatadog

parser = argparse.ArgumentParser(prog="webhook_buffer.laptop.fake_datadog", description=__doc__)
parser.add_argument("--port", type=int, default=0)
parser.add_argument("--state", type=Path)
arguments = parser.parse_args()
with FakeDatadog(port=arguments.port, state=arguments.state) as fake:
    print(fake.url, flush=True)
    threading.Event().wait()
