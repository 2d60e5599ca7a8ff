"""``webhook-buffer demo``: the main job once, judged by what the backend received."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

from settings.errors import ProofFailedError
from settings.loader import load
from webhook_buffer.cli.terminal import console, milliseconds, progress, show, step
from webhook_buffer.laptop import demo as demonstration
from webhook_buffer.laptop import laptop
from webhook_buffer.laptop.backend import ScriptedBackend
from webhook_buffer.operations.cdk import check_node, node_modules

if TYPE_CHECKING:
    from webhook_buffer.laptop.demo_datadog import Published

_KINDS = {"monitor": "monitors", "slo": "SLOs", "dashboard": "dashboards", "downtime": "downtimes"}


def demo() -> None:
    """Send real webhooks through a fresh buffer while its backend goes down and comes back."""
    from webhook_buffer.laptop import demo_datadog

    check_node()
    webhooks = demonstration.examples(node_modules("@octokit/webhooks-examples"))
    with (
        ScriptedBackend() as backend,
        laptop.fresh(laptop.STATE / "demo", backend.url, step) as (_, outputs),
        progress() as bars,
    ):
        accepted = bars.add_task("Accepted", total=len(webhooks))
        arrived = bars.add_task("At the backend", total=len(webhooks))

        def follow(count: int, received: int, doing: str) -> None:
            bars.update(accepted, completed=count)
            description = f"At the backend ({doing})"
            bars.update(arrived, completed=received, description=description)

        endpoint = outputs["BufferedEndpoint"]
        report = demonstration.run(endpoint, backend, webhooks, progress=follow)
    show(_verdict(report))
    if not report.holds:
        raise ProofFailedError("The demo's claim does not hold; see the table above.")
    with console.status("Datadog") as status:
        seen = demo_datadog.run(load("local"), lambda doing: status.update(f"Datadog: {doing}"))
    show(_published(seen))


def _published(seen: Published) -> list[tuple[str, str]]:
    kinds = ", ".join(f"{count} {_KINDS[kind]}" for kind, count in seen.objects.items())
    return [
        ("Published to a fake Datadog", f"{kinds}; {seen.requests} requests"),
        ("The plan after that", "[green]empty[/]"),
        ("The plan in quiet hours", f"[green]empty[/], {seen.muted} monitors muted"),
        ("Changed there by hand", escape(seen.changed)),
        ("Found by drift", ", ".join(seen.found)),
        ("The plan after the next apply", "[green]empty[/]"),
    ]


def _verdict(report: demonstration.Report) -> list[tuple[str, str]]:
    away = f"backend down for {demonstration.OUTAGE_SECONDS:.0f} s in between"

    def zero(count: int) -> str:
        return f"[{'red' if count else 'green'}]{count}[/]"

    return [
        ("Sent", f"{report.sent} ({report.event_types} kinds, {report.groups} groups)"),
        ("Accepted", str(report.summary.accepted)),
        ("Delivered", f"{report.delivered} ({away})"),
        ("Lost", zero(report.lost)),
        ("Out of order", zero(report.out_of_order)),
        ("Duplicates", str(report.duplicates)),
        ("Accept latency", milliseconds(report.summary.latency_ms)),
        ("Delivery lag", milliseconds(report.lag_ms)),
    ]
