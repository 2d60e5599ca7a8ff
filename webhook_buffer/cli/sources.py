"""``webhook-buffer sources``: who may send, whether a captured request would pass, enrollment."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from lambdas.base import secrets
from lambdas.base.http import HEADER_NAME
from lambdas.sources.handshakes import HANDSHAKES
from settings.errors import FileError, InputError
from settings.loader import load
from settings.sources import Source
from webhook_buffer.cli.options import LOCAL, Env, Json
from webhook_buffer.cli.terminal import console
from webhook_buffer.laptop import laptop
from webhook_buffer.operations.enrollment import Enrollment
from webhook_buffer.operations.environment import aws_errors
from webhook_buffer.operations.source_check import Captured, check, source_of, sources_of

sources_app = typer.Typer(rich_markup_mode=None)
_SECRET = "WEBHOOK_BUFFER_SOURCE_SECRET"  # noqa: S105 - a variable's name
# API Gateway takes no more.
_MOST_BYTES = 10 * 1024 * 1024
# By whether anybody can send.
_UNVERIFIED = {True: "nothing: anybody can send", False: "nothing but the sender's address"}
Name = Annotated[str, typer.Argument(metavar="SOURCE", help="The source's name in cdk.json.")]


@sources_app.command("list")
def list_sources(env: Env = LOCAL, as_json: Json = False) -> None:
    """List who may send to which paths, and how they are verified."""
    settings = load(env)
    if as_json:
        console.print_json(data=[_document(source) for source in settings.sources or ()])
        return
    sources_of(settings)
    for source in settings.sources or ():
        document = _document(source)
        console.print(f"[bold]{document['name']}[/]")
        for key in ("paths", "methods", "verified by", "handshakes", "from", "to"):
            if document[key]:
                value = document[key]
                text = ", ".join(value) if isinstance(value, list) else str(value)
                console.print(f"  {key:<12} {escape(text)}", soft_wrap=True)


def _document(source: Source) -> dict[str, object]:
    verify = source.verify
    return {
        "name": source.name,
        "paths": source.paths,
        "methods": source.methods,
        "verified by": (verify.provider or verify.kind) if verify else _UNVERIFIED[source.is_open],
        "handshakes": list(source.handshakes),
        "from": source.allowedIps,
        "to": source.backend_url,
    }


@sources_app.command("check")
def check_request(
    name: Name,
    payload: Annotated[
        Path | None,
        typer.Option(
            "--payload", metavar="FILE", help="The request's body, byte for byte. Default: none."
        ),
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option("--header", "-H", metavar="HEADER", help="'Name: value'. Repeatable."),
    ] = None,
    env: Env = LOCAL,
    method: Annotated[str, typer.Option(metavar="METHOD", help="HTTP method.")] = "POST",
    to: Annotated[
        str | None,
        typer.Option(
            metavar="PATH", help="Path and query, without pathPrefix; default: the source's."
        ),
    ] = None,
    address: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The sender's address.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="When it came: ISO 8601, or seconds since 1970. Default: now."
        ),
    ] = None,
    secret_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help=f"The source's secret; default: {_SECRET}, or it is asked for."
        ),
    ] = None,
) -> None:
    """Check whether a captured request would be accepted, and why not. Sends nothing."""
    settings = load(env)
    source = source_of(settings, name)
    path, _, query = (to or "").partition("?")
    captured = Captured(
        method=method.upper(),
        path=path or None,
        query=query,
        headers=_headers(header or []),
        body=_read(payload) if payload else b"",
        address=address,
        at=_time(at),
    )
    verdict = check(settings, source, captured, _members(secret_file) if source.arn else {})
    sign = "[green]✓[/]" if verdict.accepted else "[red]✗[/]"
    console.print(f"{sign} {verdict.status} {escape(verdict.words)}", soft_wrap=True)
    for hint in verdict.hints:
        console.print(f"  {escape(hint)}", soft_wrap=True)
    raise typer.Exit(0 if verdict.accepted else 1)


@sources_app.command("enroll")
def enroll(
    name: Name,
    env: Env = LOCAL,
    minutes: Annotated[
        float, typer.Option(metavar="N", help="How long to wait.", min=0.01, max=60)
    ] = 10,
) -> None:
    """Store the secret received in a provider's handshake, such as Asana's."""
    settings = load(env)
    source = source_of(settings, name)
    if not any("enrollment" in handshake.needs for handshake in source.handshakes):
        kinds = ", ".join(
            kind for kind, handshake in HANDSHAKES.items() if "enrollment" in handshake.needs
        )
        raise InputError(
            f"Source '{name}' has a secret of its own; only with the handshake {kinds} it comes "
            "from the provider."
        )
    enrollment = Enrollment(laptop.environment(settings), name, source.arn)
    with aws_errors(settings):
        taken = _enrolled(enrollment, source.paths, minutes)
    if not taken:
        console.print("[red]✗[/] No secret came. Nothing is taken any more.")
        raise typer.Exit(1)
    console.print(f"[green]✓[/] '{name}' has its secret, and its webhooks are verified with it.")


def _enrolled(enrollment: Enrollment, paths: Sequence[str], minutes: float) -> bool:
    """Whether a secret came while it could be taken."""
    enrollment.open(seconds=60 * minutes)
    try:
        console.print(
            f"For {minutes:g} minutes the first secret that comes to {', '.join(paths)} is "
            "taken. Create the webhook at the provider now.",
            soft_wrap=True,
        )
        return enrollment.wait(seconds=60 * minutes)
    finally:
        enrollment.close()


def _headers(lines: list[str]) -> tuple[tuple[str, str], ...]:
    headers = []
    for line in lines:
        name, separator, value = line.partition(":")
        if not separator or not HEADER_NAME.fullmatch(name.strip()):
            raise InputError(f"--header {name!r}: write it as 'Name: value'.")
        headers.append((name.strip(), value.strip()))
    return tuple(headers)


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise FileError(error, file) from None
    if len(content) > _MOST_BYTES:
        raise InputError(f"{file} has more than 10 MB, which API Gateway would not take.")
    return content


def _time(text: str | None) -> float:
    if text is None:
        return time.time()
    try:
        return float(text) if text.isdecimal() else datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        raise InputError(
            f"--at {text!r} is not a time; write 2026-11-26T07:00:00Z, or seconds since 1970."
        ) from None


def _members(file: Path | None) -> Mapping[str, str]:
    """The secret's members; never from the command line, which others can read."""
    if file:
        text = _read(file).decode("utf-8", "replace").removesuffix("\n")
    elif _SECRET in os.environ:
        text = os.environ[_SECRET]
    elif sys.stdin.isatty():
        text = typer.prompt("The source's secret", hide_input=True)
    else:
        raise InputError(f"Give the source's secret: --secret-file FILE, or {_SECRET}.")
    try:
        return secrets.members(text)
    except ValueError:
        raise InputError("The secret is empty.") from None
