"""``webhook-buffer preflight``: what must be so before a deployment, each with its remedy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import typer
from rich.markup import escape

from monitoring.documents.markdown import table
from settings.errors import PreflightError
from settings.loader import load
from settings.paths import ROOT
from webhook_buffer import composition
from webhook_buffer.cli.terminal import console
from webhook_buffer.laptop import laptop
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.preflight.catalog import ACCOUNT, checks
from webhook_buffer.operations.preflight.model import Finding, Level, Problem
from webhook_buffer.operations.preflight.runner import run

FILE = ROOT / "docs" / "first-deployment.md"
_SIGNS = {Level.BLOCKS: "[red]✗[/]", Level.TODO: "[yellow]![/]", Level.UNKNOWN: "[yellow]?[/]"}


def preflight(env: str, *, as_json: bool) -> None:
    """Prints what each check found; exit code 1 if a deployment would fail."""
    target = laptop.environment(load(env))
    if as_json:
        findings = list(run(target, composition.CATALOG))
        console.print_json(data=_document(env, findings))
    else:
        findings = _shown(run(target, composition.CATALOG), all_of_them=True)
    if any(finding.blocks for finding in findings):
        raise typer.Exit(1)


def require(target: Environment) -> None:
    """Makes the checks before a deployment, and prints the problems.

    Raises:
        PreflightError: When one of them would make the deployment fail.
    """
    with console.status("Preflight"):
        findings = list(run(target, composition.CATALOG))
    _shown(findings, all_of_them=False)
    blocking = sum(finding.blocks for finding in findings)
    if blocking:
        env = target.settings.environment
        raise PreflightError(
            f"{blocking} of {len(findings)} preflight checks failed, so nothing was deployed. Fix "
            f"this and run again: make deploy ENV={env}"
        )
    console.print(f"[green]✓[/] Preflight: {len(findings)} checks")


def show_problems(problems: Iterable[Problem]) -> None:
    """Prints problems, each with its remedy."""
    for problem in problems:
        console.print(f"{_SIGNS[problem.level]} {escape(problem.what)}", soft_wrap=True)
        console.print(f"  → {escape(problem.remedy)}", soft_wrap=True)


def _shown(findings: Iterable[Finding], *, all_of_them: bool) -> list[Finding]:
    """Prints findings as they come."""
    kept = []
    for finding in findings:
        kept.append(finding)
        if not finding.problems and all_of_them:
            console.print(f"[green]✓[/] {finding.check.title}")
        show_problems(finding.problems)
    if kept[-1].check is ACCOUNT and kept[-1].blocks:
        console.print("Nothing else was checked, for the rest is asked of that account.")
    return kept


def parts() -> Mapping[str, str]:
    """The generated parts of ``docs/first-deployment.md``."""
    rows = [
        [f"`{check.id}`", check.title, "yes" if check.on_laptop else ""]
        for check in checks(composition.CATALOG)
    ]
    return {"checks": table(["check", "what is so when it passes", "on the laptop too"], rows)}


def _document(env: str, findings: Iterable[Finding]) -> dict[str, Any]:
    checks = [
        {
            "id": finding.check.id,
            "title": finding.check.title,
            "ok": not finding.problems,
            "problems": [
                {"level": problem.level.value, "what": problem.what, "remedy": problem.remedy}
                for problem in finding.problems
            ],
        }
        for finding in findings
    ]
    return {"environment": env, "checks": checks}
