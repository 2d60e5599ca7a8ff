"""Commands for a running buffer: its status and outputs, sending webhooks, smoke tests."""

from __future__ import annotations

import time
from pathlib import Path

from lambdas.base.http import HEADER_NAME
from settings.errors import InputError, ProofFailedError
from settings.loader import load
from webhook_buffer.cli.preflight import show_problems
from webhook_buffer.cli.terminal import console, milliseconds, progress, show
from webhook_buffer.laptop import laptop
from webhook_buffer.live.pace import described
from webhook_buffer.operations import deployment
from webhook_buffer.operations.environment import Environment, buffer_outputs, stack
from webhook_buffer.operations.environment import outputs as stack_outputs
from webhook_buffer.operations.preflight.runner import left_to_do
from webhook_buffer.operations.send import Sender, Summary, from_files, paced
from webhook_buffer.operations.smoke import Smoke

# What `status` calls the backend of an environment with create_faux_backend.
FAUX = "faux backend"


def status(env: str, *, as_json: bool) -> None:
    """Prints what is running, and how many webhooks are queued."""
    settings = load(env)
    target = laptop.environment(settings)
    deployed = buffer_outputs(target)
    waiting = deployment.waiting(target)
    todo = left_to_do(target)
    emulator = laptop.emulator().require() if settings.on_laptop else None
    datadog = laptop.datadog_url() if settings.on_laptop and settings.datadog else None
    if as_json:
        document: dict[str, object] = {
            "environment": settings.environment,
            "stack": settings.prefix,
            "release": deployed["Release"],
            "endpoint": deployed["BufferedEndpoint"],
            "backend": settings.backend_url or FAUX,
            "queued": waiting,
            "leftToDo": [{"what": step.what, "remedy": step.remedy} for step in todo],
        }
        if emulator:
            document["emulator"] = {"url": emulator.endpoint_url, "pid": emulator.pid}
            document["fakeDatadog"] = datadog
            document |= _beside()
        console.print_json(data=document)
        return
    rows = [
        ("Stack", settings.prefix),
        ("Release", deployed["Release"]),
        ("Endpoint", deployed["BufferedEndpoint"]),
        ("Backend", settings.backend_url or FAUX),
        ("Queued", f"about {waiting}"),
    ]
    if emulator:
        rows.insert(0, ("Emulator", f"{emulator.endpoint_url} (pid {emulator.pid})"))
        if settings.datadog:
            url = datadog or "not running; to start it: webhook-buffer up"
            rows.insert(1, ("Fake Datadog", url))
        rows += _rows_beside()
    show(rows)
    show_problems(todo)


def _beside() -> dict[str, object]:
    """The programs beside the emulator, for other programs; null where one is not running."""
    backend, inbox = laptop.backend(), laptop.inbox()
    live, verdicts = laptop.live_alarms().running(), laptop.live_alarms().verdicts()
    rows: dict[str, object] = {}
    for name, running in (("fauxBackend", backend.running()), ("inbox", inbox.running())):
        rows[name] = {"url": running.endpoint_url, "pid": running.pid} if running else None
    rows["liveAlarms"] = (
        {"pid": live.pid, "pace": verdicts["pace"] if verdicts else None} if live else None
    )
    page = laptop.console().running()
    rows["console"] = {"url": laptop.console().address(), "pid": page.pid} if page else None
    return rows


def _rows_beside() -> list[tuple[str, str]]:
    """The same for people."""
    missing = "[red]not running[/]; to start it: webhook-buffer up"
    backend, inbox, live = laptop.backend(), laptop.inbox(), laptop.live_alarms()
    practice, mail, judging = backend.running(), inbox.running(), live.running()
    verdicts, process = live.verdicts(), laptop.console()
    words, page = missing, process.running()
    if judging:
        on = sum(verdict["state"] == "ALARM" for verdict in verdicts["verdicts"]) if verdicts else 0
        pace = described(verdicts["pace"]) if verdicts else "starting"
        words = f"{on} in ALARM; {pace} (pid {judging.pid})"
    return [
        (
            "Faux backend",
            f"{practice.endpoint_url} {backend.mode.words} (pid {practice.pid})"
            if practice
            else missing,
        ),
        ("Inbox", f"{mail.endpoint_url} (pid {mail.pid})" if mail else missing),
        ("Live alarms", words),
        ("Console", f"{process.address()} (pid {page.pid})" if page else missing),
    ]


