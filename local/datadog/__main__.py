"""Serves the stand-in until it is ended: ``python -m local.datadog --port N --state FILE``."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path

from local.datadog.server import StandIn

parser = argparse.ArgumentParser(prog="local.datadog", description=__doc__)
parser.add_argument("--port", type=int, default=0)
parser.add_argument("--state", type=Path)
arguments = parser.parse_args()
with StandIn(port=arguments.port, state=arguments.state) as standin:
    print(standin.url, flush=True)
    threading.Event().wait()
