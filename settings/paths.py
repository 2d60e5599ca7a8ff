"""The project's folder, and what several parts read below it."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CDK_JSON = ROOT / "cdk.json"
RUNBOOK = ROOT / "docs" / "runbook.md"
# The library that draws the console's charts.
UPLOT = ROOT / "node_modules" / "uplot" / "dist"
