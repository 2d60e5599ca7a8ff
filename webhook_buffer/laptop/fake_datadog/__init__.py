"""Datadog's API on the laptop: a fake that the official client can't distinguish from it.

It keeps monitors, SLOs, dashboards, downtimes and events, adds what Datadog adds, and rejects what
Datadog rejects. What a body may hold it takes from the client's own models; inside of a widget it
takes what they do not know, for Datadog does. Recorded conversations with Datadog are played
against it (``python -m tests.datadog_recordings FILE``).

Source: what each kind adds and answers, also when it is not there, and that an SLO's tags may
come back in another order: Datadog's recorded answers in ``tests/*/cassettes`` of
DataDog/datadog-api-client-python and ``datadog/tests/cassettes`` of
DataDog/terraform-provider-datadog.
Source: queries, thresholds and references of monitors: ``tests/integration/api`` of
DataDog/datadogpy; DataDog/datadog-operator issue 2106 (thresholds from the query, "Alert status
is required."); DataDog/terraform-provider-datadog issues 718 (type change), 756 (references) and
1426 (event alerts); hashicorp/terraform issue 13784 (functions make it a query alert).
Source: SLOs: DataDog/terraform-provider-datadog issues 579 (monitors), 1436 (references), pull
requests 1704 (targets) and 1774 (timeframe).
Source: widgets: DataDog/terraform-provider-datadog issue 1753; DataDog/datadogpy issue 410
(layouts).
Source: downtimes: the client's docstrings (canceled ones stay for two days, ``current_only`` means
active); DataDog/terraform-provider-datadog issues 315 (canceled) and 2798 (start).
Source: limits: https://docs.datadoghq.com/api/latest/rate-limits/ (headers, aligned periods);
DataDog/terraform-provider-datadog issue 907 (words).
Source: keys: DataDog/datadog-api-client-python pull request 2670 (401 without an application
key); DataDog/datadog-ci ``formatBackendErrors`` tests (a missing permission).

Assumed, as nothing was found that shows it:

- Two monitors are duplicates if name, type, query, message, tags, options and priority agree;
  only creating one looks for them.
- The words for a warning or recovery threshold on the wrong side, for an option or priority out
  of its range, for tags of dashboards, and for most of what is wrong with an SLO or a downtime.
- Two downtimes are duplicates if message, monitors, scope and schedule agree; the words for it, and
  for a recurrence that starts in the past.
- A monitor that a downtime mutes shows each scope with the end of the longest.
- A warning equal to the critical threshold is refused; so are unknown options, and
  ``notify_no_data`` together with ``on_missing_data``.
- Composite and SLO alerts need what they speak of; an SLO alert does not keep its SLO.
- Where a query starts right, has its window, a metric with a scope, closed brackets and a
  comparison, it parses.
- An SLO has one threshold per timeframe, and its type can't change.
- A layout under the reflow type "auto" is refused.
- A downtime's monitor must exist; canceling it twice is 404.
- 405, and the words for it and for malformed JSON; a limit's name is that of the permission.
"""

from webhook_buffer.laptop.fake_datadog.faults import Fault, Limit
from webhook_buffer.laptop.fake_datadog.process import running, started, stop
from webhook_buffer.laptop.fake_datadog.server import FakeDatadog, Request

__all__ = ["FakeDatadog", "Fault", "Limit", "Request", "running", "started", "stop"]
