"""The project's folder, and the file that holds its environments."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CDK_JSON = ROOT / "cdk.json"
RUNBOOK = ROOT / "docs" / "runbook.md"
