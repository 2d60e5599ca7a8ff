"""The active Datadog trace, where Datadog's layer has loaded its tracer; elsewhere a no-op.

The layer's handler imports ``ddtrace`` before ours, so ``sys.modules`` says whether it is there.
Functions without Datadog import nothing for it, and the asset does not hold it. Nothing in here
may fail a webhook: another version of the layer may have another API.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

# What a span may hold besides Datadog's own ``_…``: nothing of a webhook but its method, its path
# and its ids, all of which the log has too. Datadog's library would also send the headers Referer
# and User-Agent, the sender's address, and the receipt handle, which lets one delete a message.
_TAGS = frozenset(
    {
        "aws_account", "cold_start", "datadog_lambda", "dd_resource_key", "dd_trace", "endpoint",
        "env", "error.message", "error.stack", "error.type", "event_source_arn", "function_arn",
        "function_version", "functionname", "language", "operation_name", "out.host",
        "peer.service", "proactive_initialization", "queuename", "region", "request_id",
        "resource_names", "runtime-id", "service", "span.kind", "span.name", "stage", "version",
        "apiid", "apiname", "http.method", "http.protocol", "http.route", "http.status_code",
        "function_trigger.event_source", "function_trigger.event_source_arn",
        "attempt", "message_id",
    }
)  # fmt: skip


# Those of them that hold a request's path.
_WITH_PATHS = frozenset(
    {"dd_resource_key", "endpoint", "http.route", "resource_names", "span.name"}
)


class _AllowListed:
    """A trace filter: removes tags that a span must not have, whoever set them.

    It also adds the version, which the tracer leaves out below a span of another service, such as
    the API's.
    """

    def process_trace(self, trace: list[Any]) -> list[Any]:
        from lambdas.base.redaction import masked

        try:
            for span in trace:
                if span.service == os.environ.get("DD_SERVICE"):
                    span.set_tag("version", os.environ.get("DD_VERSION"))
                span.resource = masked(span.resource)
                for name, value in list(span.get_tags().items()):
                    if name not in _TAGS and not name.startswith("_"):
                        span.remove_tag(name)
                    elif name in _WITH_PATHS:
                        span.set_tag(name, masked(value))
        except Exception:
            return []  # better no spans than some that reveal too much
        return trace


def set_up() -> None:
    """Reduces every span to the allow-list."""
    tracer = _tracer()
    if tracer:
        try:
            tracer.configure(trace_processors=[_AllowListed()])
        except Exception:
            tracer.enabled = False


def headers() -> dict[str, str]:
    """The HTTP headers that continue the active trace (Datadog's and W3C's); none without one."""
    carrier: dict[str, str] = {}
    with suppress(Exception):
        active = _active()
        if active:
            propagator = sys.modules["ddtrace.propagation.http"].HTTPPropagator
            propagator.inject(active.context, carrier)
    return carrier


def carried() -> str:
    """``headers`` as text for a message's attribute, or nothing.

    Source: ``datadog_lambda/tracing.py``, ``extract_context_from_sqs_or_sns_event_or_context``:
    Datadog's library looks for it in the attribute ``_datadog``.
    """
    carrier = headers()
    return json.dumps(carrier, separators=(",", ":")) if carrier else ""


def tag(tags: Mapping[str, object]) -> None:
    """Adds the values that are not None to the active span."""
    with suppress(Exception):
        active = _active()
        if active:
            active.set_tags({name: str(value) for name, value in tags.items() if value is not None})


def failed(kind: str, message: str) -> None:
    """Marks the active span as an error.

    Args:
        kind: ``ValueError``, ``ReadTimeout``.
        message: what went wrong, in words that hold nothing of a webhook.
    """
    tag({"error.type": kind, "error.message": message})
    with suppress(Exception):
        active = _active()
        if active:
            active.error = 1


@contextmanager
def span(name: str) -> Iterator[None]:
    """Around a step that has a span of its own, which is the active one meanwhile.

    It is measured: of other spans below a service's first, Datadog has no ``trace.NAME`` metrics.
    Source: Datadog documentation, "Trace Metrics"; ddtrace ``constants.py`` for the key.
    """
    begun = None
    with suppress(Exception):
        tracer = _tracer()
        begun = tracer.trace(name) if tracer else None
    with suppress(Exception):
        if begun:
            begun.set_tag("_dd.measured", 1)
    try:
        yield
    except BaseException as error:
        # Never by the tracer itself: it would send the exception's text.
        failed(type(error).__name__, "unexpected")
        raise
    finally:
        with suppress(Exception):
            if begun:
                begun.finish()


def _tracer() -> Any:
    """Datadog's tracer, when it is loaded and on."""
    module = sys.modules.get("ddtrace.trace")
    return module.tracer if module and module.tracer.enabled else None


def _active() -> Any:
    tracer = _tracer()
    return tracer.current_span() if tracer else None
