"""``webhook-buffer demo``: the main job once, judged by what the backend received."""

from __future__ import annotations

from errors import ProofFailedError
from local import demo as demonstration
from local import laptop
from local.backend import ScriptedBackend
from local.emulator import Emulator
from operations import deployment
from operations.cdk import check_node, node_modules
from operations.target import Target
from settings import load
from terminal import milliseconds, progress, show, step


def demo() -> None:
    """Send real webhooks through a fresh buffer while its backend goes away and comes back."""
    check_node()
    webhooks = demonstration.examples(node_modules("@octokit/webhooks-examples"))
    folder = laptop.STATE / "demo"
    emulator = Emulator(folder)
    emulator.stop()
    with ScriptedBackend() as backend:
        overrides = {"create_faux_backend": None, "backend_url": backend.url}
        settings = load("local", overrides=overrides)
        try:
            with step("Starting the emulator"):
                running = emulator.start()
            target = Target(
                settings=settings,
                folder=folder,
                endpoint_url=running.endpoint_url,
                overrides=overrides,
                outputs_file=folder / "cdk.out.json",
            )
            cdk = deployment.prepare(target, step)
            endpoint = deployment.apply(target, cdk, step)["BufferedEndpoint"]
            with progress() as bars:
                accepted = bars.add_task("Accepted", total=len(webhooks))
                arrived = bars.add_task("At the backend", total=len(webhooks))

                def follow(count: int, received: int, doing: str) -> None:
                    bars.update(accepted, completed=count)
                    description = f"At the backend ({doing})"
                    bars.update(arrived, completed=received, description=description)

                report = demonstration.run(endpoint, backend, webhooks, progress=follow)
        finally:
            emulator.stop()
    show(_verdict(report))
    if not report.holds:
        raise ProofFailedError("The demo's claim does not hold; see the table above.")


def _verdict(report: demonstration.Report) -> list[tuple[str, str]]:
    away = f"backend away for {demonstration.OUTAGE_SECONDS:.0f} s on the way"

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