def send(
    path: Path, env: str, *, rate: float, repeat: int, headers: list[str], method: str, to: str
) -> None:
    """Sends payloads.

    Args:
        rate: webhooks per second.
        to: path and query at the endpoint.
        headers: lines ``Name: value``.

    Raises:
        InputError: When an argument can't be used.
        ProofFailedError: When the buffer did not accept all of them.
    """
    if "://" in to.partition("?")[0]:
        raise InputError(
            f"'{to}' is a URL; --to is a path and query at the endpoint of --env, such as "
            "/orders?x=1."
        )
    named = dict(_header(line) for line in headers)
    if not HEADER_NAME.fullmatch(method):
        raise InputError(f"'{method}' is not an HTTP method; write POST, PUT, …")
    webhooks = from_files(path, method=method, target="/" + to.removeprefix("/"), headers=named)
    endpoint = buffer_outputs(laptop.environment(load(env)))["BufferedEndpoint"]
    sender = Sender(endpoint)
    started = time.monotonic()
    receipts = []
    with progress() as bar:
        task = bar.add_task("Sending", total=len(webhooks) * repeat)
        for webhook in paced(webhooks, rate=rate, repeat=repeat):
            receipts.append(sender.post(webhook))
            bar.advance(task)
    summary = Summary(receipts)
    rows = [
        ("Sent", str(len(receipts))),
        ("Accepted", str(summary.accepted)),
        ("Rate", f"{len(receipts) / (time.monotonic() - started):.1f} per second"),
    ]
    if summary.accepted:
        rows.append(("Accept latency", milliseconds(summary.latency_ms)))
    for reason, count in summary.refusals.most_common():
        rows.append(("[red]Not accepted[/]", f"{count} x {reason}"))
    show(rows)
    if summary.accepted < len(receipts):
        raise ProofFailedError(f"{len(receipts) - summary.accepted} webhooks were not accepted.")


def smoke(env: str, *, failures: bool, deliver: bool) -> None:
    """Runs the smoke tests of an environment."""
    smoke_test(laptop.environment(load(env)), failures=failures, deliver=deliver)


def smoke_test(target: Environment, *, failures: bool, deliver: bool) -> None:
    """Runs the smoke tests against the deployment, and prints each claim."""
    tests = Smoke(target, buffer_outputs(target))
    count = 0
    for check in tests.checks(failures=failures, deliver=deliver):
        console.print(f"[green]✓[/] {check.claim} [dim]({check.detail})[/]", soft_wrap=True)
        count += 1
    if not (tests.uses_faux_backend or deliver):
        console.print("- delivery was not tested: the backend is real; --deliver sends to it")
    console.print(f"{count} smoke tests passed.")


def outputs(env: str) -> None:
    """Prints the outputs of the environment's stacks."""
    settings = load(env)
    target = laptop.environment(settings)
    documents = {settings.main_stack_name: stack_outputs(target)}
    beside = stack(target, settings.monitoring_stack_name) if settings.monitoring else None
    if beside:
        documents[settings.monitoring_stack_name] = dict(beside.outputs)
    console.print_json(data=documents)


def _header(line: str) -> tuple[str, str]:
    name, separator, value = line.partition(":")
    name, value = name.strip(), value.strip()
    if not separator or not HEADER_NAME.fullmatch(name) or not value.isascii():
        raise InputError(f"'{line}' is not a header; write 'Name: value', in ASCII.")
    return name, value
