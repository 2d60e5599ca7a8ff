"""``webhook-buffer webhooks``: any by its id, several by a search, and what is parked."""

from __future__ import annotations

import base64
import json
from typing import Annotated, Any

import typer

from lambdas.base.redaction import Redaction
from settings.errors import InputError
from settings.loader import load
from settings.schema import Settings
from webhook_buffer.cli import recorded_webhooks
from webhook_buffer.cli.options import LOCAL, Env, Json, Yes
from webhook_buffer.cli.terminal import console, moment, require_answer, safe, show
from webhook_buffer.laptop import laptop
from webhook_buffer.operations import parked, records
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
# What of a long plan is shown.
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
            {**_group(group), "webhooks": len(store.of_group(group.group_id))}
            for group in store.groups
        ]
        print(
            json.dumps(
                {"groups": groups, "webhooks": [_row(webhook) for webhook in store.webhooks]}
            )
        )
        return
    if not store.groups and not store.webhooks:
        console.print("Nothing is parked.")
        return
    for group in store.groups:
        count = len(store.of_group(group.group_id))
        console.print(
            f"[red]held[/]  group {safe(group.group_id)} since {moment(group.since)}: "
            f"{count} webhooks, the first is {safe(group.head)}",
            soft_wrap=True,
        )
    for webhook in store.webhooks:
        console.print(
            f"{'dropped' if webhook.dropped else webhook.kind:7} {_line(webhook)}", soft_wrap=True
        )
    console.print("To look at one: webhook-buffer webhooks show ID")


@webhooks_app.command("show")
def show_webhook(
    message_id: Annotated[str, typer.Argument(metavar="ID", help="The webhook's message id.")],
    env: Env = LOCAL,
    as_json: Json = False,
    show_credentials: ShowCredentials = False,
) -> None:
    """Show a webhook: its attempts, its request with the whole body, and why it is parked.

    The values of headers and parameters that carry credentials (redactHeaders, redactParameters)
    are left out; the body is shown as it is.
    """
    target = _target(env)
    recorded = records.whole(target, message_id)
    if recorded and recorded.record.state not in ("parked", "dropped"):
        recorded_webhooks.show_whole(recorded, as_json=as_json)
        return
    webhook = parked.store(target).find(message_id)
    if webhook is None and recorded:
        recorded_webhooks.show_whole(recorded, as_json=as_json)  # its time in the store is over
        return
    if webhook is None:
        raise InputError(
            f"'{message_id}' is neither parked nor recorded. A webhook is recorded from its first "
            f"attempt on; `webhook-buffer webhooks search` finds it by group, time or delivery id."
        )
    raw = parked.message(target, webhook)
    request, history = parked.request(raw), records.history(target, webhook.id)
    if request and not show_credentials:
        request = _redaction(target.settings).applied(request)
    if as_json:
        content = None
        if request:
            content = request._asdict() | {"body": base64.b64encode(request.body).decode()}
        whole = {**_row(webhook), "attempts": history, "request": content}
        print(json.dumps({**whole, "raw": raw} if show_credentials else whole))
        return
    rows = [(name, safe(str(value))) for name, value in _row(webhook).items()]
    rows += recorded_webhooks.attempts(history)
    if request:
        query = f"?{request.query}" if request.query else ""
        rows.append(("request", safe(f"{request.method} {request.path}{query}")))
        rows.append(recorded_webhooks.body(request.body))
    elif show_credentials:
        rows.append(("message", safe(str(raw["body"])[: recorded_webhooks.BODY_CHARACTERS])))
    else:
        rows.append(("message", "not readable, so it may hold credentials: --show-credentials"))
    show(rows)


@webhooks_app.command()
def search(
    group: Annotated[str | None, typer.Option(metavar="ID", help="Webhooks of this group.")] = None,
    delivery: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The sender's own id, such as X-GitHub-Delivery."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="From this time on, in UTC: 2026-11-26T10:00."),
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Up to this time.")] = None,
    limit: Annotated[
        int, typer.Option(metavar="N", min=1, max=1000, help="How many at most.")
    ] = 50,
    env: Env = LOCAL,
    as_json: Json = False,
) -> None:
    """Find recorded webhooks by group, by the sender's delivery id, or by time; newest first.

    Without --since, a search by group or delivery id covers all time, and any other the last day.
    """
    recorded_webhooks.search(
        _target(env), group=group, delivery=delivery, since=since, until=until, most=limit,
        as_json=as_json,
    )  # fmt: skip


@webhooks_app.command()
def cost(
    size: Annotated[
        list[int] | None,
        typer.Option("--bytes", metavar="N", min=2, max=1_000_000, help="A body of this size."),
    ] = None,
    env: Env = LOCAL,
) -> None:
    """Print the cost of one webhook: delivered on the first attempt, or refused and parked."""
    from webhook_buffer.cli import webhook_costs

    webhook_costs.show(env, size)


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
        what = store.of_group(group.group_id)
        words = (
            f"deliver {len(what)} webhooks of group {safe(group.group_id)}, in order, before newer "
            "ones"
        )
    else:
        what = [_aside(store, name, env)]
        words = f"deliver {safe(name)}, after webhooks of its group that are newer"
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
    """Mark a parked webhook so that it is never delivered; it is kept until it expires."""
    if not reason.strip() or len(reason) > 500:
        raise InputError("--reason: say why in up to 500 characters.")
    target = _target(env)
    store = parked.store(target)
    webhook = store.webhook(message_id)
    words = f"never deliver {safe(message_id)}"
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
    return laptop.environment(settings)


def _redaction(settings: Settings) -> Redaction:
    return Redaction.of(settings.redactHeaders, settings.redactParameters)


def _aside(store: Store, name: str, env: str) -> ParkedWebhook:
    """The webhook to release alone.

    Raises:
        InputError: When it is none, was dropped, or waits in a held group.
    """
    webhook = store.webhook(name)
    if webhook.dropped:
        raise InputError(f"'{name}' was dropped and will not be delivered.")
    if webhook.kind == "held":
        raise InputError(
            f"'{name}' belongs to a held group, whose order is preserved; release the group: "
            f"{parked.release_command(env, webhook.group_id)}"
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
        plan: dict[str, Any] = {
            "action": action,
            "webhooks": [_row(webhook) for webhook in webhooks],
        }
        print(json.dumps({**plan, "dry_run": dry_run}))
        return not dry_run
    if not dry_run:
        require_answer(yes)
    console.print(f"This would {words}:" if dry_run else f"This will {words}:", soft_wrap=True)
    for webhook in webhooks[:_PLAN_ROWS]:
        console.print(f"  {_line(webhook)}", soft_wrap=True)
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
        f"{safe(webhook.id)}  group {safe(webhook.group_id)}  parked {moment(webhook.parked_at)}  "
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
        "received_at": moment(webhook.received_at),
        "parked_at": moment(webhook.parked_at),
        "kept_until": moment(1000 * webhook.expires_at),
    }


def _group(group: HeldGroup) -> dict[str, Any]:
    return {"group_id": group.group_id, "head": group.head, "since": moment(group.since)}
