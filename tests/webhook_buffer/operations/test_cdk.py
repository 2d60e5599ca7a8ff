"""What is reported of a CDK command that failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from settings.errors import ToolError
from settings.loader import load
from webhook_buffer.operations import cdk
from webhook_buffer.operations.environment import Environment

_SAID = """\
/tmp/x/lib/program.js:1:5591
WARNING Anybody on the internet can send webhooks. (Construct Annotations)
   webhook-buffer-dev
   Acknowledge with 'Annotation::webhook-buffer:exposure'
/tmp/x/lib/program.js:1:5591
WARNING No channel receives alarms. (Construct Annotations)
   webhook-buffer-dev-monitoring
   Acknowledge with 'Annotation::webhook-buffer:unrouted-0'
Need to perform AWS calls for account 111111111111, but no credentials have been configured
"""


def test_warnings_do_not_hide_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The app's own warnings, which `deploy` shows itself, are left out of the error."""
    (tmp_path / "said").write_text(_SAID)
    cli = tmp_path / "cli"
    cli.write_text(f"#!/bin/sh\ncat {tmp_path}/said\nexit 1\n")
    cli.chmod(0o700)
    monkeypatch.setattr(cdk, "_CLI", cli)
    target = Environment(settings=load("dev"), folder=tmp_path, outputs_file=tmp_path / "o.json")
    with pytest.raises(ToolError) as caught:
        cdk.Cdk(target).diff()
    first, reason, *_ = str(caught.value).splitlines()
    assert (first, reason) == ("cdk diff failed:", _SAID.splitlines()[-1])
    assert "WARNING" not in str(caught.value)
    assert "WARNING" in (tmp_path / "cdk-diff.log").read_text()
