"""``webhook-buffer webhooks``: what is parked, and what becomes of it."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.markup import escape

from lambdas.redaction import Redaction
from settings.errors import InputError
from settings.loader import load
from settings.schema import Settings
from webhook_buffer.cli.options import LOCAL, Env, Json, Yes
from webhook_buffer.cli.terminal import console, require_answer, show
from webhook_buffer.laptop import laptop
from webhook_buffer.operations import parked
from webhook_buffer.operations.environment import Environment
from webhook_buffer.operations.parked import HeldGroup, ParkedWebhook, Store

webhooks_app = typer.Typer(rich_markup_mode=None)

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan and change nothing.")]
ShowCredentials = Annotated[
    bool,
    typer.Option(
        "--show-credentials", help="Show credentials as well, and with --json the whole message."
    ),
]
# What of a long body or plan is shown.
_BODY_CHARACTERS = 2000
_PLAN_ROWS = 10

_REASONS = {
    "refused": "refused by the backend",
    "alone": "refused, while nothing else of its source was delivered",
    "age": "not delivered for too long",
    "unreadable": "not a readable message",
    "behind": "behind another of its group",
}


@webhooks_app.command("parked")
def list_parked(env: Env = LOCAL, as_json: Json = False) -> None:
    """List held groups and parked webhooks."""
    store = parked.store(_target(env))
    if as_json:
        groups = [
            {**_group(one), "webhooks": len(store.of_group(one.group_id))} for one in store.groups
        ]
        print(json.dumps({"groups": groups, "webhooks": [_row(one) for one in store.webhooks]}))
        return
    if not store.groups and not store.webhooks:
        console.print("Nothing is parked.")
        return
    for group in store.groups:
        count = len(store.of_group(group.group_id))
        console.print(
            f"[red]held[/]  group {_safe(group.group_id)} since {_time(group.since)}: "
            f"{count} webhooks, the first is {_safe(group.head)}",
            soft_wrap=True,
        )
    for one in store.webhooks:
        console.print(f"{'dropped' if one.dropped else one.kind:7} {_line(one)}", soft_wrap=True)
    console.print("To look at one: webhook-buffer webhooks show ID")


@webhooks_app.command("show")
def show_webhook(
    message_id: Annotated[str, typer.Argument(metavar="ID", help="The webhook's message id.")],
    env: Env = LOCAL,
    as_json: Json = False,
    show_credentials: ShowCredentials = False,
) -> None:
    """Show a parked webhook: why it is parked, its attempts, its request.

    The values of headers and parameters that carry credentials (redactHeaders, redactParameters)
    are left out; the body is shown as it is.
    """
    target = _target(env)
    webhook = parked.store(target).webhook(message_id)
    raw = parked.message(target, webhook)
    request, history = parked.request(raw), parked.history(target, webhook.id)
    if request and not show_credentials:
        request = _redaction(target.settings).applied(request)
    if as_json:
        content = None
        if request:
            content = request._asdict() | {"body": base64.b64encode(request.body).decode()}
        whole = {**_row(webhook), "attempts": history, "request": content}
        print(json.dumps({**whole, "raw": raw} if show_credentials else whole))
        return
    rows = [(name, _safe(str(value))) for name, value in _row(webhook).items()]
    rows += [
        (f"attempt {attempt['number']:.0f}", f"{_time(attempt['at'])}: {_answer(attempt)}")
        for attempt in history.get("recent", [])
    ]
    if request:
        query = f"?{request.query}" if request.query else ""
        rows.append(("request", _safe(f"{request.method} {request.path}{query}")))
        text = request.body.decode("utf-8", "backslashreplace")
        rows.append((f"body ({len(request.body)} bytes)", _safe(text[:_BODY_CHARACTERS])))
    elif show_credentials:
        rows.append(("message", _safe(str(raw["body"])[:_BODY_CHARACTERS])))
    else:
        rows.append(("message", "not readable, so it may hold credentials: --show-credentials"))
    show(rows)


@webhooks_app.command()
def release(
    name: Annotated[
        str,
        typer.Argument(metavar="GROUP|ID", help="A held group, or a webhook that was set aside."),
    ],
    env: Env = LOCAL,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Deliver what is parked: a group in its order, or one webhook."""
    target = _target(env)
    store = parked.store(target)
    group = store.group(name)
    if group:
        what = store.of_group(name)
        words = f"deliver {len(what)} webhooks of group {_safe(name)}, in order, before newer ones"
    else:
        what = [_aside(store, name)]
        words = f"deliver {_safe(name)}, after webhooks of its group that are newer"
    if _confirmed("release", words, what, yes=yes, dry_run=dry_run, as_json=as_json):
        if group:
            parked.release_group(target, group)
        else:
            parked.release_webhook(target, what[0])
        _say(
            as_json,
            "Released: it is delivered as soon as its group's turn comes. "
            "webhook-buffer webhooks parked shows what is left.",
        )


