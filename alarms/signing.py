"""Our own signature: the secret that attempts are signed with can't be used."""

from __future__ import annotations

from monitoring.model import metrics
from monitoring.model.signals import (
    Comparison,
    FailureMode,
    Missing,
    Query,
    Severity,
    Signal,
    Threshold,
)

SIGNALS = (
    Signal(
        id="signing-secret-unreadable",
        title="The signing secret can't be read",
        impact="Webhooks wait, now or within hours: until then attempts are signed with the last "
        "good secret where there is one.",
        covers=(FailureMode.CONSUMER_STOPPED,),
        severity=Severity.PAGE,
        queries={"unreadable": Query(metrics.SIGNING_SECRET_UNREADABLE, "Sum", "buffer")},
        comparison=Comparison.AT_LEAST,
        threshold=Threshold(
            1,
            "Count",
            "A container reads the secret once a minute at most; {window} outlast a hiccup.",
        ),
        datapoints=2,
        periods=5,
        missing=Missing.NOT_BREACHING,
        missing_reason="Written only when it happens.",
        log="subscribe",
        log_query="fields @timestamp, event, aws_error, error, group_id"
        ' | filter event = "signing.unreadable" or error = "NoSecret"'
        " | sort @timestamp desc | limit 100",
        opt_in="signing",
    ),
)
