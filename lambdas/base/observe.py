"""What a function reports: one JSON log line per event, and failures to Sentry.

Both take allow-listed fields only, so no webhook body, header value, environment variable
or DSN can reach them. Sentry is imported at the first failure, not before: a healthy
function never pays for it.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any

from lambdas.base import tracing
from lambdas.base.metrics import embedded

# Every field a log line may have; a test holds the code to it. Datadog takes the first of
# ``status``, ``severity`` and ``level`` for a line's severity: none but ``level`` may be here.
# Source: Datadog documentation, "Pipelines", "Preprocessing", "Status".
LOG_FIELDS = frozenset(
    {
        "at", "level", "event", "service", "env", "function", "request_id",
        "message_id", "group_id", "sequence_number", "attempt", "receives", "method", "http",
        "error", "path", "body_bytes", "message_bytes", "duration_ms", "age_ms", "retry_seconds",
        "aws_error", "consumed", "where", "heartbeat", "source", "reason",
        "alarm", "state", "alarm_severity", "channel", "folded",
        "deduplication",
        "accepted", "queued", "uncertain", "unaccounted", "unreconciled", "since", "until",
        "dd.trace_id", "dd.span_id",
    }
)  # fmt: skip

# Every part a Sentry event may have; exceptions are redacted besides.
_EVENT_PARTS = frozenset(
    {
        "event_id", "timestamp", "level", "message", "exception", "tags", "environment",
        "release", "server_name", "platform", "sdk",
    }
)  # fmt: skip
_LEVELS = {name: getattr(logging, name) for name in ("DEBUG", "INFO", "WARNING", "ERROR")}
# Put into every record by Datadog's library while a trace is active; zero without one.
# Source: ddtrace ``contrib/internal/logging/patch.py``, which ``datadog_lambda`` switches on.
_CORRELATION = ("dd.trace_id", "dd.span_id")

# What the invocation is about: function, request_id, message_id and group_id. They stand in
# every log line and are the tags of every report.
_context: dict[str, str] = {}

# What is reported to Sentry at the invocation's end, each with the ids of its time.
_reports: list[tuple[Callable[[Any], object], dict[str, str]]] = []
# How long Sentry may take at most, and at least; and what is left of an invocation after it.
_SENTRY_SECONDS = 1.0
_SENTRY_LEAST_SECONDS = 0.3
_LAST_SECONDS = 0.1


# For its records, into which Datadog's library puts its ids.
_LOGGER = logging.Logger("webhook_buffer")
_as_json = json.JSONEncoder(separators=(",", ":")).encode


def log(
    level: str,
    event: str,
    *,
    metrics: Mapping[str, float] | None = None,
    http_status: int | None = None,
    **fields: Any,
) -> None:
    """Writes one JSON line, if ``level`` is at least the environment's ``LOG_LEVEL``.

    Args:
        metrics: values the line carries as metrics; it is written then whatever its level.
        http_status: becomes ``http.status_code``, Datadog's standard attribute for it.

    Raises:
        ValueError: When a field is not in ``LOG_FIELDS``, or a metric is not defined.
    """
    unknown = fields.keys() - LOG_FIELDS
    if unknown:
        raise ValueError(f"not an allowed log field: {', '.join(sorted(unknown))}")
    quiet = _LEVELS[level] < _LEVELS[os.environ.get("LOG_LEVEL", "INFO")]
    if quiet and not metrics:
        return
    at = round(time.time() * 1000)
    line = {
        "at": at,
        "level": level,
        "event": event,
        "service": os.environ.get("SERVICE"),
        "env": os.environ.get("ENVIRONMENT"),
        **_context,
        **({} if http_status is None else {"http": {"status_code": http_status}}),
        **{name: value for name, value in fields.items() if value is not None},
        **(embedded(metrics, at=at) if metrics else {}),
    }
    # Lines are not logged with ``logging``, which takes as long as all the rest.
    sys.stdout.write(_as_json(line | _correlation()) + "\n")
    sys.stdout.flush()


def _correlation() -> dict[str, str]:
    """The ids of the active trace; none without Datadog's library."""
    if "ddtrace" not in sys.modules:
        return {}
    record = vars(_LOGGER.makeRecord(_LOGGER.name, logging.INFO, "", 0, "", (), None))
    return {name: record[name] for name in _CORRELATION if record.get(name, "0") != "0"}


def about(*, group_id: str, message_id: str | None = None) -> None:
    """Names the webhook that log lines and reports are about until the invocation's end."""
    _context["group_id"] = group_id
    if message_id:
        _context["message_id"] = message_id