@webhooks_app.command()
def drop(
    message_id: Annotated[str, typer.Argument(metavar="ID", help="The webhook's message id.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; the record keeps it.")],
    env: Env = LOCAL,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Mark a parked webhook so that it is never delivered; it is kept until its time is over."""
    if not reason.strip() or len(reason) > 500:
        raise InputError("--reason: say why in up to 500 characters.")
    target = _target(env)
    store = parked.store(target)
    webhook = store.webhook(message_id)
    words = f"never deliver {_safe(message_id)}"
    if _confirmed("drop", words, [webhook], yes=yes, dry_run=dry_run, as_json=as_json):
        parked.drop(target, webhook, reason.strip())
        held = store.group(webhook.group_id) if webhook.kind == "held" else None
        more = " Its group is still held: webhook-buffer webhooks release GROUP" if held else ""
        _say(as_json, f"Dropped.{more}")


def _target(env: str) -> Environment:
    settings = load(env)
    if settings.existing:
        raise InputError(
            f"Environment '{env}' has no buffer, so nothing is parked; choose another."
        )
    return laptop.target(settings)


def _redaction(settings: Settings) -> Redaction:
    return Redaction.of(settings.redactHeaders, settings.redactParameters)


def _aside(store: Store, name: str) -> ParkedWebhook:
    """The webhook to release alone.

    Raises:
        InputError: When it is none, was dropped, or waits in a held group.
    """
    webhook = store.webhook(name)
    if webhook.dropped:
        raise InputError(f"'{name}' was dropped, and is not delivered any more.")
    if webhook.kind == "held":
        raise InputError(
            f"'{name}' is one of a held group, which keeps its order; release the group: "
            f"webhook-buffer webhooks release '{_safe(webhook.group_id)}'"
        )
    return webhook


def _confirmed(
    action: str,
    words: str,
    webhooks: list[ParkedWebhook],
    *,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> bool:
    """Shows the plan, and asks; whether to go on."""
    if as_json:
        if not (dry_run or yes):
            raise InputError("--json does not ask for confirmation; pass --yes or --dry-run.")
        plan: dict[str, Any] = {"action": action, "webhooks": [_row(one) for one in webhooks]}
        print(json.dumps({**plan, "dry_run": dry_run}))
        return not dry_run
    if not dry_run:
        require_answer(yes)
    console.print(f"This would {words}:" if dry_run else f"This will {words}:", soft_wrap=True)
    for one in webhooks[:_PLAN_ROWS]:
        console.print(f"  {_line(one)}", soft_wrap=True)
    if len(webhooks) > _PLAN_ROWS:
        console.print(f"  and {len(webhooks) - _PLAN_ROWS} more")
    if dry_run:
        return False
    if not yes:
        typer.confirm("Go on?", abort=True)
    return True


def _say(as_json: bool, text: str) -> None:
    if not as_json:
        console.print(text, soft_wrap=True)


def _line(webhook: ParkedWebhook) -> str:
    why = _REASONS.get(webhook.reason, webhook.reason)
    return (
        f"{_safe(webhook.id)}  group {_safe(webhook.group_id)}  parked {_time(webhook.parked_at)}  "
        f"{webhook.attempts} attempts, {why}"
    )


def _row(webhook: ParkedWebhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "group_id": webhook.group_id,
        "state": "dropped" if webhook.dropped else webhook.kind,
        "reason": webhook.reason,
        "source": webhook.source or None,
        "attempt_count": webhook.attempts,
        "received_at": _time(webhook.received_at),
        "parked_at": _time(webhook.parked_at),
        "kept_until": _time(1000 * webhook.expires_at),
    }


def _answer(attempt: dict[str, Any]) -> str:
    return f"{attempt['status']:.0f}" if "status" in attempt else _safe(str(attempt.get("error")))


def _group(group: HeldGroup) -> dict[str, Any]:
    return {"group_id": group.group_id, "head": group.head, "since": _time(group.since)}


def _time(milliseconds: float) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _safe(text: str) -> str:
    """A stranger's text without what a terminal or rich would obey."""
    printable = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
    return escape(printable)
