"""``webhook-buffer demo``: the whole story once, from a deployment to a recovery."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from rich.markup import escape

from settings.errors import ProofFailedError
from settings.loader import load
from webhook_buffer.cli import drill as drills
from webhook_buffer.cli import lifecycle
from webhook_buffer.cli.terminal import console, milliseconds, show
from webhook_buffer.laptop import demo as demonstration
from webhook_buffer.laptop import inbox, laptop
from webhook_buffer.laptop.drills import runner
from webhook_buffer.laptop.drills.catalog import DRILLS
from webhook_buffer.laptop.drills.github import GitHubTraffic
from webhook_buffer.laptop.drills.verdict import Result
from webhook_buffer.live.pace import FASTEST, described
from webhook_buffer.operations.cdk import check_node, node_modules

if TYPE_CHECKING:
    from webhook_buffer.laptop.demo_datadog import Published

_KINDS = {"monitor": "monitors", "slo": "SLOs", "dashboard": "dashboards", "downtime": "downtimes"}
_DRILL = "backend-unreachable"
# As the recipient gets it; every other channel has the same in its own form.
_SHOWN_CHANNEL = "email"
_RATE = 8.0  # payloads a second


def demo(*, keep: bool) -> None:
    """Deploys, sends GitHub's payloads, publishes dashboards, and takes the backend away.

    Args:
        keep: whether everything stays running; what ran before always does.

    Raises:
        ProofFailedError: When a claim does not hold.
    """
    check_node()
    started = time.monotonic()
    ran = laptop.complete()
    try:
        if not ran:
            lifecycle.deploy_here()
        _publish()
        result, report = _outage()
    finally:
        if not (keep or ran):
            lifecycle.down()
    console.print(f"The whole story took {time.monotonic() - started:.0f} s.")
    if keep or ran:
        endpoint = laptop.environment(load("local")).public_url
        assert endpoint, "it was just drilled"
        lifecycle.show_addresses(endpoint)
        console.print(
            "The fake Datadog of this story has ended. Publish to one that stays: "
            "webhook-buffer datadog apply",
            soft_wrap=True,
        )
        console.print("Stop it: webhook-buffer down")
    if not (result.passed and report.holds):
        raise ProofFailedError("Not all checks of the demo passed; see the tables above.")


def _publish() -> None:
    from webhook_buffer.laptop import demo_datadog

    with console.status("Datadog") as status:
        seen = demo_datadog.run(load("local"), lambda doing: status.update(f"Datadog: {doing}"))
    show(_published(seen))


def _outage() -> tuple[Result, demonstration.Report]:
    """The backend goes away, the alarm fires by its own definition, and everything recovers."""
    webhooks = demonstration.examples(node_modules("@octokit/webhooks-examples"))
    made: list[GitHubTraffic] = []

    def traffic(*arguments: str, **options: object) -> GitHubTraffic:
        options |= {"rate": _RATE}
        sender = partial(GitHubTraffic, webhooks=webhooks)(*arguments, **options)  # type: ignore[arg-type]
        made.append(sender)
        return sender

    place = drills.here()
    console.print(
        f"The backend goes away while GitHub's payloads come in ({described(FASTEST)}).",
        soft_wrap=True,
    )
    with console.status("GitHub's payloads") as status:
        result = runner.run(
            DRILLS[_DRILL], place, pace=FASTEST, traffic=traffic,
            progress=lambda doing: status.update(f"{doing}: {made[0].left if made else 0} to send"),
        )  # fmt: skip
    drills.show(result, whole=True)
    for said in inbox.received(inbox.folder_of(place.target), result.begun):
        if said.channel == _SHOWN_CHANNEL and "DRILL" in said.text:
            console.rule(f"[bold]{said.channel}[/]", align="left")
            console.print(said.text, markup=False, soft_wrap=True)
    received = place.backend.received(result.begun)
    report = demonstration.report(webhooks, made[0].receipts, received)
    show(_verdict(report))
    return result, report


def _published(seen: Published) -> list[tuple[str, str]]:
    kinds = ", ".join(f"{count} {_KINDS[kind]}" for kind, count in seen.objects.items())
    return [
        ("Published to a fake Datadog", f"{kinds}; {seen.requests} requests"),
        ("The plan after that", "[green]empty[/]"),
        ("The plan in quiet hours", f"[green]empty[/], {seen.muted} monitors muted"),
        ("Changed there by hand", escape(seen.changed)),
        ("Found by drift", ", ".join(seen.drifted)),
        ("The plan after the next apply", "[green]empty[/]"),
    ]


def _verdict(report: demonstration.Report) -> list[tuple[str, str]]:
    def zero(count: int) -> str:
        return f"[{'red' if count else 'green'}]{count}[/]"

    return [
        ("Sent", f"{report.sent} ({report.event_types} kinds, {report.groups} groups)"),
        ("Accepted", str(report.summary.accepted)),
        ("Delivered", f"{report.delivered} (across an outage of the backend)"),
        ("Lost", zero(report.lost)),
        ("Out of order", zero(report.out_of_order)),
        ("Duplicates", str(report.duplicates)),
        ("Accept latency", milliseconds(report.summary.latency_ms)),
        ("Delivery lag", milliseconds(report.lag_ms)),
    ]