def report(failure: str) -> None:
    """Has a handled failure sent to Sentry, where the environment has a DSN.

    Args:
        failure: what went wrong, in words that contain nothing from the webhook.
    """
    _keep(lambda sentry: sentry.capture_message(failure, level="error"))


def report_exception(error: BaseException) -> None:
    """Has an exception sent to Sentry: its type and stack, never its text or local variables.

    The active span is marked with it, too.
    """
    tracing.failed(type(error).__name__, _described(error))
    _keep(lambda sentry: sentry.capture_exception(error))


class UnexpectedError(Exception):
    """What the runtime sees of an unexpected exception: its type's name, nothing else.

    The runtime logs an exception's text, and the text may hold a header's value.
    """


@contextmanager
def loading() -> Iterator[None]:
    """Around a function module's imports and set-up: what fails there is reported too."""
    try:
        yield
    except BaseException as error:
        _report_failure(error, "load.failed")
        _send_reports(_SENTRY_SECONDS)
        raise UnexpectedError(_described(error)) from None


Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def observed(handler: Handler) -> Handler:
    """Gives a handler the request's id in its logs, and reports what it did not handle.

    Raises:
        UnexpectedError: When the handler raised anything.
    """
    tracing.set_up()

    @wraps(handler)
    def wrapper(event: dict[str, Any], context: Any) -> dict[str, Any]:
        _context.clear()
        _context["function"] = context.function_name
        _context["request_id"] = context.aws_request_id
        try:
            return handler(event, context)
        except Exception as error:
            _report_failure(error, "function.failed")
            raise UnexpectedError(_described(error)) from None
        finally:
            # After the work: what Sentry takes of the remaining time can't delay a webhook.
            _send_reports(context.get_remaining_time_in_millis() / 1000 - _LAST_SECONDS)

    return wrapper


def _report_failure(error: BaseException, event: str) -> None:
    log("ERROR", event, error=type(error).__name__, where=_where(error))
    report_exception(error)


def _described(error: BaseException) -> str:
    return f"{type(error).__name__} at {_where(error)}"


def _where(error: BaseException) -> str:
    """File and line that raised, which say more than a redacted text can."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    if trace is None:
        return "unknown"
    file = trace.tb_frame.f_code.co_filename.rpartition("/")[2]
    return f"{file}:{trace.tb_lineno}"


def _keep(capture: Callable[[Any], object]) -> None:
    """Keeps a report until the work is done, with the ids it is about."""
    if os.environ.get("SENTRY_DSN"):
        _reports.append((capture, dict(_context)))


def _send_reports(seconds: float) -> None:
    """Sends what was kept and waits until it has left: the sandbox may be frozen right after.

    A failure of Sentry never fails the invocation.

    Args:
        seconds: how long it may take; with too few nothing is sent, and the log says so.
    """
    if not _reports:
        return
    reports = _reports.copy()
    _reports.clear()
    if seconds < _SENTRY_LEAST_SECONDS:
        log("WARNING", "sentry.skipped")
        return
    started = time.monotonic()
    try:
        import sentry_sdk

        if not sentry_sdk.is_initialized():
            sentry_sdk.init(
                os.environ["SENTRY_DSN"],
                environment=os.environ.get("ENVIRONMENT"),
                release=os.environ.get("RELEASE"),
                server_name=os.environ.get("AWS_LAMBDA_FUNCTION_NAME"),
                default_integrations=False,
                auto_enabling_integrations=False,
                include_local_variables=False,
                max_breadcrumbs=0,
                max_request_body_size="never",
                before_send=_allow_listed,
                shutdown_timeout=0,
            )
        for capture, tags in reports:
            with sentry_sdk.new_scope() as scope:
                for name, value in tags.items():
                    scope.set_tag(name, value)
                capture(sentry_sdk)
        left = seconds - (time.monotonic() - started)
        sentry_sdk.flush(timeout=max(0.0, min(_SENTRY_SECONDS, left)))
    except Exception as error:
        log("WARNING", "sentry.failed", error=type(error).__name__)


def _allow_listed(event: Any, _hint: Any) -> Any:
    """A Sentry event's parts that contain nothing from a webhook or the environment."""
    event = {part: value for part, value in event.items() if part in _EVENT_PARTS}
    for exception in event.get("exception", {}).get("values", []):
        exception["value"] = "(text withheld: it may hold a piece of a webhook)"
    return event
